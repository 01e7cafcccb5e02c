import { expect, it } from "vitest";
import { isUnderstudyError } from "../../src/core/error.ts";
import type { ClaimRequest, ClaimResult, Store, StoreHint } from "../../src/credentials/store.ts";
import {
  readOAuth,
  sampleAccount,
  sampleCooldown,
  sampleGrant,
  sampleTurn,
  saveSampleLogin,
} from "../contract/store-samples.ts";
import { describeWithPostgres } from "../rig/postgres.ts";
import { finish, startProgram } from "./child.ts";
import { newPostgresPlace, openUntilEnd } from "./postgres-store.ts";
import { connect } from "../../src/stores/postgres/open.ts";
import { testKey } from "./test-key.ts";
import { wireTo } from "./wire.ts";

/** How long and how often something is waited for that comes by itself. */
const soon = { timeout: 15_000, interval: 25 };

function claim(store: Store, credentialId: string, request: Partial<ClaimRequest> = {}): Promise<ClaimResult> {
  const now = Date.now();
  const usual = { credentialId, generation: 1, owner: "b", now, deadline: now + 600_000, isDead: () => false };
  return store.claimRefresh({ ...usual, replay: false, ...request });
}

async function isAway(work: Promise<unknown>): Promise<boolean> {
  return work.then(
    () => false,
    (error) => isUnderstudyError(error, "store_unavailable"),
  );
}

describeWithPostgres(
  "a PostgreSQL server that is restarted",
  (server) => {
    it("is missed with a clear message, and what was to be written later is written when it is back", async () => {
      const place = await newPostgresPlace(server);
      const store = await openUntilEnd(place);
      const { id } = await saveSampleLogin(store);
      await server.whileAway(async () => {
        const reading = store.listCredentials();
        await expect(reading).rejects.toSatisfy((error) => isUnderstudyError(error, "store_unavailable"));
        await expect(store.listCredentials()).rejects.toThrow(
          /the store postgres:\/\/127\.0\.0\.1:\d+\/postgres.* can't be used: .*\. .*try again/i,
        );
        expect(await isAway(claim(store, id))).toBe(true);
        await store.recordUse(id, 7);
        await store.appendTurn(sampleTurn("t1"));
      });
      await expect
        .poll(() => store.getCredential(id).catch(() => null), soon)
        .toMatchObject({ uses: 1, lastUsedAt: 7 });
      await expect
        .poll(
          async () => (await server.query(place, "SELECT uses, (SELECT count(*) FROM turn) AS n FROM credential"))[0],
          soon,
        )
        .toMatchObject({ uses: "1", n: "1" });
      expect(await claim(store, id)).toMatchObject({ outcome: "claimed" });
    });

    it("knows nothing of the locks before: a claim from then holds to its deadline, not to its missing lock", async () => {
      const place = await newPostgresPlace(server);
      const store = await openUntilEnd(place);
      const { id } = await saveSampleLogin(store);
      const child = startProgram("claim-and-hold", [place, id, "600000"], { stdio: ["pipe", "pipe", "pipe"] });
      const ended = finish(child);
      await new Promise((resolve) => child.stdout?.once("data", resolve));
      child.kill("SIGKILL");
      await ended;
      await server.whileAway(() => Promise.resolve());
      const look = (): Promise<ClaimResult | null> => claim(store, id).catch(() => null);
      await expect.poll(look, soon).toMatchObject({ outcome: "held" });
      expect(await server.query(place, "SELECT claim_missed FROM credential")).toEqual([{ claim_missed: null }]);
    });

    it("is told to whoever listens, since hints were lost; before and after it hints come", async () => {
      const place = await newPostgresPlace(server);
      const [store, other] = [await openUntilEnd(place), await openUntilEnd(place)];
      const hints: StoreHint[] = [];
      const stop = other.subscribe?.((hint) => hints.push(hint));
      // The listening begins by itself, a moment later.
      await expect.poll(async () => [await store.putCooldown(sampleCooldown()), ...hints], soon).toContain("cooldowns");
      await server.whileAway(() => Promise.resolve());
      await expect.poll(() => hints, soon).toContain("reconnected");
      await expect
        .poll(
          () =>
            saveSampleLogin(store).then(
              () => hints,
              () => hints,
            ),
          soon,
        )
        .toContain("credentials");
      stop?.();
    });
  },
  { ownServer: true },
);

