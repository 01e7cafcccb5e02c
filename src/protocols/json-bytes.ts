import type { Json } from "./canonical.ts";

/**
 * A request's body as it came: UTF-8 that is looked at without being decoded. What has no meaning for JSON (letters beyond ASCII) is made
 * of bytes that have none either, so structure can be followed in the bytes.
 */
export interface JsonBytes {
  readonly bytes: Uint8Array;
  /** Where `text` (ASCII) begins, from `from` on; -1 when it is not there. */
  find(text: string, from: number): number;
  /** Decoded. All of it without arguments. */
  text(from?: number, to?: number): string;
  /** For `scanRouting`: what it has found. */
  routing?: Scan | null | undefined;
}

/** A value, as offsets. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The value of a member of an object, and where its key begins. */
export interface MemberSpan extends Span {
  readonly key: number;
}

/** What a scan knows of the top level of a body. */
export interface Scan {
  /** The values of the names asked for; of duplicates the last one, as `JSON.parse` takes it. A name that is missing is not there. */
  readonly members: ReadonlyMap<string, MemberSpan>;
  /** Behind the opening brace. */
  readonly open: number;
  /** So far it was walked through from the beginning. */
  readonly stop: number;
  /** True when a name stands more than once. */
  readonly hasDuplicates: boolean;
  /** Where the value begins that was too long to be walked through, and its name; null when there was none. */
  readonly long: { readonly name: string; readonly start: number } | null;
}

/** How an escape begins that can stand for a letter of a name: `\\u0065` is e. */
const letterEscape = "\\u00";

/** Names that route a request, and what it is known by. */
const routingNames = ["model", "stream"];
const routingPreferences = [
  "prompt_cache_key",
  "metadata",
  "conversation",
  "system",
  "instructions",
  "messages",
  "input",
];
const routingWanted: readonly string[] = [...routingNames, ...routingPreferences];
/** Names that providers set or take out. */
const ruledNames = ["store", "max_output_tokens"];
/** What tells that a history may need cleaning. */
const historyNames = ["call_id", "tool_call_id", "tool_use_id", "encrypted_content", "signature", "understudy"];

/** What bodies are searched for. A search for anything else is as right, but goes through the whole body by itself. */
export const searchedTexts: readonly string[] = [
  ...[...routingNames, ...routingPreferences, ...ruledNames, ...historyNames].map((name) => `"${name}"`),
  '"rs_',
  letterEscape,
];

/** So much is walked through at the beginning, and at most so much at the end, in bytes. */
const headLimit = 8_192;
const tailLimit = 4_096;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Finds members at the top level of a body without parsing it. A body of an agent is a few short members and one or two long ones, so its
 * two ends are enough:
 *
 * - From the beginning each member is walked through, up to `headLimit` bytes. Most bodies that are no longer end there: then everything
 *   is known, as `JSON.parse` knows it.
 * - In the last `tailLimit` bytes the last `"name"` of each name is taken for a key, and the members from there on are walked through. If
 *   they end with the object itself, they stand at its top level.
 * - A name that was found at the end is the one that counts, whatever stands before it. One that was found at the beginning must not stand
 *   anywhere behind it, and one that was not found must not stand anywhere, nor be written there with escapes. Of `preferences` that is not
 *   asked: they are taken as far as they are seen.
 *
 * Null when that does not tell, or when what was walked through is no JSON: then somebody has to parse it. What lies between the two ends is
 * not checked; whoever is asked in the end says what is wrong with it.
 */
export function scanTopLevel(json: JsonBytes, names: readonly string[], preferences: readonly string[]): Scan | null {
  return scan(json, names, preferences.length === 0 ? names : [...names, ...preferences]);
}

