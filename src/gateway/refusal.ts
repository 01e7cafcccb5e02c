import type { ServerResponse } from "node:http";
import type { ProtocolName } from "../core/target.ts";
import { protocols } from "../protocols/index.ts";
import type { ProtocolError } from "../protocols/protocol.ts";

/** A request that the gateway itself answers with an error, before any turn. */
export interface Refusal {
  readonly status: number;
  /** OpenAI's `code`. */
  readonly code: string;
  /** One sentence for a person, without anything secret. */
  readonly message: string;
  /** Extra headers. Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>;
  /** True when the rest of the request is not read: the connection ends with the answer. */
  readonly close?: boolean;
}

/** Anthropic's error types follow the status. https://docs.anthropic.com/en/api/errors */
const messagesTypes: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
};

/** Answers in the shape that clients of this dialect read. Does nothing when the head is out already. */
export function writeRefusal(response: ServerResponse, dialect: ProtocolName, refusal: Refusal): void {
  const { status, code, message } = refusal;
  const type = dialect === "messages" ? (messagesTypes[status] ?? "invalid_request_error") : "invalid_request_error";
  writeError(response, dialect, { status, type, code, message }, refusal.headers, refusal.close);
}

/** Writes an error with its status. Does nothing when the head is out already. */
export function writeError(
  response: ServerResponse,
  dialect: ProtocolName,
  error: ProtocolError,
  headers: Readonly<Record<string, string>> = {},
  close = false,
): void {
  const body = JSON.stringify(protocols[dialect].encodeError(error).body);
  writeWhole(response, error.status, { ...headers, ...(close ? { connection: "close" } : {}) }, body);
}

/** Writes a whole answer of known length. Does nothing when the head is out already. */
export function writeWhole(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
  contentType = "application/json",
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    "content-type": contentType,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
  });
  response.end(body);
}
