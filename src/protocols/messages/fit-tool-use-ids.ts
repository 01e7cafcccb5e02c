import type { Json, JsonObject } from "../canonical.ts";
import { isObject, stringAt } from "../read-json.ts";
import { fitToolId } from "../tool-id.ts";
import { toolIdRule } from "./tool-use.ts";

/**
 * Gives every call in a history an id of its own that Anthropic takes, and its result the same. Others number their calls anew in
 * each answer (`functions.weather:0`), or use characters that Anthropic refuses. A history that is fine stays the same object. An id
 * that has to change always becomes the same one, so that the prompt cache still knows the beginning of the next request.
 */
export function fitToolUseIds(messages: Json[]): Json[] {
  const used = new Set<string>();
  /** Of the last assistant message: an id as it was → what its calls are called now, in their order. */
  let called = new Map<string, string[]>();
  let changed = false;

  const fitted = messages.map((message): Json => {
    if (!isObject(message)) return message;
    if (message["role"] === "assistant") called = new Map();
    const { content } = message;
    if (!Array.isArray(content)) return message;
    const blocks = content.map((block): Json => (isObject(block) ? fitBlock(block) : block));
    return blocks.some((block, index) => block !== content[index]) ? { ...message, content: blocks } : message;
  });
  return changed ? fitted : messages;

  function fitBlock(block: JsonObject): JsonObject {
    switch (block["type"]) {
      case "tool_use": {
        const id = stringAt(block, "id") ?? "";
        const own = ownId(id);
        called.set(id, [...(called.get(id) ?? []), own]);
        return renamed(block, "id", own);
      }
      case "tool_result": {
        const id = stringAt(block, "tool_use_id") ?? "";
        return renamed(block, "tool_use_id", called.get(id)?.shift() ?? fitToolId(id, toolIdRule));
      }
      default:
        return block;
    }
  }

  function ownId(id: string): string {
    let wanted = fitToolId(id, toolIdRule);
    for (let n = 2; used.has(wanted); n++) wanted = fitToolId(`${id}_${n}`, toolIdRule);
    used.add(wanted);
    return wanted;
  }

  function renamed(block: JsonObject, key: string, id: string): JsonObject {
    if (block[key] === id) return block;
    changed = true;
    return { ...block, [key]: id };
  }
}
