import { generateText, isStepCount, type ModelMessage, streamText, tool } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createLanguageModel } from "../../src/ai-sdk.ts";
import { type AiStage, lastBody, openAiStage } from "./rig.ts";

const look = tool({ inputSchema: z.object({ at: z.string() }), execute: ({ at }) => `saw ${at}` });
const callLook = {
  name: "tool-call",
  reasoning: "I should look.",
  toolCalls: [{ name: "look", input: { at: "it" } }],
} as const;

/** The kinds of the input items of the last Responses request. */
const itemsOf = (ai: AiStage): unknown[] =>
  (lastBody(ai.simulator.codex)["input"] as Record<string, unknown>[]).map((item) => item["type"]);
const sealsOf = (ai: AiStage): unknown[] =>
  (lastBody(ai.simulator.codex)["input"] as Record<string, unknown>[]).flatMap(
    (item) => item["encrypted_content"] ?? [],
  );

describe("sealed reasoning in a loop of the AI SDK", () => {
  it.each(["generateText", "streamText"] as const)("comes back to the account that made it: %s", async (way) => {
    await using ai = await openAiStage();
    ai.simulator.codex.script(callLook);
    const call = {
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "hello",
      tools: { look },
      stopWhen: isStepCount(5),
    };
    const text = way === "generateText" ? (await generateText(call)).text : await streamText(call).text;
    expect(text).toBe("The simulator heard: hello");
    expect(itemsOf(ai)).toEqual(["message", "reasoning", "function_call", "function_call_output"]);
    expect(sealsOf(ai)).toHaveLength(1);
    expect(ai.simulator.codex.requests.map(({ status }) => status)).toEqual([200, 200]);
  });

  it("comes back as Anthropic's signed thinking", async () => {
    await using ai = await openAiStage();
    ai.simulator.messages.script(callLook);
    await generateText({
      model: createLanguageModel(ai.understudy, "anthropic/claude-opus-4-8"),
      prompt: "hello",
      tools: { look },
      stopWhen: isStepCount(5),
    });
    expect(lastBody(ai.simulator.messages)["messages"]).toMatchObject([
      { role: "user" },
      { role: "assistant", content: [{ type: "thinking", signature: expect.any(String) }, { type: "tool_use" }] },
      { role: "user", content: [{ type: "tool_result" }] },
    ]);
  });

  it("outlives a conversation's way through JSON", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.script("reasoning");
    const model = createLanguageModel(ai.understudy, "coding");
    const first = await generateText({ model, prompt: "hello" });
    const kept = JSON.parse(JSON.stringify(first.response.messages)) as ModelMessage[];
    await generateText({
      model,
      messages: [{ role: "user", content: "hello" }, ...kept, { role: "user", content: "and?" }],
    });
    expect(sealsOf(ai)).toHaveLength(1);
  });

  it("is left out for another protocol, and is there again for its issuer", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.script(callLook);
    ai.simulator.messages.script(callLook);
    const result = await generateText({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "hello",
      tools: { look },
      stopWhen: isStepCount(5),
      async prepareStep({ stepNumber }) {
        if (stepNumber === 1) ai.simulator.codex.setBehaviour("*", "quota-exhausted");
        if (stepNumber === 2) {
          ai.simulator.codex.clearScript();
          await ai.recover();
        }
        return {};
      },
    });
    expect(result.steps.map(({ response }) => response.modelId)).toEqual(["gpt-5.5", "claude-opus-4-8", "gpt-5.5"]);
    expect(JSON.stringify(lastBody(ai.simulator.messages))).not.toContain("encrypted_content");
    expect(sealsOf(ai)).toHaveLength(1);
    expect(JSON.stringify(lastBody(ai.simulator.codex))).not.toContain("signature");
    expect(result.steps.flatMap(({ warnings }) => warnings)).toEqual([]);
  });

  it("another account of the same provider refuses it once and then answers without it", async () => {
    await using ai = await openAiStage({ logins: ["ann", "ben"] });
    ai.simulator.codex.script(callLook);
    const result = await generateText({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "hello",
      tools: { look },
      stopWhen: isStepCount(5),
      prepareStep({ stepNumber }) {
        if (stepNumber === 1) ai.simulator.codex.setBehaviour("ann", "quota-exhausted");
        return {};
      },
    });
    expect(result.text).toBe("The simulator heard: hello");
    expect(result.steps.at(-1)?.providerMetadata).toMatchObject({ understudy: { servedBy: { credential: "ben" } } });
    expect(sealsOf(ai)).toEqual([]);
    expect(ai.simulator.messages.requests).toEqual([]);
  });
});

describe("a conversation", () => {
  it("stays with the account whose prompt cache knows it, though the pool is shared evenly", async () => {
    await using ai = await openAiStage({
      logins: ["ann", "ben", "cat"],
      pools: { codex: { strategy: "round_robin" } },
    });
    for (let step = 0; step < 5; step++) ai.simulator.codex.script(callLook);
    const model = createLanguageModel(ai.understudy, "coding");
    const result = await generateText({ model, prompt: "hello", tools: { look }, stopWhen: isStepCount(6) });
    const served = new Set(ai.simulator.codex.requests.map(({ credential }) => credential));
    expect(result.steps).toHaveLength(6);
    expect(served.size).toBe(1);
    await generateText({ model, prompt: "another conversation" });
    expect(served).not.toContain(ai.simulator.codex.requests.at(-1)?.credential);
  });
});
