import { join } from "node:path";
import { writeFileSync } from "node:fs";

/** One answer of the scripted provider, and the body that a client must receive for it. */
export interface Answer {
  /** The line of the provider's table; see `native/upstream.c`. */
  readonly line: string;
  /** File with the expected body, without chunks. */
  readonly expect: string;
  /** Events in it; 0 when it is no stream. */
  readonly events: number;
}

/** Where a time is written by the provider and read by the load generator. */
const stamp = "@".repeat(16);

/** What a tool printed: code and messages, with quotes and line ends, as JSON text without its quotes. */
const printed = JSON.stringify(
  [
    'src/turn/line.ts(42,7): error TS2322: Type "string" is not assignable to type "number".',
    "  40 |   const next = groups.filter((group) => group.credentials.length > 0);",
    "> 42 |   const count: number = group.label; // ← here",
    "     |         ^^^^^ The expected type comes from property 'count' which is declared here",
    "Found 1 error in the same file, starting at: src/turn/line.ts:42. Watching for file changes.",
  ].join("\n"),
).slice(1, -1);

/**
 * The request of an agent, `bytes` long: the model first, `stream` last, as the SDKs write it; in between calls of tools and what they
 * printed, about 2 KB each.
 */
export function requestBody(model: string, bytes: number, stream: boolean): string {
  const tool = {
    type: "function",
    name: "run_command",
    description: "Runs a command in the workspace and gives what it printed.",
    parameters: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
    strict: false,
  };
  const before = `{"model":${JSON.stringify(model)},"instructions":"You are a careful engineer. Say what you did.","input":[{"role":"user","content":"Why does the build \\"fail\\" here? é ✓"}`;
  const after = `],"tools":[${JSON.stringify(tool)}],"tool_choice":"auto","stream":${stream}}`;
  let turns = "";
  const left = (): number => bytes - Buffer.byteLength(before + turns + after);
  for (let i = 0; ; i++) {
    const call = `,{"type":"function_call","call_id":"call_${i}","name":"run_command","arguments":"{\\"command\\":\\"npm test\\"}"}`;
    const output = `,{"type":"function_call_output","call_id":"call_${i}","output":"${printed.repeat(4)}"}`;
    if (left() < Buffer.byteLength(call + output)) break;
    turns += call + output;
  }
  const missing = left() - `,{"role":"user","content":""}`.length;
  return `${before}${turns}${missing > 0 ? `,{"role":"user","content":"${"x".repeat(missing)}"}` : ""}${after}`;
}

const usage = { input_tokens: 512, output_tokens: 200, total_tokens: 712 };

function response(status: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return { id: "resp_0123456789abcdef", object: "response", created_at: 1_760_000_000, status, model: "m", ...more };
}

const sentence = "The import points at a file that is no longer there. ";

/** Stands in a whole answer in whatever way somebody writes it anew: the text of it, where ids may be made anew too. */
export const wholeMarker = sentence.repeat(12).trimEnd();

/** A whole answer of about 1 KB. */
export function wholeAnswer(folder: string, name: string): Answer {
  const text = sentence.repeat(12);
  const output = [
    {
      id: "msg_1",
      type: "message",
      status: "completed",
      role: "assistant",
      content: [{ type: "output_text", text, annotations: [] }],
    },
  ];
  const body = JSON.stringify(response("completed", { output, usage }));
  const raw = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  return {
    line: `${name} raw ${write(folder, `${name}.raw`, raw)}`,
    expect: write(folder, `${name}.expect`, body),
    events: 0,
  };
}

function event(type: string, data: Record<string, unknown>): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`;
}

const head =
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";

/** A stream with `deltas` text events of about 260 bytes. With `pacedUs`, one event each so many microseconds, with its time in it. */
export function streamAnswer(folder: string, name: string, deltas: number, pacedUs = 0): Answer {
  const item = { id: "msg_1", type: "message", status: "in_progress", role: "assistant", content: [] };
  const events = [
    event("response.created", { sequence_number: 0, response: response("in_progress") }),
    event("response.in_progress", { sequence_number: 1, response: response("in_progress") }),
    event("response.output_item.added", { sequence_number: 2, output_index: 0, item }),
    ...Array.from({ length: deltas }, (_, i) =>
      event("response.output_text.delta", {
        sequence_number: i + 3,
        item_id: "msg_0123456789abcdef0123456789abcdef",
        output_index: 0,
        content_index: 0,
        delta: ` token${i}`,
        logprobs: [],
        obfuscation: pacedUs > 0 ? `${stamp}x` : "xxxxxxxxxxxxxxxxx",
      }),
    ),
    event("response.completed", {
      sequence_number: deltas + 3,
      response: response("completed", { output: [{ ...item, status: "completed" }], usage }),
    }),
  ];
  const chunks = events.map(chunked);
  const end = "0\r\n\r\n";
  const raw =
    pacedUs > 0
      ? `${head}${chunks.slice(0, 4).join("")}\u001e${chunks.slice(4).join("\u001e")}${end}`
      : `${head}${chunks.join("")}${end}`;
  const file = write(folder, `${name}.raw`, raw);
  return {
    line: pacedUs > 0 ? `${name} paced ${pacedUs} ${file}` : `${name} raw ${file}`,
    expect: write(folder, `${name}.expect`, events.join("")),
    events: events.length,
  };
}

/** A stream that fails in its head: 200, then `response.failed`. The account is to rest for 2 ms. */
export function softFailure(folder: string, name: string): string {
  const error = { code: "rate_limit_exceeded", message: "Rate limit reached. Please try again in 2ms." };
  const events = [
    event("response.created", { sequence_number: 0, response: response("in_progress") }),
    event("response.failed", { sequence_number: 1, response: response("failed", { error }) }),
  ];
  return write(folder, `${name}.raw`, `${head}${events.map(chunked).join("")}0\r\n\r\n`);
}

/** A refusal before any stream: 429, to be asked again in 2 ms. */
export function refusal(folder: string, name: string): string {
  const body = JSON.stringify({
    error: { type: "requests", code: "rate_limit_exceeded", message: "Rate limit reached for requests." },
  });
  return write(
    folder,
    `${name}.raw`,
    `HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\nretry-after-ms: 2\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
}

/** One chunk of a chunked body. */
export function chunked(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

export function write(folder: string, name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}
