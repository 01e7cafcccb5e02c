import type { Usage } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import type { JsonObject, Part } from "../protocols/canonical.ts";
import { protocols } from "../protocols/index.ts";
import type { EncodeOptions, StreamEncoder } from "../protocols/protocol.ts";
import { createPublicStream } from "../protocols/responses/public-stream.ts";
import type { Soon } from "../core/soon.ts";
import type { ProtocolName } from "../core/target.ts";
import { formatSse, type SseEvent } from "../protocols/sse.ts";
import { aboutSuccessor } from "./about-successor.ts";
import type { UpstreamAnswer } from "./attempt.ts";
import type { Batch, StreamEnd, Taker } from "./answer-stream.ts";
import { Continuation, type FindSuccessor } from "./continuation.ts";
import { textOf, type TurnRequest, wantsStream } from "./request.ts";

/** A committed answer on its way to the caller: bytes of the caller's protocol, or parts. Take one of them, once. */
export interface CallerAnswer {
  readonly contentType: string;
  /** The answer in the caller's protocol. A cut answer ends with that protocol's own error event. */
  bytes(): AsyncGenerator<Uint8Array>;
  /** The same, given to `taker` as it comes: a whole answer in one piece, and at once. Resolves at its end. */
  pour(taker: Taker): Soon<void>;
  /** The answer as parts. A cut answer just ends. */
  parts(): AsyncGenerator<Part>;
  /** Known when one of the two has been iterated to its end. */
  end(): StreamEnd | null;
  /** Gives up the answer and closes the connection. */
  close(): Promise<void>;
}

/**
 * Brings an upstream answer (in `protocol`) into the form that the caller asked for. `findSuccessor`: when its stream breaks off after text
 * has gone out, others may go on in it.
 */
export function toCallerAnswer(
  request: TurnRequest,
  protocol: ProtocolName,
  answer: UpstreamAnswer,
  options: EncodeOptions,
  findSuccessor: FindSuccessor | null = null,
): CallerAnswer {
  return answer.kind === "stream"
    ? new StreamedAnswer(request, protocol, answer, options, findSuccessor)
    : new WholeAnswer(request, protocol, answer, options);
}

const encoder = new TextEncoder();

type Streamed = Extract<UpstreamAnswer, { kind: "stream" }>;
type Whole = Extract<UpstreamAnswer, { kind: "whole" }>;

/** An answer that came as a stream. */
class StreamedAnswer implements CallerAnswer {
  readonly #request: TurnRequest;
  readonly #protocol: ProtocolName;
  readonly #answer: Streamed;
  readonly #options: EncodeOptions;
  readonly #continuation: Continuation | null;

  constructor(
    request: TurnRequest,
    protocol: ProtocolName,
    answer: Streamed,
    options: EncodeOptions,
    findSuccessor: FindSuccessor | null,
  ) {
    this.#request = request;
    this.#protocol = protocol;
    this.#answer = answer;
    this.#options = options;
    this.#continuation = findSuccessor === null ? null : new Continuation(findSuccessor);
  }

