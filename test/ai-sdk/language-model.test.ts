import { generateText, streamText } from "ai";
import { describe, expect, it } from "vitest";
import { createLanguageModel, createUnderstudyProvider, readAnswerMetadata } from "../../src/ai-sdk.ts";
import { collect, openAiStage } from "./rig.ts";

describe("a route as a language model of the AI SDK", () => {
  it("answers generateText, and says who served", async () => {
    await using ai = await openAiStage();
    const result = await generateText({ model: createLanguageModel(ai.understudy, "coding"), prompt: "hello" });
    expect(result.text).toBe("The simulator heard: hello");
    expect(result.finishReason).toBe("stop");
    expect(result.warnings).toEqual([]);
    expect(readAnswerMetadata(result.providerMetadata)).toEqual({
      turnId: expect.stringMatching(/^turn_/),
      servedBy: { provider: "codex", model: "gpt-5.5", credential: "ann" },
      attempts: 1,
      switched: false,
    });
    expect(result.response).toMatchObject({
      modelId: "gpt-5.5",
      id: expect.stringMatching(/^resp_/),
      headers: { "x-understudy-served-by": "codex/gpt-5.5/ann" },
    });
    const [turn] = await ai.stage.workspace.store.listTurns(1);
    expect(turn).toMatchObject({ outcome: "answered", usage: { input: result.usage.inputTokens } });
  });

  it("counts tokens as the AI SDK does", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.script("reasoning");
    const { usage } = await generateText({ model: createLanguageModel(ai.understudy), prompt: "hello" });
    expect(usage.inputTokens).toBeGreaterThan(0);
    expect(usage.inputTokenDetails.noCacheTokens).toBe(usage.inputTokens);
    expect(usage.outputTokenDetails.reasoningTokens).toBeGreaterThan(0);
    expect(usage.outputTokenDetails.textTokens).toBe(
      (usage.outputTokens ?? 0) - (usage.outputTokenDetails.reasoningTokens ?? 0),
    );
  });

  it("streams with one stream-start, the parts in the SDK's order, and a finish that says who served", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", "quota-exhausted");
    ai.simulator.messages.script({ name: "tool-call", reasoning: "I think.", text: "I call." });
    const { stream } = await createLanguageModel(ai.understudy, "coding").doStream({
      prompt: [{ role: "user", content: [{ type: "text", text: "hello" }] }],
      tools: [{ type: "function", name: "look", inputSchema: { type: "object", properties: {} } }],
    });
    const parts = await collect(stream);
    const order = parts.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);
    expect(order).toEqual([
      "stream-start",
      "response-metadata",
      "reasoning-start",
      "reasoning-delta",
      "reasoning-end",
      "text-start",
      "text-delta",
      "text-end",
      "tool-input-start",
      "tool-input-delta",
      "tool-input-end",
      "tool-call",
      "finish",
    ]);
    for (const once of ["stream-start", "response-metadata", "tool-call", "finish"]) {
      expect([once, parts.filter(({ type }) => type === once).length]).toEqual([once, 1]);
    }
    expect(parts.at(-1)).toMatchObject({
      finishReason: { unified: "tool-calls" },
      usage: { inputTokens: { total: expect.any(Number) }, outputTokens: { total: expect.any(Number) } },
      providerMetadata: { understudy: { servedBy: { provider: "anthropic", credential: "k" }, switched: true } },
    });
  });

  it("streams a length as the reason of the end", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.script("output-limit");
    const result = streamText({ model: createLanguageModel(ai.understudy, "coding"), prompt: "hello" });
    expect(await result.finishReason).toBe("length");
  });

  it.each([
    ["an account that runs dry in mid-thought", "codex", { name: "soft-quota", after: "reasoning" }],
    ["a connection that is cut before anything", "codex", { name: "cut-before-headers" }],
    ["a stream that ends without a word", "codex", { name: "empty-stream" }],
  ] as const)("streamText never sees %s", async (_what, backend, fault) => {
    await using ai = await openAiStage();
    ai.simulator[backend].setBehaviour("*", fault);
    const result = streamText({ model: createLanguageModel(ai.understudy, "coding"), prompt: "hello" });
    const types = (await collect(result.fullStream)).map(({ type }) => type);
    expect(await result.text).toBe("The simulator heard: hello");
    expect(types).not.toContain("error");
    expect(types.filter((type) => type === "start-step")).toHaveLength(1);
    expect(readAnswerMetadata(await result.providerMetadata)).toMatchObject({
      servedBy: { provider: "anthropic" },
      switched: true,
    });
  });

  it("generateText never sees an answer that is cut in the middle", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", "cut-mid-text");
    const result = await generateText({ model: createLanguageModel(ai.understudy, "coding"), prompt: "hello" });
    expect(result.text).toBe("The simulator heard: hello");
    expect(readAnswerMetadata(result.providerMetadata)).toMatchObject({
      servedBy: { provider: "anthropic" },
      switched: true,
    });
  });

  it("tells events to the program's listener and to the model's", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", "quota-exhausted");
    const own: string[] = [];
    const model = createLanguageModel(ai.understudy, "coding", { onEvent: (event) => own.push(event.type) });
    await generateText({ model, prompt: "hello" });
    expect(own).toContain("switched");
    expect(own).toEqual(ai.events.map(({ type }) => type));
  });

  it("takes an opened workspace as well", async () => {
    await using ai = await openAiStage();
    const { text } = await generateText({
      model: createLanguageModel(ai.stage.workspace, "local/qwen3"),
      prompt: "hello",
    });
    expect(text).toBe("The simulator heard: hello");
    expect(ai.simulator.chat.requests).toHaveLength(1);
  });

  it("an unknown route and a foreign object are told at once", async () => {
    await using ai = await openAiStage();
    expect(() => createLanguageModel(ai.understudy, "codign")).toThrow(
      expect.objectContaining({ code: "route_unknown" }),
    );
    expect(() => createLanguageModel({ ...ai.understudy })).toThrow(expect.objectContaining({ code: "usage" }));
    expect(ai.simulator.requests).toEqual([]);
  });
});

describe("the routes as a provider of the AI SDK", () => {
  it("gives a model by its route's name, also to whoever names models by text", async () => {
    await using ai = await openAiStage();
    const provider = createUnderstudyProvider(ai.understudy);
    globalThis.AI_SDK_DEFAULT_PROVIDER = provider;
    try {
      const { text } = await generateText({ model: "coding", prompt: "hello" });
      expect(text).toBe("The simulator heard: hello");
    } finally {
      globalThis.AI_SDK_DEFAULT_PROVIDER = undefined;
    }
    expect(provider.languageModel("coding")).toMatchObject({ provider: "understudy", modelId: "coding" });
    expect(() => provider.embeddingModel("coding")).toThrow("no embedding models");
    expect(() => provider.imageModel("coding")).toThrow("no image models");
  });
});
