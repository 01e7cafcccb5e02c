import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { APICallError, generateText, isStepCount, type LanguageModel, Output, streamText, tool } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Understudy } from "../../src/index.ts";
import { backendsOf, collect, openAiStage, rejection } from "./rig.ts";

/**
 * The AI SDK's own providers, as its documentation sets them up, with our fetch. With `store: false` the one of OpenAI sends
 * conversations whole; without it, from the second step on, it names items that only one account has stored.
 */
const providers: readonly (readonly [string, (understudy: Understudy) => LanguageModel])[] = [
  ["@ai-sdk/openai", ({ fetch }) => createOpenAI({ apiKey: "unused", fetch })("coding")],
  ["@ai-sdk/openai, chat completions", ({ fetch }) => createOpenAI({ apiKey: "unused", fetch }).chat("coding")],
  ["@ai-sdk/anthropic", ({ fetch }) => createAnthropic({ apiKey: "unused", fetch })("coding")],
  [
    "@ai-sdk/openai-compatible",
    ({ fetch }) => createOpenAICompatible({ name: "understudy", baseURL: "http://understudy/v1", fetch })("coding"),
  ],
];

const providerOptions = { openai: { store: false } };

describe.each(providers)("%s with the library's fetch", (_name, modelOf) => {
  it("generates text over an account that is empty", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", "quota-exhausted");
    const { text, response } = await generateText({ model: modelOf(ai.understudy), prompt: "hello" });
    expect(text).toBe("The simulator heard: hello");
    expect(response.headers?.["x-understudy-served-by"]).toBe("anthropic/claude-opus-4-8/k");
  });

  it("streams text over a provider that fails inside its answer", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", { name: "soft-quota", after: "reasoning" });
    const errors: unknown[] = [];
    const result = streamText({
      model: modelOf(ai.understudy),
      prompt: "hello",
      onError: ({ error }) => void errors.push(error),
    });
    expect((await collect(result.textStream)).join("")).toBe("The simulator heard: hello");
    expect(errors).toEqual([]);
    expect(await result.finishReason).toBe("stop");
  });

  it.each(["generateText", "streamText"] as const)(
    "runs a tool loop with a switch between its steps: %s",
    async (way) => {
      await using ai = await openAiStage();
      ai.simulator.codex.script({
        name: "tool-call",
        reasoning: "I should look.",
        toolCalls: [{ name: "look", input: { at: "it" } }],
      });
      const ran: string[] = [];
      const call = {
        model: modelOf(ai.understudy),
        providerOptions,
        prompt: "hello",
        tools: { look: tool({ inputSchema: z.object({ at: z.string() }), execute: ({ at }) => void ran.push(at) }) },
        stopWhen: isStepCount(5),
        prepareStep({ stepNumber }: { stepNumber: number }) {
          if (stepNumber === 1) ai.simulator.codex.setBehaviour("*", "quota-exhausted");
          return {};
        },
      };
      const text = way === "generateText" ? (await generateText(call)).text : await streamText(call).text;
      expect(text).toBe("The simulator heard: hello");
      expect(ran).toEqual(["it"]);
      expect(ai.simulator.messages.requests.map(({ status }) => status)).toEqual([200]);
    },
  );

  it("gives structured output", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", { text: '{"city":"Paris"}' });
    const { output } = await generateText({
      model: modelOf(ai.understudy),
      prompt: "hello",
      output: Output.object({ schema: z.object({ city: z.string() }) }),
    });
    expect(output).toEqual({ city: "Paris" });
  });

  it("a route whose limits are hours away is one error, and is not asked again", async () => {
    await using ai = await openAiStage();
    for (const backend of backendsOf(ai.simulator))
      backend.setBehaviour("*", { name: "quota-exhausted", resetsInS: 7_200 });
    const error = await rejection(generateText({ model: modelOf(ai.understudy), prompt: "hello" }));
    expect(APICallError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({
      isRetryable: false,
      message: expect.stringContaining("the plan's limit is reached"),
    });
    expect(ai.simulator.requests).toHaveLength(3);
  });

  it("an abort stays an abort", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", "silence");
    const controller = new AbortController();
    const running = generateText({ model: modelOf(ai.understudy), prompt: "hello", abortSignal: controller.signal });
    await ai.simulator.codex.until(() => ai.simulator.codex.held > 0);
    controller.abort();
    expect(await rejection(running)).toMatchObject({ name: "AbortError" });
    expect(ai.simulator.messages.requests).toEqual([]);
  });
});
