/** Opens the store `argv[2]`, prints what became of it as JSON, and closes it. */
import { isUnderstudyError } from "../../../src/core/error.ts";
import { openSqliteStore } from "../../../src/stores/sqlite/open.ts";
import { testKey } from "../test-key.ts";

try {
  const store = await openSqliteStore({ file: process.argv[2] ?? "", key: testKey });
  const credentials = await store.listCredentials();
  await store.close();
  console.log(JSON.stringify({ opened: true, credentials: credentials.length }));
} catch (error) {
  if (!isUnderstudyError(error)) throw error;
  console.log(JSON.stringify({ opened: false, code: error.code, message: error.message }));
}
