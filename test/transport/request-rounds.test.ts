import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setImmediate as nextRound } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { TransportError } from "../../src/core/transport.ts";
import { Http1Connection } from "../../src/transport/http1-connection.ts";
import { RequestRounds } from "../../src/transport/request-rounds.ts";

describe("when requests are written", () => {
  /** Who asks at what ms, and what was written. */
  const withClock = () => {
    let now = 0;
    const rounds = new RequestRounds(() => now);
    const written: number[] = [];
    const ask = (number: number, at: number): void => {
      now = at;
      rounds.ask({ write: () => void written.push(number) });
    };
    return { ask, written };
  };

  it("is at once for who comes alone, however many have not been answered", async () => {
    const { ask, written } = withClock();
    for (let number = 0; number < 40; number++) {
      ask(number, number * 0.25);
      expect(written).toHaveLength(number + 1);
    }
    await nextRound();
    expect(written).toHaveLength(40);
  });

  it("is the end of the round for who comes right behind another", async () => {
    const { ask, written } = withClock();
    for (let number = 0; number < 5; number++) ask(number, number * 0.24);
    expect(written).toEqual([0]);
    await nextRound();
    expect(written).toEqual([0, 1, 2, 3, 4]);
    ask(5, 1.1);
    expect(written.at(-1)).toBe(4);
    await nextRound();
    expect(written.at(-1)).toBe(5);
  });

  it("is before the end of the round where the work for another has taken long, in the order in which they came", async () => {
    const { ask, written } = withClock();
    ask(0, 0);
    ask(1, 0.1);
    ask(2, 0.2);
    ask(3, 7);
    expect(written).toEqual([0, 1, 2, 3]);
    await nextRound();
    expect(written).toEqual([0, 1, 2, 3]);
  });
});

describe("a request that is not written yet", () => {
  /** Somebody has always come right before, so that each request waits. */
  const crowded = (): RequestRounds => {
    const rounds = new RequestRounds(() => 0);
    rounds.ask({ write() {} });
    return rounds;
  };
  const request = ["GET / HTTP/1.1\r\nhost: a\r\n\r\n"] as const;

  /** A connection to a server, and what that one has received. */
  async function withConnection(
    work: (connection: Http1Connection, received: () => string, closed: () => number, server: Socket) => Promise<void>,
    rounds: RequestRounds = crowded(),
  ): Promise<void> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
    const [[other]] = (await Promise.all([once(server, "connection"), once(socket, "connect")])) as [[Socket], unknown];
    let received = "";
    let closed = 0;
    other.on("data", (chunk: Buffer) => (received += chunk.toString())).on("error", () => {});
    const connection = new Http1Connection(socket, rounds, {
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

  it("fails by itself when it can't be written, and the others of its round are written", () => {
    const rounds = crowded();
    return withConnection(
      (broken, receivedBroken, closedBroken) =>
        withConnection(async (sound, _, __, other) => {
          const gone = new Uint8Array(20_000);
          gone.buffer.transfer();
          const failed = broken.send("POST", [request[0], gone], undefined);
          const answer = sound.send("GET", request, undefined);
          await expect(failed).rejects.toMatchObject({ name: "TransportError", phase: "connect" });
          await once(other, "data");
          sound.read(Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"));
          expect((await answer).whole?.toString()).toBe("ok");
          expect([receivedBroken(), closedBroken()]).toEqual(["", 1]);
        }, rounds),
      rounds,
    );
  });
});
