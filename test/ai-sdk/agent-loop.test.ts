import { generateText, isStepCount, type ModelMessage, streamText, tool, ToolLoopAgent } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createLanguageModel } from "../../src/ai-sdk.ts";
import type { FaultName } from "../../src/simulator/faults.ts";
import { type AiStage, backendsOf, collect, lastBody, openAiStage } from "./rig.ts";

/** Steps of the loop: all but the last call tools. */
const steps = 50;

/** Faults that no loop is to see. The first list is for answers that are held whole; a stream has its commit point. */
const beforeContent: readonly FaultName[] = [
  "quota-exhausted",
  "soft-quota",
  "server-error",
  "cut-before-headers",
  "overloaded-in-stream",
  "empty-stream",
  "billing",
  "html-502",
  "soft-failed",
  "reset",
  "waf-page",
];
const anywhere: readonly FaultName[] = [...beforeContent, "cut-mid-text", "cut-mid-tool-call", "no-terminal"];

/** The numbers that the model asks to be squared in a step: sometimes two at once. */
const numbersOf = (step: number): number[] => (step % 5 === 0 ? [step, step + 1_000] : [step]);
const allNumbers = Array.from({ length: steps - 1 }, (_, index) => numbersOf(index + 1)).flat();

/** What the tools have said in a conversation. */
const resultsIn = (messages: readonly ModelMessage[]): number[] =>
  messages.flatMap((message) =>
    message.role === "tool"
      ? message.content.flatMap((part) =>
          part.type === "tool-result" && part.output.type === "json"
            ? [(part.output.value as { square: number }).square]
            : [],
        )
      : [],
  );

class Loop {
  readonly ran: number[] = [];
  readonly #ai: AiStage;
  readonly #faults: readonly FaultName[];
  #faulty = 0;

  constructor(ai: AiStage, faults: readonly FaultName[]) {
    this.#ai = ai;
    this.#faults = faults;
  }

  readonly tools = {
    square: tool({
      inputSchema: z.object({ n: z.number() }),
      execute: ({ n }) => {
        this.ran.push(n);
        return { square: n * n };
      },
    }),
  };

