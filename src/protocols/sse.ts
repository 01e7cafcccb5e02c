import { createParser } from "eventsource-parser";

/** One server-sent event. `event` is the name, or null when the stream gave none. */
export interface SseEvent {
  readonly event: string | null;
  readonly data: string;
}

/** An event larger than this ends the stream as broken, in characters. */
export const maxEventLength: number = 16 * 1024 * 1024;

/** The stream held an event that no client could read either. */
export class SseError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "SseError";
  }
}

/**
 * Bytes → events, incrementally and at any chunk split, by the rules of the HTML standard (section 9.2.6): any line ending,
 * one byte order mark at the start, comments and `retry:` dropped. Two things are stricter or kinder than there:
 *
 * - An event larger than `maxEventLength` breaks the stream: what was complete before it is still given, then `push` throws.
 * - `end` gives an event that lacks only its blank line. The standard drops it, but servers forget that line, and JSON that was
 *   cut does not parse anyway.
 */
export class SseParser {
  // The byte order mark is left to the parser: two would be two too many.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #parser;
  #events: SseEvent[] = [];
  #broken = false;

  constructor() {
    this.#parser = createParser({
      maxBufferSize: maxEventLength,
      onEvent: ({ event, data }) => {
        // An event that comes in one piece is never buffered, so its size is looked at here.
        if (data.length > maxEventLength) this.#broken = true;
        if (!this.#broken) this.#events.push({ event: event ?? null, data });
      },
      onError: (error) => {
        if (error.type === "max-buffer-size-exceeded") this.#broken = true;
      },
    });
  }

  /** The events completed by this chunk. Throws `SseError` when one is too large and all before it have been given. */
  push(chunk: Uint8Array): SseEvent[] {
    return this.#feed(this.#decoder.decode(chunk, { stream: true }));
  }

  /** The same for text that is decoded already. Not to be mixed with `push`. */
  pushText(text: string): SseEvent[] {
    return this.#feed(text);
  }

  /**
   * After the last chunk: the event that was still open, if it has data. Whoever passes the bytes on to a client has to add a
   * blank line to them when this gives one. Throws as `push` does.
   */
  end(): SseEvent[] {
    return this.#feed(`${this.#decoder.decode()}\n\n`);
  }

  #feed(text: string): SseEvent[] {
    if (!this.#broken) this.#parser.feed(text);
    const events = this.#events;
    this.#events = [];
    if (this.#broken && events.length === 0) {
      throw new SseError(`a stream event is larger than ${maxEventLength} characters`);
    }
    return events;
  }
}

/** One event as SSE text. */
export function formatSse(data: string, event?: string | null): string {
  const name = event == null ? "" : `event: ${event}\n`;
  return `${name}data: ${data.replaceAll(/\r\n|\r|\n/g, "\ndata: ")}\n\n`;
}

/** The same for an object, whose JSON stands on one line. */
export function formatJsonEvent(data: object, event?: string | null): string {
  const name = event == null ? "" : `event: ${event}\n`;
  return `${name}data: ${JSON.stringify(data)}\n\n`;
}

/** True for an event whose last line is the one that holds `from`, and ends with an object. */
export function endsWithObject(event: string, from: number): boolean {
  return event.endsWith("}\n\n") && event.indexOf("\n", from) === event.length - 2;
}
