import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import type { ClaimRequest, ClaimResult, Store } from "../../src/credentials/store.ts";
import { isOwnerDead } from "../../src/platform/process-identity.ts";
import { readOAuth, sampleGrant, saveSampleLogin } from "../contract/store-samples.ts";
import { describeWithPostgres } from "../rig/postgres.ts";
import { type ChildResult, finish, linesOf, startProgram } from "./child.ts";
import { newPostgresPlace, openUntilEnd } from "./postgres-store.ts";

/** How long and how often something is waited for that comes by itself. */
const soon = { timeout: 15_000, interval: 25 };

const day = 24 * 60 * 60_000;

/** A claim of generation 1 as of now, by somebody who can't look at the owner's machine. */
function claim(store: Store, credentialId: string, request: Partial<ClaimRequest> = {}): Promise<ClaimResult> {
  const now = Date.now();
  const usual = { credentialId, generation: 1, owner: "b", now, deadline: now + 30_000, isDead: () => false };
  return store.claimRefresh({ ...usual, replay: false, ...request });
}

/** A process of its own that claims generation 1 for `spanMs`, and holds the claim. */
async function startOwner(place: string, id: string, spanMs: number) {
  const child = startProgram("claim-and-hold", [place, id, String(spanMs)], { stdio: ["pipe", "pipe", "pipe"] });
  const ended = finish(child);
  onTestFinished(() => void child.kill("SIGKILL"));
  const claimed = child.stdout === null ? [] : await Promise.race([once(child.stdout, "data"), ended]);
  if (String(claimed[0 as never]).trim() !== "claimed") throw new Error((await ended).stderr);
  return {
    child,
    async kill(): Promise<void> {
      child.kill("SIGKILL");
      await ended;
    },
    /** Lets it settle; resolves to whether that counted. */
    async settle(): Promise<string | undefined> {
      child.stdin?.end("go\n");
      return linesOf((await ended) satisfies ChildResult).at(-1);
    },
  };
}

