import type { CancelSignal } from "../core/cancel.ts";
import { connect as connectPlain, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import type { TransportRequest, TransportResponse } from "../core/transport.ts";
import { TransportError } from "../core/transport.ts";
import { Http1Connection } from "./http1-connection.ts";
import { toTransportError } from "./network-error.ts";
import { RequestRounds } from "./request-rounds.ts";
import { wholeChunks } from "./whole-chunks.ts";
import { type Address, parseAddress, writeRequest } from "./write-request.ts";

export interface Http1Options {
  /** Limit for DNS, TCP and TLS together, in ms. */
  readonly connectTimeoutMs: number;
  /** Connections to one origin; further requests wait for one of them. */
  readonly connectionsPerOrigin: number;
  /** Told the origin of a server that does not keep to HTTP/1.1 as this client reads it. */
  readonly onFault: (origin: string) => void;
}

/** Sends requests over kept-alive HTTP/1.1 connections. See `transport.ts` for what goes this way. */
export interface Http1Client {
  send(request: TransportRequest): Promise<TransportResponse>;
  close(): void;
}

/** One origin's connections. */
interface Pool {
  readonly idle: Http1Connection[];
  readonly all: Set<Http1Connection>;
  readonly waiting: ((connection: Http1Connection | null) => void)[];
  /** Connections that are being made. */
  opening: number;
  /** To make the next handshake a short one. */
  session: Buffer | undefined;
}

/** Who reads what comes over a socket. */
interface Reading {
  read: (chunk: Buffer) => void;
}

const addressLimit = 1_000;

export function createHttp1Client(options: Http1Options): Http1Client {
  // One for all connections: each piece is taken out of it before the next can be read, by whatever connection. Without it Node makes a
  // buffer of this size for every read.
  const { incoming } = wholeChunks();
  const rounds = new RequestRounds();
  const pools = new Map<string, Pool>();
  const addresses = new Map<string, Address>();
  let closed = false;
  // Connections that rest are looked through now and then; the timer keeps no process alive.
  const sweeper = setInterval(sweep, 5_000).unref();

  return { send, close };

  // Nothing is waited for where a connection rests: then the promise of its answer is the only one.
  function send(request: TransportRequest): Promise<TransportResponse> {
    const { signal } = request;
    try {
      mayGoOn(signal);
      const address = addressOf(request.url);
      const parts = writeRequest(request, address);
      const pool = poolOf(address.origin);
      const idle = takeIdle(pool);
      if (idle !== null) return idle.send(request.method, parts, signal);
      return sendByNext(pool, address, request.method, parts, signal);
    } catch (error) {
      // eslint-disable-next-line prefer-promise-reject-errors -- an abort's reason is whatever its caller chose
      return Promise.reject(error);
    }
  }

  async function sendByNext(
    pool: Pool,
    address: Address,
    method: string,
    parts: readonly (string | Uint8Array)[],
    signal: CancelSignal | undefined,
  ): Promise<TransportResponse> {
    const connection = await connectionFor(pool, address, signal);
    // Between its being free and now somebody may have left.
    if (closed || signal?.aborted === true) connection.close();
    mayGoOn(signal);
    return connection.send(method, parts, signal);
  }

  /** To be asked after every wait: nothing is sent for somebody who has left. */
  function mayGoOn(signal: CancelSignal | undefined): void {
    if (closed) throw new TransportError("connect", "UND_ERR_CLOSED", "the transport is closed");
    if (signal?.aborted === true) throw signal.reason;
  }

  function addressOf(url: string): Address {
    const known = addresses.get(url);
    if (known !== undefined) return known;
    const address = parseAddress(url);
    if (addresses.size < addressLimit) addresses.set(url, address);
    return address;
  }

  function poolOf(origin: string): Pool {
    let pool = pools.get(origin);
    if (pool === undefined) {
      pool = { idle: [], all: new Set(), waiting: [], opening: 0, session: undefined };
      pools.set(origin, pool);
    }
    return pool;
  }

  /** The connection that was used last: those that rest longest can then be let go. */
  function takeIdle(pool: Pool): Http1Connection | null {
    for (let connection = pool.idle.pop(); connection !== undefined; connection = pool.idle.pop()) {
      if (connection.isOpen && connection.idleUntil > Date.now()) return connection;
      connection.close();
    }
    return null;
  }

  /** A new connection; or, when there are enough, the next that is free. */
  async function connectionFor(
    pool: Pool,
    address: Address,
    signal: CancelSignal | undefined,
  ): Promise<Http1Connection> {
    while (pool.all.size + pool.opening >= options.connectionsPerOrigin) {
      const free = await nextFree(pool, signal);
      if (closed || signal?.aborted === true) free?.close();
      mayGoOn(signal);
      if (free?.isOpen === true) return free;
    }
    return open(pool, address, signal);
  }

  /** Null: a place is free for a new one. */
  function nextFree(pool: Pool, signal: CancelSignal | undefined): Promise<Http1Connection | null> {
    return new Promise((resolve, reject) => {
      const take = (connection: Http1Connection | null): void => {
        signal?.removeEventListener("abort", leave);
        resolve(connection);
      };
      const leave = (): void => {
        const at = pool.waiting.indexOf(take);
        if (at >= 0) pool.waiting.splice(at, 1);
        reject(signal?.reason);
      };
      pool.waiting.push(take);
      signal?.addEventListener("abort", leave, { once: true });
    });
  }

  async function open(pool: Pool, address: Address, signal: CancelSignal | undefined): Promise<Http1Connection> {
    pool.opening += 1;
    try {
      const reading: Reading = { read: () => {} };
      const socket = await connectSocket(pool, address, reading, signal);
      if (closed || signal?.aborted === true) socket.destroy();
      mayGoOn(signal);
      const connection = new Http1Connection(socket, rounds, {
        onFree(free, keepAliveMs) {
          free.idleUntil = Date.now() + keepAliveMs;
          const next = pool.waiting.shift();
          if (closed) free.close();
          else if (next !== undefined) next(free);
          else pool.idle.push(free);
        },
        onClosed(gone) {
          pool.all.delete(gone);
          const at = pool.idle.indexOf(gone);
          if (at >= 0) pool.idle.splice(at, 1);
          pool.waiting.shift()?.(null);
        },
        onFault: () => options.onFault(address.origin),
      });
      reading.read = (chunk) => connection.read(chunk);
      pool.all.add(connection);
      return connection;
    } catch (error) {
      pool.waiting.shift()?.(null);
      throw error;
    } finally {
      pool.opening -= 1;
    }
  }

  function connectSocket(
    pool: Pool,
    address: Address,
    reading: Reading,
    signal: CancelSignal | undefined,
  ): Promise<Socket> {
    const { hostname: host, port } = address;
    const onread = {
      buffer: incoming,
      callback(size: number): boolean {
        reading.read(incoming.subarray(0, size));
        return true;
      },
    };
    /** Node passes `onread` on to the socket; its types don't say so. */
    const secured: ConnectionOptions & { onread: typeof onread } = {
      host,
      port,
      onread,
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
      ALPNProtocols: ["http/1.1"],
      ...(pool.session === undefined ? {} : { session: pool.session }),
    };
    return new Promise((resolve, reject) => {
      const socket = address.secure ? connectTls(secured) : connectPlain({ host, port, onread });
      // A server that speaks before it is asked is none for us.
      reading.read = () => socket.destroy();
      const done = (settle: () => void): void => {
        clearTimeout(timer);
        socket.removeAllListeners("error");
        socket.removeAllListeners("close");
        // What it says before somebody listens again is of no interest, but must not end the process.
        socket.on("error", () => {});
        signal?.removeEventListener("abort", onAbort);
        settle();
      };
      const fail = (error: unknown): void => {
        done(() => reject(error));
        socket.destroy();
      };
      const onAbort = (): void => fail(signal?.reason);
      const timer = setTimeout(
        () => fail(new TransportError("connect", "UND_ERR_CONNECT_TIMEOUT", "the connection was not made in time")),
        options.connectTimeoutMs,
      );
      signal?.addEventListener("abort", onAbort, { once: true });
      socket.once("error", (error) => fail(toTransportError(error, "sent")));
      socket.once("close", () =>
        fail(new TransportError("connect", "ECONNRESET", "the connection was closed at once")),
      );
      socket.once(address.secure ? "secureConnect" : "connect", () => {
        socket.setNoDelay(true);
        socket.setKeepAlive(true, 60_000);
        done(() => resolve(socket));
      });
      if (address.secure) socket.on("session", (session: Buffer) => (pool.session = session));
    });
  }

  function sweep(): void {
    const now = Date.now();
    for (const [origin, pool] of pools) {
      for (const tired of pool.idle.filter(({ idleUntil }) => idleUntil <= now)) tired.close();
      if (pool.all.size + pool.opening + pool.waiting.length === 0) pools.delete(origin);
    }
  }

  function close(): void {
    closed = true;
    clearInterval(sweeper);
    for (const pool of pools.values()) {
      for (const connection of pool.all) connection.close();
      for (const wake of pool.waiting.splice(0)) wake(null);
    }
  }
}
