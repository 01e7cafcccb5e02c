import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runLoad, type SeenFailure } from "../../bench/native.ts";

const isPossible =
  process.platform === "linux" &&
  [
    ["cc", "--version"],
    ["taskset", "--version"],
  ].every(([program = "", ...args]) => {
    try {
      return execFileSync(program, args, { stdio: "ignore" }) !== undefined;
    } catch {
      return false;
    }
  });

const first = 'event: a\ndata: {"n":1}\n\n';
const second = 'event: b\ndata: {"n":2}\n\n';
const waiting = ": keep-alive\n\n";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "load-generator-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the load generator says of an answer with this body, where `first` and then `second` were to come. */
async function load(body: string, { step = body.length, type = "text/event-stream", status = "200 OK" } = {}) {
  const head = `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\nx-understudy-turn: turn_1\r\ntransfer-encoding: chunked\r\n\r\n`;
  const pieces = Array.from({ length: Math.ceil(body.length / step) }, (_, i) => body.slice(i * step, (i + 1) * step));
  const answer = `${head}${pieces.map((one) => `${one.length.toString(16)}\r\n${one}\r\n`).join("")}0\r\n\r\n`;
  const server = createServer((socket) => socket.on("error", () => {}).on("data", () => void socket.write(answer)));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const files = { request: join(folder, "request"), expect: join(folder, "expect") };
  writeFileSync(files.request, "{}");
  writeFileSync(files.expect, first + second);
  const failures: SeenFailure[] = [];
  try {
    const { port } = server.address() as AddressInfo;
    const to = { port, path: "/", headers: [], body: files.request, expect: files.expect };
    const onFailure = (one: SeenFailure): void => void failures.push(one);
    const result = await runLoad({ ...to, connections: 1, ms: 1, warmMs: 0, onFailure });
    return { ...result, failures };
  } finally {
    server.close();
  }
}

describe.skipIf(!isPossible)("the load generator of the benchmark", () => {
  test.each([1, 3, 1_000])("passes over comments between events, in pieces of %d bytes", async (step) => {
    for (const body of [waiting + first + second, first + waiting + waiting + second, first + second + waiting]) {
      const { total, errors, comments } = await load(body, { step });
      expect(total).toBeGreaterThan(0);
      expect({ errors, isPassedOver: comments >= total }).toEqual({ errors: 0, isPassedOver: true });
    }
  });

  const wrong: Readonly<Record<string, string>> = {
    "another byte behind a comment": waiting + first.replace("1", "7") + second,
    "another byte in front of a comment": first.replace("1", "7") + waiting + second,
    "a comment in the middle of an event": first.replace("\ndata", "\n: keep-alive\n\ndata") + second,
    "an event that is missing behind a comment": first + waiting,
    "an event too many behind a comment": first + second + waiting + second,
    "a comment without an end": `${first}${second}: keep`,
  };
  test.each(Object.keys(wrong))("finds %s", async (name) => {
    for (const step of [1, 1_000]) {
      const { total, errors, failures } = await load(wrong[name] ?? "", { step });
      expect(errors).toBe(total);
      expect(failures[0]?.turn).toBe("turn_1");
    }
  });

  test("finds a comment where there is no event stream", async () => {
    const { total, errors } = await load(waiting + first + second, { type: "application/json" });
    expect(errors).toBe(total);
  });

  test("tells what a client saw in place of an answer", async () => {
    const { failures } = await load('{"error":"nobody"}', { status: "429 Too Many Requests" });
    expect(failures[0]).toMatchObject({
      turn: "turn_1",
      status: 429,
      saw: '{"error":"nobody"}',
      what: "the status is wrong",
    });
  });
});
