import type { Usage } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import { TransportError } from "../core/transport.ts";
import type { Evidence } from "../failures/evidence.ts";
import type { StreamReader } from "../protocols/protocol.ts";
import { formatSse, type SseEvent, SseError, SseParser } from "../protocols/sse.ts";
import type { TurnLimits } from "./limits.ts";
import type { CountedStream, StreamGauge } from "./stream-gauge.ts";
import type { Watchdog } from "./watchdog.ts";
import { WholeEvents } from "./whole-events.ts";

/** A piece of an answer as it came, in whole events, and what they are. */
export interface Batch {
  readonly bytes: Uint8Array;
  readonly events: readonly SseEvent[];
}

/** How an answer ended. */
export type StreamEnd =
  | { readonly kind: "complete"; readonly usage: Usage | null }
  /**
   * It broke off, or the provider failed it. `told`: the stream itself carried the provider's failure event. `usage`: what was told of it
   * until then.
   */
  | { readonly kind: "cut"; readonly failure: Failure; readonly told: boolean; readonly usage: Usage | null };

/** The silence of a provider, as the reason of an abort. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";
}

export interface AnswerStreamInput {
  readonly body: AsyncIterable<Uint8Array>;
  readonly reader: StreamReader;
  readonly watchdog: Watchdog;
  /** Unix ms. */
  readonly now: () => number;
  readonly limits: TurnLimits;
  readonly classify: (evidence: Evidence) => Failure;
  /** True after the caller gave up. */
  readonly isCancelled: () => boolean;
  /** True: a failure event behind the commit point is kept back in `withheld` instead of being passed on. Default false. */
  readonly withholdsFailure?: boolean;
  readonly gauge?: StreamGauge;
}

const encoder = new TextEncoder();

/**
 * Events at the beginning whose bytes don't count against what may be held: the first two of a Responses stream each repeat the
 * request's instructions and tools, which alone can be larger than the limit.
 */
const openingEvents = 2;

/** How long the upstream may keep its connection open after the terminal event, in ms. */
const lingerMs = 250;

/**
 * An upstream's event stream: first held (`hold`), then passed on (`rest`).
 *
 * `hold` reads until the commit point (the first event with content for the caller, or the terminal event), or until as much
 * is held as the limits allow. A failure before that is returned and nothing has been passed on. `rest` gives everything
 * from the first byte on; when it is done, `end` says whether the answer is complete. After the commit point a failure
 * is an end, never a throw.
 */
export class AnswerStream {
  readonly #input: AnswerStreamInput;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #parser = new SseParser();
  readonly #whole = new WholeEvents();
  readonly #held: Batch[] = [];
  #withheld: readonly SseEvent[] = [];
  #end: StreamEnd | null = null;
  #sawEvent = false;
  /** Unix ms since which no event has come; null right after one. */
  #idleSince: number | null = null;
  #sawContent = false;
  #closed = false;
  readonly #counted: CountedStream | null;

  constructor(input: AnswerStreamInput) {
    this.#input = input;
    this.#chunks = input.body[Symbol.asyncIterator]();
    this.#counted = input.gauge?.open() ?? null;
  }

  get end(): StreamEnd | null {
    return this.#end;
  }

  /** The provider's failure event and what came with it behind it, if it was kept back. */
  get withheld(): readonly SseEvent[] {
    return this.#withheld;
  }

