import {
  block,
  branch,
  branchIf,
  end,
  get,
  i32,
  i8x16,
  type Instruction,
  load,
  loop,
  number,
  set,
  startWasm,
  store,
  v128,
} from "../core/wasm-module.ts";

/**
 * Where any of some short texts stand in a body, found in one pass. A search of its own for each costs 50 to 200 µs in the 200 KB that agents
 * send, since they begin with a quote, as every twentieth byte does; this pass costs about 70 µs for all of them together.
 *
 * It is WebAssembly with SIMD, after "Teddy" of Hyperscan: of 16 places at once it is asked whether a quote or a backslash stands there, and
 * whether the three bytes behind can go on in a needle. Each of these is looked up by its halves, in tables of 16 bytes whose bits stand for
 * groups of needles; where the same bit is left in the end is a candidate, and only candidates are compared in JavaScript.
 */
export interface NeedleIndex {
  /** Where `needle` begins, from `from` on; -1 when it is not there. Undefined for a text that is none of the needles. */
  find(needle: string, from: number): number | undefined;
}

/** Finds needles in bodies. Null for a body that holds too many of them to keep. */
export type Indexer = (bytes: Uint8Array) => NeedleIndex | null;

/** Places that are kept of one body. */
const mostPlaces = 20_000;

/** Bytes that are looked at in one call; a multiple of 16. Small, so that they stay in the processor's cache. */
const chunkBytes = 65_536;
/** Bytes behind a place that the pass reads with it. */
const behind = 3;

/** Where things lie in the memory of the pass: the text, with room for reading beyond its end; the tables; the candidates. */
const tablesAt = chunkBytes + 64;
const candidatesAt = tablesAt + 2 * behind * 16;
/** The second byte of a needle is never a first one, so at most every other place is a candidate; each takes four bytes. */
const pages = Math.ceil((candidatesAt + 2 * chunkBytes) / 65_536);

const firstBytes = { quote: 0x22, backslash: 0x5c };
const needlePattern = /^["\\][a-z][!-~]{2,}$/;

const encoder = new TextEncoder();

/**
 * Null where there is no WebAssembly with SIMD. Throws for a needle that is not a quote or a backslash, a small letter and more of ASCII, or
 * with which another one begins.
 */
export function createIndexer(needles: readonly string[]): Indexer | null {
  const strange = needles.find(
    (needle, i) => !needlePattern.test(needle) || needles.some((other, j) => i !== j && other.startsWith(needle)),
  );
  if (strange !== undefined) throw new TypeError(`this can't be a needle: ${strange}`);
  const pass = startWasm({ parameters: 1, numbers: 3, vectors: 4 + 2 * behind, pages, code: findCode() });
  if (pass === null) return null;
  const { memory, call: find } = pass;
  new Uint8Array(memory, tablesAt).set(tablesOf(needles));
  const text = new Uint8Array(memory, 0, tablesAt);
  const candidates = new Int32Array(memory, candidatesAt);
  const known = needles.map((text): Needle => ({ codes: encoder.encode(text), places: null }));
  /** By the second byte. */
  const bySecond = Array.from({ length: 128 }, (_, code) => known.filter(({ codes }) => codes[1] === code));
  const none: readonly Needle[] = [];

  return (bytes) => {
    for (const needle of known) needle.places = null;
    let left = mostPlaces;
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      const piece = bytes.length <= chunkBytes ? bytes : bytes.subarray(at, at + chunkBytes + behind);
      text.set(piece);
      // What was there before must not be taken for more of it.
      text.fill(0, piece.length, piece.length + 16 + behind);
      const count = find(Math.min(chunkBytes, bytes.length - at));
      for (let i = 0; i < count; i++) {
        const place = at + (candidates[i] ?? 0);
        const which = whichAt(bytes, place, bySecond[bytes[place + 1] ?? 0] ?? none);
        if (which === null) continue;
        if (--left < 0) return null;
        (which.places ??= []).push(place);
      }
    }
    return new Places(needles, known);
  };
}

/** What was found in one body. */
class Places implements NeedleIndex {
  readonly #needles: readonly string[];
  readonly #places: (readonly number[] | null)[] = [];

  constructor(needles: readonly string[], known: readonly Needle[]) {
    this.#needles = needles;
    for (const { places } of known) this.#places.push(places);
  }

