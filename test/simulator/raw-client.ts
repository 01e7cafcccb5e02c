import { request } from "node:http";
import { connect } from "node:net";

/** What came over the wire, whatever became of it. */
export interface RawAnswer {
  /** Null when no whole head arrived. */
  readonly status: number | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Each read as it arrived. */
  readonly chunks: readonly string[];
  /** `whole`: HTTP says that the body is complete. Otherwise the code of what broke. */
  readonly ended: string;
}

export interface RawRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** One request over node:http, without any client in between. Never rejects. */
export function sendRaw(
  url: string,
  { method = "POST", headers = {}, body, signal }: RawRequest = {},
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const text = typeof body === "string" || body === undefined ? body : JSON.stringify(body);
    const chunks: string[] = [];
    let bytes = Buffer.alloc(0);
    let head: { status: number | null; headers: Record<string, string> } = { status: null, headers: {} };
    const done = (ended: string): void => resolve({ ...head, text: bytes.toString(), chunks, ended });
    const outgoing = request(url, {
      method,
      headers: { ...(text === undefined ? {} : { "content-type": "application/json" }), ...headers },
      agent: false,
      ...(signal === undefined ? {} : { signal }),
    });
    outgoing.on("response", (incoming) => {
      const flat = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]);
      head = { status: incoming.statusCode ?? null, headers: Object.fromEntries(flat) };
      incoming.on("data", (chunk: Buffer) => {
        bytes = Buffer.concat([bytes, chunk]);
        chunks.push(chunk.toString("latin1"));
      });
      incoming.on("end", () => done("whole"));
      incoming.on("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.name));
    });
    outgoing.on("error", (error: NodeJS.ErrnoException) => done(error.code ?? error.name));
    outgoing.end(text);
  });
}

/** Sends bytes and returns all that comes back until the connection ends. */
export function sendBytes(origin: string, bytes: string): Promise<{ text: string; ended: string }> {
  return new Promise((resolve) => {
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString();
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve({ text, ended: error.code ?? error.name }));
    socket.on("close", () => resolve({ text, ended: "closed" }));
  });
}

export interface RawEvent {
  readonly event: string | null;
  /** Parsed if it is JSON. */
  readonly data: Record<string, unknown>;
  readonly raw: string;
}

/** The events of a stream that was read whole. Comments are events with the name `:`. */
export function eventsOf(text: string): RawEvent[] {
  return text
    .split("\n\n")
    .filter((block) => block !== "")
    .map((block) => {
      if (block.startsWith(":")) return { event: ":", data: {}, raw: block };
      const event = /^event: (.*)$/m.exec(block)?.[1] ?? null;
      const raw = /^data: (.*)$/m.exec(block)?.[1] ?? "";
      return { event, data: parse(raw), raw };
    });
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
