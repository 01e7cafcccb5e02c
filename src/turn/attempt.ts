import type { CancelSignal } from "../core/cancel.ts";
import type { Clock } from "../core/clock.ts";
import type { Usage } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import { readBytes, type Transport, TransportError, type TransportResponse } from "../core/transport.ts";
import type { Evidence } from "../failures/evidence.ts";
import type { JsonObject } from "../protocols/canonical.ts";
import { protocols } from "../protocols/index.ts";
import type { StreamReader } from "../protocols/protocol.ts";
import { AnswerStream, SilenceError } from "./answer-stream.ts";
import type { TurnLimits } from "./limits.ts";
import type { StreamGauge } from "./stream-gauge.ts";
import { bodyText, type UpstreamRequest } from "./upstream-request.ts";
import { createWatchdog } from "./watchdog.ts";

export interface AttemptInput {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly limits: TurnLimits;
  readonly upstream: UpstreamRequest;
  /** Hold the whole stream before giving any of it: the caller wants no stream. */
  readonly whole: boolean;
  /** Call over a new connection. Default false. */
  readonly fresh?: boolean;
  /** Keep a failure event behind the commit point back; see `AnswerStream`. Default false. */
  readonly withholdsFailure?: boolean;
  readonly classify: (evidence: Evidence) => Failure;
  /** False when a stream is only passed on, and nobody asks for its events. Default true. */
  readonly needsEvents?: boolean;
  /** Called when the request is on its way. Must not throw. */
  readonly onSent?: (() => void) | undefined;
  /** Told the headers of the answer, also of a refusal. */
  readonly onHeaders?: (headers: Readonly<Record<string, string>>) => void;
  /** Told the answer as it is read: the data of each event (but those that are only more of the same), or the whole body. */
  readonly onText?: (text: string) => void;
  /** The caller's. */
  readonly signal: CancelSignal | undefined;
  /** Aborts when this process lets go of everything. */
  readonly closing: CancelSignal | undefined;
  readonly gauge: StreamGauge | undefined;
}

/** What an attempt came to: an answer at its commit point, or a failure of which the caller has seen nothing. */
export type AttemptResult =
  | { readonly ok: true; readonly answer: UpstreamAnswer }
  | { readonly ok: false; readonly failure: Failure };

export type UpstreamAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
} & (
  | { readonly kind: "stream"; readonly stream: AnswerStream }
  | { readonly kind: "whole"; readonly body: JsonObject; readonly bytes: Uint8Array; readonly usage: Usage | null }
);

/** An error body is read up to here; what is beyond says nothing new. */
const errorBodyLimit = 64 * 1024;
const wholeBodyLimit = 64 * 1024 * 1024;

const decoder = new TextDecoder();

const once = { once: true };

const closedMeanwhile = new Error("the answer was closed while more of it was waited for");

