import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Json } from "../protocols/canonical.ts";
import { readTopLevel } from "../protocols/edit-json.ts";

/**
 * Headers in which harnesses name a conversation, the narrowest first: sub-agents of one session have threads of their own, and
 * a prompt cache belongs to a thread.
 */
const sessionHeaders = [
  "thread-id",
  "x-claude-code-session-id",
  "session-id",
  "session_id",
  "x-session-id",
  "x-session-affinity",
  "conversation-id",
  "conversation_id",
];

/** Characters of the opening that count. Two conversations that agree in all of them share a prompt cache anyway. */
const openingLimit = 4_096;

/**
 * A name for the conversation that a request belongs to: what the harness calls it, else the cache key, the conversation or the
 * user that the body names, else a hash of how it begins (system text and first message of the person). Hashed: it is kept in
 * memory and is nobody's to read.
 */
export function conversationOf(
  headers: IncomingHttpHeaders,
  members: Readonly<Record<string, Json | undefined>>,
  text: string,
): string {
  for (const name of sessionHeaders) {
    const value = headers[name];
    if (typeof value === "string" && value !== "") return hash(`header\n${name}\n${value}`);
  }
  const { prompt_cache_key: cacheKey, conversation, metadata } = members;
  for (const value of [cacheKey, conversation, fieldOf(conversation, "id"), fieldOf(metadata, "user_id")]) {
    if (typeof value === "string" && value !== "") return hash(`body\n${value}`);
  }
  return hash(`opening\n${openingOf(text)}`);
}

function openingOf(text: string): string {
  const { system, instructions, messages, input } = readTopLevel(text, ["system", "instructions", "messages", "input"]);
  const list = Array.isArray(messages) ? messages : Array.isArray(input) ? input : [];
  const first = list.find((message) => fieldOf(message, "role") === "user") ?? input ?? null;
  const prelude = list.slice(0, 4).filter((message) => {
    const role = fieldOf(message, "role");
    return role === "system" || role === "developer";
  });
  return [system, instructions, ...prelude, first].map((part) => (part == null ? "" : beginningOf(part))).join("\n");
}

function beginningOf(part: Json): string {
  try {
    return JSON.stringify(part).slice(0, openingLimit);
  } catch {
    // Nested too deeply to be written again: it goes without a name of its own, and on to whoever may read it.
    return "";
  }
}

function fieldOf(value: Json | undefined, key: string): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value[key] : undefined;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
