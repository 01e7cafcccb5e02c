import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { isUnderstudyError } from "../../src/core/error.ts";
import type { Store } from "../../src/credentials/store.ts";
import { type CopyOptions, copyStore } from "../../src/stores/copy-store.ts";
import { openPostgresTools } from "../../src/stores/postgres/tools.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { openSqliteTools } from "../../src/stores/sqlite/tools.ts";
import type { StoreTools } from "../../src/stores/store-tools.ts";
import {
  sampleAccount,
  sampleClaim,
  sampleCooldown,
  sampleGrant,
  sampleTurn,
  saveSampleLogin,
} from "../contract/store-samples.ts";
import { describeWithPostgres } from "../rig/postgres.ts";
import { useFolder } from "./folder.ts";
import { openUntilEnd } from "./postgres-store.ts";
import { contentOf, fillStore } from "./store-content.ts";
import { testKey } from "./test-key.ts";

const folder = useFolder();
const otherKey = new Uint8Array(32).fill(9);
const options: CopyOptions = { merge: false, clock: systemClock, isDead: () => false };

async function closing<T>(tools: StoreTools, work: (tools: StoreTools) => Promise<T>): Promise<T> {
  try {
    return await work(tools);
  } finally {
    await tools.close();
  }
}

/** A SQLite store, filled by `fill`, opened for turns and for tools, until the end of the test. */
async function sqlitePlace(
  key = testKey,
  fill: (store: Store) => Promise<void> = () => Promise.resolve(),
): Promise<{ store: Store; tools: StoreTools; file: string }> {
  const file = join(folder(), "store.db");
  const filling = await openSqliteStore({ file, key });
  await fill(filling);
  // What is to be written a moment later is written now.
  await filling.close();
  const store = await openSqliteStore({ file, key });
  const tools = await openSqliteTools({ file, key });
  onTestFinished(async () => {
    await Promise.all([store.close(), tools.close()]);
  });
  return { store, tools, file };
}

describeWithPostgres("copying a store", (server) => {
  it("brings everything from SQLite to PostgreSQL and back, sealed with each store's own key", async () => {
    const first = await sqlitePlace(testKey, fillStore);
    const before = await contentOf(first.store);
    const address = server.newAddress();

    await closing(await openPostgresTools({ address, key: otherKey, makeTables: true }), async (target) => {
      expect(await copyStore(first.tools, target, options)).toEqual({
        added: 6,
        replaced: 0,
        kept: 0,
        cooldowns: 2,
        turns: 3,
      });
    });
    const middle = await openUntilEnd(address, { key: otherKey });
    expect(await contentOf(middle)).toEqual(before);

    const last = await sqlitePlace();
    await closing(await openPostgresTools({ address, key: otherKey }), (source) =>
      copyStore(source, last.tools, options),
    );
    expect(await contentOf(last.store)).toEqual(before);
    expect(await contentOf(first.store)).toEqual(before);
  });

  it("goes on where the source stood: the next claim is that of the next generation", async () => {
    const first = await sqlitePlace();
    const { id } = await saveSampleLogin(first.store);
    await first.store.settleAnswered(id, 1, sampleGrant("2"), null);
    const address = server.newAddress();
    await closing(await openPostgresTools({ address, key: testKey, makeTables: true }), (target) =>
      copyStore(first.tools, target, options),
    );
    const store = await openUntilEnd(address, { claimTime: "caller" });
    expect(await store.claimRefresh(sampleClaim(id, { generation: 1 }))).toMatchObject({ outcome: "superseded" });
    expect(await store.claimRefresh(sampleClaim(id, { generation: 2 }))).toMatchObject({ outcome: "claimed" });
  });

  it("merges into a PostgreSQL store whose logins are in use, and leaves their claims alone", async () => {
    const first = await sqlitePlace(testKey, fillStore);
    const address = server.newAddress();
    const target = await openPostgresTools({ address, key: testKey, makeTables: true });
    onTestFinished(() => target.close());
    const store = await openUntilEnd(address, { claimTime: "caller" });
    const { id } = await saveSampleLogin(store, { account: sampleAccount({ userId: "user-9" }), label: "theirs" });
    await store.claimRefresh(sampleClaim(id));
    await copyStore(first.tools, target, { ...options, merge: true });
    expect(await store.claimRefresh(sampleClaim(id))).toMatchObject({ outcome: "held" });
    expect(await store.settleAnswered(id, 1, sampleGrant("2"), null)).toBe(true);
    expect(await store.listCredentials()).toHaveLength(7);
  });
});

