import type { Evidence, Phase } from "../../failures/evidence.ts";
import { readErrorBody, readErrorValue } from "../../failures/read-error-body.ts";
import type { JsonObject } from "../canonical.ts";
import type { ProtocolError } from "../protocol.ts";
import { formatSse } from "../sse.ts";

const protocol = "chat-completions";

/** Reads an error answer: `{"error": {"message", "type", "code", "param"}}`, and whatever else may come. */
export function readError(status: number, headers: Readonly<Record<string, string>>, text: string): Evidence {
  return { phase: status >= 400 ? "headers" : "head", protocol, ...readErrorBody(status, headers, text) };
}

/**
 * An error inside a stream, or inside a 200 (then `status` is 200). OpenRouter puts it beside the choices or into one, with
 * the HTTP status it would have had as its code. Source: https://openrouter.ai/docs/api/reference/errors-and-debugging
 */
export function errorEvidence(phase: Phase, body: JsonObject, status?: number): Evidence {
  return { phase, protocol, ...readErrorValue(body, status) };
}

/**
 * The error as OpenAI's clients read it. In a stream it is a chunk with an `error` object, which makes the official SDK
 * throw; no `[DONE]` follows.
 */
export function encodeError(error: ProtocolError): { body: JsonObject; event: string } {
  const { message, type, code } = error;
  const body: JsonObject = { error: { message, type, code, param: null } };
  return { body, event: formatSse(JSON.stringify(body)) };
}
