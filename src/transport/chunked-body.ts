import { HttpFault } from "./response-head.ts";
import { type WholeChunks, wholeChunks } from "./whole-chunks.ts";

const lineFeed = 10;
const carriageReturn = 13;
/** Longest line of a size with its extensions, and of all trailers, in bytes. */
const longestLine = 16 * 1024;

/** Takes the chunks of a chunked body apart (RFC 9112, section 7.1), at any split. Extensions and trailers are dropped. */
export class ChunkedBody {
  /** Bytes left of the chunk that is being read. */
  #left = 0;
  #state: "size" | "extension" | "size-end" | "data" | "data-end" | "trailer" | "done" = "size";
  #digits = 0;
  #size = 0;
  /** Bytes of the line that is being read; for trailers of all of them. */
  #line = 0;
  /** What of a line end or of the end of a chunk was seen. */
  #sawReturn = false;
  #lineIsEmpty = true;
  readonly #whole: WholeChunks = wholeChunks();

  get isDone(): boolean {
    return this.#state === "done";
  }

  /**
   * Moves the data in `bytes` together, over the sizes between, so that it is one piece: a stream of small events has a chunk for each. `bytes`
   * is changed. `used` of them belong to this body; the data is given also when a fault comes behind it.
   */
  push(bytes: Uint8Array): { readonly data: Uint8Array; readonly used: number; readonly fault: HttpFault | null } {
    let at = 0;
    let from = -1;
    let end = 0;
    let broken: HttpFault | null = null;
    while (at < bytes.length && this.#state !== "done" && broken === null) {
      if (this.#state === "size" && this.#digits === 0) {
        // The first one stays where it is.
        if (from >= 0) {
          at = this.#whole.move(bytes, at, end);
          end = this.#whole.movedTo;
          if (at === bytes.length) break;
        }
        at = this.#beginWhole(bytes, at);
      }
      if (this.#state !== "data") {
        broken = this.#step(bytes[at] ?? 0);
        at += 1;
        continue;
      }
      const stop = Math.min(bytes.length, at + this.#left);
      if (from < 0) from = end = at;
      if (end < at) bytes.copyWithin(end, at, stop);
      end += stop - at;
      this.#left -= stop - at;
      at = stop;
      if (this.#left > 0) continue;
      this.#state = "data-end";
      if (bytes[at] === carriageReturn && bytes[at + 1] === lineFeed) {
        this.#state = "size";
        at += 2;
      }
    }
    return { data: from < 0 ? bytes.subarray(0, 0) : bytes.subarray(from, end), used: at, fault: broken };
  }

  /** Where the data begins of a chunk whose size stands at `at` as a whole and without an extension; else `at`, and nothing has changed. */
  #beginWhole(bytes: Uint8Array, at: number): number {
    let size = 0;
    let digits = 0;
    for (; digits < 5; digits++) {
      const digit = hexDigit(bytes[at + digits] ?? 0);
      if (digit < 0) break;
      size = size * 16 + digit;
    }
    const lineEnd = at + digits;
    if (size === 0 || bytes[lineEnd] !== carriageReturn || bytes[lineEnd + 1] !== lineFeed) return at;
    this.#left = size;
    this.#state = "data";
    return lineEnd + 2;
  }

  /** Goes on by one byte of what is no data; what is wrong with it, or null. */
  #step(byte: number): HttpFault | null {
    switch (this.#state) {
      case "size":
        return this.#readSize(byte);
      case "extension":
        if (byte === carriageReturn) this.#state = "size-end";
        else if (byte === lineFeed || ++this.#line > longestLine) return fault("a chunk has a broken extension");
        return null;
      case "size-end":
        if (byte !== lineFeed) return fault("the size of a chunk has no line end");
        this.#left = this.#size;
        this.#state = this.#size === 0 ? "trailer" : "data";
        this.#digits = this.#size = this.#line = 0;
        return null;
      case "data-end":
        if (byte !== (this.#sawReturn ? lineFeed : carriageReturn)) return fault("a chunk is longer than it says");
        if (this.#sawReturn) this.#state = "size";
        this.#sawReturn = !this.#sawReturn;
        return null;
      case "trailer":
        return this.#readTrailer(byte);
      case "data":
      case "done":
        return null;
    }
  }

  #readSize(byte: number): HttpFault | null {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      // Ten digits are a terabyte.
      if (++this.#digits > 10) return fault("a chunk is too large");
      this.#size = this.#size * 16 + digit;
    } else if (this.#digits === 0) return fault("a chunk has no size");
    else if (byte === carriageReturn) this.#state = "size-end";
    else if (byte === 0x3b) this.#state = "extension";
    else return fault("the size of a chunk is no number");
    return null;
  }

  #readTrailer(byte: number): HttpFault | null {
    if (++this.#line > longestLine) return fault("the trailers are too long");
    if (this.#sawReturn) {
      if (byte !== lineFeed) return fault("a trailer has no line end");
      this.#sawReturn = false;
      if (this.#lineIsEmpty) this.#state = "done";
      this.#lineIsEmpty = true;
    } else if (byte === carriageReturn) this.#sawReturn = true;
    else if (byte === lineFeed) return fault("a trailer has no line end");
    else this.#lineIsEmpty = false;
    return null;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function fault(message: string): HttpFault {
  return new HttpFault("HPE_INVALID_CHUNK_SIZE", message);
}
