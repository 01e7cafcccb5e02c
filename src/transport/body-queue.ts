import type { BodySink, FlowingBody } from "../core/transport.ts";

/** What a body's reader asks of the connection behind it. */
export interface BodySource {
  pause(): void;
  resume(): void;
  /** The reader is gone before the end. */
  drop(): void;
}

/** Bytes that wait to be read, above which the connection is paused. */
const highMark = 256 * 1024;

/**
 * A body as it arrives: pushed by the connection, pulled by one reader, who may let the rest of it flow. An iterator of its own, since each
 * layer of a generator costs.
 */
export class BodyQueue implements AsyncIterableIterator<Uint8Array>, FlowingBody {
  readonly #source: BodySource;
  #chunks: Uint8Array[] = [];
  #bytes = 0;
  #paused = false;
  #ended = false;
  /** Why it broke off. */
  #broken: { readonly reason: unknown } | null = null;
  #waiting: PromiseWithResolvers<IteratorResult<Uint8Array>> | null = null;
  #sink: BodySink | null = null;
  /** The sink takes nothing now. */
  #isHeld = false;

  constructor(source: BodySource) {
    this.#source = source;
  }

  /** All of it, if all of it is here and nobody has begun to read; else null. */
  get whole(): Uint8Array | null {
    if (!this.#ended || this.#broken !== null || this.#chunks.length > 1) return null;
    return this.#chunks[0] ?? new Uint8Array(0);
  }

  /** `shared` is overwritten afterwards: a sink sees it as it is, and whatever waits is a copy. */
  push(shared: Uint8Array): void {
    if (this.#sink !== null && !this.#isHeld && this.#chunks.length === 0) return this.#sink.chunk(shared);
    const chunk = Buffer.from(shared);
    const waiting = this.#waiting;
    if (waiting !== null) {
      this.#waiting = null;
      waiting.resolve({ value: chunk, done: false });
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > highMark && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
    }
  }

  /** No more comes. `broken`: it broke off; what came before is still read first. */
  end(broken: { readonly reason: unknown } | null = null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#broken = broken;
    // From here on the connection may carry another answer, which pauses it for itself.
    this.#paused = false;
    if (this.#sink !== null) return this.#pour();
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) return;
    if (broken === null) waiting.resolve({ value: undefined, done: true });
    else waiting.reject(broken.reason);
  }

  /** Ends it at once: what waits is not read any more. */
  abort(reason: unknown): void {
    this.#chunks = [];
    this.end({ reason });
  }

  flow(sink: BodySink): void {
    this.#sink = sink;
    this.#pour();
  }

  pause(): void {
    this.#isHeld = true;
  }

  resume(): void {
    this.#isHeld = false;
    this.#pour();
  }

  /** Tells the sink what waits, as long as it takes it. */
  #pour(): void {
    while (!this.#isHeld && this.#sink !== null) {
      const chunk = this.#take();
      if (chunk !== undefined) {
        this.#sink.chunk(chunk);
      } else {
        if (!this.#ended) return;
        const sink = this.#sink;
        this.#sink = null;
        return sink.end(this.#broken);
      }
    }
  }

  #take(): Uint8Array | undefined {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return undefined;
    this.#bytes -= chunk.length;
    if (this.#paused && this.#bytes <= highMark / 2) {
      this.#paused = false;
      this.#source.resume();
    }
    return chunk;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    const chunk = this.#take();
    if (chunk !== undefined) return Promise.resolve({ value: chunk, done: false });
    if (this.#ended) {
      // eslint-disable-next-line prefer-promise-reject-errors -- an abort's reason is whatever its caller chose
      return this.#broken === null
        ? Promise.resolve({ value: undefined, done: true })
        : Promise.reject(this.#broken.reason);
    }
    if (this.#waiting !== null) return Promise.reject(new TypeError("a body is read by one reader at a time"));
    this.#waiting = Promise.withResolvers();
    return this.#waiting.promise;
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#chunks = [];
    if (!this.#ended) {
      this.end();
      this.#source.drop();
    }
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
