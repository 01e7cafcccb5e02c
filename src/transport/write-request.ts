import { TransportError, type TransportRequest } from "../core/transport.ts";

/** Where a URL leads, taken apart once. */
export interface Address {
  readonly origin: string;
  readonly secure: boolean;
  readonly hostname: string;
  readonly port: number;
  /** For the request line and the `host` header. */
  readonly path: string;
  readonly host: string;
}

export function parseAddress(text: string): Address {
  const url = new URL(text);
  const secure = url.protocol === "https:";
  return {
    origin: url.origin,
    secure,
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port) || (secure ? 443 : 80),
    path: url.pathname + url.search,
    host: url.host,
  };
}

const headerName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const badValue = /[^\t\u0020-\u007E\u0080-\u00FF]/;
/** Set by this client alone: they say where a request ends. */
const ownHeaders = new Set([
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "expect",
  "upgrade",
  "keep-alive",
]);

/** Names that may be sent. There are few, so each is looked at once. */
const goodNames = new Set<string>();
const namesLimit = 1_000;

function isGoodName(name: string): boolean {
  if (goodNames.has(name)) return true;
  if (!headerName.test(name) || ownHeaders.has(name)) return false;
  if (goodNames.size < namesLimit) goodNames.add(name);
  return true;
}

/** A body up to this goes out in one piece with its head, in bytes. */
const joinedBody = 16 * 1024;

/** The pieces of a request as they are written. Throws a `TransportError` `connect` for headers that can't be sent. */
export function writeRequest(
  { method, headers, body }: TransportRequest,
  { path, host }: Address,
): readonly (string | Uint8Array)[] {
  let head = `${method} ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n`;
  for (const name in headers) {
    const value = headers[name] ?? "";
    if (!isGoodName(name) || badValue.test(value)) {
      throw new TransportError("connect", "UND_ERR_INVALID_ARG", `the header ${JSON.stringify(name)} can't be sent`);
    }
    head += `${name}: ${value}\r\n`;
  }
  const parts = bodyParts(body);
  let length = 0;
  for (const part of parts) length += part.length;
  if (body !== undefined || method === "POST") head += `content-length: ${length}\r\n`;
  head += "\r\n";
  if (length > joinedBody || length === 0) return [head, ...parts];
  const joined = Buffer.allocUnsafe(head.length + length);
  let at = joined.write(head, 0, "latin1");
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return [joined];
}

function bodyParts(body: TransportRequest["body"]): readonly Uint8Array[] {
  if (body === undefined) return [];
  if (typeof body === "string") return [Buffer.from(body)];
  return body instanceof Uint8Array ? [body] : body;
}
