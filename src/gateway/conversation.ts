import { hash as oneHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Json } from "../protocols/canonical.ts";
import { readTopLevel } from "../protocols/edit-json.ts";
import { type JsonBytes, listElements, type Scan, type Span, valueOf } from "../protocols/json-bytes.ts";

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
  return namedByHeader(headers) ?? namedByBody(members) ?? hash(`opening\n${openingOf(text)}`);
}

/**
 * The same for a body that is not parsed. Where it names nothing, the opening counts as it is written: two bodies of one conversation are
 * written by one client. Null when the opening is further in than was looked.
 */
export function conversationIn(headers: IncomingHttpHeaders, json: JsonBytes, scan: Scan): string | null {
  const named = namedByHeader(headers);
  if (named !== null) return named;
  const { members, long } = scan;
  const told = ["prompt_cache_key", "conversation", "metadata"].filter((name) => members.has(name));
  const byBody = namedByBody(Object.fromEntries(told.map((name) => [name, valueOf(json, scan, name)])));
  if (byBody !== null) return byBody;
  const list = members.get("messages") ?? members.get("input") ?? (isList(long?.name) ? long : null);
  if (list === null) return null;
  let opening = "";
  for (const name of ["system", "instructions"]) opening += beginningIn(json, members.get(name) ?? null);
  return hash(`opening\n${opening}${firstWordsIn(json, list.start)}`);
}

function isList(name: string | undefined): boolean {
  return name === "messages" || name === "input";
}

/** Elements of a history that are looked at for the first one of the person. */
const firstElements = 4;
/** So far a history is looked through, in bytes. */
const historyLimit = 16_384;

/** The history up to the first message of the person, each element cut like `openingLimit`. */
function firstWordsIn(json: JsonBytes, start: number): string {
  if (json.bytes[start] !== 0x5b) return json.text(start, Math.min(start + openingLimit, json.bytes.length));
  let words = "";
  let count = 0;
  for (const element of listElements(json, start, start + historyLimit)) {
    const beginning = beginningIn(json, element);
    words += beginning;
    if (++count === firstElements || !element.isWhole || userRole.test(beginning)) break;
  }
  return words;
}

const userRole = /"role"\s*:\s*"user"/;

function beginningIn(json: JsonBytes, span: Span | null): string {
  return span === null ? "" : json.text(span.start, Math.min(span.end, span.start + openingLimit));
}

function namedByHeader(headers: IncomingHttpHeaders): string | null {
  for (const name of sessionHeaders) {
    const value = headers[name];
    if (typeof value === "string" && value !== "") return hash(`header\n${name}\n${value}`);
  }
  return null;
}

function namedByBody(members: Readonly<Record<string, Json | undefined>>): string | null {
  const { prompt_cache_key: cacheKey, conversation, metadata } = members;
  for (const value of [cacheKey, conversation, fieldOf(conversation, "id"), fieldOf(metadata, "user_id")]) {
    if (typeof value === "string" && value !== "") return hash(`body\n${value}`);
  }
  return null;
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
  return oneHash("sha256", text, "base64url");
}
