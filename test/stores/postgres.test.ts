import { migratePostgresStore, openPostgresStore } from "../../src/stores/postgres/open.ts";
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
});
