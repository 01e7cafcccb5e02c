import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import type { ProtocolName } from "../../src/core/target.ts";
import { TransportError } from "../../src/core/transport.ts";
import { classifyFailure } from "../../src/failures/classify.ts";
import { protocols } from "../../src/protocols/index.ts";
import { type SseEvent, SseParser } from "../../src/protocols/sse.ts";
import { BodyQueue } from "../../src/transport/body-queue.ts";
import { AnswerStream, type StreamEnd, type Taker } from "../../src/turn/answer-stream.ts";
import { type CallerAnswer, toCallerAnswer } from "../../src/turn/caller-answer.ts";
import { defaultLimits } from "../../src/turn/limits.ts";
import { Watchdog } from "../../src/turn/watchdog.ts";
import { turnOfEventLoop as turn, VirtualClock } from "../virtual-clock.ts";

const data = (object: object, event?: string): string =>
  `${event === undefined ? "" : `event: ${event}\n`}data: ${JSON.stringify(object)}\n\n`;
const chat = (delta: object, more: object = {}): string =>
  data({ id: "c", choices: [{ index: 0, delta, finish_reason: null, ...more }] });
const messages = (type: string, more: object): string => data({ type, ...more }, type);
const responses = (type: string, more: object): string => data({ type, ...more }, type);
const said = 'Grüße 🎭 "}\n\n';

/** What each dialect's streams are made of. Each ends a stream that is whole by `end`. */
const words: Readonly<Record<ProtocolName, { readonly common: readonly string[]; readonly rare: readonly string[] }>> =
  {
    "chat-completions": {
      common: [chat({ content: "hi" }), chat({ content: said }), chat({ content: "" }, { logprobs: null })],
      rare: [
        chat({ role: "assistant" }),
        chat({ reasoning_content: "hm" }),
        chat({ tool_calls: [{ index: 0, function: { arguments: "{}" } }] }),
        chat({}, { finish_reason: "stop" }),
        chat({ content: "last" }, { finish_reason: "stop" }),
        data({ id: "c", choices: [{ index: 0, delta: { content: "x" } }], error: { message: "overloaded" } }),
        data({ id: "c", choices: [{ index: 0, delta: { content: "x" } }], usage: { prompt_tokens: 5 } }),
        data({ id: "c", choices: [], usage: { prompt_tokens: 3, completion_tokens: 4 } }),
        data({ id: "c", choices: [{ index: 1, delta: { content: "b" } }] }),
        data({ error: { message: "overloaded", code: 503 } }),
        "data: [DONE]\n\n",
      ],
    },
    messages: {
      common: [
        messages("content_block_delta", { index: 0, delta: { type: "text_delta", text: "hi" } }),
        messages("content_block_delta", { index: 0, delta: { type: "text_delta", text: said } }),
        messages("content_block_delta", { index: 1, delta: { type: "input_json_delta", partial_json: '{"a":' } }),
      ],
      rare: [
        messages("message_start", { message: { usage: { input_tokens: 3, output_tokens: 1 } } }),
        messages("ping", {}),
        messages("content_block_delta", { index: 0, delta: { type: "thinking_delta", thinking: "hm" } }),
        messages("message_delta", { delta: { stop_reason: "end_turn" }, usage: { output_tokens: 9 } }),
        messages("error", { error: { type: "overloaded_error", message: "full" } }),
        messages("message_stop", {}),
      ],
    },
    responses: {
      common: [
        responses("response.output_text.delta", { item_id: "m", output_index: 0, content_index: 0, delta: "hi" }),
        responses("response.output_text.delta", { item_id: "m", output_index: 0, content_index: 0, delta: said }),
        responses("response.function_call_arguments.delta", { item_id: "f", output_index: 1, delta: "{}" }),
      ],
      rare: [
        responses("response.created", { response: { id: "r" } }),
        responses("response.reasoning_text.delta", { item_id: "s", delta: "hm" }),
        responses("response.failed", { response: { status: "failed", error: { code: "usage_limit_reached" } } }),
        responses("response.completed", { response: { id: "r", status: "completed", output: [{ type: "message" }] } }),
      ],
    },
  };
const odd = [": comment\n\n", "data: {broken\n\n", "id: 7\nretry: 5\n\n", "\n", `: ${"x".repeat(300)}\n\n`];

