import { UnderstudyError } from "../core/error.ts";
import type { Json } from "./canonical.ts";

/** What to change at the top level of a JSON object. A key that is in both is set. */
export interface TopLevelEdits {
  readonly set?: Readonly<Record<string, Json>>;
  readonly remove?: readonly string[];
}

/**
 * Changes the named top-level members of a JSON object's text and leaves every other member as it was, byte for byte:
 * numbers beyond double precision, escapes, white space, order, and duplicates of keys that are not named.
 *
 * - Of a key that stands there several times, the last occurrence is changed in place (the one `JSON.parse` reads) and the
 *   earlier ones are taken out, so that no reader finds the old value.
 * - A key counts whichever way it is escaped: `"\u006dodel"` is `model`.
 * - A key to set that is missing is added at the end.
 *
 * Throws `UnderstudyError` `request_refused` when `text` is not a JSON object.
 */
export function editTopLevel(text: string, edits: TopLevelEdits): string {
  const set = new Map(Object.entries(edits.set ?? {}));
  const remove = new Set((edits.remove ?? []).filter((key) => !set.has(key)));

  checkObject(text);
  const { open, close, members } = scanMembers(text);
  const last = new Map(members.map((member, index) => [member.key, index]));

  const kept: string[] = [];
  for (const [index, member] of members.entries()) {
    if (remove.has(member.key)) continue;
    const value = set.get(member.key);
    if (value === undefined) kept.push(text.slice(member.start, member.end));
    else if (last.get(member.key) === index) {
      kept.push(
        text.slice(member.start, member.valueStart) + JSON.stringify(value) + text.slice(member.valueEnd, member.end),
      );
    }
  }
  for (const [key, value] of set) {
    if (!last.has(key)) kept.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  }
  return text.slice(0, open) + kept.join(",") + text.slice(close);
}

/**
 * The values of the named top-level keys; undefined for a key that is missing. Of duplicates the last one counts.
 * Throws `UnderstudyError` `request_refused` when `text` is not a JSON object.
 */
export function readTopLevel(text: string, keys: readonly string[]): Record<string, Json | undefined> {
  checkObject(text);
  const values = new Map(scanMembers(text).members.map((member) => [member.key, member]));
  return Object.fromEntries(
    keys.map((key) => {
      const member = values.get(key);
      return [key, member && (JSON.parse(text.slice(member.valueStart, member.valueEnd)) as Json)];
    }),
  );
}

function checkObject(text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Without the parser's own error as its cause: that one quotes the text, and the text is a conversation.
    throw new UnderstudyError("request_refused", "the request body is not valid JSON");
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new UnderstudyError("request_refused", "the request body is not a JSON object");
  }
}

/** One `key: value`, as offsets: from after the separator before it to before the separator after it. */
interface Member {
  readonly key: string;
  readonly start: number;
  readonly valueStart: number;
  readonly valueEnd: number;
  readonly end: number;
}

/** Finds the members of an object's text that `JSON.parse` has accepted: what stands where needs no second check. */
function scanMembers(text: string): { open: number; close: number; members: Member[] } {
  const open = skipSpace(text, 0) + 1;
  const members: Member[] = [];
  let start = open;
  let at = skipSpace(text, start);
  while (text[at] !== "}") {
    const keyEnd = skipString(text, at);
    // Each key by itself: V8 misreads escaped keys of whole objects (https://github.com/nodejs/node/issues/63785).
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    const valueStart = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const valueEnd = skipValue(text, valueStart);
    at = skipSpace(text, valueEnd);
    const isLast = text[at] === "}";
    members.push({ key, start, valueStart, valueEnd, end: isLast ? valueEnd : at });
    if (isLast) return { open, close: valueEnd, members };
    start = at + 1;
    at = skipSpace(text, start);
  }
  return { open, close: open, members };
}

function skipSpace(text: string, at: number): number {
  let code = text.charCodeAt(at);
  while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = text.charCodeAt(++at);
  return at;
}

/** From an opening quote to after the closing one. */
function skipString(text: string, at: number): number {
  let quote = text.indexOf('"', at + 1);
  while (isEscaped(text, quote)) quote = text.indexOf('"', quote + 1);
  return quote + 1;
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text[quote - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}

/** What matters inside a nested value: the rest can't change the depth. */
const structural = /["{}[\]]/g;
/** What ends a number or a word. */
const ending = /[,}\s]/g;

function skipValue(text: string, at: number): number {
  if (text[at] === '"') return skipString(text, at);
  if (text[at] !== "{" && text[at] !== "[") return find(ending, text, at);
  let depth = 0;
  do {
    if (text[at] === '"') at = skipString(text, at);
    else {
      depth += text[at] === "{" || text[at] === "[" ? 1 : -1;
      at++;
    }
    if (depth > 0) at = find(structural, text, at);
  } while (depth > 0);
  return at;
}

function find(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}