describeWithPostgres("claims in PostgreSQL", (server) => {
  it("go by the database's clock, whatever the clock of a machine says", async () => {
    const place = await newPostgresPlace(server);
    const [first, other] = [await openUntilEnd(place), await openUntilEnd(place)];
    const { id } = await saveSampleLogin(first);
    const behind = Date.now() - day;
    expect(await claim(first, id, { now: behind, deadline: behind + 30_000 })).toMatchObject({ outcome: "claimed" });
    for (const now of [Date.now() + day, Date.now(), behind - day]) {
      const result = await claim(other, id, { now, deadline: now + 30_000 });
      if (result.outcome !== "held") throw new Error(result.outcome);
      // Told in the asker's own time.
      expect(result.until - now).toBeGreaterThan(0);
      expect(result.until - now).toBeLessThanOrEqual(30_000);
    }
  });

  it("are over at their deadline, though their owner lives and shows it", async () => {
    const place = await newPostgresPlace(server);
    const [first, other] = [await openUntilEnd(place), await openUntilEnd(place)];
    const { id } = await saveSampleLogin(first);
    const now = Date.now();
    await claim(first, id, { owner: "a", now, deadline: now + 200 });
    await expect.poll(() => claim(other, id), soon).toMatchObject({ outcome: "unknown" });
  });

  it("are over at once when their owner was killed on the same machine", async () => {
    const place = await newPostgresPlace(server);
    const store = await openUntilEnd(place);
    const { id } = await saveSampleLogin(store);
    const owner = await startOwner(place, id, 600_000);
    expect(await claim(store, id, { isDead: isOwnerDead })).toMatchObject({ outcome: "held" });
    await owner.kill();
    expect(await claim(store, id, { isDead: isOwnerDead })).toMatchObject({ outcome: "unknown" });
  });

  it("are over soon when their owner was killed on another machine: its lock is free", async () => {
    const place = await newPostgresPlace(server);
    const store = await openUntilEnd(place);
    const { id } = await saveSampleLogin(store);
    const owner = await startOwner(place, id, 600_000);
    const before = await claim(store, id);
    if (before.outcome !== "held") throw new Error(before.outcome);
    expect(before.until - Date.now()).toBeGreaterThan(500_000);
    await owner.kill();
    // From the moment at which the lock is seen to be missing, the wait that is told is short.
    await expect
      .poll(async () => {
        const result = await claim(store, id);
        return result.outcome !== "held" || result.until - Date.now() < 5_000;
      }, soon)
      .toBe(true);
    await expect.poll(() => claim(store, id), soon).toMatchObject({ outcome: "unknown" });
  });

  it("outlive the loss of their owner's connections: a missing lock is believed only after a while, and it comes back", async () => {
    const place = await newPostgresPlace(server);
    const store = await openUntilEnd(place);
    const { id } = await saveSampleLogin(store);
    const owner = await startOwner(place, id, 600_000);
    const told = async (): Promise<number> => {
      const result = await claim(store, id);
      return result.outcome === "held" ? result.until - Date.now() : -1;
    };
    expect(await told()).toBeGreaterThan(500_000);
    // Frozen, it can't come back at once.
    owner.child.kill("SIGSTOP");
    const holders = await server.query(
      place,
      `SELECT pg_terminate_backend(l.pid, 5000) AS done FROM pg_locks l JOIN credential c
         ON l.locktype = 'advisory' AND (l.classid::bigint << 32 | l.objid::bigint) = c.claim_lock`,
    );
    expect(holders).toEqual([{ done: true }]);
    const suspected = await told();
    expect(suspected).toBeGreaterThan(0);
    expect(suspected).toBeLessThanOrEqual(2_000);
    owner.child.kill("SIGCONT");
    await expect.poll(told, soon).toBeGreaterThan(500_000);
    expect(await server.query(place, "SELECT claim_missed FROM credential")).toEqual([{ claim_missed: null }]);
    expect(await owner.settle()).toBe("true");
  });

  it("of a frozen process end at the deadline, and its late answer is welcome", async () => {
    const place = await newPostgresPlace(server);
    const store = await openUntilEnd(place);
    const { id } = await saveSampleLogin(store);
    const owner = await startOwner(place, id, 800);
    owner.child.kill("SIGSTOP");
    expect(await claim(store, id, { isDead: isOwnerDead })).toMatchObject({ outcome: "held" });
    await expect.poll(() => claim(store, id, { isDead: isOwnerDead }), soon).toMatchObject({ outcome: "unknown" });
    expect(await claim(store, id, { replay: true })).toMatchObject({ outcome: "claimed" });
    owner.child.kill("SIGCONT");
    expect(await owner.settle()).toBe("true");
    expect(await store.settleAnswered(id, 1, sampleGrant("replayed"), null)).toBe(false);
    expect((await readOAuth(store, id)).grant.refreshToken?.reveal()).toBe("late");
  });

  it("of a frozen process whose work somebody else has done leave its late answer without effect", async () => {
    const place = await newPostgresPlace(server);
    const store = await openUntilEnd(place);
    const { id } = await saveSampleLogin(store);
    const owner = await startOwner(place, id, 300);
    owner.child.kill("SIGSTOP");
    await expect.poll(() => claim(store, id, { replay: true }), soon).toMatchObject({ outcome: "claimed" });
    expect(await store.settleAnswered(id, 1, sampleGrant("2"), null)).toBe(true);
    owner.child.kill("SIGCONT");
    expect(await owner.settle()).toBe("false");
    expect((await readOAuth(store, id)).grant.refreshToken?.reveal()).toBe("refresh-2");
  });

  it("of a dead owner are taken over by one of many who find him dead at the same moment", async () => {
    const place = await newPostgresPlace(server);
    const stores = [await openUntilEnd(place), await openUntilEnd(place)];
    const [store] = stores as [Store];
    const { id } = await saveSampleLogin(store);
    for (let generation = 1; generation <= 8; generation++) {
      await claim(store, id, { generation, owner: "dead" });
      const taken = Array.from({ length: 16 }, async (_, n) => {
        const take = (replay: boolean) =>
          claim(stores[n % 2] ?? store, id, {
            generation,
            owner: `o${n}`,
            replay,
            isDead: (owner) => owner === "dead",
          });
        const { outcome } = await take(false);
        return outcome === "unknown" ? (await take(true)).outcome : outcome;
      });
      const outcomes = await Promise.all(taken);
      expect(outcomes.filter((outcome) => outcome === "claimed")).toHaveLength(1);
      await store.settleAnswered(id, generation, sampleGrant("n"), null);
    }
  });

  it("block nobody who only reads or settles something else, and hold no lock in between", async () => {
    const place = await newPostgresPlace(server);
    const store = await openUntilEnd(place);
    const { id } = await saveSampleLogin(store);
    const owner = await startOwner(place, id, 600_000);
    owner.child.kill("SIGSTOP");
    await store.updateCredential(id, { label: "renamed" });
    expect(await store.getCredential(id)).toMatchObject({ label: "renamed" });
    const open = await server.query(
      place,
      "SELECT state FROM pg_stat_activity WHERE application_name = 'understudy' AND state LIKE '%in transaction%'",
    );
    expect(open).toEqual([]);
  });

  it("let one of several competing processes spend each generation, once", async () => {
    const place = await newPostgresPlace(server);
    const folder = mkdtempSync(join(tmpdir(), "understudy-store-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const log = join(folder, "spent.log");
    const store = await openUntilEnd(place);
    const { id } = await saveSampleLogin(store);
    const generations = 30;
    const children = Array.from({ length: 4 }, () =>
      startProgram("spend-generations", [place, id, String(generations), log], { stdio: ["pipe", "pipe", "pipe"] }),
    );
    const results = children.map(finish);
    await Promise.all(children.map((child) => new Promise((resolve) => child.stdout?.once("data", resolve))));
    for (const child of children) child.stdin?.end("go\n");
    for (const result of await Promise.all(results)) expect(linesOf(result)).toEqual(["ready"]);
    const spent = readFileSync(log, "utf8").trim().split("\n").map(Number);
    expect(spent).toEqual(Array.from({ length: generations - 1 }, (_, n) => n + 1));
    const credential = await readOAuth(store, id);
    expect(credential.grant.refreshToken?.reveal()).toBe(`refresh-${generations}`);
    expect(credential).toMatchObject({ uses: generations - 1, relogin: null, unknownOutcome: null });
  }, 60_000);
});
