import type { Evidence, Phase } from "../../failures/evidence.ts";
import { readErrorBody, readErrorValue } from "../../failures/read-error-body.ts";
import type { JsonObject } from "../canonical.ts";
import type { ProtocolError } from "../protocol.ts";
import { formatSse } from "../sse.ts";

const protocol = "messages";

/** Reads an error answer: `{"type": "error", "error": {"type", "message"}}`, and whatever else may come. */
export function readError(status: number, headers: Readonly<Record<string, string>>, text: string): Evidence {
  return { phase: status >= 400 ? "headers" : "head", protocol, ...readErrorBody(status, headers, text) };
}

/** An `error` event inside a stream, or an error body inside a 200 (then `status` is 200). */
export function errorEvidence(phase: Phase, body: JsonObject, status?: number): Evidence {
  return { phase, protocol, event: "error", ...readErrorValue(body, status) };
}

/**
 * The error as Anthropic's clients read it. In a stream it is an `error` event, which makes the official SDK throw.
 * Source: https://docs.anthropic.com/en/api/errors
 */
export function encodeError(error: ProtocolError): { body: JsonObject; event: string } {
  const body: JsonObject = { type: "error", error: { type: error.type, message: error.message } };
  return { body, event: formatSse(JSON.stringify(body), "error") };
}