describeWithPostgres("a network that fails", (server) => {
  it("ends a call at its limit, refuses the next ones at once, and lets them through when it is back", async () => {
    const wire = await wireTo(await newPostgresPlace(server));
    const store = await openUntilEnd(wire.address, { callMs: 400 });
    const { id } = await saveSampleLogin(store);
    wire.mode = "silent";
    // Two losses in a row, then one look now and then: many calls, few attempts.
    const before = wire.connections;
    for (let n = 0; n < 50; n++) expect(await isAway(store.getCredential(id))).toBe(true);
    expect(wire.connections - before).toBeLessThan(10);
    wire.cut();
    wire.mode = "open";
    await expect.poll(() => store.getCredential(id).catch(() => null), soon).toMatchObject({ id });
  });

  it("leaves no claim behind that nobody acts on, though its acknowledgement was lost", async () => {
    const place = await newPostgresPlace(server);
    const wire = await wireTo(place);
    const store = await openUntilEnd(wire.address, { callMs: 500 });
    const { id } = await saveSampleLogin(store);
    const second = await saveSampleLogin(store, { account: sampleAccount({ userId: "user-2" }) });
    // Everything is connected and the lock is held before the answers get lost.
    expect(await claim(store, second.id)).toMatchObject({ outcome: "claimed" });
    wire.mode = "deaf";
    expect(await isAway(claim(store, id))).toBe(true);
    const claims = `SELECT id FROM credential WHERE claim_owner IS NOT NULL AND id = '${id}'`;
    expect(await server.query(place, claims)).toEqual([{ id }]);
    wire.cut();
    wire.mode = "open";
    // It comes back by itself, and ends what it does not know of.
    await expect.poll(() => server.query(place, claims), soon).toEqual([]);
    const other = await openUntilEnd(place);
    expect(await claim(other, id)).toMatchObject({ outcome: "claimed" });
  });

  it("makes a settled generation count once, though its acknowledgement was lost and it is settled again", async () => {
    const place = await newPostgresPlace(server);
    const wire = await wireTo(place);
    const store = await openUntilEnd(wire.address, { callMs: 500 });
    const { id } = await saveSampleLogin(store);
    await claim(store, id);
    wire.mode = "deaf";
    const settle = () => store.settleAnswered(id, 1, sampleGrant("2"), null);
    expect(await isAway(settle())).toBe(true);
    wire.cut();
    wire.mode = "open";
    await expect.poll(() => settle().catch(() => null), soon).toBe(false);
    expect((await readOAuth(store, id)).grant).toMatchObject({ generation: 2 });
  });

  it("runs nothing of a transaction outside of it, though its connection was lost in the middle and comes back", async () => {
    const place = await newPostgresPlace(server);
    const wire = await wireTo(place);
    const { connection } = await connect({ address: wire.address, key: testKey });
    const cut = connection.transact(async (sql) => {
      await sql`INSERT INTO meta VALUES ('first', '')`;
      wire.cut();
      await sql`SELECT 1`.catch(() => {});
      await sql`INSERT INTO meta VALUES ('second', '')`;
    });
    expect(await isAway(cut)).toBe(true);
    const found = "SELECT key FROM meta WHERE key IN ('first', 'second')";
    expect(await server.query(place, found)).toEqual([]);
    await connection.transact((sql) => sql`INSERT INTO meta VALUES ('second', '')`);
    expect(await server.query(place, found)).toEqual([{ key: "second" }]);
    await connection.close();
  });

  it("does not keep a frozen transaction's locks for longer than the limit of a call", async () => {
    const place = await newPostgresPlace(server);
    const wire = await wireTo(place);
    const store = await openUntilEnd(place, { callMs: 10_000 });
    const { id } = await saveSampleLogin(store);
    const { connection } = await connect({ address: wire.address, key: testKey, callMs: 500 });
    const frozen = connection.transact(async (sql) => {
      await sql`SELECT 1 FROM credential WHERE id = ${id} FOR UPDATE`;
      wire.mode = "silent";
      await sql`SELECT 1`;
    });
    expect(await isAway(frozen)).toBe(true);
    expect(await store.settleAnswered(id, 1, sampleGrant("2"), null)).toBe(true);
    wire.cut();
    await connection.close();
  });
});
