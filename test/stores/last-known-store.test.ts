import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { UnderstudyError } from "../../src/core/error.ts";
import type { Store, StoreHint } from "../../src/credentials/store.ts";
import { createLastKnownStore, type LastKnownStore } from "../../src/stores/last-known-store.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import {
  readOAuth,
  sampleAccount,
  sampleClaim,
  sampleCooldown,
  sampleGrant,
  saveSampleLogin,
  start,
} from "../contract/store-samples.ts";
import { useFolder } from "./folder.ts";
import { testKey } from "./test-key.ts";

const folder = useFolder();
const away = new UnderstudyError("store_unavailable", "the server is away");
const isOutage = (error: unknown): boolean => error === away;

let now = start;
const clock = { now: () => now, sleep: () => Promise.resolve() };

/** A real store that can be sent away, and the one that keeps turns going before it. */
let store: Store;
let known: LastKnownStore;
let isAway = false;
let hint: (hint: StoreHint) => void = () => {};

beforeEach(async () => {
  [now, isAway] = [start, false];
  store = await openSqliteStore({ file: join(folder(), "store.db"), key: testKey, clock });
  onTestFinished(() => store.close());
});

async function open(): Promise<void> {
  // These two write later, and so fail never.
  const later = new Set(["recordUse", "appendTurn"]);
  const methods = Object.entries(store).map(([name, method]: [string, (...given: never[]) => unknown]) => {
    const flaky = (...given: never[]): unknown =>
      isAway && !later.has(name) ? Promise.reject(away) : method(...given);
    return [name, flaky] as const;
  });
  const subscribe = (listener: typeof hint): (() => void) => {
    hint = listener;
    return () => {};
  };
  known = await createLastKnownStore(
    { ...(Object.fromEntries(methods) as unknown as Store), subscribe },
    { clock, isOutage },
  );
}

describe("while the store answers", () => {
  it("what it says counts, also what another process has changed", async () => {
    const { id } = await saveSampleLogin(store);
    await open();
    await store.updateCredential(id, { label: "renamed" });
    expect(await known.listCredentials()).toMatchObject([{ label: "renamed" }]);
    await store.removeCredential(id);
    expect(await known.getCredential(id)).toBeNull();
    isAway = true;
    expect(await known.listCredentials()).toEqual([]);
  });

  it("its refusals are passed on", async () => {
    await open();
    const add = () => known.addApiKey({ provider: "x", label: "x", source: { from: "none" }, at: start });
    await add();
    await expect(add()).rejects.toThrow(/already has a credential "x"/);
    await expect(known.updateCredential("c-none", { paused: true })).resolves.toBeNull();
  });
});

