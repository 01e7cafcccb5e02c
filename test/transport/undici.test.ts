import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { readText, TransportError } from "../../src/core/transport.ts";
import { createUndiciTransport } from "../../src/transport/undici.ts";

const transport = createUndiciTransport();
let server: Server | undefined;

async function listen(handler: Parameters<typeof createServer>[1]): Promise<string> {
  server = createServer(handler ?? (() => {}));
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

async function failure(promise: Promise<unknown>): Promise<TransportError> {
  const error = await promise.then(
    () => new Error("it did not fail"),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(TransportError);
  return error as TransportError;
}

describe("the undici transport", () => {
  it("sends method, headers and body, and gives status, headers and body back", async () => {
    const url = await listen((request, response) => {
      response.writeHead(418, {
        "x-seen": `${request.method} ${String(request.headers["x-mine"])}`,
        "set-cookie": ["a", "b"],
      });
      request.pipe(response);
    });
    const answer = await transport.send({
      method: "POST",
      url: `${url}/p?q=1`,
      headers: { "x-mine": "7" },
      body: "hé",
    });
    expect(answer.status).toBe(418);
    expect(answer.headers["x-seen"]).toBe("POST 7");
    expect(answer.headers["set-cookie"]).toBe("a, b");
    expect(await readText(answer.body, 100)).toBe("hé");
  });

  it("does not follow a redirect", async () => {
    const url = await listen((_, response) => response.writeHead(302, { location: "/elsewhere" }).end());
    expect((await transport.send({ method: "GET", url, headers: {} })).status).toBe(302);
  });

  it("says `connect` when nothing listens there", async () => {
    const url = await listen(() => {});
    await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    const error = await failure(transport.send({ method: "POST", url, headers: {}, body: "x" }));
    expect([error.phase, error.networkCode]).toEqual(["connect", "ECONNREFUSED"]);
  });

  it("says `sent` when the other side closes without an answer", async () => {
    const url = await listen((request) => request.socket.destroy());
    const error = await failure(transport.send({ method: "POST", url, headers: {}, body: "x" }));
    expect(error.phase).toBe("sent");
  });

  it("says `body` when the answer breaks off", async () => {
    const url = await listen((_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("half", () => response.destroy());
    });
    const answer = await transport.send({ method: "GET", url, headers: {} });
    expect((await failure(readText(answer.body, 1_000))).phase).toBe("body");
  });

  it("ends the connection when the reader stops early", async () => {
    let closed: () => void = () => {};
    const seen = new Promise<void>((resolve) => {
      closed = resolve;
    });
    const url = await listen((_, response) => {
      response.on("close", closed);
      response.writeHead(200);
      response.write("one");
    });
    const answer = await transport.send({ method: "GET", url, headers: {} });
    for await (const _ of answer.body) break;
    await seen;
  });

  it("rejects with the signal's reason after an abort, before and during the body", async () => {
    const url = await listen((request, response) => {
      if (request.url === "/body") response.writeHead(200).write("x");
    });
    const before = new AbortController();
    const sending = transport.send({ method: "GET", url: `${url}/never`, headers: {}, signal: before.signal });
    before.abort("enough");
    await expect(sending).rejects.toBe("enough");
    const during = new AbortController();
    const answer = await transport.send({ method: "GET", url: `${url}/body`, headers: {}, signal: during.signal });
    const reading = readText(answer.body, 100);
    during.abort("later");
    await expect(reading).rejects.toBe("later");
  });

  it("uses a new connection for a fresh request", async () => {
    const ports = new Set<number | undefined>();
    const url = await listen((request, response) => {
      ports.add(request.socket.remotePort);
      response.end("ok");
    });
    for (let i = 0; i < 3; i++) {
      const answer = await transport.send({ method: "GET", url, headers: {}, fresh: true });
      await readText(answer.body, 10);
    }
    expect(ports.size).toBe(3);
  });
});
