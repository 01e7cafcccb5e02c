import { generateObject, generateText, NoObjectGeneratedError, Output, streamText } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createLanguageModel } from "../../src/ai-sdk.ts";
import { backendsOf, collect, lastBody, openAiStage, rejection } from "./rig.ts";

const schema = z.object({ city: z.string(), people: z.number() });
const answer = { text: '{"city":"Paris","people":2}' };

describe("structured output", () => {
  it("asks each provider in its own way, and gives the object", async () => {
    await using ai = await openAiStage();
    for (const backend of backendsOf(ai.simulator)) backend.setBehaviour("*", answer);
    for (const route of ["codex/gpt-5.5", "anthropic/claude-opus-4-8", "local/qwen3"]) {
      const { output, warnings } = await generateText({
        model: createLanguageModel(ai.understudy, route),
        prompt: "hello",
        output: Output.object({ schema, name: "city" }),
      });
      expect(output).toEqual({ city: "Paris", people: 2 });
      expect(warnings).toEqual([]);
    }
    const shape = { type: "object", required: ["city", "people"] };
    const { codex, messages, chat } = ai.simulator;
    expect(lastBody(codex)["text"]).toMatchObject({ format: { type: "json_schema", name: "city", schema: shape } });
    expect(lastBody(messages)["output_config"]).toMatchObject({ format: { type: "json_schema", schema: shape } });
    expect(lastBody(chat)["response_format"]).toMatchObject({
      type: "json_schema",
      json_schema: { name: "city", schema: shape },
    });
  });

  it("streams partial objects over a provider that fails at its beginning", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", { name: "soft-quota", after: "reasoning" });
    ai.simulator.messages.setBehaviour("*", answer);
    const result = streamText({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "hello",
      output: Output.object({ schema }),
    });
    const partial = await collect(result.partialOutputStream);
    expect(partial.length).toBeGreaterThan(1);
    expect(partial.at(-1)).toEqual({ city: "Paris", people: 2 });
    expect(await result.output).toEqual({ city: "Paris", people: 2 });
  });

  it("is whole or not at all: half an object is asked for again elsewhere", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", { name: "cut-mid-text", ...answer });
    ai.simulator.messages.setBehaviour("*", answer);
    const { object } = await generateObject({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "hello",
      schema,
    });
    expect(object).toEqual({ city: "Paris", people: 2 });
  });

  it("what does not fit the schema is the AI SDK's own error, with what was said", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", { text: '{"city":7}' });
    const error = await rejection(
      generateObject({ model: createLanguageModel(ai.understudy, "coding"), prompt: "hello", schema }),
    );
    expect(NoObjectGeneratedError.isInstance(error) && error.text).toBe('{"city":7}');
  });

  it("without a schema, who can't be told so is warned of", async () => {
    await using ai = await openAiStage();
    ai.simulator.messages.setBehaviour("*", answer);
    const { warnings } = await generateText({
      model: createLanguageModel(ai.understudy, "anthropic/claude-opus-4-8"),
      prompt: "answer with JSON",
      output: Output.json(),
    });
    expect(warnings).toEqual([
      {
        type: "unsupported",
        feature: "JSON output without a schema",
        details: "not taken by anthropic/claude-opus-4-8",
      },
    ]);
  });
});
