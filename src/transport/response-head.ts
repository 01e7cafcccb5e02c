/** An answer does not keep to HTTP/1.1 (RFC 9112). `code` is spelled as undici and Node spell such faults. */
export class HttpFault extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "HttpFault";
    this.code = code;
  }
}

/** How a body is delimited (RFC 9112, section 6.3). */
export type Framing =
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "close" };

export interface ResponseHead {
  readonly status: number;
  /** Lower-case names; repeated ones joined with ", ". */
  readonly headers: Record<string, string>;
  readonly framing: Framing;
  /** How long the connection may rest afterwards, in ms; 0: it must not be used again. */
  readonly keepAliveMs: number;
}

/** Longest head of an answer, in bytes. */
export const longestHead: number = 64 * 1024;

/** A connection may rest so long when the server does not say, in ms. */
const usualRestMs = 30_000;
/** A server's own limit is undercut by so much, in ms: a request must not meet the closing. */
const marginMs = 1_000;

const statusLine = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: [\t\u0020-\u007E\u0080-\u00FF]*)?$/;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const badValue = /[^\t\u0020-\u007E\u0080-\u00FF]/;

/** Names as they came → lower case, or "" for one that is no name. Servers use few, so each is looked at once. */
const names = new Map<string, string>();
const namesLimit = 2_000;

function nameOf(raw: string): string {
  const known = names.get(raw);
  if (known !== undefined) return known;
  const name = token.test(raw) ? raw.toLowerCase() : "";
  if (names.size < namesLimit) names.set(raw, name);
  return name;
}

/**
 * Reads the head of an answer: `text` is everything before the empty line, as latin1. Throws an `HttpFault` for all that two readers could
 * understand in two ways: folded lines, blanks before a colon, lengths that differ, codings besides chunked, line ends other than CR LF.
 */
export function parseResponseHead(text: string, method: string): ResponseHead {
  let end = endOfLine(text, 0);
  const first = text.slice(0, end);
  let minor = "1";
  let status = 200;
  if (first !== "HTTP/1.1 200 OK") {
    const match = statusLine.exec(first);
    if (match === null) throw new HttpFault("HPE_INVALID_CONSTANT", "the answer has no status line of HTTP/1.1");
    minor = match[1] ?? "";
    status = Number(match[2]);
  }
  const headers: Record<string, string> = {};
  let length: string | undefined;
  while (end < text.length) {
    const start = end + 2;
    end = endOfLine(text, start);
    const colon = text.indexOf(":", start);
    const name = colon <= start || colon > end ? "" : nameOf(text.slice(start, colon));
    if (name === "") throw new HttpFault("HPE_INVALID_HEADER_TOKEN", "the answer has a header without a proper name");
    const value = trimmed(text, colon + 1, end);
    if (badValue.test(value)) throw new HttpFault("HPE_INVALID_HEADER_TOKEN", `the value of ${name} holds controls`);
    if (name === "content-length") {
      if (!/^\d{1,15}$/.test(value) || (length !== undefined && length !== value)) {
        throw new HttpFault("HPE_INVALID_CONTENT_LENGTH", "the answer has no single length");
      }
      length = value;
    }
    const before = Object.hasOwn(headers, name) && name !== "content-length" ? headers[name] : undefined;
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  const framing = framingOf(status, method, headers["transfer-encoding"], length);
  const isKept = framing.kind !== "close" && minor === "1" && !hasToken(headers["connection"], "close");
  return { status, headers, framing, keepAliveMs: isKept ? restMs(headers["keep-alive"]) : 0 };
}

/** Where the line ends that `from` stands in: at its CR LF, or at the end of it all. */
function endOfLine(text: string, from: number): number {
  const at = text.indexOf("\r\n", from);
  return at < 0 ? text.length : at;
}

/** Without the blanks at both ends. */
function trimmed(text: string, from: number, to: number): string {
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function framingOf(status: number, method: string, coding: string | undefined, length: string | undefined): Framing {
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return { kind: "length", bytes: 0 };
  if (coding !== undefined) {
    // Both at once is how answers are smuggled; undici refuses it, too.
    if (length !== undefined) throw new HttpFault("HPE_UNEXPECTED_CONTENT_LENGTH", "the answer has two lengths");
    if (coding.toLowerCase() === "chunked") return { kind: "chunked" };
    throw new HttpFault("HPE_INVALID_TRANSFER_ENCODING", "the answer is coded in a way that was not asked for");
  }
  return length === undefined ? { kind: "close" } : { kind: "length", bytes: Number(length) };
}

function hasToken(value: string | undefined, wanted: string): boolean {
  return (
    value !== undefined &&
    value
      .toLowerCase()
      .split(",")
      .some((part) => part.trim() === wanted)
  );
}

function restMs(keepAlive: string | undefined): number {
  const seconds = keepAlive === undefined ? null : /(?:^|[\s,;])timeout=(\d{1,6})/i.exec(keepAlive);
  if (seconds === null) return usualRestMs;
  return Math.max(0, Math.min(usualRestMs, Number(seconds[1]) * 1_000 - marginMs));
}