  get contentType(): string {
    return contentType(this.#request);
  }

  end(): StreamEnd | null {
    return this.#continuation?.end ?? this.#answer.stream.end;
  }

  async *parts(): AsyncGenerator<Part> {
    const { stream } = this.#answer;
    const decoder = protocols[this.#protocol].createStreamDecoder();
    for await (const batch of stream.rest()) {
      for (const event of batch.events) yield* this.#heard(decoder.decode(event));
    }
    yield* this.#heard(decoder.end?.() ?? []);
    if (this.#continuation !== null) yield* this.#continuation.parts(stream.end);
  }

  // The generator itself: one that goes through another costs for every piece.
  bytes(): AsyncGenerator<Uint8Array> {
    const request = this.#request;
    if (request.dialect === this.#protocol) return wantsStream(request) ? this.#untouched() : this.#folded();
    return encodeParts(request, this.parts(), this.#options, () => cutFailure(this.end()), this.#continuation);
  }

  async pour(taker: Taker): Promise<void> {
    const request = this.#request;
    const isPlain = request.dialect === this.#protocol && wantsStream(request) && this.#continuation === null;
    if (!isPlain || needsPublicForm(request, this.#answer)) return pourAll(this.bytes(), taker);
    const { stream } = this.#answer;
    await stream.pour(taker);
    const { missingEnd } = stream;
    if (missingEnd.length > 0) taker.take(missingEnd);
    const last = this.end();
    if (last?.kind === "cut" && !last.told) taker.take(errorEvent(this.#protocol, last.failure));
  }

  async close(): Promise<void> {
    await Promise.all([this.#answer.stream.close(), this.#continuation?.close()]);
  }

  *#heard(decoded: Part[]): Generator<Part> {
    for (const part of decoded) {
      this.#continuation?.hear(part);
      yield part;
    }
  }

  async *#untouched(): AsyncGenerator<Uint8Array> {
    const { stream } = this.#answer;
    if (this.#continuation !== null) yield* this.#goingOn(this.#continuation);
    else if (!needsPublicForm(this.#request, this.#answer)) {
      for await (const batch of stream.rest()) yield batch.bytes;
      if (stream.missingEnd.length > 0) yield stream.missingEnd;
    } else for await (const { events } of this.#publicBatches()) yield encodeEvents(events);
    const last = this.end();
    if (last?.kind === "cut" && !last.told) yield errorEvent(this.#protocol, last.failure);
  }

  async *#publicBatches(): AsyncGenerator<Batch> {
    const toPublic = createPublicStream();
    for await (const batch of this.#answer.stream.rest()) {
      const events = batch.events.flatMap((event) => toPublic(event) ?? []);
      if (events.length > 0) yield { bytes: encodeEvents(events), events };
    }
  }

  /** The stream as it is, followed so that others can go on in it. A failure event of its own waits until it is known that nobody does. */
  async *#goingOn(following: Continuation): AsyncGenerator<Uint8Array> {
    const request = this.#request;
    const { stream } = this.#answer;
    const protocol = protocols[this.#protocol];
    const decoder = protocol.createStreamDecoder();
    const follower = protocol.createStreamFollower(() => (request.dialect === "canonical" ? "" : textOf(request.body)));
    const batches = needsPublicForm(request, this.#answer) ? this.#publicBatches() : stream.rest();
    for await (const { bytes, events } of batches) {
      yield bytes;
      for (const event of events) {
        follower.see(event);
        for (const part of decoder.decode(event)) following.hear(part);
      }
    }
    const encoded = following.canFollow(stream.end) ? follower.resume(following.openText, this.#options) : null;
    if (encoded !== null) yield* encodeInto(encoded, following.parts(stream.end), following);
    if (following.end !== null) return;
    yield encodeEvents(stream.withheld);
    yield stream.missingEnd;
  }

  async *#folded(): AsyncGenerator<Uint8Array> {
    const events: SseEvent[] = [];
    for await (const batch of this.#answer.stream.rest()) events.push(...batch.events);
    yield encoder.encode(JSON.stringify(protocols[this.#protocol].foldStream(events)));
  }
}

async function pourAll(bytes: AsyncGenerator<Uint8Array>, taker: Taker): Promise<void> {
  for await (const chunk of bytes) if (!taker.take(chunk)) await taker.ready();
}

function encodeEvents(events: readonly SseEvent[]): Uint8Array {
  return encoder.encode(events.map(({ event, data }) => formatSse(data, event)).join(""));
}

/**
 * True when the answer comes from the backend behind ChatGPT logins and goes to somebody else than Codex, whose stream it is. Both
 * are known by their `x-codex-` headers.
 */
function needsPublicForm(request: TurnRequest, answer: Streamed): boolean {
  const headers = request.dialect === "canonical" ? {} : (request.headers ?? {});
  return hasCodexHeader(answer.headers) && !hasCodexHeader(headers);
}

function hasCodexHeader(headers: Readonly<Record<string, string>>): boolean {
  return Object.keys(headers).some((name) => name.startsWith("x-codex-"));
}

/** An answer that came as a whole. */
class WholeAnswer implements CallerAnswer {
  readonly #request: TurnRequest;
  readonly #protocol: ProtocolName;
  readonly #answer: Whole;
  readonly #options: EncodeOptions;
  #isGiven = false;

  constructor(request: TurnRequest, protocol: ProtocolName, answer: Whole, options: EncodeOptions) {
    this.#request = request;
    this.#protocol = protocol;
    this.#answer = answer;
    this.#options = options;
  }

  get contentType(): string {
    return contentType(this.#request);
  }

  end(): StreamEnd | null {
    return this.#isGiven ? { kind: "complete", usage: this.#answer.usage } : null;
  }

  async *parts(): AsyncGenerator<Part> {
    yield* protocols[this.#protocol].decodeAnswer(this.#answer.body);
    this.#isGiven = true;
  }

  async *bytes(): AsyncGenerator<Uint8Array> {
    if (this.#isPlain()) yield this.#answer.bytes;
    else yield* encodeParts(this.#request, this.parts(), this.#options, () => null);
    this.#isGiven = true;
  }

  pour(taker: Taker): Soon<void> {
    if (!this.#isPlain()) return pourAll(this.bytes(), taker);
    this.#isGiven = true;
    taker.take(this.#answer.bytes);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #isPlain(): boolean {
    return this.#request.dialect === this.#protocol && !wantsStream(this.#request);
  }
}

/** Parts → the caller's protocol, as a stream or whole. */
async function* encodeParts(
  request: TurnRequest,
  parts: AsyncIterable<Part>,
  options: EncodeOptions,
  cut: () => Failure | null,
  continuation: Continuation | null = null,
): AsyncGenerator<Uint8Array> {
  const dialect = request.dialect === "canonical" ? "responses" : request.dialect;
  const protocol = protocols[dialect];
  if (wantsStream(request)) {
    yield* encodeInto(protocol.createStreamEncoder(options), parts, continuation);
    const failure = cut();
    if (failure !== null) yield errorEvent(dialect, failure);
    return;
  }
  const all: Part[] = [];
  for await (const part of parts) all.push(part);
  yield encoder.encode(JSON.stringify(protocol.encodeAnswer(all, options) satisfies JsonObject));
}

/** Parts as text of a stream. Each time another takes over, comments say who, and what was left out: the headers are out already (rule R10). */
async function* encodeInto(
  out: StreamEncoder,
  parts: AsyncIterable<Part>,
  continuation: Continuation | null,
): AsyncGenerator<Uint8Array> {
  let told = 0;
  for await (const part of parts) {
    const successors = continuation?.successors.slice(told) ?? [];
    told += successors.length;
    const about = successors.map(aboutSuccessor).join("");
    const text = about + out.encode(part);
    if (text !== "") yield encoder.encode(text);
  }
}

/** The end of an answer that broke off. Asking again may well succeed: nobody has refused anything. */
function errorEvent(dialect: ProtocolName, failure: Failure): Uint8Array {
  const { event } = protocols[dialect].encodeError({
    status: failure.status ?? 502,
    type: "server_error",
    code: failure.code ?? failure.reason,
    message: `the answer broke off: ${failure.message}`,
    again: true,
  });
  return encoder.encode(event);
}

function cutFailure(end: StreamEnd | null): Failure | null {
  return end?.kind === "cut" ? end.failure : null;
}

function contentType(request: TurnRequest): string {
  return wantsStream(request) ? "text/event-stream; charset=utf-8" : "application/json";
}

/** Tokens of an answer, as far as it came and told of them. */
export function usageOf(end: StreamEnd | null): Usage | null {
  return end?.usage ?? null;
}
