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
 * Bytes → events, incrementally and at any chunk split. Comments and `retry:` are dropped. Throws `SseError` when
 * one event is larger than `maxEventLength`.
 */
export class SseParser {
  readonly #decoder = new TextDecoder();
  readonly #parser;
  #events: SseEvent[] = [];
  #pending = 0;

  constructor() {
    this.#parser = createParser({
      onEvent: (event) => {
        this.#pending = 0;
        this.#events.push({ event: event.event ?? null, data: event.data });
      },
    });
  }

  /** The events completed by this chunk. */
  push(chunk: Uint8Array): SseEvent[] {
    const text = this.#decoder.decode(chunk, { stream: true });
    this.#pending += text.length;
    this.#parser.feed(text);
    if (this.#pending > maxEventLength)
      throw new SseError(`a stream event is larger than ${maxEventLength} characters`);
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** One event as SSE text. */
export function formatSse(data: string, event?: string | null): string {
  const name = event == null ? "" : `event: ${event}\n`;
  return `${name}data: ${data.replaceAll("\n", "\ndata: ")}\n\n`;
}
