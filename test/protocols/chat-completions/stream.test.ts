import { describe, expect, it } from "vitest";
import type { Part } from "../../../src/protocols/canonical.ts";
import { chatCompletions } from "../../../src/protocols/chat-completions/index.ts";
import type { StreamVerdict } from "../../../src/protocols/protocol.ts";
import type { SseEvent } from "../../../src/protocols/sse.ts";
import { eventsOf, eventsOfSplit } from "../events-of.ts";
import { errorFirst, errorLater, errorReason, looseCalls, parallelTools, recordings, text } from "./recordings.ts";

const letters: Record<StreamVerdict["kind"], string> = { preamble: "p", content: "c", end: "e", failure: "f" };

function verdictsOf(events: readonly SseEvent[]): string {
  const reader = chatCompletions.createStreamReader();
  return events.map((event) => letters[reader.read(event).kind]).join("");
}

/** What a turn gets that stops at a failure. */
function partsOf(events: readonly SseEvent[]): Part[] {
  const decoder = chatCompletions.createStreamDecoder();
  const failed = verdictsOf(events).indexOf("f");
  const read = failed < 0 ? events : events.slice(0, failed);
  return [...read.flatMap((event) => decoder.decode(event)), ...(decoder.end?.() ?? [])];
}

function completeAfter(events: readonly SseEvent[]): boolean {
  const reader = chatCompletions.createStreamReader();
  for (const event of events) reader.read(event);
  return reader.end() === null;
}

describe("a Chat Completions stream", () => {
  it.each(recordings)("is read event by event: $name", ({ text, verdicts, parts, complete }) => {
    expect(verdictsOf(eventsOf(text))).toBe(verdicts);
    expect(partsOf(eventsOf(text))).toEqual(parts);
    expect(completeAfter(eventsOf(text))).toBe(complete);
  });

  it.each(recordings)("is read the same wherever the bytes are split: $name", ({ text, verdicts, parts }) => {
    const bytes = new TextEncoder().encode(text);
    const whole = JSON.stringify(parts);
    for (let at = 0; at <= bytes.length; at++) {
      const events = eventsOfSplit(bytes, at);
      expect(verdictsOf(events), `verdicts, split at byte ${at}`).toBe(verdicts);
      expect(JSON.stringify(partsOf(events)), `parts, split at byte ${at}`).toBe(whole);
    }
  });

  it("gives finish once, as soon as reason and usage are there", () => {
    const decoder = chatCompletions.createStreamDecoder();
    const finishes = eventsOf(text.text).map(
      (event) => decoder.decode(event).filter(({ type }) => type === "finish").length,
    );
    expect(finishes).toEqual([0, 0, 0, 0, 1, 0]);
    expect(decoder.end?.()).toEqual([]);
  });

  it("knows the usage after the end", () => {
    const reader = chatCompletions.createStreamReader();
    for (const event of eventsOf(text.text)) reader.read(event);
    expect(reader.usage).toEqual({ input: 100, output: 20, cachedInput: 64, reasoning: 7 });
  });

  it("is complete only when every choice has its finish reason", () => {
    const both = (second: string | null): string =>
      [
        { choices: [{ index: 0, delta: { content: "a" } }] },
        { choices: [{ index: 1, delta: { content: "b" } }] },
        { choices: [{ index: 0, delta: {}, finish_reason: "stop" }] },
        { choices: [{ index: 1, delta: {}, finish_reason: second }] },
      ]
        .map((data) => `data: ${JSON.stringify(data)}\n\n`)
        .join("") + "data: [DONE]\n\n";
    expect(verdictsOf(eventsOf(both("stop")))).toBe("ccppe");
    expect(verdictsOf(eventsOf(both(null)))).toBe("ccppp");
  });

  it.each([
    // Choices that finished, the end, what was asked for, and whether that is the whole of it.
    [1, "", '{"n":2}', false],
    [1, "", '{"n":1}', true],
    [1, "", '{"n":null}', true],
    [1, "", "{}", true],
    [2, "", '{"n":2}', true],
    [2, "", '{"n":3}', false],
    // Many servers give one choice whatever was asked for, and say so.
    [1, "data: [DONE]\n\n", '{"n":2}', true],
    [0, "data: [DONE]\n\n", '{"n":2}', false],
  ])("with %i finished choices and %j behind them, of a request with %s: whole is %j", (count, end, asked, whole) => {
    const chunks = Array.from({ length: count }, (_, index) =>
      [
        { index, delta: { content: "a" } },
        { index, delta: {}, finish_reason: "stop" },
      ].map((choice) => `data: ${JSON.stringify({ choices: [choice] })}\n\n`),
    );
    const reader = chatCompletions.createStreamReader(() => asked);
    for (const event of eventsOf(chunks.flat().join("") + end)) reader.read(event);
    expect(reader.end() === null).toBe(whole);
  });

  it("asks for the request only when the end is in doubt", () => {
    const reader = chatCompletions.createStreamReader(() => expect.fail("there is a [DONE]"));
    for (const event of eventsOf(text.text)) reader.read(event);
    expect(reader.end()).toBeNull();
  });

  it("counts a list of texts, audio and images as content, and unknown fields not", () => {
    const deltas = [
      { content: [{ type: "thinking", thinking: [{ type: "text", text: "hm" }] }] },
      { content: [{ type: "text", text: "hi" }] },
      { audio: { data: "AA==" } },
      { images: [{ image_url: { url: "data:," } }] },
      { reasoning_details: [{ type: "reasoning.text", text: "hm" }] },
      { vendor: { content: "x" } },
    ];
    const verdicts = deltas.map((delta) =>
      verdictsOf([{ event: null, data: JSON.stringify({ choices: [{ delta }] }) }]),
    );
    expect(verdicts.join("")).toBe("pcccpp");
  });
});