  find(needle: string, from: number): number | undefined {
    const which = this.#needles.indexOf(needle);
    return which < 0 ? undefined : firstFrom(this.#places[which] ?? null, from);
  }
}

interface Needle {
  readonly codes: Uint8Array;
  /** Where it was found in the body that is looked at; null: nowhere. */
  places: number[] | null;
}

function whichAt(bytes: Uint8Array, place: number, among: readonly Needle[]): Needle | null {
  for (let i = 0; i < among.length; i++) {
    const needle = among[i];
    if (needle === undefined) continue;
    const { codes } = needle;
    let same = 0;
    while (same < codes.length && bytes[place + same] === codes[same]) same += 1;
    if (same === codes.length) return needle;
  }
  return null;
}

/** The first of ascending places that is not before `from`; -1 when there is none. */
function firstFrom(places: readonly number[] | null, from: number): number {
  if (places === null) return -1;
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((places[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  return places[low] ?? -1;
}

/** For each of the bytes behind the first, a table by its lower half and one by its upper half. */
function tablesOf(needles: readonly string[]): Uint8Array {
  const groups = [...new Set(needles.map((needle) => needle.slice(0, 1 + behind)))];
  const tables = new Uint8Array(2 * behind * 16);
  for (const needle of needles) {
    const group = 1 << (groups.indexOf(needle.slice(0, 1 + behind)) % 8);
    for (let i = 0; i < behind; i++) {
      const code = needle.charCodeAt(1 + i);
      for (const at of [32 * i + (code & 15), 32 * i + 16 + (code >> 4)]) tables[at] = (tables[at] ?? 0) | group;
    }
  }
  return tables;
}

/** Locals: the length, which is given; the place; where the next candidate goes; bits of candidates. Then vectors. */
const [length, place, next, bits] = [0, 1, 2, 3];
const [bytesHere, matched, quotes, backslashes, firstTable] = [4, 5, 6, 7, 8];

/** ```
 * for place from 0 to length, by 16:
 *   matched = first byte is a quote or a backslash; and lower[second & 15] & upper[second >> 4]
 *   if any: matched &= lower[third & 15] & upper[third >> 4], and the same for the fourth
 *     for each of the 16 places with any bit in matched: store it
 * ``` */
function findCode(): Instruction[] {
  const tables = Array.from({ length: 2 * behind }, (_, i) => [
    number(0),
    load.bytes16(tablesAt + 16 * i),
    set(firstTable + i),
  ]);
  const splat = (value: number): Instruction[] => [number(value), i8x16.splat];
  const add = (local: number, value: number): Instruction[] => [get(local), number(value), i32.add, set(local)];
  const lookUp = (table: number, half: Instruction[]): Instruction[] => [
    get(table),
    get(bytesHere),
    ...half,
    i8x16.swizzle,
  ];
  const groupsOf = (byte: number): Instruction[] => [
    get(place),
    load.bytes16(1 + byte),
    set(bytesHere),
    ...lookUp(firstTable + 2 * byte, [...splat(15), v128.and]),
    ...lookUp(firstTable + 2 * byte + 1, [number(4), i8x16.shrU]),
    v128.and,
  ];
  const isFirst = (first: number): Instruction[] => [get(bytesHere), get(first), i8x16.eq];
  const lines: Instruction[][] = [
    ...tables,
    [...splat(firstBytes.quote), set(quotes), ...splat(firstBytes.backslash), set(backslashes)],
    [number(candidatesAt), set(next)],
    [block, loop],
    [get(place), get(length), i32.geU, branchIf(1)],
    [get(place), load.bytes16(0), set(bytesHere), ...isFirst(quotes), ...isFirst(backslashes), v128.or],
    [...groupsOf(0), v128.and, set(matched)],
    [block],
    [get(matched), v128.anyTrue, i32.eqz, branchIf(0)],
    [get(matched), ...groupsOf(1), v128.and, ...groupsOf(2), v128.and],
    [...splat(0), i8x16.ne, i8x16.bitmask, set(bits)],
    [get(bits), i32.eqz, branchIf(0)],
    [loop],
    [get(next), get(place), get(bits), i32.ctz, i32.add, store.bytes4, ...add(next, 4)],
    [get(bits), get(bits), number(1), i32.sub, i32.and, set(bits)],
    [get(bits), branchIf(0)],
    [end, end],
    [...add(place, 16), branch(0)],
    [end, end],
    [get(next), number(candidatesAt), i32.sub, number(2), i32.shrU],
  ];
  return lines.flat();
}
