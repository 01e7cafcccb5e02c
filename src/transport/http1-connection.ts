import type { CancelSignal } from "../core/cancel.ts";
import type { Socket } from "node:net";
import { TransportError, type TransportResponse } from "../core/transport.ts";
import { BodyQueue, type BodySource } from "./body-queue.ts";
import { ChunkedBody } from "./chunked-body.ts";
import { toTransportError } from "./network-error.ts";
import type { Asker, RequestRounds } from "./request-rounds.ts";
import { HttpFault, longestHead, parseResponseHead, type ResponseHead } from "./response-head.ts";

/** One request under way on a connection. */
class Exchange {
  readonly method: string;
  readonly signal: CancelSignal | undefined;
  /** Its head and its body, until they are written. */
  unwritten: readonly (string | Uint8Array)[] | null;
  readonly answer: Promise<TransportResponse>;
  resolve!: (response: TransportResponse) => void;
  reject!: (reason: unknown) => void;
  head: ResponseHead | null = null;
  queue: BodyQueue | null = null;
  chunked: ChunkedBody | null = null;
  /** Bytes left of a body with a length. */
  left = 0;

  constructor(method: string, parts: readonly (string | Uint8Array)[], signal: CancelSignal | undefined) {
    this.method = method;
    this.unwritten = parts;
    this.signal = signal;
    this.answer = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}

export interface ConnectionEvents {
  /** It may carry the next request, for so many ms. */
  onFree(connection: Http1Connection, keepAliveMs: number): void;
  onClosed(connection: Http1Connection): void;
  /** The server does not keep to HTTP/1.1 as this client reads it. */
  onFault(): void;
}

/**
 * One kept-alive connection that carries one request after the other, never two at once.
 *
 *   idle ──send──▶ waiting for the head ──▶ reading the body ──▶ idle (or closed, when it may not be used again)
 *
 * Bytes that nobody asked for, a head or a chunk that is not proper, an abort, a reader that leaves early: the connection is closed.
 */
export class Http1Connection implements BodySource, Asker {
  readonly #socket: Socket;
  readonly #rounds: RequestRounds;
  readonly #events: ConnectionEvents;
  /** One for all requests: each is taken off its signal before the next comes. */
  readonly #onAbort = (): void => this.#abort(this.#exchange?.signal?.reason);
  #exchange: Exchange | null = null;
  /** What came of a head that is not complete. */
  #pending: Buffer | null = null;
  #closed = false;
  /** Unix ms until which it may be used again. */
  idleUntil = 0;

