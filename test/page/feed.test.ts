import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { TurnEvent } from "../../src/core/events.ts";
import type { Failure } from "../../src/core/failure.ts";
import { ActivityCount } from "../../src/gateway/page/count-activity.ts";
import { listOlderTurns } from "../../src/gateway/page/find-turns.ts";
import { RunningTurn, RunningTurns } from "../../src/gateway/page/running-turns.ts";
import type { LiveMessage, TurnRow } from "../../src/gateway/page/view.ts";
import { openWorkspace } from "../../src/workspace.ts";
import { createTurn, writeHistory } from "./history.ts";
import { adminKey, openPageStage, type PageStage } from "./rig.ts";

/** What the live stream has said so far. */
class Listener {
  readonly messages: LiveMessage[] = [];
  readonly #stop = new AbortController();
  readonly #wakes = new Set<() => void>();

  async open(url: string): Promise<void> {
    const response = await fetch(`${url}/admin/live`, {
      headers: { authorization: `Bearer ${adminKey}`, "x-understudy-page": "1" },
      signal: this.#stop.signal,
    });
    void this.#read(response).catch(() => {});
  }

  async #read(response: Response): Promise<void> {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const chunk = await reader?.read();
      if (chunk?.value === undefined) return;
      const events = (rest + chunk.value).split("\n\n");
      rest = events.pop() ?? "";
      for (const event of events) {
        if (event.startsWith("data: ")) this.messages.push(JSON.parse(event.slice(6)) as LiveMessage);
      }
      for (const wake of this.#wakes) wake();
    }
  }

  /** Every row that was told, the last word on each turn. */
  get rows(): Map<string, TurnRow> {
    const rows = this.messages.flatMap((message) => (message.type === "turns" ? message.turns : []));
    return new Map(rows.map((row) => [row.id, row]));
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        if (!condition()) return;
        this.#wakes.delete(wake);
        resolve();
      };
      this.#wakes.add(wake);
      wake();
    });
  }

  close(): void {
    this.#stop.abort();
  }
}

let stage: PageStage;
const listener = new Listener();
beforeAll(async () => {
  stage = await openPageStage();
  await stage.stage.addCodexLogin("ann");
  await listener.open(stage.gateway.url);
});
afterAll(async () => {
  listener.close();
  await stage?.[Symbol.asyncDispose]();
});

describe("the live stream", () => {
  it("begins with how everything stands", async () => {
    await listener.until(() => listener.messages.length >= 3);
    expect(listener.messages.slice(0, 3).map(({ type }) => type)).toEqual(["state", "turns", "activity"]);
  });

  it("tells of a turn that another process has run, and of what it changed", async () => {
    const other = await openWorkspace({ env: { UNDERSTUDY_HOME: stage.stage.folder } });
    await other.store.appendTurn(createTurn("turn_elsewhere", Date.now(), () => 0.9));
    const [ann] = await other.store.listCredentials("codex");
    await other.store.updateCredential(ann?.id ?? "", { paused: true });
    await other.close();
    await listener.until(() => listener.rows.has("turn_elsewhere"));
    await listener.until(() =>
      listener.messages.some(
        (message) => message.type === "state" && message.state.pools[0]?.accounts[0]?.state === "paused",
      ),
    );
    await stage.stage.workspace.store.updateCredential(ann?.id ?? "", { paused: false });
  });

  it("counts each turn once, though it hears of it twice: as its events come, and from the journal", async () => {
    const { turnId } = await stage.call();
    await listener.until(() => listener.rows.get(turnId)?.outcome === "answered");
    await listener.until(() => {
      const last = listener.messages.findLast((message) => message.type === "activity");
      return last?.type === "activity" && sum(last.activity.straight) + sum(last.activity.rescued) === 2;
    });
  });
});

describe("older turns", () => {
  it("come in order, each once, until there are no more", async () => {
    const { store } = stage.stage.workspace;
    await writeHistory(store, 700, 3_600_000);
    const all = (await store.listTurns(10_000)).map(({ id }) => id);
    const seen: string[] = [all[0] ?? ""];
    for (;;) {
      const older = await listOlderTurns(store, seen.at(-1) ?? "", 120);
      if (older.length === 0) break;
      seen.push(...older.map(({ id }) => id));
    }
    expect(seen).toEqual(all);
    expect(await listOlderTurns(store, "turn_nobody", 10)).toEqual([]);
  });
});

