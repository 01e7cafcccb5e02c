import type { ServerResponse } from "node:http";

/** A page that takes nothing is let go when this much waits for it, in bytes. */
const mostUnsent = 8 * 1024 * 1024;

/** How often a silent stream gives a sign of life, in ms: the page takes a longer silence for a lost connection. */
const signOfLifeMs = 10_000;

/** Server-sent events, one JSON object each. */
export interface EventStream {
  send(message: unknown): void;
  end(): void;
}

export interface EventStreamOptions {
  /** Takes known secrets out of what is sent: nothing should hold one, and this is for the day when something does. */
  readonly scrub: (text: string) => string;
  /** Called once, whoever ends it. */
  readonly onClose: () => void;
}

/** Begins a stream of events. */
export function openEventStream(response: ServerResponse, { scrub, onClose }: EventStreamOptions): EventStream {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.flushHeaders();
  const timer = setInterval(() => write(": here\n\n"), signOfLifeMs).unref();
  response.once("close", () => {
    clearInterval(timer);
    onClose();
  });

  function write(text: string): void {
    if (response.destroyed || response.writableEnded) return;
    if (response.writableLength > mostUnsent) response.destroy();
    else response.write(text);
  }

  return {
    send: (message) => write(`data: ${scrub(JSON.stringify(message))}\n\n`),
    end: () => void response.end(),
  };
}
