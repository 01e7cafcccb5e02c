import type { ServerResponse } from "node:http";

export interface CallerStreamOptions {
  readonly response: ServerResponse;
  /** Written after each `everyMs` of silence, between two events. */
  readonly keepAlive: string;
  readonly everyMs: number;
  /** A client that takes nothing for so long is let go, in ms. */
  readonly stalledMs: number;
  /** For so long the first signs of life are `102 Processing`, which leaves the choice of the status, in ms. 0: the client takes none. */
  readonly interimMs: number;
  /** Headers for the case that the first sign of life has to go out before anything is known. */
  readonly earlyHeaders: () => Readonly<Record<string, string>>;
}

/**
 * An event stream on its way to the client. Before `begin` nothing is sent, until the silence has lasted `everyMs`: then
 * headers go out with a first sign of life, or for `interimMs` interim answers do. From the headers on `isEarly` is true, and the
 * status can't be chosen any more.
 */
export class CallerStream {
  readonly #options: CallerStreamOptions;
  readonly #timer: NodeJS.Timeout;
  #quiet = true;
  /** Line feeds in a row at the end of what was written: after two, and at the beginning, an event of our own can stand. */
  #lineFeeds = 2;
  #early = false;
  #silentMs = 0;

  constructor(options: CallerStreamOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#tick(), options.everyMs);
  }

  get isEarly(): boolean {
    return this.#early;
  }

  /** Sends the head. After an early one the headers come as a comment, so that they are not lost. */
  begin(status: number, headers: Readonly<Record<string, string>>): void {
    const { response } = this.#options;
    if (response.destroyed) return;
    if (!this.#early) {
      response.writeHead(status, headers);
      return;
    }
    const about = Object.entries(headers).filter(([name]) => name.startsWith("x-understudy-"));
    response.write(`: ${about.map(([name, value]) => `${name}=${value}`).join(" ")}\n\n`);
  }

  /** Writes everything that `chunks` gives, as fast as the client takes it. Ends the iteration when the client is gone. */
  async pipe(chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { response } = this.#options;
    for await (const chunk of chunks) {
      if (response.destroyed) return;
      this.#note(chunk);
      if (!response.write(chunk)) await this.#drained();
    }
  }

  /** Writes one piece of text: an error event, for instance. */
  write(text: string): void {
    if (!this.#options.response.destroyed) this.#options.response.write(text);
  }

  /** Ends the stream with an error event. Inside an event nothing else can be said: then it breaks off. */
  fail(event: string): void {
    if (this.#lineFeeds < 2) this.#options.response.destroy();
    else this.write(event);
    this.end();
  }

  end(): void {
    this.stop();
    if (!this.#options.response.destroyed) this.#options.response.end();
  }

  /** No more signs of life. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #note(chunk: Uint8Array): void {
    this.#quiet = false;
    // The last four bytes are enough: they hold two line feeds, also where carriage returns stand between them.
    for (const byte of chunk.subarray(-4)) {
      if (byte === 10) this.#lineFeeds += 1;
      else if (byte !== 13) this.#lineFeeds = 0;
    }
  }

  #tick(): void {
    const { response, keepAlive, everyMs, interimMs, earlyHeaders } = this.#options;
    if (!this.#quiet || this.#lineFeeds < 2 || response.writableNeedDrain || response.destroyed) {
      this.#quiet = true;
      return;
    }
    if (!response.headersSent) {
      this.#silentMs += everyMs;
      if (this.#silentMs <= interimMs) return response.writeProcessing();
      this.#early = true;
      response.writeHead(200, earlyHeaders());
    }
    response.write(keepAlive);
  }

  /** Resolves when the client has taken what was written, or is gone. */
  #drained(): Promise<void> {
    const { response, stalledMs } = this.#options;
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        response.off("drain", done);
        response.off("close", done);
        resolve();
      };
      const timer = setTimeout(() => response.destroy(), stalledMs);
      response.once("drain", done);
      response.once("close", done);
      if (response.destroyed) done();
    });
  }
}
