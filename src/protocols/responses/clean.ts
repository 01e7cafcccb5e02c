import type { Json, JsonObject } from "../canonical.ts";
import { editTopLevel, readTopLevel } from "../edit-json.ts";
import type { JsonBytes } from "../json-bytes.ts";
import { isObject, stringAt } from "../read-json.ts";
import { fitToolId, hasUnfitIds, hasUnfitIdsIn } from "../tool-id.ts";
import { callIdRule } from "./call-id.ts";

/** How the ids of reasoning items begin that the encoder wrote. OpenAI asks for `rs`. */
export const ownReasoningPrefix = "rs_understudy";

/**
 * Takes out of a history what answers that we translated left there, and what servers with laxer rules did:
 *
 * - The reasoning of other providers. It was shown to the caller as reasoning items, and Codex sends those back on the next turn.
 *   OpenAI looks for an item with that id, which it never stored, and answers 404 "Item with id 'rs_…' not found": the primary would
 *   stay out of reach for the rest of the conversation. Encrypted reasoning stays, without the id.
 * - Reasoning without its encrypted content, when nothing is stored: there is nothing to be found under its id, whoever made it.
 * - Ids of calls that are too long or hold characters that OpenAI refuses: the call and its result get the same other one.
 */
export function cleanRequest(text: string, set: Readonly<Record<string, Json>> = {}): string {
  if (!text.includes('"rs_') && !hasUnfitIds(text, "call_id", callIdRule)) return text;
  const { input, store } = readTopLevel(text, ["input", "store"]);
  if (!Array.isArray(input)) return text;
  const isStored = (set["store"] ?? store) !== false;
  let changed = false;
  const kept = input.flatMap((item): Json[] => {
    if (!isObject(item)) return [item];
    const clean = withFitId(withoutLostReasoning(item, isStored));
    if (clean !== item) changed = true;
    return clean === null ? [] : [clean];
  });
  return changed ? editTopLevel(text, { set: { input: kept } }) : text;
}

/** Whether a body that is not decoded may hold any of it. */
export function mayNeedCleaning(json: JsonBytes): boolean {
  return json.find('"rs_', 0) >= 0 || hasUnfitIdsIn(json, "call_id", callIdRule);
}

/** Null for reasoning that nobody can find or read. */
function withoutLostReasoning(item: JsonObject, isStored: boolean): JsonObject | null {
  const id = item["type"] === "reasoning" ? stringAt(item, "id") : undefined;
  if (id === undefined) return item;
  const isOurs = id.startsWith(ownReasoningPrefix);
  if (item["encrypted_content"] == null) return isOurs || !isStored ? null : item;
  if (!isOurs) return item;
  const { id: _, ...rest } = item;
  return rest;
}

function withFitId(item: JsonObject | null): JsonObject | null {
  const id = item === null ? undefined : stringAt(item, "call_id");
  if (item === null || id === undefined) return item;
  const fit = fitToolId(id, callIdRule);
  return fit === id ? item : { ...item, call_id: fit };
}
