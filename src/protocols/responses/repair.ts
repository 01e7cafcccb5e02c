import type { Json, JsonObject } from "../canonical.ts";
import { isObject, stringAt } from "../read-json.ts";

/** Items that are nothing but what their issuer encrypted. */
const sealedItems: ReadonlySet<string | undefined> = new Set(["reasoning", "compaction", "compaction_summary"]);

/**
 * Takes out of a request what only the account and model that wrote it can read: reasoning, compacted history, other encrypted
 * content, references to stored reasoning. Null when there was none of it; the given body is not changed.
 */
export function repairRequest(body: JsonObject): JsonObject | null {
  const { input } = body;
  if (!Array.isArray(input)) return null;
  let changed = false;
  const repaired = input.flatMap((item): Json[] => {
    if (!isObject(item)) return [item];
    const { id, encrypted_content: encrypted, ...rest } = item;
    const namesReasoning = typeof id === "string" && id.startsWith("rs_");
    const type = stringAt(item, "type");
    if (sealedItems.has(type) || (type === "item_reference" && namesReasoning)) {
      changed = true;
      return [];
    }
    if (!namesReasoning && encrypted === undefined) return [item];
    changed = true;
    return [namesReasoning || id === undefined ? rest : { id, ...rest }];
  });
  return changed ? { ...body, input: repaired } : null;
}
