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
  select,
  set,
  startWasm,
  v128,
  type WasmFunction,
} from "../core/wasm-module.ts";

/** What events look like that say the same kind of thing and differ only in what they say. Each ends with a blank line, and its lines with LF. */
export interface EventShape {
  /**
   * What stands in each of them, none empty. Between two of these is what a JSON string holds, so all but the first begin with the quote behind
   * it.
   */
  readonly literals: readonly [string, ...string[]];
  /**
   * What comes behind the last literal. 0: nothing, it holds the blank line. 1 or 2: anything up to the end of the line, whose last characters
   * are so many closing braces, and the blank line.
   */
  readonly braces: 0 | 1 | 2;
}

/** A shape as the pass reads it; null for one that is too long for it. */
export type LearnedShape = Uint8Array | null;

/** Bytes that are looked at together: all that a connection gives at once. */
const textBytes = 65_536;
/** Behind the text, with room for reading beyond its end. */
const shapeAt = textBytes + 64;
const shapeBytes = 8_192 - 64;
const shapePages = 2;

/** Each literal has a head of 16 bytes: its length, and what comes behind it. */
const headBytes = 16;
const behind = { string: 4 } as const;

const encoder = new TextEncoder();

/** Shapes of one literal, which many answers have in common. */
const learnedBefore = new Map<string, LearnedShape>();
const mostLearned = 64;

export function learnShape(shape: EventShape): LearnedShape {
  if (shape.literals.length > 1) return encodeShape(shape);
  const name = `${shape.braces}${shape.literals[0]}`;
  let learned = learnedBefore.get(name);
  if (learned === undefined) {
    if (learnedBefore.size >= mostLearned) learnedBefore.clear();
    learned = encodeShape(shape);
    learnedBefore.set(name, learned);
  }
  return learned;
}

function encodeShape({ literals, braces }: EventShape): LearnedShape {
  const encoded = literals.map((literal) => encoder.encode(literal));
  const sizes = encoded.map(({ length }) => headBytes + Math.ceil(length / 16) * 16);
  const learned = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  if (learned.length > shapeBytes - headBytes) return null;
  const view = new DataView(learned.buffer);
  let at = 0;
  for (const [index, literal] of encoded.entries()) {
    view.setUint32(at, literal.length, true);
    view.setUint32(at + 4, index === encoded.length - 1 ? braces : behind.string, true);
    learned.set(literal, at + headBytes);
    at += sizes[index] ?? 0;
  }
  return learned;
}

/** Looks for events of a shape in one piece of bytes after the other. */
export class AlikeEvents {
  readonly #pass: WasmFunction;
  readonly #text: Uint8Array;
  readonly #place: Uint8Array;
  #shape: LearnedShape = null;
  #bytes: Uint8Array = new Uint8Array(0);
  /** Where in these begins what the pass has before it; -1: nowhere. */
  #from = -1;

  constructor(pass: WasmFunction) {
    this.#pass = pass;
    this.#text = new Uint8Array(pass.memory, 0, textBytes);
    this.#place = new Uint8Array(pass.memory, shapeAt, shapeBytes);
  }

  /** These are asked about next. They must not change meanwhile. */
  lookInto(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#from = -1;
  }

  /** The end of the events of this shape that begin at `from`, one right behind the other; `from` when there is none. */
  endOfAll(shape: LearnedShape, from: number): number {
    if (shape === null) return from;
    if (this.#shape !== shape) {
      this.#shape = shape;
      this.#place.set(shape);
    }
    for (let at = from; ; ) {
      const isThere = this.#from >= 0 && at - this.#from < textBytes;
      if (!isThere) this.#layOut(at);
      const offset = this.#from;
      const length = Math.min(textBytes, this.#bytes.length - offset);
      const next = offset + this.#pass.call(at - offset, length);
      // What is cut off at the end of what lies there is looked at once more, from its beginning.
      const isCut = offset + length < this.#bytes.length && next > offset;
      if (!isCut) return next;
      if (next === at) {
        if (isThere && at > offset) this.#layOut(at);
        else return at;
      }
      at = next;
    }
  }

  #layOut(from: number): void {
    this.#from = from;
    const { length } = this.#bytes;
    this.#text.set(from === 0 && length <= textBytes ? this.#bytes : this.#bytes.subarray(from, from + textBytes));
  }
}

let one: AlikeEvents | null | undefined;

/** One for all, since nobody is interrupted. Null where there is no WebAssembly with SIMD: then every event has to be read. */
export function alikeEvents(): AlikeEvents | null {
  if (one === undefined) {
    const pass = startWasm({ parameters: 2, numbers: 6, vectors: 1, pages: shapePages, code: endOfAllCode() });
    one = pass === null ? null : new AlikeEvents(pass);
  }
  return one;
}

/**
 * Locals: where the first event begins, and where the text ends, which are given; the place; a literal, its length, and how much of it was
 * compared; bits of what matched; what comes behind the literal; 16 characters.
 */
