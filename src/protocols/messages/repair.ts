import type { Json, JsonObject } from "../canonical.ts";
import { isObject, objectAt, objectsAt, stringAt } from "../read-json.ts";
import { opensLoopWithoutThinking } from "./request.ts";
import { isThinking } from "./write-history.ts";

/**
 * Takes thinking and redacted thinking out of a request's history: only the account and model that signed them can read
 * them. Null when there were none. The given body is not changed.
 *
 * - A message of nothing but thinking goes as a whole, and its neighbours, now of one role, become one message.
 * - With a token budget, Anthropic wants thinking at the head of a running tool loop. It is gone now, so thinking is
 *   switched off for this request, and with it the context edits that need it.
 */
export function repairRequest(body: JsonObject): JsonObject | null {
  const wire = body["messages"];
  if (!Array.isArray(wire)) return null;
  let found = false;
  const messages: Json[] = [];
  for (const message of wire) {
    const content = isObject(message) && message["role"] === "assistant" ? message["content"] : undefined;
    if (!isObject(message) || !Array.isArray(content)) {
      push(messages, message);
      continue;
    }
    const kept = content.filter((block) => !isObject(block) || !isThinking(block));
    if (kept.length < content.length) found = true;
    if (kept.length > 0 || content.length === 0) push(messages, { ...message, content: kept });
  }
  if (!found) return null;
  const repaired: JsonObject = { ...body, messages };
  const budgeted = objectAt(body, "thinking")?.["type"] === "enabled";
  return budgeted && opensLoopWithoutThinking(messages.filter(isObject)) ? withoutThinking(repaired) : repaired;
}

/** Adds a message; one of the same role as the last is joined to it, as Anthropic does itself. */
function push(messages: Json[], message: Json): void {
  const last = messages.at(-1);
  if (isObject(last) && isObject(message) && last["role"] === message["role"]) {
    messages.splice(-1, 1, { ...last, content: [...blocksOf(last["content"]), ...blocksOf(message["content"])] });
  } else {
    messages.push(message);
  }
}

function blocksOf(content: Json | undefined): Json[] {
  if (Array.isArray(content)) return content;
  return typeof content === "string" ? [{ type: "text", text: content }] : [];
}

function withoutThinking(body: JsonObject): JsonObject {
  const { thinking: _, ...rest } = body;
  const management = objectAt(rest, "context_management");
  if (management === undefined) return rest;
  const edits = objectsAt(management, "edits").filter((edit) => !isThinkingEdit(edit));
  return { ...rest, context_management: { ...management, edits } };
}

function isThinkingEdit(edit: JsonObject): boolean {
  return stringAt(edit, "type")?.startsWith("clear_thinking") ?? false;
}