/** `wanted`: the names and the preferences. */
function scan(json: JsonBytes, names: readonly string[], wanted: readonly string[]): Scan | null {
  const { bytes } = json;
  const open = skipSpace(bytes, 0);
  if (bytes[open] !== openBrace) return null;
  const members = new Map<string, MemberSpan>();
  const head = walk(json, open + 1, headLimit, wanted, members);
  if (head === null) return null;
  if (head.end !== null) {
    if (skipSpace(bytes, head.end) !== bytes.length) return null;
    return { members, open: open + 1, stop: head.stop, hasDuplicates: head.hasDuplicates, long: null };
  }
  if (head.long !== null && names.includes(head.long.name)) return null;
  const tail = Math.max(head.stop, bytes.length - tailLimit);
  const atEnd = new Set<string>();
  for (const name of wanted) {
    if (atEnd.has(name)) continue;
    const at = findLast(json, `"${name}"`, tail);
    if (at >= 0 && bytes[at - 1] !== backslash) isTail(json, at, wanted, members, atEnd);
  }
  const unseen = names.filter((name) => !atEnd.has(name));
  if (unseen.some((name) => json.find(`"${name}"`, head.stop) >= 0)) return null;
  if (unseen.length > 0 && mayHoldEscaped(json, unseen, head.stop)) return null;
  return { members, open: open + 1, stop: head.stop, hasDuplicates: head.hasDuplicates, long: head.long };
}

/** The members that route a request; see `scanTopLevel`. A body is looked at once. */
export function scanRouting(json: JsonBytes): Scan | null {
  if (json.routing === undefined) json.routing = scan(json, routingNames, routingWanted);
  return json.routing;
}

/** The value of a member that a scan has found; undefined for one that is not there. Throws a `SyntaxError` when it is no JSON. */
export function valueOf(json: JsonBytes, { members }: Scan, name: string): Json | undefined {
  const span = members.get(name);
  return span === undefined ? undefined : (JSON.parse(json.text(span.start, span.end)) as Json);
}

const encoder = new TextEncoder();

/**
 * What `editTopLevel` does, in bytes: pieces that are to be sent one after the other. A key to set that is missing is added at the
 * beginning. Null when a scan does not tell enough, or a key stands there twice: then the text has to be edited.
 */
export function editBytes(
  json: JsonBytes,
  { set = {}, remove = [] }: { set?: Readonly<Record<string, Json>>; remove?: readonly string[] },
): Uint8Array[] | null {
  const names = remove.length === 0 ? Object.keys(set) : [...Object.keys(set), ...remove];
  const isRouting = names.every((name) => routingNames.includes(name));
  const scan = isRouting ? scanRouting(json) : scanTopLevel(json, names, []);
  if (scan === null || scan.hasDuplicates) return null;
  const { bytes } = json;
  const cuts: { from: number; to: number; text: string }[] = [];
  for (const name of names) {
    const member = scan.members.get(name);
    const value = set[name];
    // One at the end may stand between as well, where the old value must not be left for a reader who takes the first.
    if (member !== undefined && member.key > scan.stop) {
      if (json.find(`"${name}"`, scan.stop) !== member.key || mayHoldEscaped(json, [name], scan.stop)) return null;
    }
    if (value !== undefined) {
      const text = JSON.stringify(value);
      if (member !== undefined) cuts.push({ from: member.start, to: member.end, text });
      else if (bytes[skipSpace(bytes, scan.open)] === closeBrace) return null;
      else cuts.push({ from: scan.open, to: scan.open, text: `${JSON.stringify(name)}:${text},` });
    } else if (member !== undefined) {
      const next = skipSpace(bytes, member.end);
      // The last member takes the comma before it along, which another cut may want, too.
      if (bytes[next] !== comma) return null;
      cuts.push({ from: member.key, to: next + 1, text: "" });
    }
  }
  if (cuts.length > 1) cuts.sort((a, b) => a.from - b.from);
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { from, to, text } of cuts) {
    if (from > at) pieces.push(bytes.subarray(at, from));
    if (text !== "") pieces.push(encoder.encode(text));
    at = to;
  }
  pieces.push(bytes.subarray(at));
  return pieces;
}

/** Of a body with more of them it is not asked what each stands for. */
const mostEscapes = 1_000;

