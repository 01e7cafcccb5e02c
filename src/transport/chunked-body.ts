import { HttpFault } from "./response-head.ts";

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

  get isDone(): boolean {
    return this.#state === "done";
  }

  /** Gives the data in `bytes` to `take`, in pieces of it. Returns how many bytes belong to this body. Throws an `HttpFault`. */
  push(bytes: Uint8Array, take: (data: Uint8Array) => void): number {
    let at = 0;
    while (at < bytes.length && this.#state !== "done") {
      if (this.#state === "data") {
        const end = Math.min(bytes.length, at + this.#left);
        take(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#state = "data-end";
        continue;
      }
      this.#step(bytes[at] ?? 0);
      at += 1;
    }
    return at;
  }

  #step(byte: number): void {
    switch (this.#state) {
      case "size":
        return this.#readSize(byte);
      case "extension":
        if (byte === carriageReturn) this.#state = "size-end";
        else if (byte === lineFeed || ++this.#line > longestLine) throw fault("a chunk has a broken extension");
        return;
      case "size-end":
        if (byte !== lineFeed) throw fault("the size of a chunk has no line end");
        this.#left = this.#size;
        this.#state = this.#size === 0 ? "trailer" : "data";
        this.#digits = this.#size = this.#line = 0;
        return;
      case "data-end":
        if (byte !== (this.#sawReturn ? lineFeed : carriageReturn)) throw fault("a chunk is longer than it says");
        if (this.#sawReturn) this.#state = "size";
        this.#sawReturn = !this.#sawReturn;
        return;
      case "trailer":
        return this.#readTrailer(byte);
      case "data":
      case "done":
        return;
    }
  }

  #readSize(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      // Ten digits are a terabyte.
      if (++this.#digits > 10) throw fault("a chunk is too large");
      this.#size = this.#size * 16 + digit;
    } else if (this.#digits === 0) throw fault("a chunk has no size");
    else if (byte === carriageReturn) this.#state = "size-end";
    else if (byte === 0x3b) this.#state = "extension";
    else throw fault("the size of a chunk is no number");
  }

  #readTrailer(byte: number): void {
    if (++this.#line > longestLine) throw fault("the trailers are too long");
    if (this.#sawReturn) {
      if (byte !== lineFeed) throw fault("a trailer has no line end");
      this.#sawReturn = false;
      if (this.#lineIsEmpty) this.#state = "done";
      this.#lineIsEmpty = true;
    } else if (byte === carriageReturn) this.#sawReturn = true;
    else if (byte === lineFeed) throw fault("a trailer has no line end");
    else this.#lineIsEmpty = false;
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
