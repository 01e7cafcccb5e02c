import type { IncomingMessage, ServerResponse } from "node:http";
import { writeWhole } from "../refusal.ts";
import type { Asset } from "./assets.ts";

/**
 * Everything comes from this gateway, nothing is written into the document as markup, nobody may frame it, and it leads nowhere: an
 * injected line could neither run nor send anything away.
 */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const guardHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": contentSecurityPolicy,
  "referrer-policy": "no-referrer",
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** Sends a file of the page, compressed where the browser takes it. */
export function answerAsset(request: IncomingMessage, response: ServerResponse, asset: Asset): void {
  const gzip = /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
  writeWhole(
    response,
    200,
    {
      ...guardHeaders,
      vary: "accept, accept-encoding",
      "cache-control": asset.immutable ? "public, max-age=31536000, immutable" : "no-cache",
      ...(gzip ? { "content-encoding": "gzip" } : {}),
    },
    gzip ? asset.gzipped : asset.bytes,
    asset.type,
  );
}

/** Says what is missing, and what to do. */
export function answerNotBuilt(response: ServerResponse): void {
  const text = "The status page is not built. In a checkout of the sources: npm run build\n";
  writeWhole(response, 503, guardHeaders, text, "text/plain; charset=utf-8");
}