/** True when one of these names may stand somewhere from `from` on in a way that has letters of it escaped. */
function mayHoldEscaped(json: JsonBytes, names: readonly string[], from: number): boolean {
  const { bytes } = json;
  // Of other names more than small letters could be escaped.
  if (!names.every((name) => /^[a-z_]+$/.test(name))) return true;
  const longest = 6 * Math.max(...names.map((name) => name.length));
  let count = 0;
  for (let at = json.find(letterEscape, from); at >= 0; at = json.find(letterEscape, at + 1)) {
    if (++count > mostEscapes) return true;
    const digit = bytes[at + letterEscape.length] ?? 0;
    if (digit < 0x35 || digit > 0x37) continue;
    const start = nearestQuote(bytes, at, -1, longest);
    const last = nearestQuote(bytes, at, 1, longest);
    if (start < 0 || last < 0) continue;
    if (names.includes(decodedKey(json.text(start, last + 1)) ?? "")) return true;
  }
  return false;
}

/** The quote that is next to `at` in one direction, at most `limit` bytes away; -1 when there is none. */
function nearestQuote(bytes: Uint8Array, at: number, step: 1 | -1, limit: number): number {
  for (let i = 1; i <= limit; i++) if (bytes[at + step * i] === quote) return at + step * i;
  return -1;
}

/** Where `text` begins last, from `from` on; -1 when it is not there. */
function findLast(json: JsonBytes, text: string, from: number): number {
  let last = -1;
  for (let at = json.find(text, from); at >= 0; at = json.find(text, at + 1)) last = at;
  return last;
}

/** True when the members from the key at `at` on end with the object itself; then those that are wanted are noted. */
function isTail(
  json: JsonBytes,
  at: number,
  wanted: readonly string[],
  members: Map<string, MemberSpan>,
  atEnd: Set<string>,
): boolean {
  const found = new Map<string, MemberSpan>();
  const walked = walk(json, at, Number.POSITIVE_INFINITY, wanted, found);
  if (walked === null || walked.end === null || skipSpace(json.bytes, walked.end) !== json.bytes.length) return false;
  for (const [name, span] of found) {
    // It stands at the beginning as well: whoever writes has to take care of both.
    if (walked.hasDuplicates || members.has(name)) return false;
    members.set(name, span);
    atEnd.add(name);
  }
  return true;
}

interface Walk {
  /** Behind the closing brace; null when the limit was met before. */
  readonly end: number | null;
  /** Where the walk stopped: behind the last member that was walked through. */
  readonly stop: number;
  readonly long: Scan["long"];
  readonly hasDuplicates: boolean;
}

/** Walks through members from a key (or a closing brace) at `at` on. Null for what is no JSON. */
function walk(
  json: JsonBytes,
  at: number,
  limit: number,
  wanted: readonly string[],
  members: Map<string, MemberSpan>,
): Walk | null {
  const { bytes } = json;
  let hasDuplicates = false;
  at = skipSpace(bytes, at);
  if (bytes[at] === closeBrace) return { end: at + 1, stop: at, long: null, hasDuplicates };
  for (;;) {
    if (bytes[at] !== quote) return null;
    const key = at;
    const keyEnd = skipString(bytes, at);
    if (keyEnd < 0) return null;
    const name = keyOf(json, at, keyEnd, wanted);
    const before = skipSpace(bytes, keyEnd);
    if (bytes[before] !== colon) return null;
    const start = skipSpace(bytes, before + 1);
    const end = skipValue(bytes, start, limit);
    if (end === null) return null;
    if (end < 0) {
      return { end: null, stop: start, long: { name: name ?? json.text(at + 1, keyEnd - 1), start }, hasDuplicates };
    }
    if (name !== null) {
      if (members.has(name)) hasDuplicates = true;
      members.set(name, { key, start, end });
    }
    at = skipSpace(bytes, end);
    if (bytes[at] === closeBrace) return { end: at + 1, stop: at, long: null, hasDuplicates };
    if (bytes[at] !== comma) return null;
    at = skipSpace(bytes, at + 1);
  }
}

