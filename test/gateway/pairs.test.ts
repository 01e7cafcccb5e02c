import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { askBySdk, type Said } from "./ask-by-sdk.ts";
import { dialects, openGatewayRig } from "./rig.ts";

const pairs = dialects.flatMap((caller) => dialects.map((target) => ({ caller, target })));
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [
  { name: "weather", schema },
  { name: "clock", schema },
];
const hello: Said["turns"] = [{ by: "person", text: "hello" }];

describe.each(pairs)("$caller.name asks $target.name", ({ caller, target }) => {
  it("text, whole and as a stream, with tokens counted once", async () => {
    await using rig = await openGatewayRig();
    for (const stream of [false, true]) {
      const heard = await askBySdk(rig, caller.name, {
        model: target.target,
        system: "Be kind.",
        turns: hello,
        stream,
      });
      expect(heard).toEqual({
        text: "The simulator heard: hello",
        calls: [],
        finish: "stop",
        usage: { input: expect.any(Number), output: 7 },
      });
      expect(heard.usage.input).toBeGreaterThan(10);
    }
    const [whole, streamed] = rig.stage.simulator[target.backend].requests;
    expect(JSON.stringify(whole?.body)).toContain("Be kind.");
    expect(JSON.stringify(streamed?.body)).toContain("Be kind.");
  });

  it("a tool call, its result, and the answer to it", async () => {
    await using rig = await openGatewayRig();
    const backend = rig.stage.simulator[target.backend];
    for (const stream of [false, true]) {
      backend.script("tool-call");
      const called = await askBySdk(rig, caller.name, { model: target.target, turns: hello, tools, stream });
      expect([called.finish, called.calls]).toEqual([
        "tool-calls",
        [{ name: "weather", input: { city: "simulated" } }],
      ]);
      const result = {
        by: "tool",
        id: "call_1",
        name: "weather",
        input: { city: "simulated" },
        result: "sunny",
      } as const;
      const answered = await askBySdk(rig, caller.name, {
        model: target.target,
        turns: [...hello, result],
        tools,
        stream,
      });
      expect(answered.finish).toBe("stop");
      expect(JSON.stringify(backend.requests.at(-1)?.body)).toContain("sunny");
    }
  });

  it("two calls side by side, with text before them", async () => {
    await using rig = await openGatewayRig();
    const toolCalls = [
      { name: "weather", input: { city: "Zürich", deep: [1, { a: null }] } },
      { name: "clock", input: {} },
    ];
    rig.stage.simulator[target.backend].setBehaviour("*", {
      name: "parallel-tool-calls",
      text: "Let me look.",
      toolCalls,
    });
    for (const stream of [false, true]) {
      const heard = await askBySdk(rig, caller.name, { model: target.target, turns: hello, tools, stream });
      expect([heard.text, heard.calls, heard.finish]).toEqual(["Let me look.", toolCalls, "tool-calls"]);
    }
  });

  it("reasoning beside the answer, never in it", async () => {
    await using rig = await openGatewayRig();
    rig.stage.simulator[target.backend].setBehaviour("*", { name: "reasoning", reasoning: "Secret thoughts." });
    for (const stream of [false, true]) {
      const heard = await askBySdk(rig, caller.name, { model: target.target, turns: hello, stream });
      expect(heard.text).toBe("The simulator heard: hello");
      // Thoughts are tokens of the answer, counted once.
      expect(heard.usage.output).toBe(7 + 4);
    }
  });

  it("an answer that ends at the token limit", async () => {
    await using rig = await openGatewayRig();
    rig.stage.simulator[target.backend].setBehaviour("*", "output-limit");
    for (const stream of [false, true]) {
      const heard = await askBySdk(rig, caller.name, { model: target.target, turns: hello, stream });
      expect([heard.finish, heard.text.slice(-12)]).toEqual(["length", "And then the"]);
    }
  });

  it("errors as the SDK's own classes", async () => {
    await using rig = await openGatewayRig();
    const backend = rig.stage.simulator[target.backend];
    const Sdk = caller.name === "messages" ? Anthropic : OpenAI;
    for (const stream of [false, true]) {
      const ask = () => askBySdk(rig, caller.name, { model: target.target, turns: hello, stream });
      backend.script("context-overflow");
      await expect(ask()).rejects.toBeInstanceOf(Sdk.BadRequestError);
      backend.script("quota-exhausted");
      const spent: unknown = await ask().catch((error: unknown) => error);
      expect(spent).toBeInstanceOf(Sdk.APIError);
      // A key without credit takes a person; a plan's window takes an hour.
      expect([400, 429]).toContain((spent as { status?: number }).status);
      expect(String(spent)).toContain(`${target.target} · `);
      await rig.stage.workspace.store.clearCooldowns({});
    }
  });
});
