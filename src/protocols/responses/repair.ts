import type { Json, JsonObject } from "../canonical.ts";
import { isObject, stringAt } from "../read-json.ts";

/** Items that are nothing but what their issuer encrypted. */
const sealedItems: ReadonlySet<string | undefined> = new Set(["reasoning", "compaction", "compaction_summary"]);

/** Items that need no id. Those of calls that the provider runs are required. */
const nameless: ReadonlySet<string | undefined> = new Set([
  "message",
  "function_call",
  "function_call_output",
  "custom_tool_call",
  "custom_tool_call_output",
]);

/**
 * Takes out of a request what only the account and model that wrote it can read: reasoning, compacted history, other encrypted
 * content, references to stored reasoning. Null when there was none of it; the given body is not changed.
 *
 * With `isForeign` only what it says of, and nothing else is touched. Without it the ids of words and calls go as well: to a provider
 * that stored the item, its id says which reasoning belongs before it, and it refuses the one without the other.
 */
export function repairRequest(body: JsonObject, isForeign?: (seal: string) => boolean): JsonObject | null {
  const { input } = body;
  if (!Array.isArray(input)) return null;
  let changed = false;
  const repaired = input.flatMap((item): Json[] => {
    if (!isObject(item)) return [item];
    const kept = isForeign === undefined ? withoutSeals(item) : withoutForeign(item, isForeign);
    if (kept !== item) changed = true;
    return kept === null ? [] : [kept];
  });
  return changed ? { ...body, input: repaired } : null;
}

/** The item itself when there is nothing to take out of it; null when nothing would be left. */
function withoutSeals(item: JsonObject): JsonObject | null {
  const { id, encrypted_content: encrypted, ...rest } = item;
  const type = stringAt(item, "type");
  const namesReasoning = typeof id === "string" && id.startsWith("rs_");
  if (sealedItems.has(type)) return null;
  if (type === "item_reference") return namesReasoning ? null : item;
  const losesId = id !== undefined && (namesReasoning || nameless.has(type ?? "message"));
  if (!losesId && encrypted === undefined) return item;
  return losesId || id === undefined ? rest : { id, ...rest };
}

function withoutForeign(item: JsonObject, isForeign: (seal: string) => boolean): JsonObject | null {
  const isSealed = sealedItems.has(stringAt(item, "type"));
  // Stored reasoning is known by its id alone.
  const seal = stringAt(item, "encrypted_content") ?? (isSealed ? stringAt(item, "id") : undefined);
  if (seal === undefined || !isForeign(seal)) return item;
  if (isSealed) return null;
  const { encrypted_content: _, ...rest } = item;
  return rest;
}
