import type { JsonBytes } from "./json-bytes.ts";

/** What a protocol accepts as the id of a tool call. */
export interface ToolIdRule {
  /** Characters; at least 24. */
  readonly maxLength: number;
  /** Matches one character that is not allowed. Must carry the `g` flag. */
  readonly forbidden: RegExp;
}

/**
 * The id as `rule` accepts it: unchanged when it is fine, else its readable part and a hash of the whole. A pure
 * function, so a call and its result get the same id wherever they are met.
 */
export function fitToolId(id: string, rule: ToolIdRule): string {
  const clean = id.replaceAll(rule.forbidden, "_");
  if (clean === id && id !== "" && id.length <= rule.maxLength) return id;
  const hash = hashText(id);
  return `${clean.slice(0, rule.maxLength - hash.length - 1) || "call"}_${hash}`;
}

/**
 * True when a JSON text holds a string called `key` that `rule` does not accept; with `once` also when one stands there twice. For a
 * look at a body that is not parsed: it finds at least what there is.
 */
export function hasUnfitIds(text: string, key: string, rule: ToolIdRule, once = false): boolean {
  const name = `"${key}"`;
  const seen = new Set<string>();
  for (let at = text.indexOf(name); at >= 0; at = text.indexOf(name, at + name.length)) {
    stringAfterName.lastIndex = at + name.length;
    const id = stringAfterName.exec(text)?.[1];
    if (id === undefined) continue;
    if (fitToolId(id, rule) !== id || (once && seen.has(id))) return true;
    seen.add(id);
  }
  return false;
}

/** The same for a body that is not even decoded. */
export function hasUnfitIdsIn(json: JsonBytes, key: string, rule: ToolIdRule, once = false): boolean {
  const name = `"${key}"`;
  const seen = new Set<string>();
  for (let at = json.find(name, 0); at >= 0; at = json.find(name, at + name.length)) {
    const end = at + name.length;
    const length = plainIdLength(json.bytes, end, rule);
    if (length > 0 && length <= rule.maxLength) {
      if (!once) continue;
      const plain = json.text(end + 2, end + 2 + length);
      if (seen.has(plain)) return true;
      seen.add(plain);
      continue;
    }
    stringAfterName.lastIndex = 0;
    // The rest of an id that is so long does not make it any shorter.
    const id = stringAfterName.exec(`${json.text(end, end + rule.maxLength + 32)}"`)?.[1];
    if (id === undefined) continue;
    if (fitToolId(id, rule) !== id || (once && seen.has(id))) return true;
    seen.add(id);
  }
  return false;
}

/** Characters that a rule allows, by their code. Asked of each rule once: there are as many rules as protocols. */
const allowed = new WeakMap<ToolIdRule, readonly boolean[]>();

function allowedBy(rule: ToolIdRule): readonly boolean[] {
  let known = allowed.get(rule);
  if (known === undefined) {
    const isAllowed = (_: unknown, code: number): boolean =>
      code > 0x20 && code !== 0x22 && code !== 0x5c && String.fromCharCode(code).replaceAll(rule.forbidden, "") !== "";
    allowed.set(rule, (known = Array.from({ length: 128 }, isAllowed)));
  }
  return known;
}

/** The length of an id of nothing but allowed characters that is written right behind its name (`:"call_1"`); -1 for anything else. */
function plainIdLength(bytes: Uint8Array, at: number, rule: ToolIdRule): number {
  if (bytes[at] !== 0x3a || bytes[at + 1] !== 0x22) return -1;
  const isAllowed = allowedBy(rule);
  const start = at + 2;
  let end = start;
  while (isAllowed[bytes[end] ?? 0] === true) end += 1;
  return bytes[end] === 0x22 ? end - start : -1;
}

const stringAfterName = /\s*:\s*"((?:[^"\\]|\\.)*)"/y;

/** An id for a call that came without one: the same answer always gives the same ids. */
export function inventToolId(answerId: string, index: number, name: string): string {
  return `call_${hashText(`${answerId}\n${index}\n${name}`)}`;
}

/** 16 hex digits; two runs of FNV-1a from different starts. To tell ids apart, not to protect anything. */
function hashText(text: string): string {
  return fnv1a(text, 0x811c9dc5) + fnv1a(text, 0x1b873593);
}

function fnv1a(text: string, start: number): string {
  let hash = start;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0");
}