/** Makes one upstream call and holds its answer until the commit point. Never throws. */
export async function runAttempt(input: AttemptInput): Promise<AttemptResult> {
  const { clock, limits, upstream, classify } = input;
  const { signal, closing } = input;
  const protocol = protocols[upstream.protocol];
  const controller = new AbortController();
  const cancel = (): void => controller.abort(signal?.aborted === true ? signal.reason : closing?.reason);
  const isCancelled = (): boolean => signal?.aborted === true || closing?.aborted === true;
  if (isCancelled())
    return failed({ phase: "connect", networkCode: "CALLER_CANCELLED", message: "the caller gave up" });
  signal?.addEventListener("abort", cancel, once);
  closing?.addEventListener("abort", cancel, once);

  const silenceMs = upstream.streams ? limits.firstEventMs : Math.max(limits.firstEventMs, limits.idleMs);
  const watchdog = createWatchdog(clock, () => {
    controller.abort(new SilenceError("the provider did not answer in time"));
  });
  watchdog.expect(silenceMs);

  let response: TransportResponse;
  try {
    const fresh = input.fresh === true ? { fresh: true } : {};
    const sending = input.transport.send({ ...upstream.request, ...fresh, signal: controller.signal });
    input.onSent?.();
    response = await sending;
    input.onHeaders?.(response.headers);
    if (isSuccess(response.status) && isEventStream(response, upstream.streams)) {
      const stream = new AnswerStream({
        body: response.body,
        reader: overheard(
          protocol.createStreamReader(() => bodyText(upstream.request.body)),
          input.onText,
        ),
        watchdog,
        now: () => clock.now(),
        limits,
        classify,
        isCancelled,
        giveUp: () => controller.abort(closedMeanwhile),
        onClosed: release,
        needsEvents: input.needsEvents !== false,
        withholdsFailure: input.withholdsFailure === true,
        ...(input.gauge === undefined ? {} : { gauge: input.gauge }),
      });
      const failure = await stream.hold(input.whole);
      if (failure === null) return { ok: true, answer: { ...head(response), kind: "stream", stream } };
      await stream.close();
      return { ok: false, failure };
    }
    const limit = isSuccess(response.status) ? wholeBodyLimit : errorBodyLimit;
    const { whole } = response;
    const bytes = whole === undefined || whole.length > limit ? await readBytes(response.body, limit) : whole;
    release();
    return readWhole(response, bytes);
  } catch (error) {
    release();
    return failed(brokenEvidence(error, isCancelled()));
  }

  function readWhole(answer: TransportResponse, bytes: Uint8Array): AttemptResult {
    const text = decoder.decode(bytes);
    const body = isSuccess(answer.status) ? parseObject(text) : null;
    if (body === null) return failed(unreadable(protocol.readError(answer.status, answer.headers, text), answer, text));
    input.onText?.(text);
    const verdict = protocol.readAnswer(body);
    if (verdict.kind === "failure")
      return failed({ headers: answer.headers, status: answer.status, ...verdict.evidence });
    return { ok: true, answer: { ...head(answer), kind: "whole", body, bytes, usage: verdict.usage } };
  }

  function failed(evidence: Evidence): AttemptResult {
    return { ok: false, failure: classify(evidence) };
  }

  function release(): void {
    watchdog.stop();
    signal?.removeEventListener("abort", cancel);
    closing?.removeEventListener("abort", cancel);
  }
}

function overheard(reader: StreamReader, onText: AttemptInput["onText"]): StreamReader {
  if (onText === undefined) return reader;
  const { endOfMore } = reader;
  return {
    ...(endOfMore === undefined ? {} : { endOfMore }),
    read(event) {
      onText(event.data);
      return reader.read(event);
    },
    end: () => reader.end(),
    get usage() {
      return reader.usage;
    },
    get missingEnd() {
      return reader.missingEnd ?? "";
    },
  };
}

function head(response: TransportResponse): Pick<UpstreamAnswer, "status" | "headers"> {
  return { status: response.status, headers: response.headers };
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

/** What the provider says, whatever was asked for; one that leaves the type out is taken to do as it was asked. */
function isEventStream(response: TransportResponse, asked: boolean): boolean {
  return response.headers["content-type"]?.includes("text/event-stream") ?? asked;
}

/** An answer that broke off is no error text: it is a conversation, and no message or journal may hold any of it. */
function unreadable(evidence: Evidence, answer: TransportResponse, text: string): Evidence {
  const isAnswer = isSuccess(answer.status) && text.trimStart().startsWith("{");
  return isAnswer ? { ...evidence, message: "the answer is not whole JSON" } : evidence;
}

function parseObject(text: string): JsonObject | null {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null && !Array.isArray(body) ? (body as JsonObject) : null;
  } catch {
    return null;
  }
}

function brokenEvidence(error: unknown, cancelled: boolean): Evidence {
  if (cancelled) return { phase: "sent", networkCode: "CALLER_CANCELLED", message: "the caller gave up" };
  if (error instanceof SilenceError)
    return { phase: "sent", networkCode: "FIRST_EVENT_TIMEOUT", message: error.message };
  if (error instanceof TransportError) {
    const phase = error.phase === "body" ? "head" : error.phase;
    return { phase, networkCode: error.networkCode, message: error.message };
  }
  return { phase: "sent", networkCode: "UNKNOWN", message: error instanceof Error ? error.message : String(error) };
}
