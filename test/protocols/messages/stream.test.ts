import { describe, expect, it } from "vitest";
import { messages } from "../../../src/protocols/messages/index.ts";
import type { StreamVerdict } from "../../../src/protocols/protocol.ts";
import type { SseEvent } from "../../../src/protocols/sse.ts";
import { eventsOf, eventsOfSplit } from "../events-of.ts";
import { cut, errorFirst, errorLater, loose, recordings, text, thinkingAndTools } from "./recordings.ts";

const letters: Record<StreamVerdict["kind"], string> = { preamble: "p", content: "c", end: "e", failure: "f" };

function verdictsOf(events: readonly SseEvent[]): string {
  const reader = messages.createStreamReader();
  return events.map((event) => letters[reader.read(event).kind]).join("");
}

function partsOf(events: readonly SseEvent[]): unknown[] {
  const decoder = messages.createStreamDecoder();
  return events.flatMap((event) => decoder.decode(event));
}

describe("a Messages stream", () => {
  it.each(recordings)("is read event by event: $name", ({ text, verdicts, parts }) => {
    expect(verdictsOf(eventsOf(text))).toBe(verdicts);
    expect(partsOf(eventsOf(text))).toEqual(parts);
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
});

describe("the end of a Messages stream", () => {
  function endOf(recorded: string): { evidence: unknown; usage: unknown } {
    const reader = messages.createStreamReader();
    for (const event of eventsOf(recorded)) reader.read(event);
    return { evidence: reader.end(), usage: reader.usage };
  }

  it("is complete after message_stop, with usage that counts cached input once", () => {
    expect(endOf(thinkingAndTools.text)).toEqual({
      evidence: null,
      usage: { input: 350, output: 60, cachedInput: 300, reasoning: 20 },
    });
  });

  it("is missing when the bytes stop after the stop reason", () => {
    expect(endOf(cut.text).evidence).toEqual({
      phase: "end",
      protocol: "messages",
      message: "the stream ended without message_stop",
    });
  });

  it("is missing for no bytes at all", () => {
    expect(endOf("").evidence).toMatchObject({ phase: "end" });
  });

  it("is the failure when there was one", () => {
    expect(endOf(errorLater.text).evidence).toMatchObject({ phase: "stream", type: "overloaded_error" });
  });

  it("ignores what comes after it", () => {
    const late = `${text.text}event: error\ndata: {"type":"error","error":{"type":"api_error","message":"late"}}\n\n`;
    expect(verdictsOf(eventsOf(late))).toBe(`${text.verdicts}p`);
    expect(endOf(late).evidence).toBeNull();
  });

  it("keeps a counter that a server first sends and then sends as 0", () => {
    const recorded = text.text.replace('"usage":{"output_tokens":15}', '"usage":{"input_tokens":0,"output_tokens":15}');
    expect(recorded).not.toBe(text.text);
    expect(endOf(recorded).usage).toMatchObject({ input: 25, output: 15 });
  });
});

describe("an error in a Messages stream", () => {
  function failureOf(recorded: string): unknown {
    const reader = messages.createStreamReader();
    for (const event of eventsOf(recorded)) {
      const verdict = reader.read(event);
      if (verdict.kind === "failure") return verdict.evidence;
    }
    return null;
  }

  it("before content has phase head and carries type, message and body", () => {
    expect(failureOf(errorFirst.text)).toEqual({
      phase: "head",
      protocol: "messages",
      event: "error",
      type: "overloaded_error",
      message: "Overloaded",
      body: { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
    });
  });

  it("after content has phase stream", () => {
    expect(failureOf(errorLater.text)).toMatchObject({ phase: "stream", type: "overloaded_error" });
  });

  it("is seen without an event name, and in OpenAI's shape", () => {
    expect(failureOf('data: {"error":{"code":"insufficient_quota","message":"none left"}}\n\n')).toMatchObject({
      phase: "head",
      code: "insufficient_quota",
      message: "none left",
    });
  });

  it("is seen when only the event is named", () => {
    expect(failureOf('event: error\ndata: {"message":"it broke"}\n\n')).toMatchObject({ message: "it broke" });
  });
});

describe("a whole Messages answer", () => {
  it("is an answer with its usage", () => {
    const body = { type: "message", content: [], usage: { input_tokens: 3, output_tokens: 4 } };
    expect(messages.readAnswer(body)).toEqual({
      kind: "answer",
      usage: { input: 3, output: 4, cachedInput: 0, reasoning: 0 },
    });
  });

  it("is a failure when it is an error in a 200", () => {
    const body = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    expect(messages.readAnswer(body)).toMatchObject({
      kind: "failure",
      evidence: { phase: "head", status: 200, type: "overloaded_error", message: "Overloaded" },
    });
  });

  it.each([[{}], [{ content: "text" }], [null], ["text"], [[]], [7]])("is a failure without content: %j", (body) => {
    expect(messages.readAnswer(body)).toMatchObject({
      kind: "failure",
      evidence: { phase: "head", status: 200, message: "empty answer" },
    });
  });

  it("has the same parts as the stream it could have been", () => {
    for (const recording of [text, thinkingAndTools]) {
      const folded = messages.foldStream(eventsOf(recording.text));
      const joined = joinDeltas(partsOf(eventsOf(recording.text)) as { type: string }[]);
      expect(joinDeltas(messages.decodeAnswer(folded))).toEqual(joined);
    }
  });
});

/** The parts without their deltas: how the text was cut is the stream's own affair. */
function joinDeltas(parts: readonly { type: string }[]): string[] {
  return parts
    .filter((part) => !part.type.endsWith("-delta"))
    .map((part) => JSON.stringify(part).replaceAll(String.raw`\"city\": \"`, String.raw`\"city\":\"`));
}

describe("folding a Messages stream", () => {
  it("keeps everything a caller without a stream would have got", () => {
    expect(messages.foldStream(eventsOf(thinkingAndTools.text))).toEqual({
      id: "msg_01",
      type: "message",
      role: "assistant",
      model: "claude-sonnet-4-5",
      content: [
        { type: "thinking", thinking: "Two cities, two calls.", signature: "EqQBCg==" },
        { type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Wien" } },
        { type: "tool_use", id: "toolu_2", name: "clock", input: {} },
      ],
      stop_reason: "tool_use",
      stop_sequence: null,
      usage: {
        input_tokens: 10,
        cache_read_input_tokens: 300,
        cache_creation_input_tokens: 40,
        output_tokens: 60,
        output_tokens_details: { thinking_tokens: 20 },
      },
    });
  });

  it("keeps what is known when a later event says null", () => {
    const last = '"usage":{"output_tokens":15}';
    const recorded = text.text.replace(last, '"usage":{"output_tokens":15,"input_tokens":null}');
    expect(recorded).not.toBe(text.text);
    expect(messages.foldStream(eventsOf(recorded))).toMatchObject({ usage: { input_tokens: 25, output_tokens: 15 } });
  });

  it("keeps blocks of server tools and citations", () => {
    const redacted = recordings.find(({ name }) => name.startsWith("redacted"));
    expect(messages.foldStream(eventsOf(redacted?.text ?? ""))).toMatchObject({
      content: [
        { type: "redacted_thinking", data: "AAEC" },
        { type: "server_tool_use", name: "web_search", input: { query: "x" } },
        { type: "text", text: "Found.", citations: [{ type: "web", url: "https://example.org" }] },
      ],
    });
  });

  it("does not lose text whose block was never opened", () => {
    expect(messages.foldStream(eventsOf(loose.text))).toMatchObject({ content: [{ type: "text", text: "Hi" }, {}] });
  });
});

describe("an error answer of a Messages endpoint", () => {
  it("is read as evidence with status and headers", () => {
    const text = '{"type":"error","error":{"type":"rate_limit_error","message":"slow down"},"request_id":"req_1"}';
    expect(messages.readError(429, { "retry-after": "7" }, text)).toMatchObject({
      phase: "headers",
      protocol: "messages",
      status: 429,
      headers: { "retry-after": "7" },
      type: "rate_limit_error",
      message: "slow down",
    });
  });

  it("has phase head when the status was good", () => {
    expect(messages.readError(200, {}, "<html><title>Sign in</title></html>")).toMatchObject({ phase: "head" });
  });
});
