/**
 * A WebAssembly module of one function, put together from its instructions. For passes over bytes that are only fast with SIMD, where a
 * compiler and a binary in the package would be more than there is to say.
 */

export type Instruction = readonly number[];

/** One function over the module's own memory. */
export interface WasmFunction {
  readonly memory: ArrayBuffer;
  readonly call: (...args: number[]) => number;
}

/** Locals behind the parameters: numbers of 32 bits come first, then vectors. */
export interface WasmShape {
  readonly parameters: number;
  readonly numbers: number;
  readonly vectors: number;
  /** Of memory, 64 KiB each. */
  readonly pages: number;
  /** Lines of instructions. */
  readonly code: readonly Instruction[];
}

/** Instructions by their names in the text format; https://webassembly.github.io/spec/core/appendix/index-instructions.html */
export const block: Instruction = [0x02, 0x40];
export const loop: Instruction = [0x03, 0x40];
export const end: Instruction = [0x0b];
/** Goes to the end of the block, or the beginning of the loop, that lies so many around. */
export const branch = (depth: number): number[] => [0x0c, depth];
export const branchIf = (depth: number): number[] => [0x0d, depth];
export const get = (local: number): number[] => [0x20, local];
export const set = (local: number): number[] => [0x21, local];
export const number = (value: number): number[] => [0x41, ...signed(value)];
export const select: Instruction = [0x1b];
export const i32 = {
  eqz: [0x45],
  eq: [0x46],
  ne: [0x47],
  ltU: [0x49],
  gtU: [0x4b],
  geU: [0x4f],
  ctz: [0x68],
  add: [0x6a],
  sub: [0x6b],
  and: [0x71],
  or: [0x72],
  xor: [0x73],
  shl: [0x74],
  shrU: [0x76],
} as const satisfies Record<string, Instruction>;
const simd = (code: number): number[] => [0xfd, ...unsigned(code)];
/** 16 bytes, 4, 2 or 1 from a place in memory and so many behind it. */
export const load = {
  bytes16: (offset: number): number[] => [...simd(0), 0, ...unsigned(offset)],
  bytes4: (offset: number): number[] => [0x28, 0, ...unsigned(offset)],
  bytes2: (offset: number): number[] => [0x2f, 0, ...unsigned(offset)],
  byte: (offset: number): number[] => [0x2d, 0, ...unsigned(offset)],
} as const;
/** 16 bytes, 4 or 1, to the place in memory that was given before them. */
export const store = {
  bytes16: [...simd(11), 0, 0],
  bytes4: [0x36, 0, 0],
  byte: [0x3a, 0, 0],
} as const satisfies Record<string, Instruction>;
export const v128 = { and: simd(78), or: simd(80), anyTrue: simd(83) } as const;
export const i8x16 = {
  swizzle: simd(14),
  splat: simd(15),
  eq: simd(35),
  ne: simd(36),
  ltU: simd(38),
  minU: simd(119),
  bitmask: simd(100),
  shrU: simd(109),
} as const;

/** What of WebAssembly is used here; the types of Node do not have it. */
interface WebAssemblyApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
}

/** Null where there is no WebAssembly with SIMD, or no room for the guard pages of its memory. */
export function startWasm(shape: WasmShape): WasmFunction | null {
  const { WebAssembly } = globalThis as { WebAssembly?: WebAssemblyApi };
  if (WebAssembly === undefined) return null;
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(shape)));
    const { buffer: memory } = exports["memory"] as { buffer: ArrayBuffer };
    return { memory, call: exports["call"] as WasmFunction["call"] };
  } catch {
    return null;
  }
}

/** https://webassembly.github.io/spec/core/binary/modules.html */
function moduleBytes({ parameters, numbers, vectors, pages, code }: WasmShape): Uint8Array {
  const section = (id: number, content: number[]): number[] => [id, ...unsigned(content.length), ...content];
  const name = (text: string): number[] => [text.length, ...Array.from(text, (char) => char.charCodeAt(0))];
  const typeI32 = 0x7f;
  const typeV128 = 0x7b;
  const body = [2, numbers, typeI32, vectors, typeV128, ...code.flat(), ...end];
  const magic = [0x00, 0x61, 0x73, 0x6d];
  const version = [1, 0, 0, 0];
  return Uint8Array.from([
    ...magic,
    ...version,
    ...section(1, [1, 0x60, parameters, ...Array.from({ length: parameters }, () => typeI32), 1, typeI32]),
    ...section(3, [1, 0]),
    ...section(5, [1, 0, ...unsigned(pages)]),
    ...section(7, [2, ...name("call"), 0, 0, ...name("memory"), 2, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

/** LEB128. */
function unsigned(value: number): number[] {
  const low = value & 0x7f;
  return value < 0x80 ? [low] : [low | 0x80, ...unsigned(value >>> 7)];
}

/** The same with a sign. */
function signed(value: number): number[] {
  const low = value & 0x7f;
  const rest = value >> 7;
  const isLast = (rest === 0 && low < 0x40) || (rest === -1 && low >= 0x40);
  return isLast ? [low] : [low | 0x80, ...signed(rest)];
}
