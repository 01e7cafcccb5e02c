/** Adds logins to the store `argv[2]` until it refuses, and prints as JSON how many were acknowledged and what it said. */
import { isUnderstudyError } from "../../../src/core/error.ts";
import { Secret } from "../../../src/core/secret.ts";
import { openSqliteStore } from "../../../src/stores/sqlite/open.ts";
import { testKey } from "../test-key.ts";

const store = await openSqliteStore({ file: process.argv[2] ?? "", key: testKey });
const labels: string[] = [];
try {
  for (let n = 0; n < 10_000; n++) {
    const source = { from: "stored", secret: new Secret("x".repeat(2_000)) } as const;
    await store.addApiKey({ provider: "openai", label: `key ${n}`, source, at: n });
    labels.push(`key ${n}`);
  }
} catch (error) {
  if (!isUnderstudyError(error)) throw error;
  // What was there is still there to read, in the process that met the full disk too.
  const read = (await store.listCredentials()).map((credential) => credential.label);
  console.log(JSON.stringify({ labels, read, code: error.code, message: error.message }));
}
