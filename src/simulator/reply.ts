/**
 * What a role does with one request, step by step. Most replies are a head, some writes and an end; a fault leaves steps
 * out or puts a hold, a cut or a reset among them.
 */
export interface Reply {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

export type Step =
  /** Status line and headers. */
  | { readonly do: "head" }
  /** The status line and the beginning of one header, straight to the socket. */
  | { readonly do: "part-of-head" }
  /** One event or one piece of a body. */
  | { readonly do: "write"; readonly text: string }
  /** Nothing, until it is released or the client leaves. */
  | { readonly do: "hold" }
  /** The body ends as HTTP wants it. */
  | { readonly do: "end" }
  /** The connection ends without the body having ended. */
  | { readonly do: "cut" }
  /** The connection ends with a TCP reset. */
  | { readonly do: "reset" };

export const head: Step = { do: "head" };
export const partOfHead: Step = { do: "part-of-head" };
export const hold: Step = { do: "hold" };
export const end: Step = { do: "end" };
export const cut: Step = { do: "cut" };
export const reset: Step = { do: "reset" };

export function write(text: string): Step {
  return { do: "write", text };
}

/** A JSON body with its length. */
export function jsonReply(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return textReply(status, "application/json", JSON.stringify(body), headers);
}

/** Any body with its length. An empty one is no write at all. */
export function textReply(
  status: number,
  contentType: string,
  text: string,
  headers: Record<string, string> = {},
): Reply {
  return {
    status,
    headers: { "content-type": contentType, "content-length": String(Buffer.byteLength(text)), ...headers },
    steps: text === "" ? [head, end] : [head, write(text), end],
  };
}

export function redirectReply(location: string): Reply {
  return { status: 302, headers: { location, "content-length": "0" }, steps: [head, end] };
}

/** One server-sent event as text; `event` is left out where the dialect names none. */
export function sse(data: unknown, event?: string): string {
  const text = typeof data === "string" ? data : JSON.stringify(data);
  return `${event === undefined ? "" : `event: ${event}\n`}data: ${text}\n\n`;
}