describe("copying a store", () => {
  it("refuses a target that is not empty, and changes nothing in it", async () => {
    const [source, target] = [await sqlitePlace(testKey, fillStore), await sqlitePlace()];
    await target.store.addApiKey({ provider: "x", label: "mine", source: { from: "none" }, at: 0 });
    const before = await contentOf(target.store);
    const copying = copyStore(source.tools, target.tools, options);
    await expect(copying).rejects.toSatisfy((error) => isUnderstudyError(error, "usage"));
    await expect(copying).rejects.toThrow(/is not empty \(1 credentials, 0 turns\).*--merge/);
    expect(await contentOf(target.store)).toEqual(before);
  });

  it("copies nothing when one secret of the source does not open", async () => {
    const [source, target] = [await sqlitePlace(testKey, fillStore), await sqlitePlace()];
    const thief = new DatabaseSync(source.file);
    thief.exec("UPDATE credential SET secret = zeroblob(60) WHERE label = 'team'");
    thief.close();
    await expect(copyStore(source.tools, target.tools, options)).rejects.toThrow(/openai "team" .* does not open/);
    expect(await target.store.listCredentials()).toEqual([]);
  });

  it("waits for a refresh that is under way, and copies what came of it", async () => {
    const [source, target] = [await sqlitePlace(), await sqlitePlace()];
    const { id } = await saveSampleLogin(source.store);
    const now = Date.now();
    await source.store.claimRefresh(sampleClaim(id, { now, deadline: now + 600_000 }));
    const clock = {
      now: Date.now,
      // The refresh ends while the copying waits.
      sleep: async () => void (await source.store.settleAnswered(id, 1, sampleGrant("2"), null)),
    };
    await copyStore(source.tools, target.tools, { ...options, clock });
    expect(await target.store.getCredential(id)).toMatchObject({ grant: { generation: 2 }, unknownOutcome: null });
  });

  it("gives up when a refresh is always under way", async () => {
    const [source, target] = [await sqlitePlace(), await sqlitePlace()];
    const { id } = await saveSampleLogin(source.store);
    let now = Date.now();
    await source.store.claimRefresh(sampleClaim(id, { now, deadline: now + 600_000 }));
    const clock = { now: () => now, sleep: (ms: number) => Promise.resolve(void (now += ms)) };
    await expect(copyStore(source.tools, target.tools, { ...options, clock })).rejects.toThrow(/Nothing was copied/);
    expect(await target.store.listCredentials()).toEqual([]);
  });

  it.each([
    ["dead", { isDead: () => true }],
    ["past its deadline", { clock: { ...systemClock, now: () => Date.now() + 700_000 } }],
  ])("copies the claim of an owner who is %s as an unknown outcome", async (_, option) => {
    const [source, target] = [await sqlitePlace(), await sqlitePlace()];
    const { id } = await saveSampleLogin(source.store);
    const now = Date.now();
    await source.store.claimRefresh(sampleClaim(id, { now, deadline: now + 600_000 }));
    await copyStore(source.tools, target.tools, { ...options, ...option });
    expect(await target.store.getCredential(id)).toMatchObject({ unknownOutcome: { generation: 1, since: now } });
  });
});

