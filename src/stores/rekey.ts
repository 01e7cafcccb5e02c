import { renameSync } from "node:fs";
import { dirname } from "node:path";
import { resealRow } from "./credential-row.ts";
import { forgetKey, type KeyPlaceOptions, readKey, readOrCreateKey, readPointer } from "./key-place.ts";
import { keyCheck, opensCheck } from "./key-ring.ts";
import { syncFolder, withReason } from "./private-file.ts";
import { createSealer } from "./seal.ts";
import type { StoreTools } from "./store-tools.ts";

/**
 * Giving a store another key. All secrets are sealed anew in one transaction, so the store is sealed with the old key or with the
 * new one and never with both; whoever has both keys can open it at every moment. Processes that have the store open
 * find the new key by asking for their keys again (`followKey`).
 */

/** Seals everything with `key`. False, and nothing has changed, when it is sealed with it already. */
export async function rekeyStore(tools: StoreTools, key: Uint8Array): Promise<boolean> {
  const sealer = createSealer(key);
  if (tools.ring.check !== null && opensCheck(sealer, tools.ring.check)) return false;
  await tools.rewrite(({ credentials }) => ({
    credentials: credentials.map((row) => resealRow(row, tools.ring, sealer, tools.place)),
    keyCheck: sealer.seal(keyCheck.text, keyCheck.id, keyCheck.field),
  }));
  return true;
}

/** Beside a key file: the key that a store is being given. It takes the place of the key file when the store has it. */
export function nextKeyFile(keyFile: string): string {
  return `${keyFile}.new`;
}

/** The keys that a store with this key file may be sealed with, the usual one first. */
export async function keysOfFile(keyFile: string, options: KeyPlaceOptions = {}): Promise<Uint8Array[]> {
  // In this order: once there is no next one, it is the usual one.
  const next = await readKey(nextKeyFile(keyFile), options);
  const usual = await readOrCreateKey(keyFile, options);
  return next === null ? [usual] : [usual, next];
}

/**
 * Gives a store whose key is in a file, or in the keychain under a name that a file holds, another one, drawn by chance and kept in the
 * same way. Killed at any moment, it leaves a store that opens with one of the two files; run again, it ends what was begun.
 * `open` opens the store with the keys of `keysOfFile`.
 */
export async function rekeyWithFile(
  keyFile: string,
  open: () => Promise<StoreTools>,
  { openKeychain }: Pick<KeyPlaceOptions, "openKeychain"> = {},
): Promise<void> {
  const next = nextKeyFile(keyFile);
  const old = readPointer(keyFile);
  const options = { prefersKeychain: old !== null, ...(openKeychain === undefined ? {} : { openKeychain }) };
  // On disk before anything is sealed with it. One that was left there is taken: the store may have it already.
  const key = await readOrCreateKey(next, options);
  const tools = await open();
  try {
    await rekeyStore(tools, key);
    // Gone: another process, which gave the store the same key, has done it.
    if (isSame(await readKey(next, options), key)) {
      withReason(`the key file ${next} can't take the place of ${keyFile}`, () => renameSync(next, keyFile));
      syncFolder(dirname(keyFile));
      if (old !== null && readPointer(keyFile) !== old) await forgetKey(old, openKeychain);
    }
  } finally {
    await tools.close();
  }
}

function isSame(one: Uint8Array | null, other: Uint8Array): boolean {
  return one !== null && Buffer.compare(one, other) === 0;
}
