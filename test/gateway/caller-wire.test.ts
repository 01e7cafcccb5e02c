import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CallerStream } from "../../src/gateway/caller-stream.ts";

const alive = ": alive\n\n";

interface Answer {
  /** Lengths of its pieces, in bytes. */
  readonly pieces: readonly number[];
  /** Turns of the loop between two of them. */
  readonly waits: readonly number[];
  /** Signs of life before the head. */
  readonly early: boolean;
  /** Where a piece is said to be the last, whether or not it is; and to be overwritten afterwards. */
  readonly lasts: readonly boolean[];
  readonly shared: readonly boolean[];
  /** Ms between two pieces. Default none. */
  readonly betweenMs?: number;
}

let plan: readonly Answer[] = [];
let stalledMs = 10_000;
const server = createServer((request, response) => {
  const id = Number(request.url?.slice(1));
  const answer = plan[id];
  if (answer !== undefined) void stream(id, answer, request.httpVersion, response);
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Whole events that no other answer has. */
function pieceOf(id: number, index: number, length: number): Buffer {
  return Buffer.from(`data: ${id}.${index} ${"x".repeat(length)}\n\n`);
}

async function stream(
  id: number,
  { pieces, waits, early, lasts, shared, betweenMs }: Answer,
  version: string,
  response: ServerResponse,
) {
  const caller = new CallerStream({
    response,
    chunked: version === "1.1",
    keepAlive: alive,
    everyMs: 1,
    stalledMs,
    interimMs: 0,
    signal: new AbortController().signal,
    earlyHeaders: () => ({ "x-id": String(id) }),
  });
  if (early) await until(() => caller.isEarly || response.destroyed);
  caller.begin(200, { "x-id": String(id) });
  for (const [index, length] of pieces.entries()) {
    for (let i = waits[index % waits.length] ?? 0; i > 0; i--) await turn();
    if (betweenMs !== undefined) await sleep(betweenMs);
    const piece = length === 0 ? Buffer.alloc(0) : pieceOf(id, index, length);
    const isShared = shared[index % shared.length] === true;
    const isTaken = caller.take(piece, isShared, lasts[index % lasts.length]);
    // As a connection does that reads the next piece into the same place.
    if (isShared) piece.fill("!");
    if (!isTaken) await caller.ready();
  }
  caller.end();
}

interface Received {
  readonly id: number;
  readonly body: string;
}

/** What came over one connection, taken apart by the letter. Throws for a byte that has no place. */
function takeApart(wire: string): Received[] {
  const all: Received[] = [];
  for (let at = 0; at < wire.length; ) {
    const head = /^HTTP\/1\.1 200 OK\r\nx-id: (\d+)\r\n(transfer-encoding: chunked\r\n)?(?:[\w-]+: .*\r\n)*\r\n/i.exec(
      wire.slice(at),
    );
    if (head === null) throw new Error(`no head at ${at}: ${JSON.stringify(wire.slice(at, at + 80))}`);
    at += head[0].length;
    let body = "";
    if (head[2] === undefined) {
      body = wire.slice(at);
      at = wire.length;
    } else {
      for (let size = 1; size > 0; ) {
        const line = /^([0-9a-f]+)\r\n/.exec(wire.slice(at, at + 20));
        size = Number.parseInt(line?.[1] ?? "", 16);
        at += (line?.[0].length ?? 0) + size;
        body += wire.slice(at - size, at);
        if (wire.slice(at, at + 2) !== "\r\n") throw new Error(`no chunk at ${at}`);
        at += 2;
      }
    }
    all.push({ id: Number(head[1]), body });
  }
  return all;
}

/** Asks for all answers over one connection; the last request closes it. `pauses`: turns for which it reads nothing. */
function askAll(versions: readonly string[], pipelined: boolean, pauses: readonly number[]): Promise<string> {
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, "127.0.0.1");
  const requests = versions.map((version, id) => {
    const close = version === "1.1" && id === versions.length - 1 ? "connection: close\r\n" : "";
    return `GET /${id} HTTP/${version}\r\nhost: a\r\n${close}\r\n`;
  });
  let wire = "";
  let asked = pipelined ? requests.length : 1;
  let reads = 0;
  socket.write(requests.slice(0, asked).join(""));
  return new Promise((resolve, reject) => {
    socket.on("error", reject).on("close", () => resolve(wire));
    socket.on("data", (chunk: Buffer) => {
      wire += chunk.toString("latin1");
      const next = requests[asked];
      if (next !== undefined && wire.endsWith("\r\n0\r\n\r\n")) {
        asked += 1;
        socket.write(next);
      }
      const pause = pauses[reads++ % pauses.length] ?? 0;
      if (pause === 0) return;
      socket.pause();
      void (async () => {
        for (let i = 0; i < pause; i++) await turn();
        socket.resume();
      })();
    });
  });
}

describe("what goes to clients over one connection", () => {
  const answer: fc.Arbitrary<Answer> = fc.record({
    pieces: fc.array(fc.oneof(fc.nat(200), fc.nat(200), fc.nat(20_000), fc.nat(200_000)), { maxLength: 8 }),
    waits: fc.array(fc.nat(4), { minLength: 1, maxLength: 4 }),
    early: fc.boolean(),
    lasts: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
    shared: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
  });
  const plays = fc.record({
    answers: fc.array(answer, { minLength: 1, maxLength: 4 }),
    old: fc.boolean(),
    pipelined: fc.boolean(),
    pauses: fc.array(fc.nat(6), { minLength: 1, maxLength: 4 }),
  });

  it("is each answer whole, in order, and no byte of another's, pipelined or not, by HTTP/1.1 and 1.0", async () => {
    await fc.assert(
      fc.asyncProperty(plays, async ({ answers, old, pipelined, pauses }) => {
        plan = answers;
        const versions = answers.map((_, id) => (old && id === answers.length - 1 ? "1.0" : "1.1"));
        const received = takeApart(await askAll(versions, pipelined, pauses));
        const bodies = received.map(({ id, body }) => [id, body.replaceAll(/: (alive|x-id=\d+|)\n\n/g, "")]);
        expect(bodies).toEqual(
          answers.map(({ pieces }, id) => [
            id,
            pieces.map((length, index) => (length === 0 ? "" : pieceOf(id, index, length).toString())).join(""),
          ]),
        );
      }),
      { numRuns: 60, timeout: 5_000 },
    );
  });

  it("is not held against a client for as long as another answer stands before it", async () => {
    stalledMs = 20;
    // The first takes some ten times as long as a client may take nothing.
    const slow = {
      pieces: Array.from({ length: 200 }, () => 10),
      waits: [0],
      early: false,
      lasts: [false],
      shared: [true],
    };
    plan = [
      { ...slow, betweenMs: 1 },
      { pieces: [200_000, 200_000, 10], waits: [0], early: false, lasts: [false], shared: [true] },
    ];
    const received = takeApart(await askAll(["1.1", "1.1"], true, [0]));
    stalledMs = 10_000;
    expect(received.map(({ id }) => id)).toEqual([0, 1]);
    expect(received[1]?.body.length).toBeGreaterThan(400_000);
  });
});
