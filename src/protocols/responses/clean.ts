import type { Json } from "../canonical.ts";
import { editTopLevel, readTopLevel } from "../edit-json.ts";
import { isObject, stringAt } from "../read-json.ts";

/** How the ids of reasoning items begin that the encoder wrote. OpenAI asks for `rs`. */
export const ownReasoningPrefix = "rs_understudy";

/**
 * Takes the reasoning of other providers out of a history. It was shown to the caller as reasoning items, and Codex sends those
 * back on the next turn. OpenAI looks for an item with that id, which it never stored, and answers 404 "Item with id 'rs_…' not
 * found": the primary would stay out of reach for the rest of the conversation. Encrypted reasoning stays, without the id.
 */
export function cleanRequest(text: string): string {
  if (!text.includes(ownReasoningPrefix)) return text;
  const { input } = readTopLevel(text, ["input"]);
  if (!Array.isArray(input)) return text;
  let changed = false;
  const kept = input.flatMap((item): Json[] => {
    if (!isObject(item) || item["type"] !== "reasoning") return [item];
    if (stringAt(item, "id")?.startsWith(ownReasoningPrefix) !== true) return [item];
    changed = true;
    const { id: _id, ...rest } = item;
    return item["encrypted_content"] == null ? [] : [rest];
  });
  return changed ? editTopLevel(text, { set: { input: kept } }) : text;
}
