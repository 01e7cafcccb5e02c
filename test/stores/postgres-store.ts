import { onTestFinished } from "vitest";
import type { Store } from "../../src/credentials/store.ts";
import { migratePostgresStore, openPostgresStore, type PostgresStoreOptions } from "../../src/stores/postgres/open.ts";
import type { TestServer } from "../rig/postgres.ts";
import { testKey } from "./test-key.ts";

/** A new store, with its tables. */
export async function newPostgresPlace(server: TestServer): Promise<string> {
  const address = server.newAddress();
  await migratePostgresStore({ address, key: testKey });
  return address;
}

/** Opens it until the end of the test. */
export async function openUntilEnd(address: string, options: Partial<PostgresStoreOptions> = {}): Promise<Store> {
  const store = await openPostgresStore({ address, key: testKey, ...options });
  onTestFinished(() => store.close());
  return store;
}