interface Play {
  readonly protocol: ProtocolName;
  readonly text: string;
  /** Where the bytes are parted. */
  readonly cuts: readonly number[];
  /** How many of the bytes come, and what happens then. */
  readonly until: number;
  readonly ending: "end" | "break" | "abort";
  /** What the caller does with one piece after the other: 0 takes it, more: takes it and no more for so many turns of the loop. */
  readonly pauses: readonly number[];
  /** How many turns of the loop pass between two pieces. */
  readonly waits: readonly number[];
  readonly holdEvents: number;
}

const plays: fc.Arbitrary<Play> = fc
  .constantFrom<ProtocolName>("chat-completions", "messages", "responses")
  .chain((protocol) => {
    const { common, rare } = words[protocol];
    const event = fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...common) },
      { weight: 4, arbitrary: fc.constantFrom(...rare) },
      { weight: 2, arbitrary: fc.constantFrom(...odd) },
    );
    return fc.record({
      protocol: fc.constant(protocol),
      text: fc
        .tuple(
          fc.array(event, { minLength: 1, maxLength: 14 }),
          fc.array(fc.constantFrom("\n", "\n", "\r\n", "\r"), { minLength: 1, maxLength: 3 }),
        )
        .map(([events, ends]) =>
          events.map((one, index) => one.replaceAll("\n", ends[index % ends.length] ?? "\n")).join(""),
        ),
      cuts: fc.array(fc.nat(2_500), { maxLength: 8 }),
      until: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(2_500)),
      ending: fc.constantFrom("end", "end", "break", "abort"),
      pauses: fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }),
      waits: fc.array(fc.nat(2), { minLength: 1, maxLength: 6 }),
      holdEvents: fc.constantFrom(1, 3, 64),
    });
  });

/** The pieces in which the upstream's bytes come. */
function piecesOf({ text, cuts, until }: Play): Uint8Array[] {
  const bytes = Buffer.from(text);
  const stop = Math.min(until, bytes.length);
  const at = [0, ...cuts.map((cut) => Math.min(cut, stop)).sort((a, b) => a - b), stop];
  return at.slice(1).flatMap((end, index) => (end > (at[index] ?? 0) ? [bytes.subarray(at[index], end)] : []));
}

const broken = new TransportError("body", "ECONNRESET", "reset");

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}

interface Outcome {
  readonly received: string;
  readonly end: StreamEnd | null;
}

/** Null: it failed before its commit point. */
async function begin(
  play: Pick<Play, "protocol" | "holdEvents">,
  body: AsyncIterable<Uint8Array>,
  needsEvents: boolean,
  isCancelled: () => boolean,
): Promise<{ stream: AnswerStream; answer: CallerAnswer | null }> {
  const { protocol } = play;
  const stream = new AnswerStream({
    body,
    reader: protocols[protocol].createStreamReader(),
    watchdog: new Watchdog(systemClock, () => {}),
    now: () => systemClock.now(),
    limits: { ...defaultLimits, holdEvents: play.holdEvents },
    classify: (evidence) => classifyFailure({ protocol, ...evidence }, { now: 0 }),
    isCancelled,
    needsEvents,
  });
  if ((await stream.hold(false)) !== null) {
    await stream.close();
    return { stream, answer: null };
  }
  const request = { dialect: protocol, body: '{"stream":true}', stream: true };
  const options = { model: "m", id: "t", createdAt: 0, tools: [] };
  return {
    stream,
    answer: toCallerAnswer(request, protocol, { kind: "stream", status: 200, headers: {}, stream }, options),
  };
}

/** By iteration. `needsEvents`: every event is parsed. */
async function byIteration(play: Play, needsEvents: boolean): Promise<Outcome> {
  let aborted = false;
  async function* body(): AsyncGenerator<Uint8Array> {
    yield* piecesOf(play);
    if (play.ending === "end") return;
    aborted = play.ending === "abort";
    throw aborted ? new Error("left") : broken;
  }
  const { stream, answer } = await begin(play, body(), needsEvents, () => aborted);
  if (answer === null) return { received: "", end: stream.end };
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.bytes()) chunks.push(chunk);
  return { received: Buffer.concat(chunks).toString("latin1"), end: answer.end() };
}