describe("while the store is away", () => {
  it("the last answers count, in the same order and for each provider, and it is told since when", async () => {
    const login = await saveSampleLogin(store);
    const key = await store.addApiKey({ provider: "openai", label: "k", source: { from: "none" }, at: start });
    await store.putCooldown(sampleCooldown());
    await open();
    expect(known.outage).toBeNull();
    isAway = true;
    now += 5;
    expect((await known.listCredentials()).map(({ id }) => id)).toEqual([login.id, key.id].sort());
    expect(await known.listCredentials("openai")).toEqual([key]);
    expect(await known.getCredential(login.id)).toEqual(login);
    expect(await known.getCredential("c-none")).toBeNull();
    expect(await known.listCooldowns()).toEqual([sampleCooldown()]);
    expect(await known.listCooldowns("openai")).toEqual([]);
    expect(known.outage).toEqual({ since: start + 5, error: away });
    isAway = false;
    await known.listCredentials();
    expect(known.outage).toBeNull();
  });

  it("a damaged store or a wrong key is no outage: the error is passed on", async () => {
    await open();
    await store.close();
    await expect(known.listCredentials()).rejects.toThrow(/has been closed/);
  });

  it("claims and logins fail as the store fails: none is made up", async () => {
    const { id } = await saveSampleLogin(store);
    await open();
    isAway = true;
    for (const work of [
      () => known.claimRefresh(sampleClaim(id)),
      () => known.settleAnswered(id, 1, sampleGrant("2"), null),
      () => known.settleRefused(id, { generation: 1, code: "x", message: "x", since: start }),
      () => known.releaseClaim(id, 1, "a"),
      () => known.settleUnknown(id, 1, "a", start),
      () =>
        known.saveLogin({ provider: "x", label: "x", account: sampleAccount(), grant: sampleGrant("1"), at: start }),
      () => known.updateCredential(id, { paused: true }),
      () => known.removeCredential(id),
      () => known.listTurns(1),
    ]) {
      await expect(work()).rejects.toBe(away);
    }
    expect((await readOAuth(known, id)).grant.generation).toBe(1);
  });

  it("a cooldown counts at once by rule R5, and is in the store as soon as it is back", async () => {
    await store.putCooldown(sampleCooldown({ until: start + 50_000, failures: 2 }));
    await open();
    isAway = true;
    await known.putCooldown(sampleCooldown({ until: start + 90_000, reason: "quota" }));
    await known.putCooldown(sampleCooldown({ until: start + 10_000, failures: 7 }));
    await known.putCooldown(sampleCooldown({ credentialId: "c2" }));
    const expected = [
      sampleCooldown({ until: start + 90_000, reason: "quota", failures: 7 }),
      sampleCooldown({ credentialId: "c2" }),
    ];
    expect(await known.listCooldowns()).toEqual(expected);
    isAway = false;
    // Before they are written, they count beside what the store says.
    expect(await known.listCooldowns("codex")).toEqual(expected);
    await expect.poll(() => store.listCooldowns()).toEqual(expected);
  });

  it("they are written also when nobody asks: a hint says that the store is back", async () => {
    await open();
    isAway = true;
    await known.putCooldown(sampleCooldown());
    isAway = false;
    hint("reconnected");
    await expect.poll(() => store.listCooldowns()).toEqual([sampleCooldown()]);
  });

  it("they are written by themselves when nobody asks and no hint comes", async () => {
    await open();
    isAway = true;
    await known.putCooldown(sampleCooldown());
    isAway = false;
    await expect.poll(() => store.listCooldowns(), { timeout: 10_000 }).toHaveLength(1);
  });

  it("what a success clears is cleared here, though the store does not hear of it, and nothing newer", async () => {
    await open();
    isAway = true;
    await known.putCooldown(sampleCooldown({ since: start }));
    await known.putCooldown(sampleCooldown({ credentialId: "c2", since: start + 10 }));
    await expect(known.clearCooldowns({ provider: "codex", setBefore: start + 10 })).rejects.toBe(away);
    expect(await known.listCooldowns()).toMatchObject([{ credentialId: "c2" }]);
    isAway = false;
    await known.listCooldowns();
    await expect.poll(() => store.listCooldowns()).toMatchObject([{ credentialId: "c2" }]);
  });

  it("a token that was settled right before is the one that is known", async () => {
    const { id } = await saveSampleLogin(store);
    await open();
    expect(await known.settleAnswered(id, 1, sampleGrant("2"), null)).toBe(true);
    isAway = true;
    const { grant } = await readOAuth(known, id);
    expect([grant.generation, grant.accessToken.reveal()]).toEqual([2, "access-2"]);
  });

  it("uses are counted, so that a pool goes round as before", async () => {
    const { id } = await saveSampleLogin(store);
    await open();
    isAway = true;
    await known.recordUse(id, start + 7);
    expect(await known.listCredentials()).toMatchObject([{ uses: 1, lastUsedAt: start + 7 }]);
  });
});

it("follows hints, so that what is known is what was last true and not what was last asked for", async () => {
  await open();
  const { id } = await saveSampleLogin(store);
  hint("credentials");
  await expect
    .poll(
      async () => {
        isAway = true;
        const read = await known.getCredential(id);
        isAway = false;
        return read?.id;
      },
      { timeout: 5_000 },
    )
    .toBe(id);
});

it("can't be opened on a store that is away", async () => {
  isAway = true;
  await expect(open()).rejects.toBe(away);
});
