import { type SseEvent, SseParser } from "../../src/protocols/sse.ts";

/** The events of a stream that arrives in one piece. */
export function eventsOf(text: string): SseEvent[] {
  return new SseParser().push(new TextEncoder().encode(text));
}

/** The same for a stream that arrives in two pieces, cut after `at` bytes. */
export function eventsOfSplit(bytes: Uint8Array, at: number): SseEvent[] {
  const parser = new SseParser();
  return [...parser.push(bytes.subarray(0, at)), ...parser.push(bytes.subarray(at))];
}