const [from, length, place, literal, size, done, bits, next, chars] = [0, 1, 2, 3, 4, 5, 6, 7, 8];

/** ```
 * for each event, from `from` on:
 *   for each literal:
 *     the text must go on with it
 *     behind it may be: a string    any characters but controls, up to a quote
 *                       braces      anything up to the line's end, then: so many braces, two line feeds
 *                       nothing     the event is over
 *   from = place
 * ``` */
function endOfAllCode(): Instruction[] {
  const splat = (value: number): Instruction[] => [number(value), i8x16.splat];
  const add = (local: number, value: number): Instruction[] => [get(local), number(value), i32.add, set(local)];
  const isEither = (...values: number[]): Instruction[] =>
    values.flatMap((value, i) => [get(chars), ...splat(value), i8x16.eq, ...(i === 0 ? [] : [v128.or])]);
  const head = (offset: number): Instruction[] => [get(literal), load.bytes4(offset)];
  const byteAt = (offset: number): Instruction[] => [get(place), number(offset), i32.add, load.byte(0)];
  const isByte = (offset: number, value: number): Instruction[] => [...byteAt(offset), number(value), i32.eq];
  /** Goes on to the next place where any of 16 characters matches; leaves when the text is over. `outside`: depth of the outer block. */
  const search = (matches: Instruction[], outside: number): Instruction[] => {
    const lines: Instruction[][] = [
      [block, loop],
      [get(place), load.bytes16(0), set(chars), ...matches, i8x16.bitmask, set(bits)],
      [get(bits), branchIf(1)],
      [...add(place, 16), get(place), get(length), i32.ltU, branchIf(0), branch(outside + 2)],
      [end, end],
      [get(place), get(bits), i32.ctz, i32.add, set(place)],
      [get(place), get(length), i32.geU, branchIf(outside)],
    ];
    return lines.flat();
  };
  const lines: Instruction[][] = [
    [block, loop],
    [get(from), get(length), i32.geU, branchIf(1)],
    [get(from), set(place), number(shapeAt), set(literal)],
    [loop],
    [...head(0), set(size), number(0), set(done)],
    // The bits of what differs; of the last 16 only those that count.
    [loop],
    [get(place), get(done), i32.add, load.bytes16(0)],
    [get(literal), get(done), i32.add, load.bytes16(headBytes), i8x16.ne, i8x16.bitmask],
    [get(size), get(done), i32.sub, set(next)],
    [number(1), get(next), number(16), get(next), number(16), i32.ltU, select, i32.shl, number(1), i32.sub, i32.and],
    [branchIf(3)],
    [...add(done, 16), get(done), get(size), i32.ltU, branchIf(0)],
    [end],
    [get(place), get(size), i32.add, set(place)],
    [get(place), get(length), i32.gtU, branchIf(2)],
    [...head(4), set(next)],
    [block],
    [get(next), i32.eqz, branchIf(0)],
    [block],
    [get(next), number(behind.string), i32.ne, branchIf(0)],
    // A string, up to its quote. Of a backslash, what it stands before is passed over with it; neither may be a control.
    [loop],
    search([...isEither(0x22, 0x5c), get(chars), ...splat(32), i8x16.ltU, v128.or], 5),
    [block],
    [...isByte(0, 0x22), branchIf(0)],
    [...isByte(0, 0x5c), i32.eqz, branchIf(6)],
    [get(place), load.byte(1), number(32), i32.ltU, branchIf(6)],
    [...add(place, 2), get(place), get(length), i32.geU, branchIf(6)],
    [branch(1), end, end],
    [get(literal), get(size), number(headBytes + 15), i32.add, number(-16), i32.and, i32.add, set(literal), branch(2)],
    [end],
    // The rest of the line. By 64 first, as far as there is nothing that could end it.
    [block, loop],
    [get(place), number(64), i32.add, get(length), i32.gtU, branchIf(1)],
    [get(place), load.bytes16(0), get(place), load.bytes16(16), i8x16.minU],
    [get(place), load.bytes16(32), get(place), load.bytes16(48), i8x16.minU, i8x16.minU],
    [...splat(14), i8x16.ltU, v128.anyTrue, branchIf(1)],
    [...add(place, 64), branch(0)],
    [end, end],
    search(isEither(10, 13), 3),
    [get(place), number(1), i32.add, get(length), i32.geU, branchIf(3)],
    [get(place), load.bytes2(0), number(0x0a0a), i32.ne, branchIf(3)],
    [...isByte(-1, 0x7d), i32.eqz, branchIf(3)],
    [get(next), number(2), i32.eq, ...isByte(-2, 0x7d), i32.eqz, i32.and, branchIf(3)],
    add(place, 2),
    [end],
    [get(place), set(from), branch(1)],
    [end, end, end],
    [get(from)],
  ];
  return lines.flat();
}
