import { chunked, softFailure, write } from "./payloads.ts";

/** What the scripted provider does once in a while in place of an answer; see `timed` in `native/upstream.c`. */
export interface Fault {
  /** For a person. */
  readonly what: string;
  /** It is given to the first request after each of these, in ms. */
  readonly everyMs: number;
  /** What becomes of the connection. Default: it is kept. */
  readonly afterwards?: "close" | "silent";
  /** The bytes of it. */
  write(folder: string, name: string): string;
}

const reasons: Readonly<Record<number, string>> = { 401: "Unauthorized", 429: "Too Many Requests" };

function refused(status: number, error: Readonly<Record<string, string>>, headers = ""): Pick<Fault, "write"> {
  const body = JSON.stringify({ error });
  const head = `HTTP/1.1 ${status} ${reasons[status] ?? "Trouble"}\r\ncontent-type: application/json\r\n${headers}content-length: ${body.length}\r\n\r\n`;
  return { write: (folder, name) => write(folder, `${name}.raw`, head + body) };
}

function bytes(text: string): Pick<Fault, "write"> {
  return { write: (folder, name) => write(folder, `${name}.raw`, text) };
}

const burst = { type: "requests", code: "rate_limit_exceeded", message: "Rate limit reached for requests." };
const broken = { type: "server_error", message: "The server had an error while processing your request." };
const busy = { type: "server_error", code: "server_is_overloaded", message: "Our servers are overloaded." };
const overloaded = { type: "overloaded_error", message: "Overloaded" };
const expired = { type: "invalid_request_error", code: "token_expired", message: "Your token has expired." };

const streamHead = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
const firstEvent = chunked(
  'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","model":"m","output":[]}}\n\n',
);

/**
 * What goes wrong at each model. A provider as a whole, or one of its models, may fail wherever another stands behind it in the route; `spare`
 * is the last and refuses single keys only. What makes a model rest for half a minute comes once a minute, or four times in a shorter run.
 */
export function soakFaults(
  totalMs: number,
): Readonly<Record<"json" | "sse" | "sse-second" | "spare", readonly Fault[]>> {
  const rarelyMs = Math.min(60_000, Math.round(totalMs / 4));
  return {
    json: [
      { what: "429 with Retry-After", everyMs: 300, ...refused(429, burst, "retry-after: 1\r\n") },
      { what: "429 without", everyMs: 4_000, ...refused(429, burst) },
      { what: "500", everyMs: 1_000, ...refused(500, broken) },
      { what: "503 with Retry-After", everyMs: 10_000, ...refused(503, busy, "retry-after: 2\r\n") },
      { what: "529", everyMs: rarelyMs, ...refused(529, overloaded) },
      { what: "cut before an answer", everyMs: 1_500, afterwards: "close", ...bytes("") },
      { what: "silence", everyMs: rarelyMs + 5_000, afterwards: "silent", ...bytes("") },
    ],
    sse: [
      { what: "401, the token has expired", everyMs: 3_000, ...refused(401, expired) },
      { what: "429 with Retry-After", everyMs: 1_500, ...refused(429, burst, "retry-after: 1\r\n") },
      { what: "failed in its head", everyMs: 1_000, write: softFailure },
      { what: "cut in its head", everyMs: 1_500, afterwards: "close", ...bytes(streamHead + firstEvent) },
      { what: "503 with Retry-After", everyMs: 10_000, ...refused(503, busy, "retry-after: 2\r\n") },
      { what: "silence in its head", everyMs: rarelyMs, afterwards: "silent", ...bytes(streamHead) },
    ],
    "sse-second": [
      { what: "429 with Retry-After", everyMs: 500, ...refused(429, burst, "retry-after: 1\r\n") },
      { what: "500", everyMs: 1_000, ...refused(500, broken) },
      { what: "503 with Retry-After", everyMs: 4_000, ...refused(503, busy, "retry-after: 2\r\n") },
    ],
    spare: [{ what: "429 with Retry-After", everyMs: 1_000, ...refused(429, burst, "retry-after: 1\r\n") }],
  };
}
