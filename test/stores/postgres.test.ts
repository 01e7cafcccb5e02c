import { migratePostgresStore, openPostgresStore } from "../../src/stores/postgres/open.ts";
import { expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { sampleTurn, start } from "../contract/store-samples.ts";
import { storeContract } from "../contract/store.ts";
import { describeWithPostgres } from "../rig/postgres.ts";
import { testKey } from "./test-key.ts";

describeWithPostgres("PostgreSQL", (server) => {
  storeContract("the PostgreSQL store", async (setup) => {
    const address = server.newAddress();
    await migratePostgresStore({ address, key: testKey });
    // The suite owns the time; that the database's counts otherwise is tested beside it.
    const { clock, journalLimit: maxTurns } = setup;
    const open = () => openPostgresStore({ clock, journal: { maxTurns }, address, key: testKey, claimTime: "caller" });
    let store = await open();
    return {
      store,
      async reopen() {
        await store.close();
        store = await open();
        return store;
      },
      close: () => store.close(),
    };
  });

  it("forgets turns that are too old, and too many a little at a time, never the newest", async () => {
    const address = server.newAddress();
    await migratePostgresStore({ address, key: testKey });
    let now = start;
    const clock = { ...systemClock, now: () => now };
    const open = (journal: { maxTurns?: number; maxAgeMs?: number }) =>
      openPostgresStore({ address, key: testKey, clock, journal });
    const first = await open({});
    for (let i = 0; i < 500; i += 1) await first.appendTurn({ ...sampleTurn(`${i}`), endedAt: start + i });
    await first.close();

    const counts: number[] = [];
    for (const journal of [{ maxTurns: 10 }, { maxTurns: 10 }, { maxAgeMs: 1_000 }]) {
      now = start + 499 + 1_000;
      const store = await open(journal);
      const id = `newest of ${counts.length}`;
      await store.appendTurn({ ...sampleTurn(id), endedAt: now });
      await store.close();
      const looking = await open({});
      const turns = await looking.listTurns(1_000);
      await looking.close();
      expect(turns[0]?.id).toBe(id);
      counts.push(turns.length);
    }
    // 201 of 501 go, then what is left beyond 10; by age stay the one of just then and those of now.
    expect(counts).toEqual([300, 100, 4]);
  });
});
