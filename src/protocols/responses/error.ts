import type { Evidence, Phase } from "../../failures/evidence.ts";
import { readErrorBody, readErrorValue } from "../../failures/read-error-body.ts";
import type { JsonObject } from "../canonical.ts";
import type { ProtocolError } from "../protocol.ts";
import { compact, isObject, objectAt, stringAt } from "../read-json.ts";
import { formatSse } from "../sse.ts";

const protocol = "responses";

/** Reads an error answer: `{"error": {…}}`, `{"detail": …}`, a web page, whatever came. */
export function readError(status: number, headers: Readonly<Record<string, string>>, text: string): Evidence {
  return { phase: status >= 400 ? "headers" : "head", protocol, ...readErrorBody(status, headers, text) };
}

/**
 * A failure inside a stream, or in a whole answer. `body` is what carried it:
 *
 * - an event with a `response` that failed, or such a response itself; its `error` may be an object, a sentence or missing
 * - an `error` event: `{"error": {…}}`, or flat `{"code", "message", "param"}`; over a WebSocket with `status_code` and `headers`
 * - any other error body
 *
 * How a response ended (`failed`, `cancelled`) becomes the `finishReason`: without an error it is all there is.
 */
export function errorEvidence(phase: Phase, body: JsonObject, event?: string): Evidence {
  const response = objectAt(body, "response") ?? (body["object"] === "response" ? body : undefined);
  const outcome = outcomes[stringAt(response, "status") ?? event ?? ""];
  const headers = { ...readHeaders(body["headers"]), ...readHeaders(objectAt(response ?? body, "error")?.["headers"]) };
  const read = readErrorValue(response === undefined ? body : { error: response["error"] ?? null });
  const message = read.message ?? (outcome === undefined ? undefined : `the response ended as ${outcome}`);
  return {
    phase,
    protocol,
    ...read,
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(event !== undefined && { event }),
    ...(outcome !== undefined && { finishReason: outcome }),
    ...(message !== undefined && { message }),
    body,
  };
}

/** A bad end, by its status or by the event that told it. */
const outcomes: Readonly<Record<string, "failed" | "cancelled">> = {
  failed: "failed",
  cancelled: "cancelled",
  canceled: "cancelled",
  "response.failed": "failed",
  "response.cancelled": "cancelled",
  "response.canceled": "cancelled",
};

function readHeaders(headers: unknown): Record<string, string> {
  const read: Record<string, string> = {};
  if (!isObject(headers)) return read;
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      read[name.toLowerCase()] = String(value);
    }
  }
  return read;
}

/**
 * The error as the clients of this protocol read it. The body is OpenAI's, with `resets_at` (Unix seconds) where Codex looks
 * for it.
 *
 * Inside a stream two events are needed, in this order:
 *
 * 1. `error`: the official SDKs throw on it, with message and code. Codex passes over it.
 * 2. `response.failed`: Codex takes it at the end of the stream. It sends the whole turn again up to five times, unless the
 *    code is one of a few; of those only `invalid_prompt` shows our message instead of a fixed text (and
 *    `context_length_exceeded` has it compact the conversation, which is what is wanted then). When every candidate has been
 *    tried the client has to stop; an answer that broke off it may ask for again. The true code stands in the first event.
 */
export function encodeError(error: ProtocolError): { body: JsonObject; event: string } {
  const { type, code, message } = error;
  const fields = compact({
    message,
    type,
    code,
    param: null,
    resets_at: error.resetsAt === undefined ? undefined : Math.ceil(error.resetsAt / 1000),
  });
  const stopCode = error.again === true ? "server_error" : code === "context_length_exceeded" ? code : "invalid_prompt";
  const failed: JsonObject = {
    type: "response.failed",
    sequence_number: 1,
    response: {
      id: "resp_failed",
      object: "response",
      status: "failed",
      output: [],
      error: { ...fields, code: stopCode },
    },
  };
  return {
    body: { error: fields },
    event:
      formatSse(
        JSON.stringify({ type: "error", sequence_number: 0, code, message, param: null, error: fields }),
        "error",
      ) + formatSse(JSON.stringify(failed), "response.failed"),
  };
}
