import { getRandomValues } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { crc32 } from "node:zlib";
import type { Json } from "../protocols/canonical.ts";
import { readTopLevel } from "../protocols/edit-json.ts";
import {
  firstElement,
  type JsonBytes,
  nextElement,
  type Scan,
  skipSpace,
  type Span,
  valueOf,
} from "../protocols/json-bytes.ts";

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
 * user that the body names, else how it begins (system text and first message of the person). It is a number that this process alone makes of
 * it, since it is kept in memory and what it is made of is nobody's to read. Two conversations that share one by accident prefer one login.
 */
export function conversationOf(
  headers: IncomingHttpHeaders,
  members: Readonly<Record<string, Json | undefined>>,
  text: string,
): string {
  return namedByHeader(headers) ?? namedByBody(members) ?? nameOf("opening", openingOf(text));
}

/**
 * The same for a body that is not parsed. Where it names nothing, the opening counts as it is written: two bodies of one conversation are
 * written by one client. Null when the opening is further in than was looked.
 */
export function conversationIn(headers: IncomingHttpHeaders, json: JsonBytes, scan: Scan): string | null {
  const named = namedByHeader(headers);
  if (named !== null) return named;
  const { members, long } = scan;
  const byBody = bodyNames.some((name) => members.has(name)) ? namedByBody(namesIn(json, scan)) : null;
  if (byBody !== null) return byBody;
  const list = members.get("messages") ?? members.get("input") ?? (isList(long?.name) ? long : null);
  if (list === null) return null;
  const name = new Name("opening");
  addBeginning(name, json, members.get("system"));
  addBeginning(name, json, members.get("instructions"));
  addFirstWords(name, json, list.start);
  return name.text;
}

const bodyNames = ["prompt_cache_key", "conversation", "metadata"];

function namesIn(json: JsonBytes, scan: Scan): Record<string, Json | undefined> {
  return Object.fromEntries(bodyNames.map((name) => [name, valueOf(json, scan, name)]));
}

function isList(name: string | undefined): boolean {
  return name === "messages" || name === "input";
}

/** Elements of a history that are looked at for the first one of the person. */
const firstElements = 4;
/** So far a history is looked through, in bytes. */
const historyLimit = 16_384;

/** Adds the history up to the first message of the person, each element cut like `openingLimit`. */
function addFirstWords(name: Name, json: JsonBytes, start: number): void {
  const { bytes } = json;
  if (bytes[start] !== 0x5b) return addBeginning(name, json, { start, end: bytes.length });
  const limit = start + historyLimit;
  let element = firstElement(json, start, limit);
  for (let count = 1; element !== null; count++) {
    addBeginning(name, json, element);
    if (count === firstElements || isOfUser(bytes, element)) return;
    element = nextElement(json, element, limit);
  }
}

function addBeginning(name: Name, { bytes }: JsonBytes, span: Span | undefined): void {
  if (span !== undefined) name.addBytes(bytes.subarray(span.start, Math.min(span.end, span.start + openingLimit)));
}

/** True when `"role": "user"` stands near the beginning of an element. */
function isOfUser(bytes: Uint8Array, { start, end }: Span): boolean {
  const until = Math.min(end, start + openingLimit);
  for (let at = start; at < until; at++) {
    if (bytes[at] !== 0x22 || bytes[at + 1] !== 0x72 || !standsAt(bytes, at, '"role"')) continue;
    const colon = skipSpace(bytes, at + 6);
    if (bytes[colon] === 0x3a && standsAt(bytes, skipSpace(bytes, colon + 1), '"user"')) return true;
  }
  return false;
}

function standsAt(bytes: Uint8Array, at: number, text: string): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function namedByHeader(headers: IncomingHttpHeaders): string | null {
  for (const name of sessionHeaders) {
    const value = headers[name];
    if (typeof value === "string" && value !== "") return nameOf(name, value);
  }
  return null;
}

function namedByBody(members: Readonly<Record<string, Json | undefined>>): string | null {
  const { prompt_cache_key: cacheKey, conversation, metadata } = members;
  for (const value of [cacheKey, conversation, fieldOf(conversation, "id"), fieldOf(metadata, "user_id")]) {
    if (typeof value === "string" && value !== "") return nameOf("body", value);
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

const [lowSeed = 0, highSeed = 0] = getRandomValues(new Int32Array(2));

/** A name in the making: what is added is mixed into two words, from a seed of this process (after "cyrb53"). Not for what must not be forged. */
class Name {
  #low = lowSeed;
  #high = highSeed;

  /** `kind`: what it is made from, so that the same text elsewhere makes another name. */
  constructor(kind: string) {
    this.addText(kind);
  }

  addText(text: string): void {
    for (let i = 0; i < text.length; i++) this.#add(text.charCodeAt(i));
    this.#add(-1);
  }

  addBytes(bytes: Uint8Array): void {
    this.#add(crc32(bytes, lowSeed >>> 0));
    this.#add(bytes.length);
  }

  #add(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x9e3779b1);
    this.#high = Math.imul(this.#high ^ word, 0x5f356495);
  }

  get text(): string {
    const low = Math.imul(this.#low ^ (this.#high >>> 15), 0x85ebca6b);
    const high = Math.imul(this.#high ^ (this.#low >>> 13), 0xc2b2ae35);
    return `${low >>> 0}.${high >>> 0}`;
  }
}

function nameOf(kind: string, text: string): string {
  const name = new Name(kind);
  name.addText(text);
  return name.text;
}
