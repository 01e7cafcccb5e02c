import { type CancelSignal, Canceller } from "../core/cancel.ts";
import type { Usage } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import type { Soon } from "../core/soon.ts";
import { readBytes, TransportError, type TransportResponse } from "../core/transport.ts";
import type { Evidence } from "../failures/evidence.ts";
import type { JsonObject } from "../protocols/canonical.ts";
import { protocols } from "../protocols/index.ts";
import type { EventShape } from "../protocols/alike-events.ts";
import type { StreamReader, StreamVerdict } from "../protocols/protocol.ts";
import type { SseEvent } from "../protocols/sse.ts";
import { AnswerStream, SilenceError } from "./answer-stream.ts";
import type { TurnRuntime } from "./runtime.ts";
import { bodyText, type UpstreamRequest } from "./upstream-request.ts";
import { Watchdog } from "./watchdog.ts";

/** One upstream call to be made, and who is told of what comes of it. */
export interface AttemptInput {
  readonly runtime: Pick<TurnRuntime, "transport" | "clock" | "limits" | "closing" | "gauge">;
  readonly upstream: UpstreamRequest;
  /** Hold the whole stream before giving any of it: the caller wants no stream. */
  readonly whole: boolean;
  /** Call over a new connection. */
  readonly fresh: boolean;
  /** Keep a failure event behind the commit point back; see `AnswerStream`. */
  readonly withholdsFailure: boolean;
  /** False when a stream is only passed on, and nobody asks for its events. */
  readonly needsEvents: boolean;
  /** The caller's. */
  readonly signal: CancelSignal | undefined;
  classify(evidence: Evidence): Failure;
  /** Called when the request is on its way. Must not throw. */
  onSent(): void;
  /** Told the headers of the answer, also of a refusal. */
  onHeaders(headers: Readonly<Record<string, string>>): void;
  /** Told the answer as it is read: the data of each event (but those that are only more of the same), or the whole body. */
  onText(text: string): void;
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

/** Makes one upstream call and holds its answer until the commit point. Never rejects. */
export function runAttempt(input: AttemptInput): Promise<AttemptResult> {
  return new Attempt(input).run();
}

class Attempt {
  readonly #input: AttemptInput;
  readonly #canceller = new Canceller();
  readonly #cancel: () => void;
  /** Its place among those who are given up when this process lets go of everything; -1 when it has none. */
  #place = -1;
  readonly #watchdog: Watchdog;

