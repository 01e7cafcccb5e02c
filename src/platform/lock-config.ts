import { closeSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UnderstudyError } from "../core/error.ts";

/** Looking once more and writing takes milliseconds: who holds the lock for longer than this was killed. */
const abandonedMs = 10_000;
const pauseMs = 10;

/**
 * Runs `work` while no other process of ours does the same for this file. For short work only: the lock is a file beside it, which
 * counts for nothing when it is 10 s old. Throws `config_invalid` when it can't be made.
 */
export async function withConfigLock<T>(path: string, work: () => T | Promise<T>): Promise<T> {
  const lock = join(dirname(path), `.${basename(path)}.lock`);
  while (!take(path, lock)) await sleep(pauseMs);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function take(path: string, lock: string): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    closeSync(openSync(lock, "wx", 0o600));
    return true;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    if (code !== "EEXIST") {
      const message = `${path}: the configuration can't be written (${code})`;
      throw new UnderstudyError("config_invalid", message, {}, { cause: error });
    }
  }
  const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  // A time that lies ahead is as wrong as one long past.
  if (made !== undefined && Math.abs(Date.now() - made) > abandonedMs) rmSync(lock, { force: true });
  return false;
}
