import type { CancelSignal } from "../core/cancel.ts";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Taker } from "../turn/answer-stream.ts";

/** Pieces up to this are copied into a frame of their own, in bytes; larger ones go out as they are, if they stay what they are. */
const framedBytes = 16 * 1024;

const beyondAscii = /[\u0080-\u00FF]/;

export interface CallerStreamOptions {
  readonly response: ServerResponse;
  /** False for a client of HTTP/1.0, whose answer has no chunks and ends with its connection. */
  readonly chunked: boolean;
  /** Written after each `everyMs` of silence, between two events. */
  readonly keepAlive: string;
  readonly everyMs: number;
  /** A client that takes nothing for so long is let go, in ms. */
  readonly stalledMs: number;
  /** For so long the first signs of life are `102 Processing`, which leaves the choice of the status, in ms. 0: the client takes none. */
  readonly interimMs: number;
  /** Aborts when the turn is given up: then nobody waits for the client any more. */
  readonly signal: CancelSignal;
  /** Headers for the case that the first sign of life has to go out before anything is known. */
  readonly earlyHeaders: () => Readonly<Record<string, string>>;
}

/**
 * An event stream on its way to the client. Before `begin` nothing is sent, until the silence has lasted `everyMs`: then
 * headers go out with a first sign of life, or for `interimMs` interim answers do. From the headers on `isEarly` is true, and the
 * status can't be chosen any more.
 */
export class CallerStream implements Taker {
  readonly #options: CallerStreamOptions;
  readonly #timer: NodeJS.Timeout;
  #quiet = true;
  /** Line feeds in a row at the end of what was written: after two, and at the beginning, an event of our own can stand. */
  #lineFeeds = 2;
  #early = false;
  /** A header holds more than ASCII: flushed by itself, the head would go out as UTF-8, which no head is. */
  #isOddHead = false;
  #silentMs = 0;
  /** The connection, from the first piece on, while this answer is the one that it carries. */
  #socket: Socket | null = null;

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
      this.#writeHead(status, headers);
      return;
    }
    const about = Object.entries(headers).filter(([name]) => name.startsWith("x-understudy-"));
    response.write(`: ${about.map(([name, value]) => `${name}=${value}`).join(" ")}\n\n`);
  }

  /** Writes a piece of the answer. What comes when the client has gone is dropped: whoever sends it learns that in another way. */
  take(bytes: Uint8Array, isShared = false, isLast = false): boolean {
    const { response, chunked } = this.#options;
    // A chunk of nothing would be the last one.
    if (response.destroyed || bytes.length === 0) return true;
    this.#note(bytes);
    const isFirst = this.#socket === null;
    const { socket } = response;
    // Null: the answer waits behind another one on its connection.
    if (!chunked || socket === null) return response.write(isShared ? Buffer.from(bytes) : bytes);
    this.#socket = socket;
    if (isFirst && this.#isOddHead) return response.write(isShared ? Buffer.from(bytes) : bytes);
    const isCopied = isShared || bytes.length <= framedBytes;
    if (!isFirst && !isLast && isCopied) return writeFramed(socket, bytes);
    // In one piece with the head before it, and with the end behind it.
    socket.cork();
    if (isFirst && isCopied) response.flushHeaders();
    const isTaken = isCopied ? writeFramed(socket, bytes) : response.write(bytes);
    if (isLast && isTaken) setImmediate(() => this.#socket?.uncork());
    else socket.uncork();
    return isTaken;
  }

  /** Resolves when the client has taken what was written, or is gone, or the turn is given up. */
  ready(): Promise<void> {
    const { response, stalledMs, signal } = this.#options;
    const from = this.#socket ?? response;
    return new Promise((resolve) => {
      const done = (): void => {
        clearInterval(timer);
        from.off("drain", done);
        response.off("close", done);
        signal.removeEventListener("abort", done);
        resolve();
      };
      // An answer that waits behind another one on its connection has no socket yet, and its client has not been offered anything.
      const timer = setInterval(() => response.socket !== null && response.destroy(), stalledMs);
      from.once("drain", done);
      response.once("close", done);
      signal.addEventListener("abort", done, { once: true });
      if (signal.aborted || response.destroyed || !(from.writableNeedDrain || response.writableNeedDrain)) done();
    });
  }

  /** Writes one piece of text: an error event, for instance. */
  write(text: string): void {
    const { response } = this.#options;
    if (!response.destroyed && !response.writableEnded) response.write(text);
  }

  /** Ends the stream with an error event. Inside an event nothing else can be said: then it breaks off. */
  fail(event: string): void {
    const { response } = this.#options;
    if (this.#lineFeeds < 2 && !response.writableEnded) response.destroy();
    else this.write(event);
    this.end();
  }

  end(): void {
    this.stop();
    this.#socket = null;
    if (!this.#options.response.destroyed) this.#options.response.end();
  }

  /** No more signs of life. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #note(chunk: Uint8Array): void {
    this.#quiet = false;
    const { length } = chunk;
    if (length > 1 && chunk[length - 1] === 10 && chunk[length - 2] === 10) {
      this.#lineFeeds = 2;
      return;
    }
    // The last four bytes are enough: they hold two line feeds, also where carriage returns stand between them.
    for (const byte of chunk.subarray(-4)) {
      if (byte === 10) this.#lineFeeds += 1;
      else if (byte !== 13) this.#lineFeeds = 0;
    }
  }

  #tick(): void {
    const { response, keepAlive, everyMs, interimMs, earlyHeaders } = this.#options;
    const isFull = response.writableNeedDrain || this.#socket?.writableNeedDrain === true;
    if (!this.#quiet || this.#lineFeeds < 2 || isFull || response.destroyed) {
      this.#quiet = true;
      return;
    }
    if (!response.headersSent) {
      this.#silentMs += everyMs;
      if (this.#silentMs <= interimMs) return response.writeProcessing();
      this.#early = true;
      this.#writeHead(200, earlyHeaders());
    }
    response.write(keepAlive);
  }

  #writeHead(status: number, headers: Readonly<Record<string, string>>): void {
    const { response, chunked } = this.#options;
    for (const name in headers) if (beyondAscii.test(headers[name] ?? "")) this.#isOddHead = true;
    response.writeHead(status, chunked ? { ...headers, "transfer-encoding": "chunked" } : headers);
  }
}

/** Longest frame that is made in `scratch`, in bytes: one of all that a connection gives at once. */
const scratchBytes = 64 * 1024 + 16;
/** Where frames are made. It is made anew when the system has not taken the last one, which then still lies in it. */
let scratch: Buffer | null = null;

/**
 * Writes a chunk of a chunked body (RFC 9112, section 7.1) in one piece. `response.write` would make three of it, and another task to send
 * them.
 */
function writeFramed(socket: Socket, bytes: Uint8Array): boolean {
  const size = bytes.length.toString(16);
  const length = size.length + bytes.length + 4;
  // Behind others it waits, and needs a place of its own.
  const isOwn = socket.writableLength > 0 || socket.writableCorked > 0 || length > scratchBytes;
  const place = isOwn ? Buffer.allocUnsafe(length) : (scratch ??= Buffer.allocUnsafeSlow(scratchBytes));
  place.write(size, 0, "latin1");
  endLine(place, size.length);
  place.set(bytes, size.length + 2);
  endLine(place, length - 2);
  const isTaken = socket.write(isOwn ? place : place.subarray(0, length));
  if (!isOwn && socket.writableLength > 0) scratch = null;
  return isTaken;
}

function endLine(place: Buffer, at: number): void {
  place[at] = 13;
  place[at + 1] = 10;
}
