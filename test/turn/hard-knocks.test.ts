import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TurnEvent } from "../../src/core/events.ts";
import { type Understudy, createUnderstudy } from "../../src/understudy.ts";
import { openStage } from "../rig/stage.ts";

describe("a provider process that is killed", () => {
  let child: ChildProcess;
  let lines: AsyncIterator<string>;
  let folder: string;
  let understudy: Understudy;
  const events: TurnEvent[] = [];

  async function start(mode: string): Promise<void> {
    const script = new URL("../rig/provider-process.ts", import.meta.url).pathname;
    child = spawn(process.execPath, [script, mode], { stdio: ["ignore", "pipe", "inherit"] });
    if (child.stdout === null) throw new Error("no output");
    lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = (await lines.next()).value as string;
    const { baseUrl, key } = JSON.parse(first) as { baseUrl: string; key: string };
    events.length = 0;
    understudy = await createUnderstudy({
      env: { UNDERSTUDY_HOME: folder, ANTHROPIC_API_KEY: key },
      config: { providers: { anthropic: { baseUrl } }, limits: { maxWaitMs: 0 } },
      random: () => 0,
      onEvent: (event) => events.push(event),
    });
  }

  async function kill(): Promise<void> {
    await lines.next(); // held
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "understudy-knocks-"));
  });
  afterEach(async () => {
    child.kill("SIGKILL");
    await understudy.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("in mid-answer is told as a cut answer, with what had come", async () => {
    await start("stall");
    const turn = understudy.turn("hello", { route: "anthropic/claude-opus-4-8" });
    const texts: string[] = [];
    const reading = (async () => {
      for await (const item of turn) {
        if (item.type === "part" && item.part.type === "text-delta") texts.push(item.part.text);
      }
    })();
    await kill();
    await expect(turn.answer).rejects.toMatchObject({ code: "answer_cut" });
    await reading;
    expect(texts.join("").length).toBeGreaterThan(0);
    expect(events.at(-1)).toMatchObject({ type: "turn-end", outcome: "cut" });
  });

  it("before its first word is a failure that nobody saw", async () => {
    await start("silence");
    const turn = understudy.turn("hello", { route: "anthropic/claude-opus-4-8" });
    await kill();
    await expect(turn.answer).rejects.toMatchObject({ code: "turn_failed" });
    expect(
      events.filter((event) => event.type === "attempt-failed").every(({ failure }) => failure.reason === "network"),
    ).toBe(true);
  });
});

describe("a store in trouble", () => {
  it("that can't be written does not end a turn that can be answered, and the trouble is told", async () => {
    await using stage = await openStage();
    await stage.addKey("anthropic", "k");
    await stage.addKey("local", "l");
    stage.simulator.messages.setBehaviour("*", "quota-exhausted");
    const { store } = stage.workspace;
    store.putCooldown = () => Promise.reject(new Error("no space left on device"));
    store.appendTurn = () => Promise.reject(new Error("no space left on device"));
    expect((await stage.turn("hello")).text).toBe("The simulator heard: hello");
    const told = stage.events.flatMap((event) => (event.type === "store-unavailable" ? [event.message] : []));
    expect(told).toEqual(["no space left on device", "no space left on device"]);
  });

  it("that is truncated is refused with its name, and left as it is", async () => {
    const folder = mkdtempSync(join(tmpdir(), "understudy-knocks-"));
    const env = { UNDERSTUDY_HOME: folder };
    const first = await createUnderstudy({ env, config: {} });
    await first.close();
    const file = join(folder, "understudy.db");
    truncateSync(file, Math.floor(statSync(file).size / 2));
    const before = readFileSync(file);
    await expect(createUnderstudy({ env, config: {} })).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining(file) as string,
    });
    expect(readFileSync(file).equals(before)).toBe(true);
    rmSync(folder, { recursive: true, force: true });
  });

  it("whose key is another one says so", async () => {
    const folder = mkdtempSync(join(tmpdir(), "understudy-knocks-"));
    const env = { UNDERSTUDY_HOME: folder };
    await (await createUnderstudy({ env, config: {} })).close();
    writeFileSync(join(folder, "understudy.key"), Buffer.alloc(32, 7).toString("base64"));
    await expect(createUnderstudy({ env, config: {} })).rejects.toMatchObject({ code: "store_unavailable" });
    rmSync(folder, { recursive: true, force: true });
  });
});
