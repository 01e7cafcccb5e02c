import type { Usage } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import type { JsonObject, Part } from "../protocols/canonical.ts";
import { protocols } from "../protocols/index.ts";
import type { EncodeOptions } from "../protocols/protocol.ts";
import { createPublicStream } from "../protocols/responses/public-stream.ts";
import type { ProtocolName } from "../core/target.ts";
import { formatSse, type SseEvent } from "../protocols/sse.ts";
import type { UpstreamAnswer } from "./attempt.ts";
import type { StreamEnd } from "./answer-stream.ts";
import { type TurnRequest, wantsStream } from "./request.ts";

/** A committed answer on its way to the caller: bytes of the caller's protocol, or parts. Iterate one of them, once. */
export interface CallerAnswer {
  readonly contentType: string;
  /** The answer in the caller's protocol. A cut answer ends with that protocol's own error event. */
  bytes(): AsyncGenerator<Uint8Array>;
  /** The answer as parts. A cut answer just ends. */
  parts(): AsyncGenerator<Part>;
  /** Known when one of the two has been iterated to its end. */
  end(): StreamEnd | null;
  /** Gives up the answer and closes the connection. */
  close(): Promise<void>;
}

/** Brings an upstream answer (in `protocol`) into the form that the caller asked for. */
export function toCallerAnswer(
  request: TurnRequest,
  protocol: ProtocolName,
  answer: UpstreamAnswer,
  options: EncodeOptions,
): CallerAnswer {
  return answer.kind === "stream"
    ? fromStream(request, protocol, answer, options)
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
): CallerAnswer {
  const { stream } = answer;

  async function* parts(): AsyncGenerator<Part> {
    const decoder = protocols[protocol].createStreamDecoder();
    for await (const batch of stream.rest()) {
      for (const event of batch.events) yield* decoder.decode(event);
    }
    yield* decoder.end?.() ?? [];
  }

  async function* untouched(): AsyncGenerator<Uint8Array> {
    if (!needsPublicForm(request, answer)) {
      for await (const batch of stream.rest()) yield batch.bytes;
    } else {
      const toPublic = createPublicStream();
      for await (const batch of stream.rest()) {
        const events = batch.events.flatMap((event) => toPublic(event) ?? []);
        if (events.length > 0) yield encoder.encode(events.map(({ event, data }) => formatSse(data, event)).join(""));
      }
    }
    if (stream.end?.kind === "cut" && !stream.end.told) yield errorEvent(protocol, stream.end.failure);
  }

  async function* folded(): AsyncGenerator<Uint8Array> {
    const events: SseEvent[] = [];
    for await (const batch of stream.rest()) events.push(...batch.events);
    yield encoder.encode(JSON.stringify(protocols[protocol].foldStream(events)));
  }

  async function* bytes(): AsyncGenerator<Uint8Array> {
    if (request.dialect === protocol) yield* wantsStream(request) ? untouched() : folded();
    else yield* encodeParts(request, parts(), options, () => cutFailure(stream.end));
  }

  return {
    contentType: contentType(request),
    bytes,
    parts,
    end: () => stream.end,
    close: () => stream.close(),
  };
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

  async function* bytes(): AsyncGenerator<Uint8Array> {
    if (request.dialect === protocol && !wantsStream(request)) yield encoder.encode(answer.text);
    else yield* encodeParts(request, parts(), options, () => null);
    done = true;
  }

  return {
    contentType: contentType(request),
    bytes,
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
): AsyncGenerator<Uint8Array> {
  const dialect = request.dialect === "canonical" ? "responses" : request.dialect;
  const protocol = protocols[dialect];
  if (wantsStream(request)) {
    const out = protocol.createStreamEncoder(options);
    for await (const part of parts) {
      const text = out.encode(part);
      if (text !== "") yield encoder.encode(text);
    }
    const failure = cut();
    if (failure !== null) yield errorEvent(dialect, failure);
    return;
  }
  const all: Part[] = [];
  for await (const part of parts) all.push(part);
  yield encoder.encode(JSON.stringify(protocol.encodeAnswer(all, options) satisfies JsonObject));
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

/** Tokens of an answer, when its end is known. */
export function usageOf(end: StreamEnd | null): Usage | null {
  return end?.kind === "complete" ? end.usage : null;
}
