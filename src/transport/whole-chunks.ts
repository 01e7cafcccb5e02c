import {
  block,
  branch,
  branchIf,
  end,
  get,
  i32,
  type Instruction,
  load,
  loop,
  number,
  set,
  startWasm,
  store,
  type WasmFunction,
} from "../core/wasm-module.ts";

/** Most that is read from a connection at once, in bytes. */
export const readBytes: number = 64 * 1024;
/** Behind it, with room for reading beyond its end: where the data that was moved together ends. */
const resultAt = readBytes + 64;

const digitsAt = resultAt + 64;
const noDigit = 255;
/** A size with more of them is no chunk that could lie here as a whole. */
const mostDigits = 5;

/** Where connections read to, and the pass that moves the data of whole chunks together there. */
export class WholeChunks {
  /** One for all connections: what is read is taken out of it before the next can be. */
  readonly incoming: Buffer;
  readonly #pass: WasmFunction | null;
  readonly #result: Uint32Array | null;
  /** Where the data ends that was moved by the last `move`. */
  movedTo = 0;

  constructor(pass: WasmFunction | null) {
    this.#pass = pass;
    this.incoming = pass === null ? Buffer.allocUnsafeSlow(readBytes) : Buffer.from(pass.memory, 0, readBytes);
    this.#result = pass === null ? null : new Uint32Array(pass.memory, resultAt, 1);
    if (pass !== null) new Uint8Array(pass.memory, digitsAt).set(digitTable());
  }

  /**
   * Moves the data of the chunks that begin at `at`, one right behind the other, down to `to`. Gives where the first begins that is not there as a
   * whole, or not plain (an extension, the last one, something broken); `at` when there is none, or when `bytes` lie elsewhere. `to` must not lie behind `at`.
   */
  move(bytes: Uint8Array, at: number, to: number): number {
    this.movedTo = to;
    if (this.#pass === null || this.#result === null || bytes.buffer !== this.#pass.memory) return at;
    const { byteOffset, length } = bytes;
    const next = this.#pass.call(byteOffset + at, byteOffset + length, byteOffset + to);
    this.movedTo = (this.#result[0] ?? 0) - byteOffset;
    return next - byteOffset;
  }
}

let one: WholeChunks | undefined;

/** One for all, since nobody is interrupted. Where there is no WebAssembly with SIMD it moves nothing. */
export function wholeChunks(): WholeChunks {
  one ??= new WholeChunks(startWasm({ parameters: 3, numbers: 4, vectors: 1, pages: 2, code: moveCode() }));
  return one;
}

/** Locals: where the first chunk begins, where the bytes end, and where data goes, which are given; the rest is about one chunk. */
const [from, length, to, place, size, digit, stop, last] = [0, 1, 2, 3, 4, 5, 6, 7];

/** ```
 * for each chunk, from `from` on:
 *   size = up to 5 hexadecimal digits, and CR LF: not 0
 *   so many bytes, and CR LF: all of it before `length`
 *   move the bytes to `to`
 *   from = behind it
 * ``` */
function moveCode(): Instruction[] {
  const add = (local: number, value: number): Instruction[] => [get(local), number(value), i32.add, set(local)];
  /** Leaves where no line ends. `outside`: depth of the outer block. */
  const lineEnd = (at: number, outside: number): Instruction[] => [
    [...get(at), ...load.bytes2(0), ...number(0x0a0d), ...i32.ne, ...branchIf(outside)],
  ];
  const lines: Instruction[][] = [
    [block, loop],
    [get(from), set(place), number(0), set(size)],
    [loop],
    [get(place), get(length), i32.geU, branchIf(2)],
    [get(place), load.byte(0), load.byte(digitsAt), set(digit)],
    [block],
    [get(digit), number(noDigit), i32.eq, branchIf(0)],
    [get(size), number(4), i32.shl, get(digit), i32.or, set(size)],
    [...add(place, 1), get(place), get(from), i32.sub, number(mostDigits), i32.gtU, branchIf(3)],
    [branch(1), end],
    [end],
    [get(size), i32.eqz, branchIf(1)],
    lineEnd(place, 1),
    [...add(place, 2), get(place), get(size), i32.add, set(stop)],
    [get(stop), number(2), i32.add, get(length), i32.gtU, branchIf(1)],
    lineEnd(stop, 1),
    [get(stop), number(2), i32.add, set(from)],
    [block, block],
    [get(size), number(16), i32.ltU, branchIf(0)],
    // It moves down, by less than 16 perhaps: the last 16 are read before anything is written over them, and written last.
    [get(stop), number(16), i32.sub, load.bytes16(0), set(last)],
    [loop],
    [get(to), get(place), load.bytes16(0), store.bytes16, ...add(to, 16), ...add(place, 16)],
    [get(place), number(16), i32.add, get(stop), i32.ltU, branchIf(0)],
    [end],
    [get(to), get(stop), get(place), i32.sub, i32.add, set(to)],
    [get(to), number(16), i32.sub, get(last), store.bytes16],
    [branch(1), end],
    [loop],
    [get(to), get(place), load.byte(0), store.byte, ...add(to, 1), ...add(place, 1)],
    [get(place), get(stop), i32.ltU, branchIf(0)],
    [end, end],
    [branch(0), end, end],
    [number(resultAt), get(to), store.bytes4],
    [get(from)],
  ];
  return lines.flat();
}

/** What each byte is as a hexadecimal digit. */
function digitTable(): Uint8Array {
  const table = new Uint8Array(256).fill(noDigit);
  for (const [value, char] of Array.from("0123456789abcdef").entries()) {
    table[char.charCodeAt(0)] = value;
    table[char.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
}