describe("an error in a Chat Completions stream", () => {
  function failureOf(recorded: string): unknown {
    const reader = chatCompletions.createStreamReader();
    for (const event of eventsOf(recorded)) {
      const verdict = reader.read(event);
      if (verdict.kind !== "failure") continue;
      expect(reader.end()).toEqual(verdict.evidence);
      return verdict.evidence;
    }
    return null;
  }

  it("before content has phase head, with code and type", () => {
    expect(failureOf(errorFirst.text)).toMatchObject({
      phase: "head",
      protocol: "chat-completions",
      code: "rate_limit_exceeded",
      type: "requests",
      message: "Rate limit reached",
    });
  });

  it("after content has phase stream, with a number as the status and not as a code", () => {
    const evidence = failureOf(errorLater.text);
    expect(evidence).toMatchObject({ phase: "stream", status: 502, message: "Provider disconnected" });
    expect(evidence).not.toHaveProperty("code");
  });

  it("carries the finish reason when that is all there is", () => {
    expect(failureOf(errorReason.text)).toMatchObject({ phase: "head", finishReason: "error" });
  });

  it("is seen inside a choice, and from the event's name", () => {
    const inside = { choices: [{ index: 0, error: { code: 429, message: "busy" }, finish_reason: null }] };
    expect(failureOf(`data: ${JSON.stringify(inside)}\n\n`)).toMatchObject({ status: 429, message: "busy" });
    expect(failureOf('event: error\ndata: {"message":"it broke"}\n\n')).toMatchObject({ message: "it broke" });
    expect(failureOf('data: {"error":"model crashed"}\n\n')).toMatchObject({ message: "model crashed" });
  });
});

