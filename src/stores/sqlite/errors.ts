import { UnderstudyError } from "../../core/error.ts";

/** Primary result codes, https://www.sqlite.org/rescode.html */
const busy = 5;
const locked = 6;
const readOnly = 8;
const ioError = 10;
const corrupt = 11;
const full = 13;
const cantOpen = 14;
const protocol = 15;
const constraint = 19;
const notADatabase = 26;

/** What a result code means for a person: the cause, and what to do about it. */
const meanings: Readonly<Record<number, { readonly cause: string; readonly advice: string }>> = {
  [busy]: locks(),
  [locked]: locks(),
  [protocol]: locks(),
  [readOnly]: {
    cause: "it can't be written",
    advice: "Check the permissions of the file and its folder, and whether the disk is mounted read-only",
  },
  [ioError]: {
    cause: "the disk refused a read or a write",
    advice: "Check that it is not full, that no limit on file sizes is in force, and that it is healthy",
  },
  [corrupt]: damage("it is damaged"),
  [notADatabase]: damage("it is not a store, or its beginning is damaged"),
  [full]: { cause: "the disk is full", advice: "Free some space and try again" },
  [cantOpen]: {
    cause: "it can't be opened",
    advice: "Check the permissions of the file and its folder, and that the disk is not full",
  },
};

function locks(): { cause: string; advice: string } {
  return {
    cause: "another process keeps it locked",
    advice: "See which process has the file open and end it if it hangs, then try again",
  };
}

function damage(cause: string): { cause: string; advice: string } {
  return {
    cause,
    advice:
      "Keep it aside (rename it, and the files of the same name that end in -wal and -shm), then put a copy back or sign in again",
  };
}

/** The primary result code of an error of SQLite; null for any other error. */
export function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return null;
  return error.errcode & 0xff;
}

/** An error in the shape of SQLite's own, for damage that it does not report as an error. */
export function damagedError(detail: string): Error {
  return Object.assign(new Error(detail), { errcode: corrupt });
}

/** True when another connection was in the way and the same statement may well succeed a moment later. */
export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === busy || code === locked || code === protocol;
}

/** True when a read-only connection can't look, because a crash left something that a writer must clear up first. */
export function needsWriter(error: unknown): boolean {
  const code = resultCode(error);
  return code === readOnly || code === cantOpen;
}

/** Codes of the file system that say the same of a file as SQLite says of a store that it can't write. */
const fileCodes: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EFBIG", "EROFS"]);

/**
 * True when it is the disk that is in the way: full, read-only, or out of order. What is stored may be as good as ever. `error` is one of
 * SQLite or of the file system.
 */
export function isDiskInTheWay(error: unknown): boolean {
  const code = resultCode(error);
  if (code !== null) return code === readOnly || code === ioError || code === full || code === cantOpen;
  return error instanceof Error && "code" in error && fileCodes.has(error.code);
}

/**
 * Any error of a statement or transaction as what the port promises: errors of SQLite become `store_unavailable` with
 * file, cause and advice. A broken constraint is a bug and stays what it is, as does every other error.
 */
export function storeError(file: string, error: unknown): unknown {
  const code = resultCode(error);
  if (code === null || code === constraint) return error;
  const detail = error instanceof Error ? error.message : "";
  const { cause, advice } = meanings[code] ?? {
    cause: "SQLite reports a fault",
    advice: "Try again, and keep a copy of the file if it stays so",
  };
  return new UnderstudyError(
    "store_unavailable",
    `the store ${file} can't be used: ${cause} (${detail}). Nothing in it was changed. ${advice}.`,
    {},
    { cause: error },
  );
}
