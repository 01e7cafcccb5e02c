import { maxEventLength, SseError } from "../protocols/sse.ts";

const lineFeed = 10;
const carriageReturn = 13;

/** An open event is kept up to here, in bytes: the longest that can be read, with its name and field names. */
const openLimit = maxEventLength + 4_096;

/**
 * Bytes of an event stream, given on in whole events only: what comes after the last blank line waits for its end. So a stream that
 * breaks off inside an event ends behind the one before it, and what is said then (that it broke off) can be read.
 */
export class WholeEvents {
  #open: Uint8Array[] = [];
  #openBytes = 0;

  /**
   * Everything up to the end of the last event that is complete now; may be empty. Throws `SseError` when one has no end. What is kept of
   * `chunk` is a copy; what is given may be a part of it.
   */
  push(chunk: Uint8Array): Uint8Array {
    const end = endOfLastEvent(chunk) ?? this.#endAcross(chunk);
    if (end === null) {
      if (chunk.length > 0) this.#open.push(new Uint8Array(chunk));
      this.#openBytes += chunk.length;
      if (this.#openBytes > openLimit) throw new SseError("a stream event has no end");
      return new Uint8Array(0);
    }
    if (end === chunk.length && this.#open.length === 0) return chunk;
    const whole = join([...this.#open, chunk.subarray(0, end)]);
    this.#open = end < chunk.length ? [new Uint8Array(chunk.subarray(end))] : [];
    this.#openBytes = chunk.length - end;
    return whole;
  }

  /** What is still open. */
  rest(): Uint8Array {
    const rest = join(this.#open);
    this.#open = [];
    return rest;
  }

  /** A blank line that began in the chunk before this one: where in this one it ends. */
  #endAcross(chunk: Uint8Array): number | null {
    const before = this.#open.at(-1)?.subarray(-2);
    if (before === undefined) return null;
    const end = endOfLastEvent(join([before, chunk.subarray(0, 2)]));
    return end === null || end <= before.length ? null : end - before.length;
  }
}

/** Where the last blank line ends; null without one. Line ends are LF, CR LF or CR (HTML standard, section 9.2.5). */
function endOfLastEvent(bytes: Uint8Array): number | null {
  for (let at = bytes.length - 1; at > 0; at--) {
    const before = bytes[at - 1];
    if (bytes[at] === lineFeed) {
      if (before === lineFeed) return at + 1;
      if (before === carriageReturn && (bytes[at - 2] === lineFeed || bytes[at - 2] === carriageReturn)) return at + 1;
    } else if (bytes[at] === carriageReturn && before === carriageReturn) {
      return at + 1;
    }
  }
  return null;
}

/**
 * Where the first event in whole events, from `from` on, ends. Where a carriage return may end a line, all that is left counts as one: to tell
 * events apart then is the parser's.
 */
export function endOfEvent(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(lineFeed, from);
  while (at >= 0 && bytes[at + 1] !== lineFeed) at = bytes.indexOf(lineFeed, at + 1);
  const end = at < 0 ? bytes.length : at + 2;
  return bytes.subarray(from, end).includes(carriageReturn) ? bytes.length : end;
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) return only;
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