describe("turns under way", () => {
  const candidate = { provider: "codex", model: "gpt-5.5", credential: { id: "c1", label: "ann" } };
  const failure: Failure = {
    reason: "quota",
    scope: "credential",
    next: "next_credential",
    reloginRequired: false,
    message: "",
    row: "plan-used-up",
  };
  const events: TurnEvent[] = [
    { type: "turn-start", turnId: "t", route: "coding", at: 1_000 },
    { type: "attempt-start", attempt: 1, candidate, at: 1_001 },
    { type: "attempt-failed", attempt: 1, candidate, failure, decision: { action: "next_credential" }, at: 1_200 },
    { type: "attempt-start", attempt: 2, candidate, at: 1_201 },
  ];

  it("are known by their events, attempt by attempt, and forgotten when they end", () => {
    const turns = new RunningTurns();
    const turn = new RunningTurn();
    for (const event of events) turns.observe(turn, event, false);
    expect(turns.get("t")).toMatchObject({
      outcome: "running",
      startedAt: 1_000,
      attempts: [
        { startedAt: 1_001, endedAt: 1_200, called: true, failure: { reason: "quota" } },
        { startedAt: 1_201, failure: null },
      ],
    });
    const end: TurnEvent = {
      type: "turn-end",
      turnId: "t",
      outcome: "answered",
      attempts: 2,
      usage: null,
      cost: null,
      failure: null,
      at: 2_000,
    };
    expect(turns.observe(turn, end, true)).toMatchObject({ outcome: "answered", endedAt: 2_000 });
    expect(turns.list()).toEqual([]);
    expect(turns.observe(turn, end, true)).toBeNull();
  });

  it("show who broke off in the middle of an answer, and what the next one was not given", () => {
    const turns = new RunningTurns();
    const turn = new RunningTurn();
    const [start, asked, failed, again] = events as [TurnEvent, TurnEvent, TurnEvent, TurnEvent];
    const committed: TurnEvent = { type: "committed", attempt: 1, candidate, at: 1_100 };
    for (const event of [start, asked, committed, failed, again]) turns.observe(turn, event, false);
    const dropped = ["seed"];
    expect(turns.observe(turn, { ...committed, dropped }, true)?.attempts).toMatchObject([
      { startedAt: 1_001, called: true, cut: true, failure: { reason: "quota" } },
      { startedAt: 1_201, dropped, failure: null },
    ]);
  });

  it("are not gathered without end when they never end", () => {
    const turns = new RunningTurns();
    for (let i = 0; i < 5_000; i += 1)
      turns.observe(new RunningTurn(), { ...events[0], turnId: `t${i}` } as TurnEvent, false);
    expect(turns.list().length).toBeLessThanOrEqual(1_000);
  });
});

describe("the count of the last hours", () => {
  it("tells apart who was answered straight, rescued and lost, and what waiting added", () => {
    const now = Date.parse("2026-11-22T14:02:00Z");
    const count = new ActivityCount();
    const luck = [0.5, 0.5, 0.9, 0.99];
    for (const [i, value] of luck.entries()) count.add(createTurn(`turn_${i}`, now - 60_000, () => value));
    // Too long ago, and given up by its caller.
    count.add(createTurn("turn_old", now - 7 * 3_600_000, () => 0.5));
    count.add({ ...createTurn("turn_left", now - 60_000, () => 0.5), outcome: "cancelled" });
    const view = count.view(now, false);
    expect([sum(view.straight), sum(view.rescued), sum(view.lost)]).toEqual([2, 1, 1]);
    expect(view.straight).toHaveLength(72);
    expect(view.from + 72 * view.stepMs).toBeGreaterThan(now);
    expect(view.failures.map(({ reason, counts }) => [reason, sum(counts)])).toEqual([["timeout", 3]]);
    const at = view.addedP50.findIndex((value) => value !== null);
    expect([view.addedP50[at], view.addedP95[at]]).toEqual([2, 894]);
  });
});

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
