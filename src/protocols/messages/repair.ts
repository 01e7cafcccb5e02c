import type { Json, JsonObject } from "../canonical.ts";
import { editTopLevel } from "../edit-json.ts";
import { isObject, objectAt, objectsAt, parseObject, stringAt } from "../read-json.ts";
import type { JsonBytes } from "../json-bytes.ts";
import { hasUnfitIds, hasUnfitIdsIn } from "../tool-id.ts";
import { fitToolUseIds } from "./fit-tool-use-ids.ts";
import { ownSignature } from "./own-signature.ts";
import { opensLoopWithoutThinking } from "./request.ts";
import { toolIdRule } from "./tool-use.ts";
import { isThinking } from "./write-history.ts";

/**
 * Takes thinking and redacted thinking out of a request's history: only the account and model that signed them can read
 * them. Null when there were none. The given body is not changed. With `isForeign` only thinking with a signature that it says of.
 */
export function repairRequest(body: JsonObject, isForeign?: (seal: string) => boolean): JsonObject | null {
  const goes = (block: JsonObject): boolean =>
    isThinking(block) && (isForeign === undefined || isForeign(stringAt(block, "signature") ?? ""));
  const changed = takeOut(body, goes);
  if (changed === null) return null;
  const repaired: JsonObject = { ...body, messages: changed.messages };
  if (!changed.endsThinking) return repaired;
  const { thinking: _, context_management: management, ...rest } = repaired;
  return isObject(management) ? { ...rest, context_management: withoutThinkingEdits(management) } : rest;
}

/**
 * Takes out of a request that is passed on as it is what Anthropic would refuse; the text itself when there is nothing:
 *
 * - The reasoning of other providers, which `encode.ts` has shown to the caller as thinking: its signature is not Anthropic's.
 * - Ids of calls with characters that Anthropic refuses, and one id for several calls: see `fitToolUseIds`.
 */
export function cleanRequest(text: string): string {
  const isMarked = text.includes(ownSignature);
  const isUnfit = hasUnfitIds(text, "tool_use_id", toolIdRule, true);
  const body = isMarked || isUnfit ? parseObject(text) : null;
  if (body === null) return text;
  const changed = isMarked ? takeOut(body, (block) => isThinking(block) && block["signature"] === ownSignature) : null;
  const read = changed?.messages ?? body["messages"];
  const messages = isUnfit && Array.isArray(read) ? fitToolUseIds(read) : read;
  if (messages === undefined || messages === body["messages"]) return text;
  const management = objectAt(body, "context_management");
  const endsThinking = changed?.endsThinking === true;
  return editTopLevel(text, {
    set: {
      messages,
      ...(endsThinking && management && { context_management: withoutThinkingEdits(management) }),
    },
    remove: endsThinking ? ["thinking"] : [],
  });
}

/** Whether a body that is not decoded may hold any of it. */
export function mayNeedCleaning(json: JsonBytes): boolean {
  return json.find(`"${ownSignature}"`, 0) >= 0 || hasUnfitIdsIn(json, "tool_use_id", toolIdRule, true);
}

/**
 * The messages without the blocks that `goes` picks; null when it picks none.
 *
 * - A message of nothing but such blocks goes as a whole, and its neighbours, now of one role, become one message.
 * - With a token budget, Anthropic wants thinking at the head of a running tool loop. Where it is gone now, `endsThinking` says
 *   that thinking must be switched off for this request, and with it the context edits that need it.
 */
function takeOut(
  body: JsonObject,
  goes: (block: JsonObject) => boolean,
): { messages: Json[]; endsThinking: boolean } | null {
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
    const kept = content.filter((block) => !isObject(block) || !goes(block));
    if (kept.length < content.length) found = true;
    if (kept.length > 0 || content.length === 0) push(messages, { ...message, content: kept });
  }
  if (!found) return null;
  const budgeted = objectAt(body, "thinking")?.["type"] === "enabled";
  return { messages, endsThinking: budgeted && opensLoopWithoutThinking(messages.filter(isObject)) };
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

function withoutThinkingEdits(management: JsonObject): JsonObject {
  const edits = objectsAt(management, "edits").filter((edit) => !stringAt(edit, "type")?.startsWith("clear_thinking"));
  return { ...management, edits };
}