  /**
   * Plays the model: calls tools until the last step, and adds up what they have said in the conversation it is shown. Every second
   * step the first provider of the route fails, and every fourth the second too; by the next step all have recovered.
   */
  readonly prepareStep = async (step: { stepNumber: number; messages: ModelMessage[] }): Promise<undefined> => {
    const number = step.stepNumber + 1;
    const sum = resultsIn(step.messages).reduce((total, square) => total + square, 0);
    const said =
      number < steps
        ? { text: `Step ${number}.`, toolCalls: numbersOf(number).map((n) => ({ name: "square", input: { n } })) }
        : { text: `The sum is ${sum}.` };
    await this.#ai.recover();
    const failing = number % 4 === 0 ? 2 : number % 2 === 0 ? 1 : 0;
    for (const [index, backend] of backendsOf(this.#ai.simulator).entries()) {
      backend.clearScript();
      const fault = this.#faults[this.#faulty % this.#faults.length] ?? "server-error";
      if (index >= failing) backend.setBehaviour("*", { reasoning: `I am at ${number}.`, ...said });
      else backend.setBehaviour("*", { name: fault, ...said });
    }
    if (failing > 0) this.#faulty += 1;
    return undefined;
  };
}

const rightSum = allNumbers.reduce((total, n) => total + n * n, 0);

/** How many steps each provider must have served: it is last in line to fail. */
const share = {
  codex: Array.from({ length: steps }, (_, index) => index + 1).filter((step) => step % 2 === 1).length,
  anthropic: Array.from({ length: steps }, (_, index) => index + 1).filter((step) => step % 4 === 2).length,
  local: Array.from({ length: steps }, (_, index) => index + 1).filter((step) => step % 4 === 0).length,
};

function expectWholeStory(ai: AiStage, loop: Loop): void {
  expect(loop.ran).toEqual(allNumbers);
  const served = { codex: 0, anthropic: 0, local: 0 };
  for (const event of ai.events) {
    if (event.type === "committed") served[event.candidate.provider as keyof typeof served] += 1;
  }
  expect(served).toEqual(share);
  expect(ai.events.filter(({ type }) => type === "turn-start")).toHaveLength(steps);
  expect(ai.events.filter((event) => event.type === "turn-end" && event.outcome !== "answered")).toEqual([]);
  // A provider's own rules about histories would have refused what a switch has garbled.
  const refused = backendsOf(ai.simulator).flatMap(({ requests }) =>
    requests.flatMap((request) => request.refused ?? []),
  );
  expect(refused).toEqual([]);
  // The last to answer was shown each result once, in the order of the calls.
  const shown = JSON.stringify(ai.simulator.requests.at(-1)?.body).matchAll(/\{\\"square\\":(\d+)\}/g);
  expect(Array.from(shown, (match) => Number(match[1]))).toEqual(allNumbers.map((n) => n * n));
}

describe("an agent loop of 50 steps over three providers, with a fault in every second step", () => {
  it("generateText ends with the right answer, and each tool ran exactly once", async () => {
    await using ai = await openAiStage();
    const loop = new Loop(ai, anywhere);
    const result = await generateText({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "Square the numbers and add them up.",
      tools: loop.tools,
      stopWhen: isStepCount(steps + 1),
      prepareStep: loop.prepareStep,
    });
    expect(result.text).toBe(`The sum is ${rightSum}.`);
    expect(result.steps).toHaveLength(steps);
    expect(result.finishReason).toBe("stop");
    expectWholeStory(ai, loop);
  });

  it("streamText ends with the right answer, each tool ran exactly once, and each word came once", async () => {
    await using ai = await openAiStage();
    const loop = new Loop(ai, beforeContent);
    const errors: unknown[] = [];
    const result = streamText({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "Square the numbers and add them up.",
      tools: loop.tools,
      stopWhen: isStepCount(steps + 1),
      prepareStep: loop.prepareStep,
      onError: ({ error }) => void errors.push(error),
    });
    const text = (await collect(result.textStream)).join("");
    expect(errors).toEqual([]);
    expect(text).toBe(
      `${Array.from({ length: steps - 1 }, (_, index) => `Step ${index + 1}.`).join("")}The sum is ${rightSum}.`,
    );
    expect(await result.finishReason).toBe("stop");
    expectWholeStory(ai, loop);
  });

  it("an agent of the AI SDK ends with the right answer too", async () => {
    await using ai = await openAiStage();
    const loop = new Loop(ai, anywhere);
    const agent = new ToolLoopAgent({
      model: createLanguageModel(ai.understudy, "coding"),
      instructions: "Be exact.",
      tools: loop.tools,
      stopWhen: isStepCount(steps + 1),
      prepareStep: loop.prepareStep,
    });
    const { text } = await agent.generate({ prompt: "Square the numbers and add them up." });
    expect(text).toBe(`The sum is ${rightSum}.`);
    expectWholeStory(ai, loop);
  });
});

describe("a switch in the middle of a loop", () => {
  const look = tool({ inputSchema: z.object({ at: z.string() }), execute: ({ at }) => ({ saw: at }) });

  it("between two steps: the next provider is shown the call and its result", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.script({ toolCalls: [{ name: "look", input: { at: "it" } }] });
    const result = await generateText({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "hello",
      tools: { look },
      stopWhen: isStepCount(5),
      prepareStep({ stepNumber }) {
        if (stepNumber === 1) ai.simulator.codex.setBehaviour("*", "quota-exhausted");
        return {};
      },
    });
    expect(result.steps.map(({ providerMetadata }) => providerMetadata?.["understudy"])).toMatchObject([
      { servedBy: { provider: "codex" }, switched: false },
      { servedBy: { provider: "anthropic" }, switched: true },
    ]);
    expect(lastBody(ai.simulator.messages)["messages"]).toMatchObject([
      { role: "user" },
      { role: "assistant", content: [{ type: "tool_use", name: "look", input: { at: "it" } }] },
      { role: "user", content: [{ type: "tool_result", content: [{ type: "text", text: '{"saw":"it"}' }] }] },
    ]);
  });

  it("inside a step, in the middle of a tool call: only the second provider's call is run", async () => {
    await using ai = await openAiStage();
    ai.simulator.codex.setBehaviour("*", {
      name: "cut-mid-tool-call",
      toolCalls: [{ name: "look", input: { at: "the first" } }],
    });
    ai.simulator.messages.script({ toolCalls: [{ name: "look", input: { at: "the second" } }] });
    const result = await generateText({
      model: createLanguageModel(ai.understudy, "coding"),
      prompt: "hello",
      tools: { look },
      stopWhen: isStepCount(5),
    });
    expect(result.steps.flatMap(({ toolResults }) => toolResults.map(({ output }) => output))).toEqual([
      { saw: "the second" },
    ]);
    expect(result.text).toBe("The simulator heard: hello");
  });
});
