import { describe, expect, it } from "vitest";
import { openStage, type TestStage } from "../rig/stage.ts";
import { lastRequest, refusals } from "./crossing.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A Chat Completions history that others wrote: `answer` is an assistant's message with a call. */
function conversation(answer: Fields): { protocol: "chat-completions"; body: Fields } {
  const call = { id: "call_1", type: "function", function: { name: "weather", arguments: '{"city":"Rome"}' } };
  const messages = [
    { role: "user", content: "how is it in Rome?" },
    { role: "assistant", content: null, tool_calls: [call], ...answer },
    { role: "tool", tool_call_id: "call_1", content: "sun" },
    { role: "user", content: "go on" },
  ];
  return { protocol: "chat-completions", body: { model: "two", messages } };
}

const signed = {
  tool_calls: [
    {
      id: "call_1",
      type: "function",
      function: { name: "weather", arguments: '{"city":"Rome"}' },
      extra_content: { google: { thought_signature: "CqQB" } },
    },
  ],
};

async function openTwo(): Promise<TestStage> {
  const stage = await openStage({ routes: { two: ["local/qwen3", "openai/gpt-5.5"] } });
  await stage.addKey("local", "strict");
  await stage.addKey("openai", "other");
  return stage;
}

describe("a provider with a rule of its own about the answers that others left in a history", () => {
  it.each([
    ["Groq's, that there is no reasoning", "no-reasoning", { reasoning_content: "it may rain" }],
    ["Mistral's, that there is no signature of Gemini", "no-reasoning", signed],
    ["Kimi's, that there is reasoning beside each answer", "needs-reasoning", {}],
    ["Kimi's, with reasoning under another name", "needs-reasoning", { reasoning: "it may rain" }],
    ["Gemini's, that the first call has a signature", "needs-signatures", {}],
  ] as const)("%s: one refusal teaches it, and later turns keep to it", async (_, rule, answer) => {
    await using stage = await openTwo();
    stage.simulator.chat.historyRule = rule;
    const first = await stage.turn(conversation(answer), "two");
    expect([first.text, stage.story]).toEqual([
      "The simulator heard: go on",
      ["strict invalid_encrypted_content", "strict ok"],
    ]);
    expect(lastRequest(stage)).toContain('{"role":"tool","tool_call_id":"call_1","content":"sun"}');
    await stage.turn(conversation(answer), "two");
    expect(stage.story).toEqual(["strict ok"]);
    expect(refusals(stage)).toHaveLength(1);
    expect(await stage.workspace.store.listCooldowns()).toEqual([]);
  });

  it("is learnt also where a conversation comes in another protocol", async () => {
    await using stage = await openTwo();
    stage.simulator.chat.historyRule = "needs-signatures";
    const call = { type: "tool-call" as const, id: "call_1", name: "weather", input: '{"city":"Rome"}' };
    const result = { type: "tool-result" as const, id: "call_1", isError: false, content: [] };
    const messages = [
      { role: "user" as const, content: [{ type: "text" as const, text: "how is it in Rome?" }] },
      { role: "assistant" as const, content: [call] },
      { role: "tool" as const, content: [result] },
    ];
    await stage.turn({ messages }, "two");
    expect(stage.story).toEqual(["strict invalid_encrypted_content", "strict ok"]);
    expect(lastRequest(stage)).toContain("skip_thought_signature_validator");
  });

  it("that nothing satisfies costs one more try, and then the next target answers: nothing is learnt of it", async () => {
    await using stage = await openTwo();
    const words = "thinking is enabled but reasoning_content is missing in assistant message at index 1";
    stage.simulator.chat.setBehaviour("strict", { name: "invalid-request", code: "wrong_api_format", message: words });
    for (let turn = 0; turn < 2; turn++) {
      await stage.turn(conversation({}), "two");
      expect(stage.story).toEqual(["strict invalid_encrypted_content", "strict invalid_encrypted_content", "other ok"]);
    }
    stage.simulator.chat.setBehaviour("strict", "answer");
    await stage.turn(conversation({}), "two");
    expect(lastRequest(stage)).not.toContain("reasoning_content");
  });

  it("that changed is learnt anew", async () => {
    await using stage = await openTwo();
    for (const rule of ["no-reasoning", "needs-reasoning", "no-reasoning"] as const) {
      stage.simulator.chat.historyRule = rule;
      await stage.turn(conversation({ reasoning_content: rule === "no-reasoning" ? "it may rain" : "" }), "two");
      expect(stage.story.at(-1), rule).toBe("strict ok");
    }
  });
});

describe("a provider that can't express all of a tool's schema", () => {
  const schema = {
    type: "object",
    properties: { model: { type: "string", enum: ["a/b"] }, on: { type: "string", format: "date" } },
  };
  const bodies = {
    openai: {
      protocol: "responses",
      body: { model: "x", input: "hi", tools: [{ type: "function", name: "t", parameters: schema }] },
    },
    anthropic: {
      protocol: "messages",
      body: {
        model: "x",
        max_tokens: 99,
        messages: [{ role: "user", content: "hi" }],
        tools: [{ name: "t", input_schema: schema }],
      },
    },
    local: {
      protocol: "chat-completions",
      body: {
        model: "x",
        messages: [{ role: "user", content: "hi" }],
        tools: [{ type: "function", function: { name: "t", parameters: schema } }],
      },
    },
  } as const;

  it.each(["openai", "anthropic", "local"] as const)("gets a plain one after one refusal: %s", async (provider) => {
    await using stage = await openStage();
    await stage.addKey(provider, "k");
    stage.simulator[{ openai: "openai", anthropic: "messages", local: "chat" }[provider] as "openai"].takesRichSchemas =
      false;
    for (const story of [["k invalid_request", "k ok"], ["k ok"]]) {
      await stage.turn(bodies[provider], `${provider}/m`);
      expect(stage.story).toEqual(story);
    }
    expect(lastRequest(stage)).toContain('"properties":{"model":{"type":"string"},"on":{"type":"string"}}');
  });

  it("may have a rule about the history as well", async () => {
    await using stage = await openTwo();
    stage.simulator.chat.takesRichSchemas = false;
    stage.simulator.chat.historyRule = "needs-reasoning";
    const { body } = conversation({});
    const both = { protocol: "chat-completions", body: { ...body, tools: bodies.local.body.tools } } as const;
    await stage.turn(both, "two");
    expect(stage.story).toEqual(["strict invalid_request", "strict invalid_encrypted_content", "strict ok"]);
    await stage.turn(both, "two");
    expect(stage.story).toEqual(["strict ok"]);
  });

  it("and refuses for another reason: the next target answers, and others keep their schemas", async () => {
    await using stage = await openTwo();
    const refusal = { name: "invalid-request", code: "x", message: "Invalid arguments passed to the model." } as const;
    stage.simulator.chat.setBehaviour("strict", refusal);
    await stage.turn("hello", "two");
    expect(stage.story).toEqual(["strict invalid_request", "strict invalid_request", "other ok"]);
    stage.simulator.chat.setBehaviour("strict", "answer");
    await stage.turn(bodies.local, "two");
    expect(lastRequest(stage)).toContain('"enum":["a/b"]');
  });
});