describe("merging a store into another", () => {
  const merge = { ...options, merge: true };

  it("adds what is new, keeps what is there, and gives a label that is taken a number", async () => {
    const source = await sqlitePlace(otherKey, fillStore);
    const target = await sqlitePlace(testKey, async (store) => {
      await store.addApiKey({ provider: "openai", label: "TEAM", source: { from: "none" }, at: 0 });
      await store.appendTurn({ ...sampleTurn("t0"), endedAt: 1 });
    });
    const counts = await copyStore(source.tools, target.tools, merge);
    expect(counts).toMatchObject({ added: 6, replaced: 0, kept: 0 });
    const merged = target.store;
    const labels = (await merged.listCredentials("openai")).map(({ label }) => label);
    expect(labels.sort()).toEqual(["Büro", "TEAM", "old", "team-2"].sort());
    expect((await merged.listTurns(10)).map(({ id }) => id)).toEqual(["t3", "t2", "t1", "t0"]);
    // Again: nothing is new.
    expect(await copyStore(source.tools, target.tools, merge)).toMatchObject({ added: 0, replaced: 0, kept: 6 });
    expect(await merged.listCredentials()).toHaveLength(7);
  });

  it("lets the later generation of the same login win, whichever side has it", async () => {
    const [one, other] = [await sqlitePlace(otherKey), await sqlitePlace()];
    const { id } = await saveSampleLogin(one.store);
    await copyStore(one.tools, other.tools, options);
    await one.store.settleAnswered(id, 1, sampleGrant("2"), null);
    await other.store.updateCredential(id, { label: "mine", paused: true });
    expect(await copyStore(other.tools, one.tools, merge)).toMatchObject({ replaced: 0, kept: 1 });
    expect(await copyStore(one.tools, other.tools, merge)).toMatchObject({ replaced: 1, kept: 0 });
    for (const { store } of [one, other]) {
      const read = await store.getCredential(id);
      if (read?.kind !== "oauth") throw new Error("no login");
      expect(read.grant.generation).toBe(2);
      expect(read.grant.refreshToken?.reveal()).toBe("refresh-2");
    }
    // What a person chose there stays.
    expect(await other.store.getCredential(id)).toMatchObject({ label: "mine", paused: true });
  });

  it("takes two logins of one account for one: the later wins, under the target's id, as a later generation", async () => {
    const [source, target] = [await sqlitePlace(otherKey), await sqlitePlace()];
    const theirs = await saveSampleLogin(source.store, { grant: sampleGrant("new", { obtainedAt: 2 }) });
    await source.store.settleRefused(theirs.id, { generation: 1, code: "x", message: "over", since: 5 });
    await source.store.putCooldown(sampleCooldown({ credentialId: theirs.id, until: Date.now() + 60_000 }));
    const ours = await saveSampleLogin(target.store, { grant: sampleGrant("old", { obtainedAt: 1 }), label: "ours" });
    await target.store.settleAnswered(ours.id, 1, sampleGrant("older", { obtainedAt: 1 }), null);
    expect(await copyStore(source.tools, target.tools, merge)).toMatchObject({ added: 0, replaced: 1 });
    const [read, ...rest] = await target.store.listCredentials();
    expect(rest).toEqual([]);
    if (read?.kind !== "oauth") throw new Error("no login");
    expect(read).toMatchObject({ id: ours.id, label: "ours", grant: { generation: 3 }, relogin: { generation: 3 } });
    expect(read.grant.refreshToken?.reveal()).toBe("refresh-new");
    expect(await target.store.listCooldowns()).toMatchObject([{ credentialId: ours.id }]);
  });

  it("keeps of two cooldowns the later end", async () => {
    const [source, target] = [await sqlitePlace(), await sqlitePlace()];
    const [near, far] = [Date.now() + 60_000, Date.now() + 120_000];
    await source.store.putCooldown(sampleCooldown({ until: near, failures: 4 }));
    await target.store.putCooldown(sampleCooldown({ until: far, reason: "quota" }));
    await copyStore(source.tools, target.tools, merge);
    expect(await target.store.listCooldowns()).toMatchObject([{ until: far, reason: "quota", failures: 4 }]);
  });
});
