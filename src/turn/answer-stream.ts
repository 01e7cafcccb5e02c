import type { Usage } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import { type FlowingBody, TransportError } from "../core/transport.ts";
import type { Evidence } from "../failures/evidence.ts";
import type { StreamReader } from "../protocols/protocol.ts";
import { alikeEvents, type LearnedShape, learnShape } from "../protocols/alike-events.ts";
import { formatSse, type SseEvent, SseError, SseParser } from "../protocols/sse.ts";
import type { TurnLimits } from "./limits.ts";
import type { CountedStream, StreamGauge } from "./stream-gauge.ts";
import type { Watchdog } from "./watchdog.ts";
import { endOfEvent, join, WholeEvents } from "./whole-events.ts";

/** A piece of an answer as it came, in whole events, and what they are. */
export interface Batch {
  readonly bytes: Uint8Array;
  /** Parsed when somebody asks. */
  readonly events: readonly SseEvent[];
}

/** Whole events. */
class EventBytes implements Batch {
  readonly bytes: Uint8Array;
  #events: readonly SseEvent[] | null;

  constructor(bytes: Uint8Array, events: readonly SseEvent[] | null = null) {
    this.bytes = bytes;
    this.#events = events;
  }

  get events(): readonly SseEvent[] {
    this.#events ??= new SseParser().push(this.bytes);
    return this.#events;
  }
}

/** What a look at a batch has shown. */
interface Look {
  readonly batch: Batch;
  /** True when there was content for the caller. */
  readonly seen: boolean;
  readonly events: number;
}

/** How an answer ended. */
export type StreamEnd =
  | { readonly kind: "complete"; readonly usage: Usage | null }
  /**
   * It broke off, or the provider failed it. `told`: the stream itself carried the provider's failure event. `usage`: what was told of it
   * until then.
   */
  | { readonly kind: "cut"; readonly failure: Failure; readonly told: boolean; readonly usage: Usage | null };

/** Who takes an answer as it comes. */
export interface Taker {
  /**
   * False: it takes no more before `ready`. `isShared`: the bytes are overwritten afterwards, so what is kept of them is copied. `isLast`: the
   * end of the answer will nearly always follow at once.
   */
  take(bytes: Uint8Array, isShared?: boolean, isLast?: boolean): boolean;
  /** Resolves when it takes more, or is gone. */
  ready(): Promise<void>;
}

/** The silence of a provider, as the reason of an abort. */
export class SilenceError extends Error {
  override readonly name = "SilenceError";
}

export interface AnswerStreamInput {
  readonly body: AsyncIterable<Uint8Array> | FlowingBody;
  readonly reader: StreamReader;
  readonly watchdog: Watchdog;
  /** Unix ms. */
  readonly now: () => number;
  readonly limits: TurnLimits;
  readonly classify: (evidence: Evidence) => Failure;
  /** True after the caller gave up. */
  readonly isCancelled: () => boolean;
  /**
   * True when somebody will ask for the events of each batch, not for its bytes alone. Else those that are no more than one more piece of
   * the same are not even parsed (`StreamReader.shapeOfMore`). Default true.
   */
  readonly needsEvents?: boolean;
  /** Ends the request: for a stream that is closed while its next bytes are waited for. */
  readonly giveUp?: () => void;
  /** Called when the stream is over or closed. */
  readonly onClosed?: () => void;
  /** True: a failure event behind the commit point is kept back in `withheld` instead of being passed on. Default false. */
  readonly withholdsFailure?: boolean;
  readonly gauge?: StreamGauge;
}

const encoder = new TextEncoder();
// A byte order mark is left to the parser.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Events at the beginning whose bytes don't count against what may be held: the first two of a Responses stream each repeat the
 * request's instructions and tools, which alone can be larger than the limit.
 */
const openingEvents = 2;

