import type { CancelSignal } from "../core/cancel.ts";
import { Agent, type Dispatcher } from "undici";
import type { Transport, TransportRequest, TransportResponse } from "../core/transport.ts";
import { toTransportError } from "./network-error.ts";

/** Options of the transport. Times in ms. */
export interface UndiciTransportOptions {
  /** Limit for DNS, TCP and TLS together. Default 10,000. */
  readonly connectTimeoutMs?: number;
  /** Connections to one origin. Default 256. */
  readonly connectionsPerOrigin?: number;
}

/**
 * The transport over undici. undici's own header and body limits are off: how long an answer may take is decided by the
 * turn, which knows what it waits for. Never the global dispatcher, never `fetch`.
 */
export function createUndiciTransport(options: UndiciTransportOptions = {}): Transport {
  const shared = {
    connect: { timeout: options.connectTimeoutMs ?? 10_000 },
    connections: options.connectionsPerOrigin ?? 256,
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  const kept = new Agent({ ...shared, keepAliveTimeout: 30_000 });
  // `pipelining: 0` closes each connection after its one request.
  const fresh = new Agent({ ...shared, pipelining: 0 });

  return {
    async send(request) {
      let response: Dispatcher.ResponseData;
      try {
        response = await (request.fresh === true ? fresh : kept).request(toUndici(request));
      } catch (error) {
        if (request.signal?.aborted) throw request.signal.reason;
        throw toTransportError(error, "sent");
      }
      return {
        status: response.statusCode,
        headers: flatten(response.headers),
        body: readBody(response.body, request.signal),
      } satisfies TransportResponse;
    },
    async close() {
      await Promise.all([kept.destroy(), fresh.destroy()]);
    },
  };
}

function toUndici(request: TransportRequest): Dispatcher.RequestOptions {
  const url = new URL(request.url);
  return {
    origin: url.origin,
    path: url.pathname + url.search,
    method: request.method,
    headers: request.headers,
    body: wholeBody(request.body),
    signal: request.signal ?? null,
  };
}

function wholeBody(body: TransportRequest["body"]): string | Uint8Array | null {
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) return body ?? null;
  return Buffer.concat(body);
}

async function* readBody(body: Dispatcher.ResponseData["body"], signal?: CancelSignal): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of body) yield chunk as Uint8Array;
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw toTransportError(error, "body");
  } finally {
    // Ends the connection when the reader stopped early; a no-op after the last byte.
    body.on("error", () => {});
    body.destroy();
  }
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return flat;
}
