import { TransportError, type TransportPhase } from "../core/transport.ts";

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

/** A system's or a library's error as a `TransportError`. */
export function toTransportError(error: unknown, phase: TransportPhase): TransportError {
  if (error instanceof TransportError) return error;
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
