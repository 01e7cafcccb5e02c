import type { Usage } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import type { JsonObject, Part } from "../protocols/canonical.ts";
import { protocols } from "../protocols/index.ts";
import type { EncodeOptions, StreamEncoder } from "../protocols/protocol.ts";
import { createPublicStream } from "../protocols/responses/public-stream.ts";
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
  /** The same, given to `taker` as it comes: a whole answer in one piece. Resolves at its end. */
  pour(taker: Taker): Promise<void>;
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
  findSuccessor?: FindSuccessor,
): CallerAnswer {
  return answer.kind === "stream"
    ? fromStream(request, protocol, answer, options, findSuccessor)
    : fromWhole(request, protocol, answer, options);
}

const encoder = new TextEncoder();

type StreamAnswer = Extract<UpstreamAnswer, { kind: "stream" }>;
type WholeAnswer = Extract<UpstreamAnswer, { kind: "whole" }>;

function fromStream(
  request: TurnRequest,
  protocol: ProtocolName,
  answer: StreamAnswer,
  options: EncodeOptions,
  findSuccessor: FindSuccessor | undefined,
): CallerAnswer {
  const { stream } = answer;
  const continuation = findSuccessor === undefined ? null : new Continuation(findSuccessor);
  const end = (): StreamEnd | null => continuation?.end ?? stream.end;

  async function* parts(): AsyncGenerator<Part> {
    const decoder = protocols[protocol].createStreamDecoder();
    for await (const batch of stream.rest()) {
      for (const event of batch.events) yield* heard(decoder.decode(event));
    }
    yield* heard(decoder.end?.() ?? []);
    if (continuation !== null) yield* continuation.parts(stream.end);
  }

  function* heard(decoded: Part[]): Generator<Part> {
    for (const part of decoded) {
      continuation?.hear(part);
      yield part;
    }
  }

  async function* untouched(): AsyncGenerator<Uint8Array> {
    if (continuation !== null) yield* goingOn(continuation);
    else if (!needsPublicForm(request, answer)) {
      for await (const batch of stream.rest()) yield batch.bytes;
      if (stream.missingEnd.length > 0) yield stream.missingEnd;
    } else for await (const { events } of publicBatches()) yield encodeEvents(events);
    const last = end();
    if (last?.kind === "cut" && !last.told) yield errorEvent(protocol, last.failure);
  }

  async function* publicBatches(): AsyncGenerator<Batch> {
    const toPublic = createPublicStream();
    for await (const batch of stream.rest()) {
      const events = batch.events.flatMap((event) => toPublic(event) ?? []);
      if (events.length > 0) yield { bytes: encodeEvents(events), events };
    }
  }

  /** The stream as it is, followed so that others can go on in it. A failure event of its own waits until it is known that nobody does. */
  async function* goingOn(following: Continuation): AsyncGenerator<Uint8Array> {
    const decoder = protocols[protocol].createStreamDecoder();
    const follower = protocols[protocol].createStreamFollower(() =>
      request.dialect === "canonical" ? "" : textOf(request.body),
    );
    for await (const { bytes, events } of needsPublicForm(request, answer) ? publicBatches() : stream.rest()) {
      yield bytes;
      for (const event of events) {
        follower.see(event);
        for (const part of decoder.decode(event)) following.hear(part);
      }
    }
    const encoded = following.canFollow(stream.end) ? follower.resume(following.openText, options) : null;
    if (encoded !== null) yield* encodeInto(encoded, following.parts(stream.end), following);
    if (following.end !== null) return;
    yield encodeEvents(stream.withheld);
    yield stream.missingEnd;
  }

  async function* folded(): AsyncGenerator<Uint8Array> {
    const events: SseEvent[] = [];
    for await (const batch of stream.rest()) events.push(...batch.events);
    yield encoder.encode(JSON.stringify(protocols[protocol].foldStream(events)));
  }

  // The generator itself: one that goes through another costs for every piece.
  function bytes(): AsyncGenerator<Uint8Array> {
    if (request.dialect === protocol) return wantsStream(request) ? untouched() : folded();
    return encodeParts(request, parts(), options, () => cutFailure(end()), continuation);
  }

  async function pour(taker: Taker): Promise<void> {
    const isPlain = request.dialect === protocol && wantsStream(request) && continuation === null;
    if (!isPlain || needsPublicForm(request, answer)) return pourAll(bytes(), taker);
    await stream.pour(taker);
    const { missingEnd } = stream;
    if (missingEnd.length > 0) taker.take(missingEnd);
    const last = end();
    if (last?.kind === "cut" && !last.told) taker.take(errorEvent(protocol, last.failure));
  }

  return {
    contentType: contentType(request),
    bytes,
    pour,
    parts,
    end,
    close: async () => {
      await Promise.all([stream.close(), continuation?.close()]);
    },
  };
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
function needsPublicForm(request: TurnRequest, answer: StreamAnswer): boolean {
  const headers = request.dialect === "canonical" ? {} : (request.headers ?? {});
  return hasCodexHeader(answer.headers) && !hasCodexHeader(headers);
}

function hasCodexHeader(headers: Readonly<Record<string, string>>): boolean {
  return Object.keys(headers).some((name) => name.startsWith("x-codex-"));
}

function fromWhole(
  request: TurnRequest,
  protocol: ProtocolName,
  answer: WholeAnswer,
  options: EncodeOptions,
): CallerAnswer {
  let done = false;

  async function* parts(): AsyncGenerator<Part> {
    yield* protocols[protocol].decodeAnswer(answer.body);
    done = true;
  }

  const isPlain = request.dialect === protocol && !wantsStream(request);

  async function* bytes(): AsyncGenerator<Uint8Array> {
    if (isPlain) yield answer.bytes;
    else yield* encodeParts(request, parts(), options, () => null);
    done = true;
  }

  function pour(taker: Taker): Promise<void> {
    if (!isPlain) return pourAll(bytes(), taker);
    done = true;
    taker.take(answer.bytes);
    return Promise.resolve();
  }

  return {
    contentType: contentType(request),
    bytes,
    pour,
    parts,
    end: () => (done ? { kind: "complete", usage: answer.usage } : null),
    close: () => Promise.resolve(),
  };
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
