/**
 * What Node itself allows: node:http in front, our own HTTP/1.1 client behind, and nothing of a product in between. It checks the client's
 * key, puts one of eight in its place, and passes on every byte. It resolves no route, holds nothing back, tries nothing twice, writes
 * nothing down.
 *
 *   node bench/bare.ts UPSTREAM_PORT CLIENT_KEY
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Canceller } from "../src/core/cancel.ts";
import type { BodySink, TransportResponse } from "../src/core/transport.ts";
import { optimizeEarly } from "../src/platform/optimize-early.ts";
import { createHttp1Client } from "../src/transport/http1.ts";

const [upstreamPort = "", clientKey = ""] = process.argv.slice(2);
optimizeEarly();
const url = `http://127.0.0.1:${upstreamPort}/v1/responses`;
const client = createHttp1Client({ connectTimeoutMs: 5_000, connectionsPerOrigin: 2_048, onFault() {} });
const authorization = `Bearer ${clientKey}`;
const upstreamHeaders = Array.from({ length: 8 }, (_, i) => ({
  authorization: `Bearer sk-bench-key-number-${i}`,
  "content-type": "application/json",
}));
let turn = 0;

function ask(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.authorization !== authorization) {
    response.writeHead(401).end();
    return;
  }
  const body: Buffer[] = [];
  request.on("data", (chunk: Buffer) => body.push(chunk));
  request.on("end", () => {
    // Not an AbortController: to abort one makes an error with a stack trace, which would be a tenth of what all of this costs.
    const left = new Canceller();
    response.once("close", () => {
      if (!response.writableFinished) left.abort(new Error("the client left"));
    });
    const headers = upstreamHeaders[turn++ % upstreamHeaders.length] ?? {};
    client.send({ method: "POST", url, headers, body, signal: left }).then(
      (given) => passOn(given, response),
      () => response.destroy(),
    );
  });
}

function passOn({ status, headers, body, whole }: TransportResponse, response: ServerResponse): void {
  const type = { "content-type": headers["content-type"] ?? "application/octet-stream" };
  if (whole !== undefined) {
    response.writeHead(status, { ...type, "content-length": whole.length }).end(whole);
    return;
  }
  if (!("flow" in body)) throw new Error("the client of HTTP/1.1 gives bodies that flow");
  response.writeHead(status, { ...type, "transfer-encoding": "chunked" }).flushHeaders();
  body.flow(chunksTo(response, body));
}

/** Writes each piece as one chunk, past what `ServerResponse` would do for each. */
function chunksTo(response: ServerResponse, body: { pause(): void; resume(): void }): BodySink {
  const { socket } = response;
  return {
    chunk(bytes) {
      const size = `${bytes.length.toString(16)}\r\n`;
      const framed = Buffer.allocUnsafe(size.length + bytes.length + 2);
      framed.write(size, 0, "latin1");
      framed.set(bytes, size.length);
      framed.write("\r\n", size.length + bytes.length, "latin1");
      if (socket === null || socket.write(framed)) return;
      body.pause();
      socket.once("drain", () => body.resume());
    },
    end(broken) {
      if (broken === null) response.end();
      else response.destroy();
    },
  };
}

const server = createServer({ noDelay: true }, ask);
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
