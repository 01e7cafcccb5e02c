import { once } from "node:events";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { readText, type Transport, TransportError } from "../../src/core/transport.ts";
import { BodyQueue } from "../../src/transport/body-queue.ts";
import { createNetworkTransport } from "../../src/transport/transport.ts";
import { createUndiciTransport } from "../../src/transport/undici.ts";

const transport = createNetworkTransport({ connectionsPerOrigin: 8 });
const undici = createUndiciTransport();
let server: Server | undefined;
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  if (server !== undefined) await new Promise((resolve) => server?.close(resolve));
  server = undefined;
});
afterAll(() => Promise.all([transport.close(), undici.close()]));

async function listen(made: Server): Promise<string> {
  server = made;
  made.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(made.address() as AddressInfo).port}`;
}

const serve = (handler: RequestListener): Promise<string> => listen(createHttpServer(handler));

/** A server that answers each request with the next of `answers`, in pieces as they are. Says what it received. */
async function answerRaw(answers: (string | Buffer)[][]): Promise<{ url: string; received: string[] }> {
  const received: string[] = [];
  let next = 0;
  const url = await listen(
    createServer((socket) => {
      socket.setNoDelay(true);
      let text = "";
      socket.on("data", (chunk: Buffer) => {
        text += chunk.toString("latin1");
        const length = /content-length: (\d+)/i.exec(text)?.[1] ?? "0";
        if (text.length < text.indexOf("\r\n\r\n") + 4 + Number(length)) return;
        received.push(text);
        text = "";
        const answer = answers[next++] ?? [];
        void writePieces(socket, answer).then(() => answer.at(-1) === "" && socket.end());
      });
    }),
  );
  return { url, received };
}

async function writePieces(socket: Socket, pieces: readonly (string | Buffer)[]): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece);
    await new Promise(setImmediate);
  }
}

const post = (url: string, more: { signal?: AbortSignal; body?: string; headers?: Record<string, string> } = {}) =>
  transport.send({ method: "POST", url, headers: {}, body: "x", ...more });

async function failure(promise: Promise<unknown>): Promise<TransportError> {
  const error = await promise.then(
    () => new Error("it did not fail"),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TransportError);
  return error as TransportError;
}

describe("the transport's own HTTP/1.1 client", () => {
  it("sends method, path, headers and body, and gives status, headers and body back", async () => {
    const url = await serve((request, response) => {
      const { host, "x-mine": mine, "content-length": length } = request.headers;
      response.writeHead(418, {
        "x-seen": `${request.method} ${request.url} ${String(mine)} ${length} ${host === new URL(url).host}`,
        "set-cookie": ["a", "b"],
      });
      request.pipe(response);
    });
    const answer = await post(`${url}/p?q=1`, { headers: { "x-mine": "7" }, body: "hé" });
    expect(answer.status).toBe(418);
    expect(answer.headers).toMatchObject({ "x-seen": "POST /p?q=1 7 3 true", "set-cookie": "a, b" });
    expect(await readText(answer.body, 100)).toBe("hé");
  });

  it("sends a body in pieces as one, short or long", async () => {
    const url = await serve((request, response) => void request.pipe(response));
    for (const size of [1, 100_000]) {
      const pieces = ["a", "b", "c"].map((letter) => Buffer.from(letter.repeat(size)));
      const answer = await transport.send({ method: "POST", url, headers: {}, body: pieces });
      expect(await readText(answer.body, 1_000_000)).toBe(Buffer.concat(pieces).toString());
    }
  });

  it("uses a connection again for the next request, and several for requests at once", async () => {
    const ports = new Set<number | undefined>();
    const url = await serve((request, response) => {
      ports.add(request.socket.remotePort);
      request.resume().on("end", () => response.end("ok"));
    });
    for (let i = 0; i < 5; i++) await readText((await post(url)).body, 10);
    expect(ports.size).toBe(1);
    await Promise.all(Array.from({ length: 3 }, async () => readText((await post(url)).body, 10)));
    expect(ports.size).toBe(3);
  });

  it("lets requests beyond its connections wait for a free one", async () => {
    const open = new Set<Socket>();
    let most = 0;
    const url = await serve((request, response) => {
      open.add(request.socket);
      most = Math.max(most, open.size);
      request.resume().on("end", () => setImmediate(() => response.end("ok")));
    });
    const texts = await Promise.all(Array.from({ length: 40 }, async () => readText((await post(url)).body, 10)));
    expect(texts).toEqual(Array.from({ length: 40 }, () => "ok"));
    expect(most).toBe(8);
  });

  it("gives the whole body at once when it came with the head", async () => {
    const url = await serve((_, response) => response.end("all of it"));
    const answer = await post(url);
    expect(Buffer.from(answer.whole ?? []).toString()).toBe("all of it");
    expect(await readText(answer.body, 100)).toBe("all of it");
  });

  it("does not use a connection again after `connection: close`, HTTP/1.0, a body without a length, or bytes too many", async () => {
    const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    const { url, received } = await answerRaw([
      ["HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"],
      ["HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"],
      ["HTTP/1.1 200 OK\r\n\r\no", "k", ""],
      [`${ok}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`],
      [ok],
    ]);
    const before = sockets.size;
    for (let i = 0; i < 5; i++) expect(await readText((await post(url)).body, 10)).toBe("ok");
    expect(received).toHaveLength(5);
    expect(sockets.size - before).toBe(5);
  });

  it("passes over interim answers", async () => {
    const { url } = await answerRaw([
      ["HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"],
    ]);
    const answer = await post(url);
    expect([answer.status, answer.headers["link"]]).toEqual([200, undefined]);
  });

  it("says `connect` when nothing listens there", async () => {
    const url = await listen(createServer());
    await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    const error = await failure(post(url));
    expect([error.phase, error.networkCode]).toEqual(["connect", "ECONNREFUSED"]);
  });

  it("says `sent` when the other side closes without an answer, and `body` when the answer breaks off", async () => {
    const { url } = await answerRaw([[""], ["HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf", ""]]);
    expect((await failure(post(url))).phase).toBe("sent");
    const answer = await post(url);
    expect((await failure(readText(answer.body, 1_000))).phase).toBe("body");
  });

  it("says `body` when a chunked answer lacks its end", async () => {
    const { url } = await answerRaw([["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n", ""]]);
    const answer = await post(url);
    expect((await failure(readText(answer.body, 1_000))).phase).toBe("body");
  });

  it("ends the connection when the reader stops early", async () => {
    const url = await serve((_, response) => {
      response.writeHead(200);
      response.write("one");
    });
    const answer = await post(url);
    const [socket] = sockets;
    const closed = once(socket as Socket, "close");
    for await (const _ of answer.body) break;
    await closed;
  });

  it("rejects with the signal's reason after an abort, before and during the body, and closes the connection", async () => {
    const url = await serve((request, response) => {
      if (request.url === "/body") response.writeHead(200).write("x");
    });
    const before = new AbortController();
    const sending = post(`${url}/never`, { signal: before.signal });
    await sleep(20);
    before.abort("enough");
    await expect(sending).rejects.toBe("enough");
    const during = new AbortController();
    const answer = await post(`${url}/body`, { signal: during.signal });
    const reading = readText(answer.body, 100);
    during.abort("later");
    await expect(reading).rejects.toBe("later");
    await expect(post(url, { signal: AbortSignal.abort("never begun") })).rejects.toBe("never begun");
    for (const socket of sockets) if (!socket.destroyed) await once(socket, "close");
  });

  it("does not lose a place when an abort ends the waiting for it", async () => {
    const held: (() => void)[] = [];
    const url = await serve((request, response) => {
      request.resume().on("end", () => held.push(() => response.end("ok")));
    });
    const busy = Array.from({ length: 8 }, () => post(url));
    await expect.poll(() => held.length).toBe(8);
    const controller = new AbortController();
    const waiting = post(url, { signal: controller.signal });
    const next = post(url);
    controller.abort("gone");
    await expect(waiting).rejects.toBe("gone");
    for (const answer of held.splice(0)) answer();
    for (const answer of await Promise.all(busy)) await readText(answer.body, 10);
    await expect.poll(() => held.length).toBe(1);
    held[0]?.();
    expect(await readText((await next).body, 10)).toBe("ok");
  });

  it("forgets nobody who leaves at the moment in which a connection becomes free", async () => {
    const ends: (() => void)[] = [];
    const url = await serve((_, response) => {
      response.writeHead(200, { "content-length": 2 }).flushHeaders();
      ends.push(() => response.end("ok"));
    });
    for (let steps = 0; steps < 6; steps++) {
      const own = createNetworkTransport({ connectionsPerOrigin: 1 });
      const controller = new AbortController();
      const { body } = await own.send({ method: "POST", url, headers: {}, body: "x" });
      const waiting = own.send({ method: "POST", url, headers: {}, body: "x", signal: controller.signal });
      ends.pop()?.();
      // Whoever reads goes on as early as whoever waits for the connection.
      await body[Symbol.asyncIterator]().next();
      for (let step = 0; step < steps; step++) await Promise.resolve();
      controller.abort("gone");
      await expect(waiting.then(({ body: unread }) => readText(unread, 10))).rejects.toBe("gone");
      await own.close();
    }
  });

  it("does not take its own closing for the end of a body without a length", async () => {
    const { url } = await answerRaw([["HTTP/1.1 200 OK\r\n\r\nhal"]]);
    const own = createNetworkTransport();
    const answer = await own.send({ method: "POST", url, headers: {}, body: "x" });
    const reading = failure(readText(answer.body, 100));
    await own.close();
    expect((await reading).phase).toBe("body");
  });

  it("sends nothing for who still waits for a connection when it is closed", async () => {
    const { url, received } = await answerRaw([]);
    const own = createNetworkTransport({ connectionsPerOrigin: 1 });
    const request = { method: "POST", url, headers: {}, body: "x" } as const;
    const [under, waiting] = [failure(own.send(request)), failure(own.send(request))];
    await expect.poll(() => received.length).toBe(1);
    await own.close();
    expect([(await under).phase, (await waiting).phase]).toEqual(["sent", "connect"]);
    expect(sockets.size).toBe(1);
  });

  it("keeps no process alive by a connection that rests", async () => {
    const handles = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
    await expect.poll(handles).toBe(0);
    let end = (): void => {};
    const url = await serve((request, response) => {
      request.socket.unref();
      response.writeHead(200, { "content-length": 2 }).write("o");
      end = () => response.end("k");
    });
    const answer = await post(url);
    expect(handles()).toBe(1);
    end();
    expect(await readText(answer.body, 10)).toBe("ok");
    expect(handles()).toBe(0);
  });

  it("lets a body that is complete not resume the connection, which may carry another by then", async () => {
    const calls: string[] = [];
    const note = (name: string) => () => void calls.push(name);
    const queue = new BodyQueue({ pause: note("pause"), resume: note("resume"), drop: note("drop") });
    queue.push(new Uint8Array(300 * 1024));
    queue.end();
    expect((await readText(queue, 1_000_000)).length).toBe(300 * 1024);
    expect(calls).toEqual(["pause"]);
  });

  it("pauses the connection while nobody reads", async () => {
    let written = 0;
    const url = await serve((_, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (written < 64 * 1024 * 1024 && response.write(chunk)) written += chunk.length;
      };
      response.on("drain", more);
      more();
    });
    const answer = await post(url);
    let seen = -1;
    while (seen !== written) {
      seen = written;
      await sleep(50);
    }
    expect(written).toBeLessThan(32 * 1024 * 1024);
    for await (const _ of answer.body) break;
  });

  it.each([
    ["a line break in a value", { "x-a": "1\r\nhost: evil" }],
    ["a line break in a name", { "x\r\na": "1" }],
    ["a length of the caller's", { "content-length": "1" }],
    ["a coding of the caller's", { "transfer-encoding": "chunked" }],
    ["a value beyond latin1", { "x-a": "→" }],
  ])("refuses to send %s", async (_, headers) => {
    const { url, received } = await answerRaw([["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]]);
    expect((await failure(post(url, { headers: headers as unknown as Record<string, string> }))).phase).toBe("connect");
    expect(received).toEqual([]);
  });

  it.each([
    ["two lengths", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"],
    ["a length beside chunks", "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
    ["a coding besides chunks", "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
    ["a folded header", "HTTP/1.1 200 OK\r\nx-a: 1\r\n b\r\ncontent-length: 0\r\n\r\n"],
    ["a blank before the colon", "HTTP/1.1 200 OK\r\nx-a : 1\r\ncontent-length: 0\r\n\r\n"],
    ["no status line", "ICY 200 OK\r\n\r\n"],
    ["a head without end", `HTTP/1.1 200 OK\r\nx-a: ${"a".repeat(70_000)}`],
  ])("refuses an answer with %s, and asks that server by undici from then on", async (_, answer) => {
    const { url, received } = await answerRaw([[answer], ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"]]);
    expect((await failure(post(url))).phase).toBe("sent");
    expect(await readText((await post(url)).body, 10)).toBe("ok");
    expect(received[0]).toContain("connection: keep-alive");
    expect(received[1]?.startsWith("POST / HTTP/1.1\r\n")).toBe(true);
  });
});

/** What a client makes of an answer. */
async function readBy(client: Transport, url: string): Promise<unknown> {
  try {
    const { status, headers, body } = await client.send({ method: "POST", url, headers: {}, body: "x" });
    const text = await readText(body, 1_000_000).catch((error: unknown) => (error as TransportError).phase);
    return { status, headers, text };
  } catch (error) {
    return (error as TransportError).phase;
  }
}

describe("beside undici", () => {
  const headerLine = fc.oneof(
    fc
      .tuple(fc.constantFrom("x-a", "X-B", "Set-Cookie", "retry-after"), fc.stringMatching(/^[ -~]{0,12}$/))
      .map((pair) => pair.join(": ").trimEnd()),
    fc.constantFrom("x-c:  padded", "x-empty:", "keep-alive: timeout=5", "Connection: close", "X-Latin: \u00e9"),
  );
  const body = fc.array(fc.stringMatching(/^[ -~]{0,40}$/), { maxLength: 4 });
  const framed = fc
    .tuple(body, fc.constantFrom("length", "chunked", "extended", "close", "short", "broken"))
    .map(([parts, kind]) => {
      const text = parts.join("");
      const chunks = parts
        .filter((part) => part !== "")
        .map((part) => `${part.length.toString(16)}${kind === "extended" ? ";a=b" : ""}\r\n${part}\r\n`);
      switch (kind) {
        case "length":
          return { header: `Content-Length: ${text.length}`, text, ends: false };
        case "chunked":
          return { header: "Transfer-Encoding: chunked", text: `${chunks.join("")}0\r\n\r\n`, ends: false };
        case "extended":
          return {
            header: "transfer-encoding: Chunked",
            text: `${chunks.join("")}0\r\nx-trailer: 1\r\n\r\n`,
            ends: false,
          };
        case "close":
          return { header: "x-close: 1", text, ends: true };
        case "short":
          return { header: `content-length: ${text.length + 1}`, text, ends: true };
        default:
          return { header: "transfer-encoding: chunked", text: `${chunks.join("")}zz\r\n`, ends: true };
      }
    });
  const answer = fc.record({
    status: fc.constantFrom("200 OK", "404 Not Found", "429 ", "500", "503 Service\tUnavailable"),
    lines: fc.array(headerLine, { maxLength: 4 }),
    framed,
    cuts: fc.array(fc.nat(300), { maxLength: 3 }),
  });

  it("reads any answer, at any split, as undici does", async () => {
    let pieces: (string | Buffer)[] = [];
    const url = await listen(
      createServer((socket) => {
        socket.setNoDelay(true);
        socket.once("data", () => void writePieces(socket, pieces).then(() => socket.end()));
      }),
    );
    await fc.assert(
      fc.asyncProperty(answer, async ({ status, lines, framed, cuts }) => {
        const bytes = Buffer.from(
          `HTTP/1.1 ${status}\r\n${[...lines, framed.header].join("\r\n")}\r\n\r\n${framed.text}`,
          "latin1",
        );
        const at = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        pieces = at
          .slice(1)
          .map((end, i) => bytes.subarray(at[i], end))
          .filter((piece) => piece.length > 0);
        // A transport of its own each time: none may remember the other's faults or connections.
        const [own, other] = [createNetworkTransport(), createUndiciTransport()];
        try {
          expect(await readBy(own, url)).toEqual(await readBy(other, url));
        } finally {
          await Promise.all([own.close(), other.close()]);
        }
      }),
      { numRuns: 150, timeout: 5_000 },
    );
  });
});
