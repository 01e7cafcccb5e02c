import { APICallError, generateText, streamText, tool } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createMarkedError } from "../../src/ai-sdk/call-error.ts";
import { createLanguageModel } from "../../src/ai-sdk.ts";
import { UnderstudyError } from "../../src/index.ts";
import { type AiStage, backendsOf, collect, openAiStage, rejection } from "./rig.ts";

function spend(ai: AiStage): void {
  for (const backend of backendsOf(ai.simulator))
    backend.setBehaviour("*", { name: "quota-exhausted", resetsInS: 7_200 });
}

const expectSpent = (error: unknown): void => {
  expect(APICallError.isInstance(error)).toBe(true);
  expect(error).toBeInstanceOf(APICallError);
  expect(error).toMatchObject({
    isRetryable: false,
    statusCode: 429,
    url: "understudy:coding",
    responseHeaders: { "x-understudy-served-by": "none", "x-understudy-attempts": "3" },
    message: expect.stringContaining("codex/gpt-5.5 · ann: the plan's limit is reached"),
    data: { turnId: expect.stringMatching(/^turn_/), retryAt: expect.any(Number) },
  });
  const { responseBody, cause } = error as APICallError;
  expect(JSON.parse(responseBody ?? "")).toMatchObject({ error: { code: "usage_limit_reached" } });
  expect(cause).toBeInstanceOf(UnderstudyError);
  expect(cause).toMatchObject({ code: "turn_failed" });
};

describe("a route that is spent", () => {
  it("is one error of generateText, which does not ask again", async () => {
    await using ai = await openAiStage();
    spend(ai);
    expectSpent(
      await rejection(generateText({ model: createLanguageModel(ai.understudy, "coding"), prompt: "hello" })),
    );
    expect(ai.simulator.requests).toHaveLength(3);
  });

  it("is one error of streamText, which does not ask again", async () => {
    await using ai = await openAiStage();
    spend(ai);
    const errors: unknown[] = [];
    const result = streamText({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "hello",
      onError: ({ error }) => void errors.push(error),
    });
    await collect(result.fullStream);
    expect(errors).toHaveLength(1);
    expectSpent(errors[0]);
    expect(ai.simulator.requests).toHaveLength(3);
  });

  it("asks nobody the second time, and says when to come back", async () => {
    await using ai = await openAiStage();
    spend(ai);
    const model = createLanguageModel(ai.understudy, "coding");
    await rejection(generateText({ model, prompt: "hello" }));
    const before = ai.simulator.requests.length;
    const error = await rejection(generateText({ model, prompt: "hello" }));
    expect(ai.simulator.requests).toHaveLength(before);
    expect((error as { data: { retryAt: number } }).data.retryAt).toBeGreaterThan(Date.now());
  });

  it("is final also when all providers are in trouble, though another try may succeed", async () => {
    await using ai = await openAiStage();
    for (const backend of backendsOf(ai.simulator)) backend.setBehaviour("*", "overloaded");
    const error = await rejection(
      generateText({ model: createLanguageModel(ai.understudy, "coding"), prompt: "hello" }),
    );
    expect(error).toMatchObject({
      isRetryable: false,
      statusCode: 503,
      responseHeaders: { "retry-after": expect.stringMatching(/^\d+$/) },
    });
    expect(ai.events.filter(({ type }) => type === "turn-start")).toHaveLength(1);
  });

  it("names the command that repairs it", async () => {
    await using ai = await openAiStage({ routes: { only: ["anthropic/claude-opus-4-8"] } });
    ai.simulator.messages.setBehaviour("*", { name: "unauthorized", code: "invalid_api_key" });
    const error = await rejection(generateText({ model: createLanguageModel(ai.understudy, "only"), prompt: "hello" }));
    expect(error).toMatchObject({
      isRetryable: false,
      data: { commands: [expect.stringMatching(/^understudy auth /)] },
    });
  });

  it("carries no secret and nothing of the conversation", async () => {
    await using ai = await openAiStage();
    for (const backend of backendsOf(ai.simulator)) backend.setBehaviour("*", "echo-key");
    const error = await rejection(
      generateText({ model: createLanguageModel(ai.understudy, "coding"), prompt: "my private words" }),
    );
    expect(APICallError.isInstance(error)).toBe(true);
    const { message, cause, stack } = error as APICallError;
    const told = [JSON.stringify(error), message, stack, String(cause), JSON.stringify(cause)].join("\n");
    for (const secret of ai.simulator.secrets) expect(told).not.toContain(secret);
    expect(told).not.toContain("my private words");
    expect((error as APICallError).requestBodyValues).toEqual({ model: "coding" });
  });
});

