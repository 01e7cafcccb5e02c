import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import { UnderstudyError } from "../core/error.ts";

/**
 * Files that only their owner may read: 0600 in a folder that is 0700 if it was made here. On Windows, where the modes mean
 * nothing, the user's profile folder does that work.
 */

/** Makes `folder` and what is missing above it, 0700. One that exists keeps its mode: it may hold other things. */
export function makePrivateFolder(folder: string): void {
  const first = withReason(`the folder ${folder} can't be made`, () =>
    mkdirSync(folder, { recursive: true, mode: 0o700 }),
  );
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) syncFolder(dirname(made));
}

/**
 * Checks that `file` is a plain file of this user and takes away what group and others may do with it. False when there is
 * no such file. Never opens it: closing it again would drop this process's own SQLite locks on it.
 */
export function tightenFile(file: string): boolean {
  const look = (stat: typeof lstatSync) =>
    withReason(`${file} can't be looked at`, () => stat(file, { throwIfNoEntry: false }));
  const entry = look(lstatSync);
  if (entry === undefined) return false;
  const stat = entry.isSymbolicLink() ? look(statSync) : entry;
  if (stat === undefined) {
    throw new UnderstudyError(
      "store_unavailable",
      `${file} is a link to a file that isn't there. Remove it or mend it.`,
    );
  }
  if (stat.isDirectory()) {
    throw new UnderstudyError("store_unavailable", `${file} is a folder, not a file. Name another path.`);
  }
  if (!stat.isFile()) {
    throw new UnderstudyError("store_unavailable", `${file} is not a plain file. Name another path.`);
  }
  const uid = process.getuid?.();
  if (uid !== undefined && stat.uid !== uid) {
    throw new UnderstudyError(
      "store_unavailable",
      `${file} belongs to another user (uid ${stat.uid}, this process runs as ${uid}). Run as that user, or name another path.`,
    );
  }
  if (uid !== undefined && (stat.mode & 0o077) !== 0) {
    withReason(`${file} can't be closed to other users`, () => chmodSync(file, stat.mode & 0o700));
  }
  return true;
}

/**
 * Gives the finished file `aside` the name `file`, which appears with its whole content or not at all. False when there is one already,
 * which stays. Where there are no hard links (exFAT, Termux), a copy must do.
 */
export function giveName(aside: string, file: string): boolean {
  try {
    try {
      linkSync(aside, file);
    } catch (error) {
      if (isExisting(error)) throw error;
      copyFileSync(aside, file, constants.COPYFILE_EXCL);
    }
    return true;
  } catch (error) {
    if (isExisting(error)) return false;
    throw error;
  }
}

function isExisting(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

/** Makes a new name in `folder` survive a power cut. Where folders can't be synced (Windows), the system does it. */
export function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, "r");
    try {
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    // Not every system lets a folder be opened, nor every user the one above his own.
  }
}

/** Runs `work`; a fault of the file system becomes `store_unavailable`: `what`, why, and what to do. */
export function withReason<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fileError(what, error);
  }
}

/** What the codes of the file system mean for a person, and what to do about it. */
const reasonsByCode: Readonly<Record<string, string>> = {
  EACCES: "this user has no permission. Change the permissions, or name another path",
  EPERM: "the system forbids it. Change the permissions, or name another path",
  EROFS: "the file system is read-only. Name a path that can be written",
  ENOSPC: "the disk is full. Free some space and try again",
  EDQUOT: "this user's disk quota is used up. Free some space and try again",
  EFBIG: "the file may not grow (a limit of this user or file system). Raise the limit and try again",
  ENOTDIR: "a part of the path is a file, not a folder. Name another path",
  EEXIST: "a file with that name is in the way. Name another path",
  ENOENT: "a folder of the path is missing. Make it, or name another path",
  ELOOP: "the links of the path go round in a circle. Name another path",
  ENAMETOOLONG: "the path is too long. Name another path",
};

/** An error of the file system as `store_unavailable`, with its cause in plain words. */
export function fileError(what: string, error: unknown): UnderstudyError {
  if (error instanceof UnderstudyError) return error;
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const reason = reasonsByCode[code] ?? (error instanceof Error ? error.message : String(error));
  return new UnderstudyError("store_unavailable", `${what}: ${reason}.`, {}, { cause: error });
}
