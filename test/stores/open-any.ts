import type { Store } from "../../src/credentials/store.ts";
import { isPostgresAddress } from "../../src/stores/postgres/address.ts";
import { openPostgresStore } from "../../src/stores/postgres/open.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { testKey } from "./test-key.ts";

/** The store at a path or at a `postgres://` address, with the key of the stores under test. */
export function openAny(place: string): Promise<Store> {
  return isPostgresAddress(place)
    ? openPostgresStore({ address: place, key: testKey })
    : openSqliteStore({ file: place, key: testKey });
}