  /** `socket` is connected. */
  constructor(socket: Socket, rounds: RequestRounds, events: ConnectionEvents) {
    this.#socket = socket;
    this.#rounds = rounds;
    this.#events = events;
    socket.on("end", () => this.#over(new CleanEnd("other side closed")));
    socket.on("error", (error) => this.#over(error));
    socket.on("close", () => this.close());
  }

  get isOpen(): boolean {
    return !this.#closed && !this.#socket.destroyed && this.#socket.writable;
  }

  /** Sends one request; `parts` are its head and its body. */
  send(
    method: string,
    parts: readonly (string | Uint8Array)[],
    signal: CancelSignal | undefined,
  ): Promise<TransportResponse> {
    if (!this.isOpen) {
      this.close();
      return Promise.reject(new TransportError("connect", "UND_ERR_SOCKET", "the connection was closed meanwhile"));
    }
    const exchange = new Exchange(method, parts, signal);
    this.#exchange = exchange;
    signal?.addEventListener("abort", this.#onAbort, once);
    this.#socket.ref();
    this.#rounds.ask(this);
    return exchange.answer;
  }

  write(): void {
    const exchange = this.#exchange;
    if (exchange === null || exchange.unwritten === null) return;
    const parts = exchange.unwritten;
    const socket = this.#socket;
    const [only] = parts;
    try {
      if (parts.length === 1 && only !== undefined) socket.write(only, "latin1");
      else {
        socket.cork();
        for (const part of parts) socket.write(part, "latin1");
        // From here on it is on its way.
        exchange.unwritten = null;
        socket.uncork();
      }
      exchange.unwritten = null;
    } catch (error) {
      // A body whose memory was given away: nothing has left, and others of the round must be written.
      this.#over(error);
    }
  }

  /** From our side: an answer that only the end of the connection would end is cut by it. */
  close(): void {
    const exchange = this.#exchange;
    const sent = exchange?.unwritten == null ? "sent" : "connect";
    this.#over(new TransportError(exchange?.head == null ? sent : "body", "UND_ERR_CLOSED", "it was closed"));
  }

  /** Takes what came. `chunk` is overwritten with the next one: what is kept of it is copied. */
  read(chunk: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === null) return this.close();
    // Nobody has asked it anything yet: this is no answer.
    if (exchange.unwritten !== null) return this.#over(new CleanEnd("it spoke before it was asked"));
    try {
      if (exchange.head === null) this.#readHead(exchange, chunk);
      else this.#readBody(exchange, chunk);
    } catch (error) {
      if (error instanceof HttpFault) this.#events.onFault();
      this.#over(error);
    }
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  drop(): void {
    this.close();
  }

  #readHead(exchange: Exchange, chunk: Buffer): void {
    let bytes = this.#pending === null ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = null;
    for (;;) {
      const end = bytes.indexOf("\r\n\r\n", 0, "latin1");
      if (end < 0 || end > longestHead) {
        if (bytes.length > longestHead)
          throw new HttpFault("HPE_HEADER_OVERFLOW", "the head of the answer is too long");
        this.#pending = Buffer.from(bytes);
        return;
      }
      const head = parseResponseHead(bytes.toString("latin1", 0, end), exchange.method);
      bytes = bytes.subarray(end + 4);
      if (head.status === 101) throw new HttpFault("HPE_INVALID_STATUS", "the answer changes the protocol");
      // An interim answer (103, 100) says nothing yet.
      if (head.status >= 200) return this.#begin(exchange, head, bytes);
      if (bytes.length === 0) return;
    }
  }

  #begin(exchange: Exchange, head: ResponseHead, rest: Buffer): void {
    const queue = new BodyQueue(this);
    exchange.head = head;
    exchange.queue = queue;
    const { framing, status, headers } = head;
    if (framing.kind === "chunked") exchange.chunked = new ChunkedBody();
    if (framing.kind === "length") exchange.left = framing.bytes;
    try {
      if (rest.length > 0 || (framing.kind === "length" && framing.bytes === 0)) this.#readBody(exchange, rest);
    } finally {
      // A fault right behind the head is one of the body: its reader is told.
      const whole = queue.whole;
      exchange.resolve(whole === null ? { status, headers, body: queue } : { status, headers, body: queue, whole });
    }
  }

  #readBody(exchange: Exchange, bytes: Buffer): void {
    const { head, queue, chunked } = exchange;
    if (head === null || queue === null) return;
    if (chunked !== null) {
      const { data, used, fault } = chunked.push(bytes);
      if (data.length > 0) queue.push(data);
      if (fault !== null) throw fault;
      if (chunked.isDone) this.#finish(exchange, used < bytes.length);
      return;
    }
    if (head.framing.kind === "close") {
      if (bytes.length > 0) queue.push(bytes);
      return;
    }
    const taken = Math.min(bytes.length, exchange.left);
    if (taken > 0) queue.push(taken === bytes.length ? bytes : bytes.subarray(0, taken));
    exchange.left -= taken;
    if (exchange.left === 0) this.#finish(exchange, taken < bytes.length);
  }

  /** The answer is complete. */
  #finish(exchange: Exchange, isPoisoned: boolean): void {
    this.#leave(exchange);
    exchange.queue?.end();
    const keepAliveMs = exchange.head?.keepAliveMs ?? 0;
    // A refusal may come before all of a long request is written: the rest of it would be read as the next one.
    const isUnsent = this.#socket.writableLength > 0;
    if (isPoisoned || isUnsent || keepAliveMs === 0 || this.#closed) return this.close();
    // Bytes that nobody asked for must be noticed, also after a slow reader.
    this.#socket.resume();
    // A connection that rests keeps no process alive.
    this.#socket.unref();
    this.#events.onFree(this, keepAliveMs);
  }

  #leave(exchange: Exchange): void {
    exchange.signal?.removeEventListener("abort", this.#onAbort);
    this.#exchange = null;
  }

  #abort(reason: unknown): void {
    const exchange = this.#exchange;
    if (exchange !== null) {
      this.#leave(exchange);
      exchange.reject(reason);
      exchange.queue?.abort(reason);
    }
    this.close();
  }

  /** The connection is of no more use. */
  #over(cause: unknown): void {
    const exchange = this.#exchange;
    if (exchange !== null) {
      this.#leave(exchange);
      const { head, queue, unwritten } = exchange;
      if (unwritten !== null) exchange.reject(toTransportError(cause, "connect"));
      else if (head === null || queue === null) exchange.reject(toTransportError(cause, "sent"));
      else if (head.framing.kind === "close" && cause instanceof CleanEnd) queue.end();
      else queue.end({ reason: toTransportError(cause, "body") });
    }
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#events.onClosed(this);
  }
}

const once = { once: true };

/** The other side closed the connection in order. */
class CleanEnd extends Error {
  readonly code = "UND_ERR_SOCKET";
}
