import type { Json, JsonObject } from "../canonical.ts";
import { editTopLevel, readTopLevel } from "../edit-json.ts";
import type { JsonBytes } from "../json-bytes.ts";
import { isObject, objectsAt, stringAt } from "../read-json.ts";
import { fitToolId, hasUnfitIds, hasUnfitIdsIn } from "../tool-id.ts";
import { toolIdRule } from "./tool-call.ts";

/**
 * Gives calls in a history ids that OpenAI takes. Servers of this protocol with laxer rules make longer ones, and a conversation that
 * went on with such a server would be refused by every stricter one from then on.
 */
export function cleanRequest(text: string): string {
  if (!hasUnfitIds(text, "tool_call_id", toolIdRule)) return text;
  const { messages } = readTopLevel(text, ["messages"]);
  if (!Array.isArray(messages)) return text;
  return editTopLevel(text, { set: { messages: messages.map(withFitIds) } });
}

/** Whether a body that is not decoded may hold any of it. */
export function mayNeedCleaning(json: JsonBytes): boolean {
  return hasUnfitIdsIn(json, "tool_call_id", toolIdRule);
}

function withFitIds(message: Json): Json {
  if (!isObject(message)) return message;
  const answered = stringAt(message, "tool_call_id");
  if (answered !== undefined) return { ...message, tool_call_id: fitToolId(answered, toolIdRule) };
  if (!Array.isArray(message["tool_calls"])) return message;
  return { ...message, tool_calls: objectsAt(message, "tool_calls").map(withFitId) };
}

function withFitId(call: JsonObject): JsonObject {
  const id = stringAt(call, "id");
  return id === undefined ? call : { ...call, id: fitToolId(id, toolIdRule) };
}