/** Longest event that is learnt from, in characters: what comes by the hundred is short. */
const longestExample = 4_096;
/** After so many events in a row that were like none before, only every so many-th is learnt from. */
const mostUnused = 16;

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
  /** An event that is too large came behind what was given last. */
  #tooLarge: SseError | null = null;
  #end: StreamEnd | null = null;
  #sawEvent = false;
  /** For so long the provider has been waited for since the last event, in ms, without the wait that goes on. */
  #waitedMs = 0;
  /** Unix ms at which the wait that goes on began. */
  #awaitedAt = 0;
  #sawContent = false;
  #closed = false;
  #isWaiting = false;
  /** True when it was closed before its end: nobody's failure, so it has no end. */
  #isLeft = false;
  readonly #counted: CountedStream | null;
  /** Events of this shape are passed on unread. */
  #more: LearnedShape = null;
  /** Events that might have been learnt from since one of that shape came. */
  #unused = 0;

  constructor(input: AnswerStreamInput) {
    this.#input = input;
    this.#chunks = input.body[Symbol.asyncIterator]();
    this.#counted = input.gauge?.open() ?? null;
  }

  get end(): StreamEnd | null {
    return this.#end;
  }

  /** What clients wait for behind a complete answer, where the provider has left it out; may be empty. */
  get missingEnd(): Uint8Array {
    return encoder.encode(this.#end?.kind === "complete" ? (this.#input.reader.missingEnd ?? "") : "");
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
      const next = await this.#next();
      if (next === null) return this.#end?.kind === "cut" ? this.#end.failure : null;
      const content = this.#look(next);
      // Comments alone say nothing to the caller, and there is no end to how many may come.
      if (content.events > 0) {
        this.#held.push(content.batch);
        this.#counted?.hold(content.batch.bytes.length);
      }
      events += content.events;
      if (events > openingEvents) bytes += next.length;
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
        const next = await this.#next();
        if (next === null) return;
        const batch = this.#end === null ? this.#look(next).batch : new EventBytes(next);
        if (batch.bytes.length > 0) yield batch;
      }
    } finally {
      await this.close();
    }
  }

  /** The bytes of `rest`, given to `taker` as they come. Resolves at the end; instead of `rest`. */
  async pour(taker: Taker): Promise<void> {
    const { body } = this.#input;
    if (!("flow" in body)) {
      for await (const { bytes } of this.rest()) if (!taker.take(bytes)) await taker.ready();
      return;
    }
    try {
      this.#counted?.letGo();
      for (const { bytes } of this.#held) if (!taker.take(bytes, false, this.#end !== null)) await taker.ready();
      if (this.#end?.kind !== "cut" && !this.#isLeft) await this.#flow(body, taker);
    } finally {
      await this.close();
    }
  }

  #flow(body: FlowingBody, taker: Taker): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let isOver = false;
    const over = (): void => {
      isOver = true;
      resolve();
    };
    const give = (bytes: Uint8Array | null): void => {
      if (bytes === null) return over();
      const batch = this.#end === null ? this.#look(bytes).batch : new EventBytes(bytes);
      const isTaken = batch.bytes.length === 0 || taker.take(batch.bytes, true, this.#end !== null);
      if (this.#tooLarge !== null) this.#broke(this.#tooLarge);
      if (this.#end?.kind === "cut") over();
      else if (isTaken) this.#awaited();
      else wait();
    };
    const wait = (): void => {
      body.pause();
      taker
        .ready()
        .then(() => {
          this.#awaited();
          body.resume();
        })
        .catch(reject);
    };
    this.#awaited();
    body.flow({
      chunk: (bytes) => {
        if (isOver) return;
        this.#arrived();
        give(this.#step(bytes));
      },
      end: (broken) => {
        if (isOver) return;
        this.#arrived();
        give(broken === null ? this.#step(undefined) : this.#broke(broken.reason));
        // Behind a last event that lacked its blank line.
        if (!isOver) give(this.#step(undefined));
      },
    });
    return promise;
  }

  async close(): Promise<void> {
    this.#counted?.close();
    this.#input.watchdog.stop();
    if (this.#end === null) this.#isLeft = true;
    if (this.#isWaiting) this.#input.giveUp?.();
    try {
      await this.#chunks.return?.();
    } catch {
      // The connection was broken already.
    }
    this.#input.onClosed?.();
  }

  /** The next whole events, or null after the last; sets `#end` when there are none. */
  async #next(): Promise<Uint8Array | null> {
    try {
      // What was said behind the last chunk is told before the next one is waited for.
      if (this.#closed || this.#tooLarge !== null) return this.#step(undefined);
      this.#awaited();
      const { value, done } = await this.#chunks.next();
      return this.#step(done === true ? undefined : value);
    } catch (error) {
      return this.#broke(error);
    } finally {
      this.#arrived();
    }
  }

  /** What a chunk (undefined: the end) comes to: whole events, or null when there are none any more. */
  #step(chunk: Uint8Array | undefined): Uint8Array | null {
    if (this.#isLeft) return null;
    try {
      if (this.#tooLarge !== null && !this.#closed) throw this.#tooLarge;
      if (chunk !== undefined) return this.#whole.push(chunk);
      if (!this.#closed) {
        this.#closed = true;
        const rest = this.#whole.rest();
        // A last event that lacks its blank line: passed on with it, so that the next reader sees it too.
        if (rest.length > 0) return withBlankLine(rest);
      }
      this.#finish(this.#input.reader.end());
      return null;
    } catch (error) {
      return this.#broke(error);
    }
  }

  #broke(error: unknown): null {
    this.#closed = true;
    if (this.#isLeft || this.#end !== null) return null;
    // Where the end of the bytes is the end, a break behind the last word takes nothing away.
    const isWhole = !this.#input.isCancelled() && this.#input.reader.end() === null;
    this.#finish(isWhole ? null : this.#brokenEvidence(error));
    return null;
  }

  /**
   * The next chunk has to come in time. Only a provider that is waited for can be silent: a slow reader is not held against it. Before the
   * commit point only events are signs of life, since comments could go on for ever; after it any byte is.
   */
  #awaited(): void {
    this.#isWaiting = true;
    if (this.#end !== null) return;
    const { watchdog, limits, now } = this.#input;
    if (!this.#sawContent) this.#awaitedAt = now();
    // The wait for the first event began with the request.
    if (this.#sawEvent) watchdog.expect(Math.max(0, limits.idleMs - (this.#sawContent ? 0 : this.#waitedMs)));
  }

  /** It came, or is not waited for. */
  #arrived(): void {
    if (this.#isWaiting && !this.#sawContent) this.#waitedMs += this.#input.now() - this.#awaitedAt;
    this.#isWaiting = false;
    if (this.#end === null && this.#sawEvent) this.#input.watchdog.rest();
  }

  /** Follows what came. Gives it without the events that nobody can read or that are withheld. */
  #look(bytes: Uint8Array): Look {
    const looked = this.#follow(bytes);
    if (looked.events > 0) {
      this.#sawEvent = true;
      this.#waitedMs = 0;
    }
    return looked;
  }

  #follow(bytes: Uint8Array): Look {
    const { reader, needsEvents = true } = this.#input;
    const alike = alikeEvents();
    // What came last of all may be the beginning of an event only, whatever it looks like.
    if (needsEvents || this.#closed || alike === null) {
      const events = this.#parse(decoder.decode(bytes));
      const { seen, kept } = this.#read(events ?? []);
      if (kept.length === events?.length) return { batch: new EventBytes(bytes, events), seen, events: events.length };
      return { batch: new EventBytes(formatEvents(kept), kept), seen, events: events?.length ?? 0 };
    }
    alike.lookInto(bytes);
    let seen = false;
    let count = 0;
    /** What goes on, once something does not. */
    let changed: Uint8Array[] | null = null;
    for (let at = 0; at < bytes.length; ) {
      const from = at;
      at = alike.endOfAll(this.#more, from);
      if (at > from) {
        count += 1;
        seen = true;
        this.#unused = 0;
        changed?.push(bytes.subarray(from, at));
        if (at === bytes.length) break;
      }
      const next = endOfEvent(bytes, at);
      const text = decoder.decode(bytes.subarray(at, next));
      const events = this.#parse(text);
      const { seen: sawContent, kept } = this.#read(events ?? []);
      count += events?.length ?? 0;
      if (sawContent) seen = true;
      if (kept.length !== events?.length) (changed ??= [bytes.subarray(0, at)]).push(formatEvents(kept));
      else changed?.push(bytes.subarray(at, next));
      if (events === null) break;
      at = next;
      if (this.#end !== null) {
        // What comes behind the end goes on as it is.
        changed?.push(bytes.subarray(at));
        break;
      }
      if (kept.length === events.length) this.#learn(reader, text);
    }
    return { batch: new EventBytes(changed === null ? bytes : join(changed)), seen, events: count };
  }

  /** Events that are like the last one may not have to be read any more. Where none is like the one before it, few are learnt from. */
  #learn(reader: StreamReader, text: string): void {
    if (text.length > longestExample || text.includes("\r")) return;
    this.#unused += 1;
    if (this.#unused > mostUnused && this.#unused % mostUnused !== 0) return;
    const shape = reader.shapeOfMore?.(text) ?? null;
    if (shape !== null) this.#more = learnShape(shape);
  }

  /** Null when the text begins with an event that is too large. */
  #parse(text: string): SseEvent[] | null {
    try {
      return this.#parser.pushText(text);
    } catch (error) {
      if (!(error instanceof SseError)) throw error;
      this.#tooLarge = error;
      return null;
    }
  }

  /** Follows events. Says whether content was seen, and gives them without those that nobody can read or that are withheld. */
  #read(events: readonly SseEvent[]): { seen: boolean; kept: readonly SseEvent[] } {
    const { reader, watchdog, classify, withholdsFailure } = this.#input;
    const left = new Set<SseEvent>();
    let seen = false;
    for (const [index, event] of events.entries()) {
      const verdict = reader.read(event);
      if (verdict.kind === "content") {
        seen = true;
        this.#sawContent = true;
      }
      if (verdict.kind === "failure") {
        this.#end = { kind: "cut", failure: classify(verdict.evidence), told: true, usage: reader.usage };
        if (withholdsFailure === true) this.#withheld = events.slice(index);
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
    return { seen, kept: left.size === 0 ? events : events.filter((event) => !left.has(event)) };
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

function formatEvents(events: readonly SseEvent[]): Uint8Array {
  return encoder.encode(events.map(({ data, event }) => formatSse(data, event)).join(""));
}

function withBlankLine(bytes: Uint8Array): Uint8Array {
  const ended = new Uint8Array(bytes.length + 2);
  ended.set(bytes);
  ended.fill(10, bytes.length);
  return ended;
}