  /** True when the stream is at its commit point; else the failure that came before it. `whole`: hold until the end. */
  async hold(whole: boolean): Promise<Failure | null> {
    const { limits } = this.#input;
    let events = 0;
    // An event that is not complete yet may be the failure, so it does not count. The parser bounds it.
    let bytes = 0;
    for (;;) {
      const batch = await this.#next();
      if (batch === null) return this.#end?.kind === "cut" ? this.#end.failure : null;
      const content = this.#read(batch);
      // Comments alone say nothing to the caller, and there is no end to how many may come.
      if (batch.events.length > 0) {
        this.#held.push(content.batch);
        this.#counted?.hold(content.batch.bytes.length);
      }
      events += batch.events.length;
      if (events > openingEvents) bytes += batch.bytes.length;
      // Nothing has been passed on yet, so a failure that came together with content is not seen either.
      if (this.#end?.kind === "cut") return this.#end.failure;
      if (this.#end !== null) return null;
      if (!whole && (content.seen || events >= limits.holdEvents || bytes >= limits.holdBytes)) return null;
    }
  }

  /** Everything from the first byte on. Iterate once; ending early closes the connection. */
  async *rest(): AsyncGenerator<Batch> {
    try {
      this.#counted?.letGo();
      yield* this.#held;
      while (this.#end?.kind !== "cut") {
        const batch = await this.#next();
        if (batch === null) return;
        const whole = this.#end === null ? this.#read(batch).batch : batch;
        if (whole.bytes.length > 0 || whole.events.length > 0) yield whole;
      }
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.#counted?.close();
    this.#input.watchdog.stop();
    try {
      await this.#chunks.return?.();
    } catch {
      // The connection was broken already.
    }
  }

  /** The next chunk, or null after the last; sets `#end` when there is none. */
  async #next(): Promise<Batch | null> {
    const { reader } = this.#input;
    try {
      if (this.#closed) {
        this.#finish(reader.end());
        return null;
      }
      const { value, done } = await this.#pull();
      if (done === true) {
        this.#closed = true;
        const last = this.#parser.end();
        // A last event that lacked its blank line: passed on with it, so that the next reader sees it too.
        if (last.length > 0) return { bytes: withBlankLine(this.#whole.rest()), events: last };
        this.#finish(reader.end());
        return null;
      }
      const events = this.#parser.push(value);
      if (events.length > 0) {
        this.#sawEvent = true;
        this.#idleSince = null;
      }
      return { bytes: this.#whole.push(value), events };
    } catch (error) {
      this.#closed = true;
      // Where the end of the bytes is the end, a break behind the last word takes nothing away.
      const isWhole = this.#end === null && !this.#input.isCancelled() && reader.end() === null;
      if (this.#end === null) this.#finish(isWhole ? null : this.#brokenEvidence(error));
      return null;
    }
  }

  /**
   * The next chunk in time. Only a provider that is waited for can be silent: a slow reader is not held against it. Before the
   * commit point only events are signs of life, since comments could go on for ever; after it any byte is.
   */
  async #pull(): Promise<IteratorResult<Uint8Array>> {
    const { watchdog, limits, now } = this.#input;
    if (this.#end === null) {
      const waited = this.#idleSince === null || this.#sawContent ? 0 : now() - this.#idleSince;
      if (this.#idleSince === null) this.#idleSince = now();
      // The wait for the first event began with the request.
      if (this.#sawEvent) watchdog.expect(Math.max(0, limits.idleMs - waited));
    }
    try {
      return await this.#chunks.next();
    } finally {
      if (this.#end === null && this.#sawEvent) watchdog.rest();
    }
  }

  /**
   * Follows the events of one batch. Says whether content was seen, and gives the batch without the events that nobody can
   * read or that are withheld.
   */
  #read(batch: Batch): { seen: boolean; batch: Batch } {
    const { reader, watchdog, classify, withholdsFailure } = this.#input;
    const left = new Set<SseEvent>();
    let seen = false;
    for (const [index, event] of batch.events.entries()) {
      const verdict = reader.read(event);
      if (verdict.kind === "content") {
        seen = true;
        this.#sawContent = true;
      }
      if (verdict.kind === "failure") {
        this.#end = { kind: "cut", failure: classify(verdict.evidence), told: true, usage: reader.usage };
        if (withholdsFailure === true) this.#withheld = batch.events.slice(index);
        for (const withheld of this.#withheld) left.add(withheld);
        break;
      }
      if (verdict.kind === "preamble" && verdict.malformed === true) left.add(event);
      if (verdict.kind === "end") {
        this.#end = { kind: "complete", usage: reader.usage };
        watchdog.expect(lingerMs);
        break;
      }
    }
    return { seen, batch: left.size === 0 ? batch : without(batch, left) };
  }

  #finish(missing: Evidence | null): void {
    if (this.#end !== null) return;
    this.#end =
      missing === null
        ? { kind: "complete", usage: this.#input.reader.usage }
        : { kind: "cut", failure: this.#input.classify(missing), told: false, usage: this.#input.reader.usage };
  }

  #brokenEvidence(error: unknown): Evidence {
    const phase = this.#sawContent ? "stream" : "head";
    if (this.#input.isCancelled()) return { phase, networkCode: "CALLER_CANCELLED", message: "the caller gave up" };
    if (error instanceof SilenceError) {
      const networkCode = this.#sawEvent ? "IDLE_TIMEOUT" : "FIRST_EVENT_TIMEOUT";
      return { phase, networkCode, message: error.message };
    }
    if (error instanceof TransportError) return { phase, networkCode: error.networkCode, message: error.message };
    const message = error instanceof Error ? error.message : String(error);
    return { phase, networkCode: error instanceof SseError ? "EVENT_TOO_LARGE" : "UNKNOWN", message };
  }
}

function without({ events }: Batch, left: ReadonlySet<SseEvent>): Batch {
  const kept = events.filter((event) => !left.has(event));
  return { bytes: encoder.encode(kept.map(({ data, event }) => formatSse(data, event)).join("")), events: kept };
}

function withBlankLine(bytes: Uint8Array): Uint8Array {
  const ended = new Uint8Array(bytes.length + 2);
  ended.set(bytes);
  ended.fill(10, bytes.length);
  return ended;
}
