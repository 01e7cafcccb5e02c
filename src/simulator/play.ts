import type { ServerResponse } from "node:http";
import type { Holds } from "./holds.ts";
import type { Reply } from "./reply.ts";

/**
 * How bodies are split into writes: `event` keeps each event (or whole body) together, `byte` sends every byte by itself, a
 * number sends that many bytes at a time and so splits characters and events anywhere.
 */
export type Chunk = "event" | "byte" | number;

/** How a request ended: whole, broken off by us, or left by the client. */
export type Ending = "complete" | "cut" | "aborted";

/** Carries out a reply. `gone` aborts when the client's connection closes. Never rejects. */
export async function play(
  reply: Reply,
  response: ServerResponse,
  options: { chunk: Chunk; holds: Holds; gone: AbortSignal },
): Promise<Ending> {
  for (const step of reply.steps) {
    if (options.gone.aborted) return "aborted";
    switch (step.do) {
      case "head":
        response.writeHead(reply.status, reply.headers);
        response.flushHeaders();
        break;
      case "part-of-head":
        await partOfHead(reply, response);
        break;
      case "write":
        await writeChunked(response, step.text, options.chunk, options.gone);
        break;
      case "hold":
        if ((await options.holds.wait(options.gone)) === "gone") return "aborted";
        break;
      case "end":
        return endWhole(response, options.gone);
      case "cut":
        response.socket?.destroy();
        return "cut";
      case "reset":
        response.socket?.resetAndDestroy();
        return "cut";
    }
  }
  if (options.gone.aborted) return "aborted";
  response.socket?.destroy();
  return "cut";
}

function partOfHead(reply: Reply, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const { socket } = response;
    if (socket === null || socket.destroyed) resolve();
    else socket.write(`HTTP/1.1 ${reply.status} OK\r\ncontent-type: text/event-str`, () => resolve());
  });
}

/** Waits for the last byte to reach the kernel: a cut that follows must not take back what was said before it. */
async function writeChunked(response: ServerResponse, text: string, chunk: Chunk, gone: AbortSignal): Promise<void> {
  const bytes = Buffer.from(text);
  const size = chunk === "event" ? bytes.length : chunk === "byte" ? 1 : Math.max(1, Math.floor(chunk));
  for (let at = 0; at + size < bytes.length && !gone.aborted; at += size) {
    response.write(bytes.subarray(at, at + size));
  }
  const rest = bytes.length % size === 0 ? size : bytes.length % size;
  if (gone.aborted || bytes.length === 0) return;
  await new Promise<void>((resolve) => {
    gone.addEventListener("abort", () => resolve(), { once: true });
    response.write(bytes.subarray(bytes.length - rest), () => resolve());
  });
}

function endWhole(response: ServerResponse, gone: AbortSignal): Promise<Ending> {
  return new Promise((resolve) => {
    gone.addEventListener("abort", () => resolve(response.writableFinished ? "complete" : "aborted"), { once: true });
    response.end(() => resolve("complete"));
  });
}
