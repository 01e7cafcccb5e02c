import type { JsonObject } from "../canonical.ts";
import { isObject, objectsAt, stringAt } from "../read-json.ts";
import { reasoningFields } from "./read-history.ts";

/**
 * Takes reasoning out of a request's history: servers that sign it accept only their own. Null when there was none. The
 * given body is not changed. With `isForeign` only reasoning with a signature that it says of.
 */
export function repairRequest(body: JsonObject, isForeign?: (seal: string) => boolean): JsonObject | null {
  const wire = body["messages"];
  if (!Array.isArray(wire)) return null;
  let found = false;
  const messages = wire.map((message) => {
    if (!isObject(message) || message["role"] !== "assistant") return message;
    const kept = { ...message };
    const goes =
      isForeign === undefined ||
      objectsAt(message, "reasoning_details").some((detail) => isForeign(stringAt(detail, "signature") ?? ""));
    for (const key of reasoningFields) {
      if (!goes || kept[key] === undefined) continue;
      delete kept[key];
      found = true;
    }
    return kept;
  });
  return found ? { ...body, messages } : null;
}