/** As a gateway does it: pushed by the connection, to a reader that pauses. */
async function byPouring(play: Play): Promise<Outcome> {
  let aborted = false;
  const queue = new BodyQueue({ pause() {}, resume() {}, drop() {} });
  const pushed = (async (): Promise<void> => {
    for (const [index, piece] of piecesOf(play).entries()) {
      await turns(play.waits[index % play.waits.length] ?? 0);
      // The connection's buffer is read into again at once.
      const shared = Buffer.from(piece);
      queue.push(shared);
      // As a connection does that reads the next piece into the same place.
      shared.fill("\n");
    }
    if (play.ending === "end") return queue.end();
    // What an abort takes away is not told: it has to come behind what is compared.
    if (play.ending === "abort") await turns(60);
    aborted = play.ending === "abort";
    if (aborted) queue.abort(new Error("left"));
    else queue.end({ reason: broken });
  })();
  const { stream, answer } = await begin(play, queue, false, () => aborted);
  if (answer === null) {
    await pushed;
    return { received: "", end: stream.end };
  }
  const chunks: Uint8Array[] = [];
  let isFull = false;
  let pause = 0;
  const taker: Taker = {
    take(bytes) {
      // Only the word that it broke off is said to who is full.
      if (stream.end?.kind !== "cut") expect(isFull).toBe(false);
      chunks.push(Uint8Array.from(bytes));
      pause = play.pauses[chunks.length % play.pauses.length] ?? 0;
      isFull = pause > 0;
      return !isFull;
    },
    async ready() {
      await turns(pause - 1);
      isFull = false;
    },
  };
  await answer.pour(taker);
  await pushed;
  return { received: Buffer.concat(chunks).toString("latin1"), end: answer.end() };
}

function eventsOf({ received }: Outcome): SseEvent[] {
  const parser = new SseParser();
  return [...parser.push(Buffer.from(received, "latin1")), ...parser.end()];
}

describe("an answer that is poured", () => {
  it("is byte for byte the one that is iterated, and ends alike, however it comes, pauses and breaks off", async () => {
    await fc.assert(
      fc.asyncProperty(plays, async (play) => {
        const poured = await byPouring(play);
        expect(poured).toEqual(await byIteration(play, false));
        // Where an event is left out, comments beside it may be as well.
        const parsed = await byIteration(play, true);
        expect([eventsOf(poured), poured.end]).toEqual([eventsOf(parsed), parsed.end]);
      }),
      { numRuns: 300 },
    );
  });

  it("rejects when who takes it throws, behind a pause as well", async () => {
    const first = words["chat-completions"].common[0] ?? "";
    const queue = new BodyQueue({ pause() {}, resume() {}, drop() {} });
    queue.push(Buffer.from(first));
    const play = { protocol: "chat-completions", holdEvents: 64 } as const;
    const { answer } = await begin(play, queue, false, () => false);
    let taken = 0;
    const pouring = answer?.pour({
      take() {
        taken += 1;
        if (taken > 2) throw new Error("a fault of the taker's own");
        return taken < 2;
      },
      async ready() {
        queue.push(Buffer.from(first));
      },
    });
    queue.push(Buffer.from(first));
    await expect(pouring).rejects.toThrow("a fault of the taker's own");
  });

  it("does not hold it against a provider that its reader is slow, and comments still say nothing", async () => {
    const clock = new VirtualClock();
    const queue = new BodyQueue({ pause() {}, resume() {}, drop() {} });
    let silences = 0;
    const stream = new AnswerStream({
      body: queue,
      reader: protocols["chat-completions"].createStreamReader(),
      watchdog: new Watchdog(clock, () => (silences += 1)),
      now: () => clock.now(),
      limits: { ...defaultLimits, holdEvents: 1, idleMs: 1_000 },
      classify: (evidence) => classifyFailure(evidence, { now: 0 }),
      isCancelled: () => false,
      needsEvents: false,
    });
    queue.push(Buffer.from(chat({ role: "assistant" })));
    await stream.hold(false);
    let wake: (() => void) | null = null;
    void stream.pour({
      // Full by a comment.
      take: (bytes) => bytes[0] !== 0x3a,
      ready: () => new Promise((resolve) => (wake = resolve)),
    });
    await clock.advance(400);
    queue.push(Buffer.from(": comment\n\n"));
    await clock.advance(5_000);
    (wake as (() => void) | null)?.();
    await clock.advance(599);
    expect(silences).toBe(0);
    await clock.advance(1);
    expect(silences).toBe(1);
    await stream.close();
  });
});