describe("a whole Chat Completions answer", () => {
  it("is an answer with its usage", () => {
    const body = { choices: [{ message: { content: "" } }], usage: { prompt_tokens: 3, completion_tokens: 4 } };
    expect(chatCompletions.readAnswer(body)).toEqual({
      kind: "answer",
      usage: { input: 3, output: 4, cachedInput: 0, reasoning: 0 },
    });
  });

  it("counts DeepSeek's cache hits", () => {
    const usage = { prompt_tokens: 30, completion_tokens: 4, prompt_cache_hit_tokens: 20 };
    expect(chatCompletions.readAnswer({ choices: [{ message: {} }], usage })).toMatchObject({
      usage: { input: 30, cachedInput: 20 },
    });
  });

  it.each([
    [{ error: { code: 429, message: "busy" } }, { status: 429, message: "busy" }],
    [{ error: { code: "insufficient_quota", message: "none left" } }, { status: 200, code: "insufficient_quota" }],
    [
      { choices: [{ message: { content: "" }, finish_reason: "error", error: { code: 502, message: "gone" } }] },
      { status: 502, message: "gone", finishReason: "error" },
    ],
    [{}, { status: 200, message: "empty answer" }],
    [{ choices: [] }, { status: 200, message: "empty answer" }],
    [{ choices: [{}] }, { status: 200, message: "empty answer" }],
    [null, { status: 200, message: "empty answer" }],
    ["<html>", { status: 200, message: "empty answer" }],
  ])("is a failure when the 200 holds %j", (body, evidence) => {
    expect(chatCompletions.readAnswer(body)).toMatchObject({
      kind: "failure",
      evidence: { phase: "head", protocol: "chat-completions", ...evidence },
    });
  });

  it("has the same parts as the stream it could have been", () => {
    const withoutDeltas = (parts: readonly Part[]): Part[] => parts.filter(({ type }) => !type.endsWith("-delta"));
    for (const recording of [text, parallelTools]) {
      const folded = chatCompletions.foldStream(eventsOf(recording.text));
      expect(withoutDeltas(chatCompletions.decodeAnswer(folded))).toEqual(withoutDeltas(recording.parts));
    }
  });
});

describe("folding a Chat Completions stream", () => {
  it("keeps everything a caller without a stream would have got", () => {
    expect(chatCompletions.foldStream(eventsOf(parallelTools.text))).toEqual({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1_760_000_000,
      model: "gpt-x",
      choices: [
        {
          index: 0,
          logprobs: null,
          finish_reason: "tool_calls",
          message: {
            role: "assistant",
            content: "Both:",
            refusal: null,
            tool_calls: [
              { id: "call_a", type: "function", function: { name: "f", arguments: '{"x":1}' } },
              { id: "call_b", type: "function", function: { name: "g", arguments: "{}" } },
            ],
          },
        },
      ],
      usage: {
        prompt_tokens: 100,
        completion_tokens: 20,
        total_tokens: 120,
        prompt_tokens_details: { cached_tokens: 64 },
        completion_tokens_details: { reasoning_tokens: 7 },
      },
    });
  });

  it("keeps what is known when a later chunk says null", () => {
    const chunks = [
      { id: "c", system_fingerprint: "fp", choices: [{ index: 0, delta: { content: "a" }, finish_reason: "stop" }] },
      { id: "c", system_fingerprint: null, usage: null, choices: [{ index: 0, delta: {}, finish_reason: null }] },
    ];
    const folded = chatCompletions.foldStream(chunks.map((chunk) => ({ event: null, data: JSON.stringify(chunk) })));
    expect(folded).toMatchObject({ system_fingerprint: "fp", choices: [{ finish_reason: "stop" }] });
  });

  it("keeps parallel calls apart that a server sends at one index", () => {
    expect(chatCompletions.foldStream(eventsOf(looseCalls.text))).toMatchObject({
      choices: [{ message: { tool_calls: [{ id: "g1" }, { id: "g2" }, { function: { name: "h" } }] } }],
    });
  });
});

describe("an error answer of a Chat Completions endpoint", () => {
  it("is read as evidence with status and headers", () => {
    const body = '{"error":{"message":"no","type":"insufficient_quota","code":"insufficient_quota","param":null}}';
    expect(chatCompletions.readError(429, { "retry-after": "7" }, body)).toMatchObject({
      phase: "headers",
      protocol: "chat-completions",
      status: 429,
      headers: { "retry-after": "7" },
      code: "insufficient_quota",
      message: "no",
    });
  });
});