describe("the caller's own mistake", () => {
  it("stops at the first provider, in its words", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", "context-overflow");
    const error = await rejection(
      generateText({ model: createLanguageModel(ai.understudy, "coding"), prompt: "hello" }),
    );
    expect(error).toMatchObject({ isRetryable: false, statusCode: 400, cause: { code: "request_refused" } });
    expect(JSON.parse((error as APICallError).responseBody ?? "")).toMatchObject({
      error: { code: "context_length_exceeded" },
    });
    expect(ai.simulator.requests).toHaveLength(1);
  });

  it("a wrong option is named before anybody is asked", async () => {
    await using ai = await openAiStage();
    const error = await rejection(
      generateText({
        model: createLanguageModel(ai.understudy, "coding"),
        prompt: "hello",
        providerOptions: { understudy: { parallelToolCalls: "no" } },
      }),
    );
    expect(error).toMatchObject({
      code: "usage",
      message: expect.stringContaining('parallelToolCalls: expected a boolean, got "no"'),
    });
    expect(ai.simulator.requests).toEqual([]);
  });
});

describe("an answer that breaks off after its beginning", () => {
  it.each([
    ["codex/gpt-5.5", "codex", "cut-mid-text"],
    ["anthropic/claude-opus-4-8", "messages", "cut-mid-text"],
    ["local/qwen3", "chat", "cut-mid-text"],
    ["codex/gpt-5.5", "codex", "no-terminal"],
    ["anthropic/claude-opus-4-8", "messages", "no-terminal"],
    ["local/qwen3", "chat", "no-terminal"],
  ] as const)(
    "from %s is an error part and the finish reason error, never a clean finish (%s, %s)",
    async (route, backend, name) => {
      await using ai = await openAiStage();
      ai.simulator[backend].setBehaviour("*", { name, after: name === "no-terminal" ? "end" : "text" });
      const { stream } = await createLanguageModel(ai.understudy, route).doStream({
        prompt: [{ role: "user", content: [{ type: "text", text: "hello" }] }],
      });
      const parts = await collect(stream);
      expect(parts.map(({ type }) => type).slice(-3)).toEqual(["text-end", "error", "finish"]);
      const finishes = parts.filter((part) => part.type === "finish");
      expect(finishes).toMatchObject([{ finishReason: { unified: "error" } }]);
      const part = parts.at(-2);
      const error = part?.type === "error" ? part.error : null;
      expect(APICallError.isInstance(error)).toBe(true);
      expect(error).toMatchObject({ isRetryable: true, cause: { code: "answer_cut" } });
      const [turn] = await ai.stage.workspace.store.listTurns(1);
      expect(turn?.outcome).toBe("cut");
    },
  );

  it("runs no tool, neither the one that was cut nor one that was whole before", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", {
      name: "no-terminal",
      after: "end",
      toolCalls: [{ name: "look", input: { at: "it" } }],
    });
    const ran: unknown[] = [];
    const errors: unknown[] = [];
    const result = streamText({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "hello",
      tools: { look: tool({ inputSchema: z.object({ at: z.string() }), execute: (input) => void ran.push(input) }) },
      onError: ({ error }) => void errors.push(error),
    });
    const types = (await collect(result.fullStream)).map(({ type }) => type);
    expect(types).toContain("tool-call");
    expect(errors).toHaveLength(1);
    expect(await result.finishReason).toBe("error");
    expect(ran).toEqual([]);
  });

  it("is asked again when streamText is told to, and somebody else may answer", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.script("cut-mid-text");
    const result = streamText({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "hello",
      streamRetries: 1,
      onError: () => {},
    });
    const types = (await collect(result.fullStream)).map(({ type }) => type);
    expect(types).not.toContain("error");
    expect(await result.text).toBe("The simulator heard: hello");
    expect(await result.finishReason).toBe("stop");
  });
});

describe("without the AI SDK's own class at hand", () => {
  it("the error is known by its markers", () => {
    const facts = { message: "spent", url: "understudy:x", requestBodyValues: {}, statusCode: 503, isRetryable: false };
    const error = createMarkedError({ ...facts, cause: "why" });
    const real = new APICallError({ ...facts, cause: "why" });
    expect(APICallError.isInstance(error)).toBe(true);
    expect(error).toBeInstanceOf(Error);
    for (const field of [
      "name",
      "message",
      "cause",
      "url",
      "requestBodyValues",
      "statusCode",
      "isRetryable",
    ] as const) {
      expect([field, error[field]]).toEqual([field, real[field]]);
    }
  });
});
