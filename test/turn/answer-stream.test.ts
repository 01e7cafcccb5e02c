import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { TransportError } from "../../src/core/transport.ts";
import { classifyFailure } from "../../src/failures/classify.ts";
import { protocols } from "../../src/protocols/index.ts";
import { AnswerStream } from "../../src/turn/answer-stream.ts";
import { defaultLimits } from "../../src/turn/limits.ts";
import { Watchdog } from "../../src/turn/watchdog.ts";

const encoder = new TextEncoder();
const event = (data: object): string => `data: ${JSON.stringify(data)}\n\n`;
const reasoning = event({ type: "response.reasoning_text.delta", item_id: "rs", delta: "hm" });
const text = event({
  type: "response.output_text.delta",
  item_id: "m",
  output_index: 0,
  content_index: 0,
  delta: "hi",
});
const completed = event({ type: "response.completed", response: { id: "r", status: "completed", output: [] } });
const failed = event({
  type: "response.failed",
  response: { id: "r", status: "failed", error: { code: "usage_limit_reached", message: "full" } },
});

function streamOf(source: readonly (string | Error)[], limits: Partial<typeof defaultLimits> = {}): AnswerStream {
  async function* body(): AsyncGenerator<Uint8Array> {
    for (const part of source) {
      if (part instanceof Error) throw part;
      yield encoder.encode(part);
    }
  }
  return new AnswerStream({
    body: body(),
    reader: protocols.responses.createStreamReader(),
    watchdog: new Watchdog(systemClock, () => {}),
    now: () => systemClock.now(),
    limits: { ...defaultLimits, ...limits },
    classify: (evidence) => classifyFailure({ protocol: "responses", ...evidence }, { now: 0 }),
    isCancelled: () => false,
  });
}

async function readAll(stream: AnswerStream): Promise<string> {
  const decoder = new TextDecoder();
  let all = "";
  for await (const batch of stream.rest()) all += decoder.decode(batch.bytes, { stream: true });
  return all;
}

/** Every way to cut the text in two, and byte by byte. */
function splits(whole: string): string[][] {
  const ways = [whole.split("")];
  for (let at = 1; at < whole.length; at += 7) ways.push([whole.slice(0, at), whole.slice(at)]);
  return ways;
}

describe("the head of a stream", () => {
  it("is held until the first content, at any chunk split", async () => {
    for (const chunks of splits(reasoning + text + completed)) {
      const stream = streamOf(chunks);
      expect(await stream.hold(false)).toBeNull();
      expect(await readAll(stream)).toBe(reasoning + text + completed);
      expect(stream.end).toMatchObject({ kind: "complete" });
    }
  });

  it("a failure after reasoning and before content is not seen by anybody, at any chunk split", async () => {
    for (const chunks of splits(reasoning + failed)) {
      expect(await streamOf(chunks).hold(false)).toMatchObject({ reason: "quota" });
    }
  });

  it("that grows beyond its limits is passed on", async () => {
    const many = Array.from({ length: 80 }, () => reasoning);
    const stream = streamOf([...many, failed]);
    expect(await stream.hold(false)).toBeNull();
    await readAll(stream);
    expect(stream.end).toMatchObject({ kind: "cut", told: true, failure: { reason: "quota" } });
  });

  it("whose opening repeats a long request is held all the same", async () => {
    const opening = (type: string): string => event({ type, response: { instructions: "x".repeat(200_000) } });
    const source = [opening("response.created"), opening("response.in_progress"), reasoning, failed];
    expect(await streamOf(source).hold(false)).toMatchObject({ reason: "quota" });
  });

  it("is not passed on for the sake of an event that is not complete yet: it may be the failure", async () => {
    const long = event({ type: "response.failed", response: { status: "failed", padding: "x".repeat(300_000) } });
    const pieces = long.match(/[^]{1,10000}/g) ?? [];
    expect(await streamOf([reasoning, reasoning, ...pieces]).hold(false)).toMatchObject({ reason: "server_error" });
  });

  it("whose events grow beyond the limit of bytes is passed on", async () => {
    const stream = streamOf([reasoning, reasoning, reasoning, reasoning, failed], { holdBytes: reasoning.length * 2 });
    expect(await stream.hold(false)).toBeNull();
  });

  it("of a caller who wants it whole is held to the end", async () => {
    expect(await streamOf([text, failed]).hold(true)).toMatchObject({ reason: "quota" });
    expect(await streamOf([text]).hold(true)).toMatchObject({ reason: "incomplete" });
    expect(await streamOf([text, completed]).hold(true)).toBeNull();
  });
});

describe("the end of a stream", () => {
  it.each([
    ["without its terminal event", [text], { reason: "incomplete" }],
    ["by a broken connection", [text, new TransportError("body", "ECONNRESET", "reset")], { reason: "network" }],
    ["by the provider's failure", [text, failed], { reason: "quota" }],
  ])("%s is a cut, never an answer", async (_, source, failure) => {
    const stream = streamOf(source);
    expect(await stream.hold(false)).toBeNull();
    await readAll(stream);
    expect(stream.end).toMatchObject({ kind: "cut", failure });
  });

  it("whose last event lacks its blank line is complete, and the reader behind gets the blank line", async () => {
    const bare = completed.trimEnd();
    const stream = streamOf([text, bare]);
    expect(await stream.hold(false)).toBeNull();
    expect(await readAll(stream)).toBe(`${text}${bare}\n\n`);
    expect(stream.end).toMatchObject({ kind: "complete" });
  });

  it("a connection that breaks after the terminal event takes nothing away", async () => {
    const stream = streamOf([text, completed, new TransportError("body", "ECONNRESET", "reset")]);
    expect(await stream.hold(false)).toBeNull();
    await readAll(stream);
    expect(stream.end).toMatchObject({ kind: "complete" });
  });
});

describe("what is passed on", () => {
  const broken = 'data: {"type":"response.output_text.delta","del\n\n';

  it("leaves out an event that is no JSON, at any chunk split, and nothing else", async () => {
    const whole = text + broken + text + completed;
    for (const chunks of splits(whole)) {
      const stream = streamOf(chunks);
      expect(await stream.hold(false)).toBeNull();
      expect(await readAll(stream)).toBe(text + text + completed);
      expect(stream.end).toMatchObject({ kind: "complete" });
    }
  });

  it("ends behind a whole event when the connection breaks inside the next one", async () => {
    for (let at = 1; at < text.length; at++) {
      const stream = streamOf([text, text.slice(0, at), new TransportError("body", "ECONNRESET", "reset")]);
      expect(await stream.hold(false)).toBeNull();
      expect(await readAll(stream)).toBe(text);
      expect(stream.end).toMatchObject({ kind: "cut", told: false });
    }
  });

  it("ends behind a whole event when the stream ends inside the next one", async () => {
    const stream = streamOf([text, text.slice(0, 30)]);
    expect(await stream.hold(false)).toBeNull();
    expect(await readAll(stream)).toBe(text);
    expect(stream.end).toMatchObject({ kind: "cut", failure: { reason: "incomplete" } });
  });
});
