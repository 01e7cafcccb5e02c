import type { Evidence } from "../../failures/evidence.ts";
import type { Usage } from "../../core/events.ts";
import type { JsonObject } from "../canonical.ts";
import type { EventShape } from "../alike-events.ts";
import type { AnswerVerdict, StreamReader, StreamVerdict } from "../protocol.ts";
import { isObject, objectAt, objectsAt, parseObject, stringAt } from "../read-json.ts";
import { endsWithObject, type SseEvent } from "../sse.ts";
import { errorEvidence } from "./error.ts";
import { partText } from "./items.ts";
import { readUsage } from "./usage.ts";

const preamble: StreamVerdict = { kind: "preamble" };
const malformed: StreamVerdict = { kind: "preamble", malformed: true };
const content: StreamVerdict = { kind: "content" };

/**
 * What each event of a Responses stream means for the turn.
 *
 * 1. How a response ended is looked at before what it holds: `error`, `response.failed` and `response.cancelled` are failures
 *    whatever came before them and whatever status they carry, and so is a terminal event whose status is `failed` or `cancelled`.
 * 2. Any other terminal event is an end, also `response.incomplete`: an answer cut at the caller's own token limit, or by the
 *    content filter, is an answer. `response.done` is what some backends call `response.completed`.
 * 3. Content is what the caller acts on or shows: words, a call, its arguments, a finished item, sound, pictures, and any
 *    delta we don't know. Empty deltas, empty messages and reasoning in any form are not.
 * 4. All else is preamble: unknown events, unparsable data (marked as malformed), `[DONE]`.
 * 5. After the terminal event nothing counts any more. Without one the answer is not complete.
 * 6. A response that is completed and holds no item at all, not even reasoning, is no answer.
 */
class ResponsesReader implements StreamReader {
  #committed = false;
  #over = false;
  #hasItem = false;
  #failure: Evidence | null = null;
  #usage: Usage | null = null;

  read(event: SseEvent): StreamVerdict {
    if (this.#over) return preamble;
    const data = parseObject(event.data);
    const type = data && eventType(event, data);
    if (data === null) return event.data.startsWith("[DONE]") ? preamble : malformed;
    if (type === null) return preamble;
    if (isFailure(type, data) || terminalTypes.has(type)) {
      this.#over = true;
      this.#usage = readUsage(objectAt(data, "response")?.["usage"]);
      const failure = this.#failureIn(type, data);
      this.#failure = failure;
      return failure === null ? { kind: "end" } : { kind: "failure", evidence: failure };
    }
    if (type.startsWith("response.output_item.") || type.endsWith(".delta")) this.#hasItem = true;
    if (!isContent(type, data)) return preamble;
    this.#committed = true;
    return content;
  }

  shapeOfMore(text: string): EventShape | null {
    return this.#committed && !this.#over ? shapeOfPlainDelta(text) : null;
  }

  end(): Evidence | null {
    if (this.#over) return this.#failure;
    return { phase: "end", protocol: "responses", message: "the stream ended without response.completed" };
  }

  get usage(): Usage | null {
    return this.#usage;
  }

  #failureIn(type: string, data: JsonObject): Evidence | null {
    if (isFailure(type, data)) return errorEvidence(this.#committed ? "stream" : "head", data, type);
    return !this.#hasItem && isEmpty(objectAt(data, "response")) ? emptyEvidence(data) : null;
  }
}

export function createStreamReader(): StreamReader {
  return new ResponsesReader();
}

/** Deltas that come by the hundred and carry nothing but themselves. */
const plainDeltas = [
  "response.output_text.delta",
  "response.function_call_arguments.delta",
  "response.custom_tool_call_input.delta",
  "response.reasoning_summary_text.delta",
  "response.reasoning_text.delta",
].map((type) => `data: {"type":"${type}",`);

/** The event's name is not looked at: the type stands in the data. */
function shapeOfPlainDelta(text: string): EventShape | null {
  const at = text.startsWith("event: ") ? text.indexOf("\n") + 1 : 0;
  const beginning = plainDeltas.find((plain) => text.startsWith(plain, at));
  if (beginning === undefined || !endsWithObject(text, at)) return null;
  return { literals: [text.slice(0, at + beginning.length)], braces: 1 };
}

/** A whole answer. The status is looked at before the output; a 200 that is no response at all is a failure. */
export function readAnswer(body: unknown): AnswerVerdict {
  if (!isObject(body)) {
    const evidence: Evidence = { phase: "head", protocol: "responses", message: "the answer is not a response", body };
    return { kind: "failure", evidence };
  }
  const isResponse =
    body["object"] === "response" || Array.isArray(body["output"]) || endings.has(stringAt(body, "status"));
  if (!isResponse || hasFailed(body)) return { kind: "failure", evidence: errorEvidence("head", body) };
  if (isEmpty(body)) return { kind: "failure", evidence: emptyEvidence(body) };
  return { kind: "answer", usage: readUsage(body["usage"]) };
}

/** The type stands in the data; the event's name is only for servers that leave it out there. */
export function eventType(event: SseEvent, data: JsonObject): string | null {
  return stringAt(data, "type") ?? event.event;
}

export const terminalTypes: ReadonlySet<string> = new Set([
  "response.completed",
  "response.incomplete",
  "response.done",
]);

const failureTypes = new Set(["error", "response.failed", "response.cancelled", "response.canceled"]);
const endings = new Set<string | undefined>(["completed", "incomplete", "failed", "cancelled"]);

function isFailure(type: string, data: JsonObject): boolean {
  if (failureTypes.has(type)) return true;
  const response = objectAt(data, "response");
  return terminalTypes.has(type) && response !== undefined && hasFailed(response);
}

function hasFailed(response: JsonObject): boolean {
  switch (response["status"]) {
    case "failed":
    case "cancelled":
    case "canceled":
      return true;
    case "completed":
    case "incomplete":
      return false;
    default:
      // No status that says how it ended: an error says it.
      return response["error"] != null;
  }
}

/** Completed, and not one item: providers answer so when something went wrong behind them. Without a response nothing is known. */
function isEmpty(response: JsonObject | undefined): boolean {
  if (response?.["status"] !== "completed" || (stringAt(response, "output_text") ?? "") !== "") return false;
  return response["output"] == null || objectsAt(response, "output").length === 0;
}

function emptyEvidence(body: JsonObject): Evidence {
  return {
    phase: "head",
    protocol: "responses",
    status: 200,
    message: "empty answer: the response holds no item",
    body,
  };
}

function isContent(type: string, data: JsonObject): boolean {
  if (type === "response.output_item.added") return isCall(objectAt(data, "item"));
  if (type === "response.output_item.done") return hasContent(objectAt(data, "item"));
  if (type.endsWith(".partial_image")) return true;
  return type.endsWith(".delta") && !type.includes("reasoning") && data["delta"] !== "";
}

function isCall(item: JsonObject | undefined): boolean {
  return stringAt(item, "type")?.endsWith("_call") === true;
}

function hasContent(item: JsonObject | undefined): boolean {
  const type = stringAt(item, "type");
  if (type === undefined || type === "reasoning") return false;
  return type !== "message" || objectsAt(item, "content").some((part) => partText(part) !== "");
}
