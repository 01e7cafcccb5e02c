import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import type { Soon } from "../core/soon.ts";
import { BodyBytes } from "./body-bytes.ts";
import type { Refusal } from "./refusal.ts";

export type ReadBody =
  | { readonly ok: true; readonly json: BodyBytes }
  | { readonly ok: false; readonly refusal: Refusal }
  /** The client left while it was still sending. */
  | { readonly ok: false; readonly refusal: null };

type Decompress = (body: Buffer, limit: number) => Promise<Buffer>;

const decompressors: Readonly<Record<string, Decompress>> = {
  gzip: (body, limit) => promisify(gunzip)(body, { maxOutputLength: limit }),
  "x-gzip": (body, limit) => promisify(gunzip)(body, { maxOutputLength: limit }),
  deflate: (body, limit) => promisify(inflate)(body, { maxOutputLength: limit }),
  br: (body, limit) => promisify(brotliDecompress)(body, { maxOutputLength: limit }),
  zstd: (body, limit) => promisify(zstdDecompress)(body, { maxOutputLength: limit }),
};

/** Types that are JSON, or that people send JSON as. A body without a type is taken as it is. */
const jsonLike = /^(application\/([a-z0-9.+-]*\+)?json|text\/plain|text\/json|application\/octet-stream)\s*(;|$)/i;

/**
 * Reads a request's body: at most `limit` bytes, as sent and again after decompression. A body that can't be JSON, is too
 * large, broken or no UTF-8 is a refusal that says which. Never rejects.
 */
export function readBody(request: IncomingMessage, limit: number): Soon<ReadBody> {
  const { "content-type": type, "content-encoding": encoding, "content-length": length } = request.headers;
  if (type !== undefined && !(type === "application/json" || jsonLike.test(type.trim()))) {
    return refused(415, "unsupported_media_type", "the request body must be JSON (content-type: application/json)");
  }
  const coding = encoding?.trim().toLowerCase() ?? "identity";
  const decompress = coding !== "identity" && Object.hasOwn(decompressors, coding) ? decompressors[coding] : undefined;
  if (decompress === undefined && coding !== "identity") {
    return refused(415, "unsupported_encoding", "the request body may be compressed with gzip, br, zstd or deflate", {
      "accept-encoding": "gzip, br, zstd, deflate",
    });
  }
  const bytes = length === undefined ? 0 : Number(length);
  if (bytes > limit) return tooLarge(limit);
  return receive(request, bytes, limit, (body) =>
    decompress === undefined ? taken(body) : decompressed(body, decompress, coding, limit),
  );
}

/**
 * What `then` makes of all bytes of the body. Listens, since an iterator over a request costs more than the rest of the reading. `length`: so
 * many will come, and nobody waits for the word that there are no more; 0: not known.
 */
function receive(
  request: IncomingMessage,
  length: number,
  limit: number,
  then: (body: Buffer) => Soon<ReadBody>,
): Promise<ReadBody> {
  return new Promise((resolve) => {
    let first: Buffer | null = null;
    let all: Buffer[] | null = null;
    let size = 0;
    const whole = (): void => resolve(then(all === null ? (first ?? Buffer.alloc(0)) : joined(all, size)));
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) {
        request.pause();
        request.removeAllListeners("data");
        return resolve(tooLarge(limit));
      }
      if (first === null) first = chunk;
      else if (all === null) all = [first, chunk];
      else all.push(chunk);
      if (size === length) whole();
    });
    if (length === 0) request.on("end", whole);
    // It comes after the end as well, and then changes nothing.
    request.on("close", () => resolve({ ok: false, refusal: null }));
    request.on("error", ignore);
  });
}

/**
 * Puts the pieces of a body together. What they took is given back at once: it lies outside of the heap, and waiting there for the collector it
 * makes it run twice as often.
 */
export function joined(pieces: readonly Buffer[], size: number): Buffer {
  const body = Buffer.concat(pieces, size);
  for (const { buffer, byteLength } of pieces) {
    // Others may live in the same memory.
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
  }
  return body;
}

/** What breaks a request also closes it. */
function ignore(): void {}

function taken(body: Buffer): ReadBody {
  if (!isUtf8(body)) return refused(400, "invalid_utf8", "the request body is not UTF-8 text");
  return { ok: true, json: new BodyBytes(body) };
}

async function decompressed(body: Buffer, decompress: Decompress, coding: string, limit: number): Promise<ReadBody> {
  try {
    return taken(await decompress(body, limit));
  } catch (error) {
    const isBomb = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    if (isBomb) return tooLarge(limit);
    return refused(400, "broken_encoding", `the request body can't be decompressed as ${coding}`);
  }
}

function tooLarge(limit: number): ReadBody {
  const size = `${Math.floor(limit / 1024 / 1024)} MiB`;
  return refused(413, "payload_too_large", `the request body is larger than ${size}`);
}

/** The rest of the body is not read, so the connection ends with the answer. */
function refused(status: number, code: string, message: string, headers?: Record<string, string>): ReadBody {
  return { ok: false, refusal: { status, code, message, close: true, ...(headers === undefined ? {} : { headers }) } };
}
