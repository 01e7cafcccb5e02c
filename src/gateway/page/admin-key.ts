import { join } from "node:path";
import type { UnderstudyHome } from "../../platform/home.ts";
import { readOrCreateKey } from "../client-key.ts";

/** Where the key of the status page is kept. */
export function adminKeyFile(home: UnderstudyHome): string {
  return join(home.dataDir, "admin.key");
}

/**
 * The key that the status page asks for, made at the first call as the client key is: 32 random bytes, 0600. It opens nothing else,
 * and the client key does not open the page. Throws `store_unavailable`.
 */
export function readOrCreateAdminKey(file: string): string {
  return readOrCreateKey(file, { prefix: "ua", name: "admin key" });
}
