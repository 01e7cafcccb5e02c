import { Agent, type Dispatcher } from "undici";
import {
  type Transport,
  TransportError,
  type TransportPhase,
  type TransportRequest,
  type TransportResponse,
} from "../core/transport.ts";

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
    body: request.body ?? null,
    signal: request.signal ?? null,
  };
}

async function* readBody(body: Dispatcher.ResponseData["body"], signal?: AbortSignal): AsyncGenerator<Uint8Array> {
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

/** Codes that mean that no byte of the request reached the other side. Anything else may have been received. */
const neverSent = new Set([
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_NODATA",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "ENETDOWN",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_INVALID_ARG",
  "ERR_INVALID_URL",
]);

/** TLS faults happen before the request is written, so it was never sent either. */
const tlsCode = /^(CERT_|ERR_TLS|ERR_SSL|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|EPROTO$)/;

function toTransportError(error: unknown, phase: TransportPhase): TransportError {
  const code = findCode(error);
  const message = error instanceof Error ? error.message : String(error);
  const reached: TransportPhase = phase === "sent" && (neverSent.has(code) || tlsCode.test(code)) ? "connect" : phase;
  return new TransportError(reached, code, message || code, { cause: error });
}

/** The system's code, through `cause` chains and the list of an `AggregateError` (one entry per address tried). */
function findCode(error: unknown, depth = 0): string {
  if (depth > 5 || typeof error !== "object" || error === null) return "UNKNOWN";
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === "string" && code !== "") return code;
  if (Array.isArray(errors) && errors.length > 0) return findCode(errors[0], depth + 1);
  return cause === undefined ? "UNKNOWN" : findCode(cause, depth + 1);
}
