import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";
import { BodyBytes } from "./body-bytes.ts";
import type { Refusal } from "./refusal.ts";

export type ReadBody =
  | { readonly ok: true; readonly json: BodyBytes }
  | { readonly ok: false; readonly refusal: Refusal }
  /** The client left while it was still sending. */
  | { readonly ok: false; readonly refusal: null };

const decompressors: Readonly<Record<string, (body: Buffer, limit: number) => Promise<Buffer>>> = {
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
export async function readBody(request: IncomingMessage, limit: number): Promise<ReadBody> {
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
  if (Number(length ?? 0) > limit) return tooLarge(limit);

  const received = await receive(request, limit);
  if (received === "too-large") return tooLarge(limit);
  if (received === "left") return { ok: false, refusal: null };
  let body = received;
  if (decompress !== undefined) {
    try {
      body = await decompress(body, limit);
    } catch (error) {
      const isBomb = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
      if (isBomb) return tooLarge(limit);
      return refused(400, "broken_encoding", `the request body can't be decompressed as ${coding}`);
    }
  }
  if (!isUtf8(body)) return refused(400, "invalid_utf8", "the request body is not UTF-8 text");
  return { ok: true, json: new BodyBytes(body) };
}

/** All bytes of the body. Listens, since an iterator over a request costs more than the rest of the reading. */
function receive(request: IncomingMessage, limit: number): Promise<Buffer | "too-large" | "left"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= limit) return;
      request.pause();
      request.removeAllListeners("data");
      resolve("too-large");
    });
    request.on("end", () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, size));
    });
    // Both come after the end as well, and then change nothing.
    request.on("error", () => resolve("left"));
    request.on("close", () => resolve("left"));
  });
}

function tooLarge(limit: number): ReadBody {
  const size = `${Math.floor(limit / 1024 / 1024)} MiB`;
  return refused(413, "payload_too_large", `the request body is larger than ${size}`);
}

/** The rest of the body is not read, so the connection ends with the answer. */
function refused(status: number, code: string, message: string, headers?: Record<string, string>): ReadBody {
  return { ok: false, refusal: { status, code, message, close: true, ...(headers === undefined ? {} : { headers }) } };
}
