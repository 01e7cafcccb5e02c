import { readFileSync } from "node:fs";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer as createPlainServer } from "node:net";
import { createServer as createSecureServer, getCACertificates, setDefaultCACertificates } from "node:tls";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FlowingBody, readText, TransportError, type TransportResponse } from "../../src/core/transport.ts";
import { createHttp1Client, type Http1Client } from "../../src/transport/http1.ts";

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), "utf8");
const trusted = getCACertificates("default");
const sockets = new Set<Socket>();
const servers: Server[] = [];
const urls = { plain: "", secure: "" };
const faults: string[] = [];
let client: Http1Client;
/** How a server answers a request for this path, in pieces. */
const answers = new Map<string, readonly Buffer[]>();
let resumed = 0;

beforeAll(async () => {
  setDefaultCACertificates([fixture("localhost.crt")]);
  const secure = createSecureServer({ key: fixture("localhost.key"), cert: fixture("localhost.crt") }, serve);
  secure.on("secureConnection", (socket) => (resumed += socket.isSessionReused() ? 1 : 0));
  urls.plain = `http://127.0.0.1:${await listen(createPlainServer(serve))}`;
  urls.secure = `https://localhost:${await listen(secure)}`;
  client = createHttp1Client({
    connectTimeoutMs: 5_000,
    connectionsPerOrigin: 8,
    onFault: (origin) => faults.push(origin),
  });
});

afterAll(async () => {
  setDefaultCACertificates(trusted);
  client.close();
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  server.on("connection", (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  return (server.address() as AddressInfo).port;
}

/** Reads one request after the other; none has a body worth looking at. */
function serve(socket: Socket): void {
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    const path = /^POST (\S+)/.exec(chunk.toString("latin1"))?.[1];
    if (path !== undefined) void write(socket, answers.get(path) ?? []);
  });
}

/** An empty piece is the end of the connection. */
async function write(socket: Socket, pieces: readonly Buffer[]): Promise<void> {
  for (const piece of pieces) {
    if (piece.length === 0) return void socket.end();
    socket.write(piece);
    await turn();
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const ask = (url: string, signal?: AbortSignal): Promise<TransportResponse> =>
  client.send({ method: "POST", url, headers: {}, body: "x", ...(signal === undefined ? {} : { signal }) });

/** Bytes that no other answer has at the same place. */
function contentOf(id: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at++) bytes[at] = (id * 31 + at * 7 + (at >> 8)) & 0xff;
  return bytes;
}

interface Answer {
  readonly where: "plain" | "secure";
  readonly framing: "length" | "chunked" | "close";
  readonly length: number;
  readonly chunk: number;
  readonly piece: number;
  /** Turns of the loop for which the reader takes nothing, behind each piece. */
  readonly pause: number;
  readonly flows: boolean;
}

function onTheWire({ framing, length, chunk, piece }: Answer, id: number): Buffer[] {
  const content = contentOf(id, length);
  const body: Buffer[] = [];
  if (framing !== "chunked") body.push(content);
  else {
    for (let at = 0; at < length; at += chunk) {
      const part = content.subarray(at, at + chunk);
      body.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
    }
    body.push(Buffer.from("0\r\n\r\n"));
  }
  const header = { length: `content-length: ${length}`, chunked: "transfer-encoding: chunked", close: "x-a: b" }[
    framing
  ];
  const all = Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nx-id: ${id}\r\n${header}\r\n\r\n`), ...body]);
  const pieces: Buffer[] = [];
  for (let at = 0; at < all.length; at += piece) pieces.push(all.subarray(at, at + piece));
  return framing === "close" ? [...pieces, Buffer.alloc(0)] : pieces;
}

async function read({ body }: TransportResponse, { pause, flows }: Answer): Promise<Buffer> {
  const kept: Uint8Array[] = [];
  if (flows && "flow" in body) {
    await flow(body, kept, pause);
  } else {
    for await (const bytes of body) {
      kept.push(bytes);
      for (let i = 0; i < pause; i++) await turn();
    }
  }
  // Put together only now, when the connections have read much else.
  return Buffer.concat(kept);
}

function flow(body: FlowingBody, kept: Uint8Array[], pause: number): Promise<void> {
  return new Promise((resolve, reject) => {
    body.flow({
      chunk(bytes) {
        // Only now are they what they are.
        kept.push(Buffer.from(bytes));
        if (pause === 0) return;
        body.pause();
        void (async () => {
          for (let i = 0; i < pause; i++) await turn();
          body.resume();
        })();
      },
      end: (broken) => (broken === null ? resolve() : reject(broken.reason)),
    });
  });
}

describe("connections that read into one buffer", () => {
  const answer: fc.Arbitrary<Answer> = fc.record({
    where: fc.constantFrom("plain", "secure"),
    framing: fc.constantFrom("length", "chunked", "chunked", "close"),
    length: fc.oneof(fc.nat(300), fc.nat(400_000)),
    chunk: fc.constantFrom(40, 1_000, 70_000),
    piece: fc.constantFrom(50, 5_000, 100_000),
    pause: fc.nat(3),
    flows: fc.boolean(),
  });

  it("give each reader the bytes of its own answer, over TLS as well, however it reads", async () => {
    let id = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(answer, { minLength: 1, maxLength: 8 }), async (asked) => {
        const received = asked.map(async (each) => {
          // So that small pieces don't take for ever.
          const one = { ...each, length: Math.min(each.length, each.piece * 60, each.chunk * 2_000) };
          const mine = (id += 1);
          answers.set(`/${mine}`, onTheWire(one, mine));
          const response = await ask(`${urls[one.where]}/${mine}`);
          expect(response.headers["x-id"]).toBe(String(mine));
          const bytes = await read(response, one);
          expect(bytes.equals(contentOf(mine, one.length))).toBe(true);
        });
        await Promise.all(received);
      }),
      { numRuns: 25 },
    );
    expect(faults).toEqual([]);
    expect(resumed).toBeGreaterThan(0);
  });
});

describe("over TLS", () => {
  it("an answer that breaks off, one that is given up and a certificate that nobody trusts are told apart", async () => {
    const half = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf");
    answers.set("/half", [half, Buffer.alloc(0)]);
    answers.set("/open", [half]);
    const phaseOf = async (work: Promise<unknown>): Promise<unknown> => {
      const error: unknown = await work.then(
        () => null,
        (thrown: unknown) => thrown,
      );
      return error instanceof TransportError ? [error.phase, error.networkCode] : error;
    };
    const { body } = await ask(`${urls.secure}/half`);
    expect(await phaseOf(readText(body, 1_000))).toEqual(["body", "UND_ERR_SOCKET"]);
    const controller = new AbortController();
    const open = await ask(`${urls.secure}/open`, controller.signal);
    const reading = phaseOf(readText(open.body, 1_000));
    controller.abort("enough");
    expect(await reading).toBe("enough");
    setDefaultCACertificates(trusted);
    const other = createHttp1Client({ connectTimeoutMs: 5_000, connectionsPerOrigin: 1, onFault: () => {} });
    const sending = other.send({ method: "POST", url: `${urls.secure}/half`, headers: {}, body: "x" });
    expect(await phaseOf(sending)).toEqual(["connect", "DEPTH_ZERO_SELF_SIGNED_CERT"]);
    other.close();
  });
});
