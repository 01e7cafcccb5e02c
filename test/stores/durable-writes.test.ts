import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from "vitest";
import type { TurnRecord } from "../../src/core/events.ts";
import { openStage } from "../rig/stage.ts";

/** Commits that wait for the disk, and those that don't. */
let durable = 0;
let behind = 0;
let spy: MockInstance<DatabaseSync["exec"]>;

beforeEach(() => {
  const exec = Reflect.get(DatabaseSync.prototype, "exec");
  let level = "";
  durable = 0;
  behind = 0;
  spy = vi.spyOn(DatabaseSync.prototype, "exec").mockImplementation(function (this: DatabaseSync, sql: string) {
    level = /^PRAGMA synchronous = (\w+)$/.exec(sql)?.[1] ?? level;
    if (sql === "COMMIT" && level === "NORMAL") behind += 1;
    else if (sql === "COMMIT") durable += 1;
    exec.call(this, sql);
  });
});
afterEach(() => spy.mockRestore());

function turnRecord(n: number): TurnRecord {
  const times = { startedAt: Date.now(), endedAt: Date.now() };
  return { id: `turn_${n}`, route: "r", ...times, outcome: "answered", attempts: [], usage: null, cost: null };
}

/** Until what was put off to the next rounds of the event loop is done. */
async function fewRounds(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
}

describe("what the disk is waited for", () => {
  it("twice for a refresh: the claim before the token is sent, the answer before it is used", async () => {
    await using stage = await openStage();
    await stage.addCodexLogin("ann", { expiresInS: -10 });
    const before = durable;
    await stage.turn("hello");
    expect(stage.simulator.codexIssuer.counters.refreshes).toBe(1);
    expect(durable - before).toBe(2);
  });

  it("never for a turn that goes well, and its use and its record are kept all the same", async () => {
    await using stage = await openStage();
    await stage.addCodexLogin("ann");
    const before = durable;
    for (let i = 0; i < 10; i++) await stage.turn("hello");
    expect(durable - before).toBe(0);
    await stage.restart();
    expect(await stage.workspace.store.listTurns(20)).toHaveLength(10);
    expect((await stage.workspace.store.listCredentials())[0]?.uses).toBe(10);
  });

  it("never for what an answer clears, but for what a person does", async () => {
    await using stage = await openStage();
    const { store } = stage.workspace;
    const rest = { provider: "codex", credentialId: "c", model: "", until: Date.now() + 60_000, since: 1_000 };
    const cooldown = { ...rest, reason: "rate_limit", message: "", failures: 1, stated: false } as const;
    await store.putCooldown(cooldown);
    const before = durable;
    expect(await store.clearCooldowns({ provider: "codex", credentialId: "c", model: "", setBefore: 2_000 })).toBe(1);
    expect(durable - before).toBe(0);
    await store.putCooldown(cooldown);
    expect(await store.clearCooldowns({ provider: "codex" })).toBe(1);
    expect(durable - before).toBe(1);
    expect(await store.listCooldowns()).toEqual([]);
  });

  it("records are written behind the turns, 256 at a time", async () => {
    await using stage = await openStage();
    const { store } = stage.workspace;
    for (let n = 0; n < 255; n++) void store.appendTurn(turnRecord(n));
    const before = durable;
    expect(behind).toBe(0);
    for (let batch = 1; batch <= 10; batch++) {
      for (let n = 0; n < 256; n++) void store.appendTurn(turnRecord(batch * 256 + n));
      await fewRounds();
    }
    expect(durable - before).toBe(0);
    expect(behind).toBeGreaterThanOrEqual(10);
    expect(await store.listTurns(4_000)).toHaveLength(255 + 2_560);
  });
});
