/**
 * The naive reference: what one writes in an afternoon. node:http in front, `undici.request` behind, the body parsed and written anew,
 * the answer piped. It checks the client's key and takes one provider key after the other; it holds nothing back, tries nothing twice,
 * remembers nothing.
 *
 *   node bench/naive.ts UPSTREAM_PORT CLIENT_KEY
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Dispatcher, Pool } from "undici";

const [upstreamPort = "", clientKey = ""] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 512, headersTimeout: 0, bodyTimeout: 0 });
const keys = Array.from({ length: 8 }, (_, i) => `sk-bench-key-number-${i}`);
let turn = 0;

/** Of the provider's headers those that say how to read the answer. */
function kept({
  "content-type": type,
  "content-length": length,
}: Dispatcher.ResponseData["headers"]): Record<string, string> {
  return {
    ...(typeof type === "string" ? { "content-type": type } : {}),
    ...(typeof length === "string" ? { "content-length": length } : {}),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.headers.authorization !== `Bearer ${clientKey}`) {
    response.writeHead(401).end();
    return;
  }
  const controller = new AbortController();
  response.once("close", () => controller.abort());
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as { model: string };
    const given = await pool.request({
      path: "/v1/responses",
      method: "POST",
      headers: { authorization: `Bearer ${keys[turn++ % keys.length]}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: controller.signal,
    });
    response.writeHead(given.statusCode, kept(given.headers));
    given.body.on("error", () => response.destroy());
    given.body.pipe(response);
  } catch {
    response.destroy();
  }
}

const server = createServer((request, response) => void answer(request, response));
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
