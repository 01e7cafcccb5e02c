import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setImmediate as nextRound } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { TransportError } from "../../src/core/transport.ts";
import { Http1Connection } from "../../src/transport/http1-connection.ts";
import { RequestRounds } from "../../src/transport/request-rounds.ts";

describe("when requests are written", () => {
  it("is at once while few wait for their answers, and at the end of the round for who comes beyond them", async () => {
    const rounds = new RequestRounds();
    const written: number[] = [];
    const ask = (number: number): void => rounds.ask({ write: () => void written.push(number) });
    for (let number = 0; number < 11; number++) ask(number);
    expect(written).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    await nextRound();
    expect(written).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    for (let answers = 0; answers < 4; answers++) rounds.answered();
    ask(11);
    expect(written.at(-1)).toBe(11);
    ask(12);
    expect(written.at(-1)).toBe(11);
    await nextRound();
    expect(written.at(-1)).toBe(12);
  });
});

describe("a request that is not written yet", () => {
  /** A crowd that is always there, so that each request waits. */
  const crowded = (): RequestRounds => {
    const rounds = new RequestRounds();
    for (let i = 0; i < 8; i++) rounds.ask({ write() {} });
    return rounds;
  };
  const request = ["GET / HTTP/1.1\r\nhost: a\r\n\r\n"] as const;

  /** A connection to a server, and what that one has received. */
  async function withConnection(
    work: (connection: Http1Connection, received: () => string, closed: () => number, server: Socket) => Promise<void>,
  ): Promise<void> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [[other]] = (await Promise.all([once(server, "connection"), once(socket, "connect")])) as [[Socket], unknown];
    let received = "";
    let closed = 0;
    other.on("data", (chunk: Buffer) => (received += chunk.toString())).on("error", () => {});
    const connection = new Http1Connection(socket, crowded(), {
      onFree() {},
      onClosed: () => void (closed += 1),
      onFault() {},
    });
    try {
      await work(
        connection,
        () => received,
        () => closed,
        other,
      );
    } finally {
      socket.destroy();
      other.destroy();
      server.close();
    }
  }

  it("is written a moment later", () =>
    withConnection(async (connection, received, _, other) => {
      const answer = connection.send("GET", request, undefined);
      expect(received()).toBe("");
      await once(other, "data");
      expect(received()).toBe(request[0]);
      connection.read(Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
      expect((await answer).whole?.toString()).toBe("ok");
    }));

  it("is never written when its caller leaves before", () =>
    withConnection(async (connection, received, closed, other) => {
      const leaving = new AbortController();
      const answer = connection.send("GET", request, leaving.signal);
      leaving.abort(new Error("gone"));
      await expect(answer).rejects.toThrow("gone");
      if (!other.destroyed) await once(other, "close");
      expect([received(), closed()]).toEqual(["", 1]);
    }));

  it("is not taken for answered by what a server says unasked, and may be made again: nothing of it was sent", () =>
    withConnection(async (connection, received, closed, other) => {
      const answer = connection.send("GET", request, undefined);
      connection.read(Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno"));
      const refused = await answer.catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(TransportError);
      expect(refused).toMatchObject({ phase: "connect" });
      if (!other.destroyed) await once(other, "close");
      expect([received(), closed()]).toEqual(["", 1]);
    }));

  it("says that nothing was sent when the connection is closed before", () =>
    withConnection(async (connection) => {
      const answer = connection.send("GET", request, undefined);
      connection.close();
      await expect(answer).rejects.toMatchObject({ phase: "connect" });
    }));
});
