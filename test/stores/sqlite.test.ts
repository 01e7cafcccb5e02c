import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import type { JournalMode } from "../../src/stores/sqlite/journal-mode.ts";
import { type StoreSetup, storeContract, type StoreUnderTest } from "../contract/store.ts";
import { testKey } from "./test-key.ts";

async function makeStore(journalMode: JournalMode, setup: StoreSetup): Promise<StoreUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), "understudy-store-"));
  const { clock, journalLimit: maxTurns } = setup;
  const open = () =>
    openSqliteStore({ clock, journal: { maxTurns }, file: join(folder, "store.db"), key: testKey, journalMode });
  let store = await open();
  return {
    store,
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    async close() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

storeContract("the SQLite store", (setup) => makeStore("wal", setup));
storeContract("the SQLite store where a write-ahead log is not safe", (setup) => makeStore("delete", setup));