/** The name of a key if it is wanted, whichever way it is escaped; else null. */
function keyOf(json: JsonBytes, from: number, to: number, wanted: readonly string[]): string | null {
  const { bytes } = json;
  let isEscaped = false;
  for (let at = from + 1; at < to - 1 && !isEscaped; at++) isEscaped = bytes[at] === backslash;
  if (isEscaped) return wanted.find((name) => name === decodedKey(json.text(from, to))) ?? null;
  for (const name of wanted) {
    if (name.length !== to - from - 2) continue;
    let at = 0;
    while (at < name.length && bytes[from + 1 + at] === name.charCodeAt(at)) at += 1;
    if (at === name.length) return name;
  }
  return null;
}

function decodedKey(text: string): string | null {
  try {
    return JSON.parse(text) as string;
  } catch {
    return null;
  }
}

/** An element of a list; of one that goes on behind a limit the part before it. */
export interface ElementSpan extends Span {
  readonly isWhole: boolean;
}

/** The first element of the list at `at`, up to `limit`; null when there is none. */
export function firstElement(json: JsonBytes, at: number, limit: number): ElementSpan | null {
  return json.bytes[at] === openBracket ? elementAt(json, skipSpace(json.bytes, at + 1), limit) : null;
}

/** The element behind this one; null when it was the last or `limit` is passed. */
export function nextElement(json: JsonBytes, { end, isWhole }: ElementSpan, limit: number): ElementSpan | null {
  const at = skipSpace(json.bytes, end);
  return isWhole && json.bytes[at] === comma ? elementAt(json, skipSpace(json.bytes, at + 1), limit) : null;
}

function elementAt({ bytes }: JsonBytes, start: number, limit: number): ElementSpan | null {
  if (start >= limit || bytes[start] === closeBracket) return null;
  const end = skipValue(bytes, start, limit);
  return end === null ? null : { start, end: end < 0 ? limit : end, isWhole: end >= 0 };
}

/** Behind the white space at `at`. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  let byte = bytes[at];
  while (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) byte = bytes[++at];
  return at;
}

/** So many bytes of a string are looked at one by one before the search for its end is worth its call. */
const shortString = 32;

/** From an opening quote to behind the closing one; -1 when there is none. */
function skipString(bytes: Uint8Array, at: number): number {
  const near = Math.min(bytes.length, at + shortString);
  at += 1;
  while (at < near) {
    const byte = bytes[at];
    if (byte === quote) return at + 1;
    at += byte === backslash ? 2 : 1;
  }
  for (let end = bytes.indexOf(quote, at); end >= 0; end = bytes.indexOf(quote, end + 1)) {
    let backslashes = 0;
    // Not before `at`: there each escape was passed as a whole.
    while (end - 1 - backslashes >= at && bytes[end - 1 - backslashes] === backslash) backslashes += 1;
    if (backslashes % 2 === 0) return end + 1;
  }
  return -1;
}

/** From the beginning of a value to behind it. -1: `limit` was passed before its end. Null: this is no value. */
function skipValue(bytes: Uint8Array, at: number, limit: number): number | null {
  let depth = 0;
  for (;;) {
    if (at > limit) return -1;
    const byte = bytes[at];
    if (byte === undefined) return null;
    if (byte === quote) {
      at = skipString(bytes, at);
      if (at < 0) return null;
      if (depth === 0) return at > limit ? -1 : at;
    } else if (byte === openBrace || byte === openBracket) {
      depth += 1;
      at += 1;
    } else if (byte === closeBrace || byte === closeBracket) {
      if (depth === 0) return null;
      depth -= 1;
      at += 1;
      if (depth === 0) return at;
    } else if (depth === 0) {
      const end = skipWord(bytes, at);
      return end === at ? null : end;
    } else at += 1;
  }
}

/** Behind a number, `true`, `false` or `null`. */
function skipWord(bytes: Uint8Array, at: number): number {
  for (;;) {
    const byte = bytes[at] ?? 0;
    const isPart =
      (byte >= 0x30 && byte <= 0x39) ||
      (byte >= 0x61 && byte <= 0x7a) ||
      byte === 0x2d ||
      byte === 0x2b ||
      byte === 0x2e ||
      byte === 0x45;
    if (!isPart) return at;
    at += 1;
  }
}
