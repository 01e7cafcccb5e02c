import { closeSync, fsyncSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { UnderstudyError } from "../core/error.ts";
import { fileError, giveName, makePrivateFolder, syncFolder, tightenFile } from "./private-file.ts";
import { formatKey, keyBytes, parseKey } from "./seal.ts";

export interface KeyFileOptions {
  /**
   * False when a store already exists that some key has sealed: a missing key file is then an error, since a new key could
   * not open it. Default true.
   */
  readonly create?: boolean;
}

/**
 * The key in the file at `path`: 32 bytes, written as one line of base64. A missing file is made with a random key,
 * 0600, on disk before it appears under its name; of two processes that make it at once, both get the same key.
 * Throws `store_unavailable` when it can't be read or made, belongs to another user, or holds no key.
 */
export function readOrCreateKeyFile(path: string, options: KeyFileOptions = {}): Uint8Array {
  const file = resolve(path);
  const found = readKeyFile(file);
  if (found !== null) return found;
  if (options.create !== false) createKeyFile(file);
  const key = readKeyFile(file);
  if (key !== null) return key;
  throw keyFileMissing(file);
}

export function keyFileMissing(path: string): UnderstudyError {
  return new UnderstudyError(
    "store_unavailable",
    `the key file ${resolve(path)} is missing, and what is stored can't be opened without it. Put it back from a copy, or give the key in UNDERSTUDY_KEY.`,
  );
}

/** The same without making one: null when there is no such file. */
export function readKeyFile(path: string): Uint8Array | null {
  const file = resolve(path);
  if (!tightenFile(file)) return null;
  const key = parseKey(readText(file));
  if (key !== null) return key;
  throw new UnderstudyError(
    "store_unavailable",
    `the key file ${file} holds no key (one line of base64 or hex, ${keyBytes} bytes). It was left as it is: put it back from a copy, or give the key in UNDERSTUDY_KEY.`,
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code, message } = fileError(`the key file ${file} can't be read`, error);
    throw new UnderstudyError(code, `${message} Or give the key itself in UNDERSTUDY_KEY.`, {}, { cause: error });
  }
}

/** Makes the file with a random key; one that another process made meanwhile stays. */
export function createKeyFile(file: string): void {
  writeKeyFile(file, formatKey(process.getBuiltinModule("node:crypto").randomBytes(keyBytes)));
}

/**
 * Makes the file with this line. False when there is one already, which stays. It is written aside and then linked: the name appears with its whole content or not at
 * all.
 */
export function writeKeyFile(path: string, line: string): boolean {
  const file = resolve(path);
  makePrivateFolder(dirname(file));
  const chance = process.getBuiltinModule("node:crypto").randomBytes(4).toString("hex");
  const aside = `${file}.${process.pid}.${chance}`;
  try {
    const descriptor = openSync(aside, "wx", 0o600);
    try {
      writeSync(descriptor, `${line}\n`);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    const isOurs = giveName(aside, file);
    syncFolder(dirname(file));
    return isOurs;
  } catch (error) {
    throw fileError(`the key file ${file} can't be made`, error);
  } finally {
    rmSync(aside, { force: true });
  }
}
