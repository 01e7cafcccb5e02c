import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { UnderstudyError } from "../core/error.ts";
import { keyFileMissing, readKeyFile, writeKeyFile } from "./key-file.ts";
import { formatPointer, type Keychain, type OpenKeychain, parsePointer } from "./keychain.ts";
import { tightenFile, withReason } from "./private-file.ts";
import { formatKey, keyBytes, parseKey } from "./seal.ts";

/**
 * The key of a store that names no other: in the system's keychain where that answers when the store is made, else in a file that
 * only its owner can read. A key file is there in both cases; for a key in the keychain it holds the line `keychain NAME`. So what
 * is there goes on being used, nothing is asked of the system while the key is in the file, and a missing key is never
 * taken for none.
 */

export interface KeyPlaceOptions {
  /** False: a store is there that some key has sealed, so a new one would not open it. Default true. */
  readonly create?: boolean;
  /** Absent: this process uses no keychain. */
  readonly openKeychain?: OpenKeychain;
  /** A new key goes there if it answers. Default false. */
  readonly prefersKeychain?: boolean;
}

/** Where the key of this key file is: its name in the keychain, or null when it is in the file. Null also when there is no file. */
export function readPointer(path: string): string | null {
  const file = resolve(path);
  if (!tightenFile(file)) return null;
  return parsePointer(withReason(`the key file ${file} can't be read`, () => readFileSync(file, "utf8")));
}

/** The key; null when there is no such file. Throws `store_unavailable` when it can't be had. */
export async function readKey(path: string, { openKeychain }: KeyPlaceOptions = {}): Promise<Uint8Array | null> {
  const name = readPointer(path);
  if (name === null) return readKeyFile(path);
  return readFromKeychain(path, name, openKeychain);
}

/** The key, which is made if there is none. Of two processes that make it at once, both get the same. */
export async function readOrCreateKey(path: string, options: KeyPlaceOptions = {}): Promise<Uint8Array> {
  const found = await readKey(path, options);
  if (found !== null) return found;
  if (options.create === false) throw keyFileMissing(path);
  const { randomBytes } = process.getBuiltinModule("node:crypto");
  const key = formatKey(randomBytes(keyBytes));
  const chain = options.prefersKeychain === true ? ((await options.openKeychain?.("new")) ?? null) : null;
  const name = randomBytes(8).toString("hex");
  const isKept = chain !== null && (await keep(chain, name, key));
  const isOurs = writeKeyFile(path, isKept ? formatPointer(name) : key);
  // Somebody else was faster: theirs counts.
  if (isKept && !isOurs) await chain.remove(name).catch(() => {});
  const made = await readKey(path, options);
  if (made === null) throw keyFileMissing(path);
  return made;
}

/** Takes a key out of the keychain that no key file names any more. What can't be removed stays there, and does no harm. */
export async function forgetKey(name: string, openKeychain: OpenKeychain | undefined): Promise<void> {
  try {
    await (await openKeychain?.("known"))?.remove(name);
  } catch {
    // It seals nothing any more.
  }
}

/** True when the keychain has the key and gives it back. One that is locked may take it and give nothing. */
async function keep(chain: Keychain, name: string, key: string): Promise<boolean> {
  try {
    await chain.write(name, key);
    return (await chain.read(name)) === key;
  } catch {
    return false;
  }
}

async function readFromKeychain(
  path: string,
  name: string,
  openKeychain: OpenKeychain | undefined,
): Promise<Uint8Array> {
  const where = `the key of the store is in this system's keychain (understudy, ${name}; ${resolve(path)} says so)`;
  let text: string | null;
  try {
    const chain = (await openKeychain?.("known")) ?? null;
    if (chain === null) throw new Error("it does not answer this process");
    text = await chain.read(name);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw unavailable(`${where}, which can't be read: ${why}. Unlock it, or run this in your own session.`, error);
  }
  if (text === null)
    throw unavailable(`${where}, which is locked or has lost it. Unlock it, or restore it from a backup.`);
  const key = parseKey(text);
  if (key === null) throw unavailable(`${where}, and what is there is no key. It was left as it is.`);
  return key;
}

function unavailable(message: string, cause?: unknown): UnderstudyError {
  return new UnderstudyError("store_unavailable", message, {}, { cause });
}
