import { generateText, streamText } from "ai";
import { describe, expect, it } from "vitest";
import { createLanguageModel } from "../../src/ai-sdk.ts";
import { abortErrorOf } from "../../src/ai-sdk/abort-error.ts";
import { type AiStage, collect, openAiStage, rejection } from "./rig.ts";

const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "hello" }] }];

/** Resolves when the upstream has seen its client leave. */
async function expectLeft({ simulator, stage }: AiStage): Promise<void> {
  await simulator.codex.until(() => simulator.codex.requests.at(-1)?.ending === "aborted");
  expect(simulator.messages.requests).toEqual([]);
  expect(await stage.workspace.store.listCooldowns()).toEqual([]);
}

describe("when the caller gives up", () => {
  it("generateText rejects with the abort, nobody else is asked and nobody is blamed", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", "silence");
    const controller = new AbortController();
    const running = generateText({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "hello",
      abortSignal: controller.signal,
    });
    await ai.simulator.codex.until(() => ai.simulator.codex.held > 0);
    controller.abort();
    expect(await rejection(running)).toBe(controller.signal.reason);
    expect(controller.signal.reason).toMatchObject({ name: "AbortError" });
    await expectLeft(ai);
    expect((await ai.stage.workspace.store.listTurns(1))[0]?.outcome).toBe("cancelled");
  });

  it("streamText ends with its abort part, and the upstream is left", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", "stall-mid-text");
    const controller = new AbortController();
    const result = streamText({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "hello",
      abortSignal: controller.signal,
    });
    const types: string[] = [];
    for await (const part of result.fullStream) {
      types.push(part.type);
      if (part.type === "text-delta") controller.abort();
    }
    expect(types.at(-1)).toBe("abort");
    expect(types).not.toContain("error");
    await expectLeft(ai);
  });

  it("a stream that nobody reads on fails with the abort", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", "stall-mid-text");
    const controller = new AbortController();
    const { stream } = await createLanguageModel(ai.understudy, "coding").doStream({
      prompt,
      abortSignal: controller.signal,
    });
    await ai.simulator.codex.until(() => ai.simulator.codex.held > 0);
    controller.abort("enough");
    const error = await rejection(collect(stream));
    expect(error).toMatchObject({ name: "AbortError", cause: "enough" });
    await expectLeft(ai);
  });

  it("a stream that is cancelled leaves the upstream at once, in the middle of a silence", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", "stall-mid-text");
    const { stream } = await createLanguageModel(ai.understudy, "coding").doStream({ prompt });
    const reader = stream.getReader();
    await ai.simulator.codex.until(() => ai.simulator.codex.held > 0);
    let type = "";
    while (type !== "text-delta") type = (await reader.read()).value?.type ?? "over";
    const pending = reader.read();
    // By then the read stands at the upstream's socket.
    await new Promise((resolve) => setImmediate(resolve));
    await reader.cancel();
    expect(await pending).toMatchObject({ done: true });
    await expectLeft(ai);
    expect((await ai.stage.workspace.store.listTurns(1))[0]?.outcome).toBe("cancelled");
  });

  it("a stream that is cancelled before it was read leaves the upstream too", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", "stall-mid-text");
    const { stream } = await createLanguageModel(ai.understudy, "coding").doStream({ prompt });
    await stream.cancel();
    await expectLeft(ai);
    expect((await ai.stage.workspace.store.listTurns(1))[0]?.outcome).toBe("cancelled");
  });

  it("a call that is aborted beforehand asks nobody", async () => {
    await using ai = await openAiStage();
    const model = createLanguageModel(ai.understudy, "coding");
    const error = await rejection(model.doGenerate({ prompt, abortSignal: AbortSignal.abort() }));
    expect(error).toMatchObject({ name: "AbortError" });
    expect(ai.simulator.requests).toEqual([]);
  });

  it.each([
    ["a timeout", new DOMException("too long", "TimeoutError"), { name: "TimeoutError", message: "too long" }],
    ["a text", "enough", { name: "AbortError", cause: "enough" }],
    ["an error of the program", new Error("gone"), { name: "AbortError", cause: new Error("gone") }],
  ])("%s as the reason is an abort to the AI SDK", (_what, reason, expected) => {
    expect(abortErrorOf(AbortSignal.abort(reason))).toMatchObject(expected);
  });
});
