import type { IncomingMessage, ServerResponse } from "node:http";

/**
 * Official SDKs say what they run on; the AI SDK says it in its user agent. All of these pass over interim answers and count them as a
 * sign of life: Node's fetch (undici), Bun's, and httpx. Not everybody does: Python's own http.client takes a 102 for the answer, and Go gives
 * up after five.
 */
const runtimes: ReadonlySet<string> = new Set(["node", "bun", "CPython"]);
const agents = /\bruntime\/(?:node\.js|bun)\b/;

/** True for a client that is known to wait on after an interim answer. */
export function takesInterim({ headers, httpVersion }: Pick<IncomingMessage, "headers" | "httpVersion">): boolean {
  if (httpVersion !== "1.1") return false;
  const { "x-stainless-runtime": runtime, "user-agent": agent = "" } = headers;
  return (typeof runtime === "string" && runtimes.has(runtime)) || agents.test(agent);
}

/**
 * Signs of life for a client that waits for a whole answer: `102 Processing` (RFC 2518 §10.1) every `everyMs` until the head is out. Unlike a
 * blank before the JSON it leaves the choice of the status. Returns how to stop.
 */
export function keepWaiting(response: ServerResponse, everyMs: number): () => void {
  const timer = setInterval(() => {
    if (!response.headersSent && !response.destroyed) response.writeProcessing();
  }, everyMs);
  return () => clearInterval(timer);
}
