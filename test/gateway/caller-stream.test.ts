import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { CallerStream } from "../../src/gateway/caller-stream.ts";

const alive = ": alive\n\n";

/** Answers one request by `answer` and gives what came over the wire. */
async function receive(
  answer: (stream: CallerStream, response: ServerResponse, received: () => string) => Promise<void>,
  onHead: (message: IncomingMessage) => void = () => {},
): Promise<string> {
  let received = "";
  const server = createServer((_, response) => {
    const stream = new CallerStream({
      response,
      chunked: true,
      keepAlive: alive,
      everyMs: 5,
      stalledMs: 1_000,
      interimMs: 0,
      signal: new AbortController().signal,
      earlyHeaders: () => ({ "content-type": "text/event-stream" }),
    });
    void answer(stream, response, () => received).then(() => stream.end());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve, reject) => {
    get({ port, host: "127.0.0.1", agent: false }, (message: IncomingMessage) => {
      onHead(message);
      message.on("data", (chunk: Buffer) => (received += chunk.toString()));
      message.on("end", resolve).on("error", reject);
    }).on("error", reject);
  });
  await new Promise((resolve) => server.close(resolve));
  return received;
}

/** Lets time pass until `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("a stream to the caller", () => {
  it("passes headers on as they came, also those that are not ASCII", async () => {
    let head = "";
    const received = await receive(
      async (stream) => {
        stream.begin(200, { "x-request-id": "r\u00e2\u009c\u0093" });
        stream.take(Buffer.from("data: 1\n\n"), true);
        stream.take(Buffer.from("data: 2\n\n"), true, true);
      },
      (message) => (head = String(message.headers["x-request-id"])),
    );
    expect(head).toBe("r\u00e2\u009c\u0093");
    expect(received.replaceAll(alive, "")).toBe("data: 1\n\ndata: 2\n\n");
  });

  it("never has a sign of life inside an event", async () => {
    const text = 'data: {"a":"b"}\r\n\r\ndata: {"c":"d"}\n\n';
    const received = await receive(async (stream, _, so) => {
      async function* bytes(): AsyncGenerator<Uint8Array> {
        for (const byte of Buffer.from(text)) {
          const before = so().length;
          yield Buffer.of(byte);
          await until(() => so().length > before);
          const later = performance.now() + 60;
          await until(() => performance.now() > later);
        }
      }
      stream.begin(200, {});
      for await (const chunk of bytes()) if (!stream.take(chunk)) await stream.ready();
    });
    expect(received).toContain(alive);
    expect(received.replaceAll(alive, "")).toBe(text);
  });

  it("has signs of life between two events", async () => {
    const received = await receive(async (stream, _, so) => {
      async function* bytes(): AsyncGenerator<Uint8Array> {
        yield Buffer.from("data: 1\n\n");
        await until(() => so().includes(alive));
        yield Buffer.from("data: 2\n\n");
      }
      stream.begin(200, {});
      for await (const chunk of bytes()) if (!stream.take(chunk)) await stream.ready();
    });
    expect(received.replaceAll(alive, "")).toBe("data: 1\n\ndata: 2\n\n");
    expect(received.indexOf(alive)).toBe("data: 1\n\n".length);
  });
});