  constructor(input: AttemptInput) {
    this.#input = input;
    const { signal, runtime } = input;
    this.#cancel = () => this.#canceller.abort(signal?.reason);
    this.#watchdog = new Watchdog(runtime.clock, () => {
      this.#canceller.abort(new SilenceError("the provider did not answer in time"));
    });
  }

  run(): Promise<AttemptResult> {
    const { runtime, upstream, signal, fresh } = this.#input;
    if (this.#isCancelled()) return Promise.resolve(this.#failed(givenUp("connect")));
    signal?.addEventListener("abort", this.#cancel, once);
    this.#place = runtime.closing?.adopt(this.#canceller) ?? -1;
    const { limits } = runtime;
    this.#watchdog.expect(upstream.streams ? limits.firstEventMs : Math.max(limits.firstEventMs, limits.idleMs));

    const { method, url, headers, body } = upstream.request;
    let sending: Promise<TransportResponse>;
    try {
      sending = runtime.transport.send({ method, url, headers, body, signal: this.#canceller, fresh });
    } catch (error) {
      // A transport of somebody else's may throw where it should reject.
      return Promise.resolve(this.#broke(error));
    }
    this.#input.onSent();
    return sending.then(
      (response) => this.#answered(response),
      (error: unknown) => this.#broke(error),
    );
  }

  #answered(response: TransportResponse): Soon<AttemptResult> {
    const { upstream } = this.#input;
    try {
      this.#input.onHeaders(response.headers);
      const isGood = isSuccess(response.status);
      if (isGood && isEventStream(response, upstream.streams)) return this.#hold(response);
      const limit = isGood ? wholeBodyLimit : errorBodyLimit;
      const { whole } = response;
      if (whole === undefined || whole.length > limit) return this.#read(response, limit);
      return this.#judge(response, whole);
    } catch (error) {
      return this.#broke(error);
    }
  }

  /** A stream, until its commit point. */
  async #hold(response: TransportResponse): Promise<AttemptResult> {
    const input = this.#input;
    const { upstream, runtime } = input;
    const { clock, limits, gauge } = runtime;
    try {
      const reader = protocols[upstream.protocol].createStreamReader(() => bodyText(upstream.request.body));
      const stream = new AnswerStream({
        body: response.body,
        reader: new OverheardReader(reader, input),
        watchdog: this.#watchdog,
        now: () => clock.now(),
        limits,
        classify: (evidence) => input.classify(evidence),
        isCancelled: () => this.#isCancelled(),
        giveUp: () => this.#canceller.abort(closedMeanwhile),
        onClosed: () => this.#release(),
        needsEvents: input.needsEvents,
        withholdsFailure: input.withholdsFailure,
        ...(gauge === undefined ? {} : { gauge }),
      });
      const failure = await stream.hold(input.whole);
      if (failure === null) return { ok: true, answer: { ...head(response), kind: "stream", stream } };
      await stream.close();
      return { ok: false, failure };
    } catch (error) {
      return this.#broke(error);
    }
  }

  /** An answer that is no stream, or a refusal, of which not all came with its head. */
  async #read(response: TransportResponse, limit: number): Promise<AttemptResult> {
    try {
      return this.#judge(response, await readBytes(response.body, limit));
    } catch (error) {
      return this.#broke(error);
    }
  }

  #judge(response: TransportResponse, bytes: Uint8Array): AttemptResult {
    this.#release();
    const { status, headers } = response;
    const protocol = protocols[this.#input.upstream.protocol];
    const text = decoder.decode(bytes);
    const body = isSuccess(status) ? parseObject(text) : null;
    if (body === null) return this.#failed(unreadable(protocol.readError(status, headers, text), response, text));
    this.#input.onText(text);
    const verdict = protocol.readAnswer(body);
    if (verdict.kind === "failure") return this.#failed({ headers, status, ...verdict.evidence });
    return { ok: true, answer: { status, headers, kind: "whole", body, bytes, usage: verdict.usage } };
  }

  #broke(error: unknown): AttemptResult {
    this.#release();
    return this.#failed(brokenEvidence(error, this.#isCancelled()));
  }

  #failed(evidence: Evidence): AttemptResult {
    return { ok: false, failure: this.#input.classify(evidence) };
  }

  #isCancelled(): boolean {
    const { signal, runtime } = this.#input;
    return signal?.aborted === true || runtime.closing?.aborted === true;
  }

  #release(): void {
    const { signal, runtime } = this.#input;
    this.#watchdog.stop();
    signal?.removeEventListener("abort", this.#cancel);
    if (this.#place >= 0) runtime.closing?.release(this.#place);
    this.#place = -1;
  }
}

/** A reader of which somebody is told the data that it reads. */
class OverheardReader implements StreamReader {
  readonly #reader: StreamReader;
  readonly #input: AttemptInput;

  constructor(reader: StreamReader, input: AttemptInput) {
    this.#reader = reader;
    this.#input = input;
  }

  read(event: SseEvent): StreamVerdict {
    this.#input.onText(event.data);
    return this.#reader.read(event);
  }

  shapeOfMore(text: string): EventShape | null {
    return this.#reader.shapeOfMore?.(text) ?? null;
  }

  end(): Evidence | null {
    return this.#reader.end();
  }

  get usage(): Usage | null {
    return this.#reader.usage;
  }

  get missingEnd(): string {
    return this.#reader.missingEnd ?? "";
  }
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

function givenUp(phase: "connect" | "sent"): Evidence {
  return { phase, networkCode: "CALLER_CANCELLED", message: "the caller gave up" };
}

function brokenEvidence(error: unknown, cancelled: boolean): Evidence {
  if (cancelled) return givenUp("sent");
  if (error instanceof SilenceError)
    return { phase: "sent", networkCode: "FIRST_EVENT_TIMEOUT", message: error.message };
  if (error instanceof TransportError) {
    const phase = error.phase === "body" ? "head" : error.phase;
    return { phase, networkCode: error.networkCode, message: error.message };
  }
  return { phase: "sent", networkCode: "UNKNOWN", message: error instanceof Error ? error.message : String(error) };
}
