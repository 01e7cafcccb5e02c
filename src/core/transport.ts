import { type CancelSignal, toAbortSignal } from "./cancel.ts";

/**
 * The port through which every byte to and from a provider goes. One implementation over undici is in
 * `src/transport/`; the simulation has its own.
 */
export interface Transport {
  /**
   * Sends one request and resolves when the answer's headers are there. Never follows a redirect (rule R7), never
   * retries. Rejects with a `TransportError` for faults of the network, and with the signal's reason after an abort.
   */
  send(request: TransportRequest): Promise<TransportResponse>;
  /** Closes idle connections. */
  close(): Promise<void>;
}

export interface TransportRequest {
  readonly method: "GET" | "POST" | "DELETE";
  /** Absolute http(s) URL. */
  readonly url: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Several pieces are sent one after the other, as if they were one. */
  readonly body?: string | Uint8Array | readonly Uint8Array[];
  /** For a transport that an application brings along it is always an `AbortSignal`. */
  readonly signal?: CancelSignal;
  /** True: a new connection, for a call that must not be lost to a kept-alive one that just died. Default false. */
  readonly fresh?: boolean;
}

export interface TransportResponse {
  readonly status: number;
  /** Lower-case names; repeated headers are joined with ", ". */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * The body as it arrives. Iterate it once. Throws a `TransportError` with phase `body` when the connection breaks.
   * Ending the iteration early closes the connection.
   */
  readonly body: AsyncIterable<Uint8Array> | FlowingBody;
  /** The whole body, when it came together with the headers: what `body` gives, without waiting. */
  readonly whole?: Uint8Array;
}

/** A body that can also be given as it arrives, without a promise for each piece of it. */
export interface FlowingBody extends AsyncIterable<Uint8Array> {
  /** From now on `sink` is told what comes, beginning with what waits already. Once, and no iteration after it. */
  flow(sink: BodySink): void;
  /** The sink is told nothing until `resume`. */
  pause(): void;
  resume(): void;
}

/** Neither may throw. */
export interface BodySink {
  /** `bytes` are overwritten afterwards: what is kept of them is copied. */
  chunk(bytes: Uint8Array): void;
  /** No more comes. `broken`: it broke off, with the error that an iteration would throw. */
  end(broken: { readonly reason: unknown } | null): void;
}

/** The same transport, which is given signals that `fetch` takes. */
export function withAbortSignals(transport: Transport): Transport {
  return {
    send(request) {
      const { signal } = request;
      return transport.send(signal === undefined ? request : { ...request, signal: toAbortSignal(signal) });
    },
    close: () => transport.close(),
  };
}

/**
 * How far a request had come when the network failed:
 * `connect`: certainly not sent. `sent`: some or all of it may have been received. `body`: headers came, the body broke.
 */
export type TransportPhase = "connect" | "sent" | "body";

/** A fault of the network. `networkCode` is the system's or the library's code, for example `ECONNREFUSED`. */
export class TransportError extends Error {
  readonly phase: TransportPhase;
  readonly networkCode: string;

  constructor(phase: TransportPhase, networkCode: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "TransportError";
    this.phase = phase;
    this.networkCode = networkCode;
  }
}

/** Reads a whole body as text, at most `limit` bytes; what lies beyond is dropped and the connection closed. */
export async function readText(body: AsyncIterable<Uint8Array>, limit: number): Promise<string> {
  return new TextDecoder().decode(await readBytes(body, limit));
}

/** The same, as bytes. */
export async function readBytes(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    const room = limit - size;
    chunks.push(chunk.length > room ? chunk.subarray(0, room) : chunk);
    size += Math.min(chunk.length, room);
    if (size >= limit) break;
  }
  const joined = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
