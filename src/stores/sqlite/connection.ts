import { statSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { UnderstudyError } from "../../core/error.ts";
import type { Soon } from "../../core/soon.ts";
import { isBusy, storeError } from "./errors.ts";
import { checkVersion } from "./schema.ts";

/**
 * One SQLite connection as the store's parts use it: reads and transactions that wait for other processes without blocking
 * the event loop. SQLite's own waiting would block it; so a locked file is tried again after a few milliseconds.
 */
export interface Connection {
  readonly file: string;
  readonly database: DatabaseSync;
  /** Gives the statement, which SQLite compiles when it is asked for first: a store has thirty of them, and a small command needs three. */
  readonly statement: (sql: string) => () => StatementSync;
  /** Runs `work`, which must be a single reading statement. */
  readonly read: <T>(work: () => T) => Promise<T>;
  /** The same; what could be read at once, as nearly always, is given at once. Throws nothing. */
  readonly readSoon: <T>(work: () => T) => Soon<T>;
  /**
   * Runs `work` in one transaction that holds the write lock from its start, and resolves once it is durable. Writes
   * of one process happen in the order of their calls. If `work` throws, nothing has happened. It may be run again.
   */
  readonly write: <T>(work: () => T, options?: WriteOptions) => Promise<T>;
  /** Changes whenever the content of the store may have, by whatever process. */
  readonly stamp: () => number;
  /** The same, but it stays as it is where a write has told what it changed, and another process's write may be `lookEveryMs` old. */
  readonly untoldStamp: () => number;
  /** Waits for what is under way, then closes the file. */
  readonly close: () => Promise<void>;
}

export interface WriteOptions {
  /** False: committed, but not fsynced; a power cut may lose it, and nothing else with it. Default true. */
  readonly durable?: boolean;
  /** Called at once after the commit, before anything else of this process can run. */
  readonly committed?: () => void;
  /** Called then too, if anything was changed: tells what to those who keep it. */
  readonly told?: () => void;
}

/** How long a call waits for the locks of other processes, in ms. */
export const defaultLockWaitMs = 10_000;

/** `PRAGMA synchronous` for a commit that survives a power cut: EXTRA is FULL, and safe without a write-ahead log too. */
export const durableLevel = "EXTRA";

/**
 * How often turns look whether another process has written, in ms. Looking is four calls of the system. What must not be old, such as a
 * claim on a refresh token, is read in its own transaction.
 */
export const lookEveryMs = 25;

/** Commits of all connections of this process: two of them may have the same file open. */
let commitsOfProcess = 0;

/** The pause between two tries, in ms: drawn evenly, so that waiters don't meet again. */
const pollMs = { least: 3, most: 13 };

/** `guard` is run in each durable transaction, before its work; if it throws, nothing happens. */
export function createConnection(
  database: DatabaseSync,
  file: string,
  lockWaitMs: number,
  guard: () => void = () => {},
): Connection {
  const statement = (sql: string): (() => StatementSync) => {
    let prepared: StatementSync | null = null;
    return () => (prepared ??= database.prepare(sql));
  };
  const version = statement("PRAGMA user_version");
  const dataVersion = statement("PRAGMA data_version");
  const changes = statement("SELECT total_changes() AS count");
  /** Transactions of this connection that changed something. */
  let commits = 0;
  /** Those of them that did not tell what. */
  let untold = 0;
  /** Times that somebody else was seen to have committed. */
  let foreign = 0;
  /** What SQLite counted of those when it was last asked, when that was (Unix ms), and how many commits this process had made by then. */
  let lastLook = { version: 0, at: 0, commits: -1 };
  const underWay = new Set<Promise<unknown>>();
  const opened = identityOf(file);
  let lastWrite: Promise<unknown> = Promise.resolve();
  let closing: Promise<void> | null = null;

  function transact<T>(work: () => T, options: WriteOptions): T {
    // What is written to a file that is no longer there would be lost, and a refresh token with it. Uses and turns may be.
    if (options.durable !== false && identityOf(file) !== opened) throw movedError(file);
    if (options.durable === false) database.exec("PRAGMA synchronous = NORMAL");
    try {
      database.exec("BEGIN IMMEDIATE");
      // A newer process may have migrated the store under this one.
      checkVersion((version().get() as { user_version: number }).user_version, file);
      if (options.durable !== false) guard();
      const before = changeCount();
      const result = work();
      // An empty COMMIT can fail as busy in rollback-journal mode; an empty ROLLBACK can't.
      const isChanged = changeCount() !== before;
      database.exec(isChanged ? "COMMIT" : "ROLLBACK");
      if (isChanged) {
        commits += 1;
        commitsOfProcess += 1;
        if (options.told === undefined) untold += 1;
        else options.told();
      }
      options.committed?.();
      return result;
    } catch (error) {
      rollBack(database);
      throw error;
    } finally {
      if (options.durable === false) database.exec(`PRAGMA synchronous = ${durableLevel}`);
    }
  }

  function look(at: number): void {
    const { data_version: version } = dataVersion().get() as { data_version: number };
    if (version !== lastLook.version) foreign += 1;
    lastLook = { version, at, commits: commitsOfProcess };
  }

  function isLookOld(now: number): boolean {
    // A clock that was set back makes it look like one from the future.
    return now >= lastLook.at + lookEveryMs || now < lastLook.at || lastLook.commits !== commitsOfProcess;
  }

  function changeCount(): number {
    return (changes().get() as { count: number }).count;
  }

  async function run<T>(work: () => T, after: Promise<unknown> | null): Promise<T> {
    if (closing !== null) throw closedError(file);
    const giveUpAt = monotonicMs() + lockWaitMs;
    await after;
    try {
      return await whenFree(work, giveUpAt);
    } catch (error) {
      throw storeError(file, error);
    }
  }

  function track<T>(promise: Promise<T>): Promise<T> {
    underWay.add(promise);
    const forget = (): void => {
      underWay.delete(promise);
    };
    promise.then(forget, forget);
    return promise;
  }

  function readSoon<T>(work: () => T): Soon<T> {
    if (closing !== null) return Promise.reject(closedError(file));
    try {
      return work();
    } catch (error) {
      if (!isBusy(error)) return Promise.reject(storeError(file, error));
    }
    return track(run(work, null));
  }

  return {
    file,
    database,
    statement,
    read: async (work) => readSoon(work),
    readSoon,
    write(work, options = {}) {
      const written = track(run(() => transact(work, options), lastWrite));
      lastWrite = written.catch(() => {});
      return written;
    },
    stamp() {
      look(Date.now());
      return foreign + commits;
    },
    untoldStamp() {
      const now = Date.now();
      if (isLookOld(now)) look(now);
      return foreign + untold;
    },
    close() {
      closing ??= Promise.allSettled(underWay).then(() => database.close());
      return closing;
    },
  };
}

/** Milliseconds that only go forward. `performance` would have to be loaded for it, at every start. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

/** Runs `work` again and again while other processes are in the way, until `giveUpAt` (of `monotonicMs`). */
export async function whenFree<T>(work: () => T, giveUpAt: number): Promise<T> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || monotonicMs() >= giveUpAt) throw error;
    }
    const pauseMs = pollMs.least + Math.random() * (pollMs.most - pollMs.least);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Ends a transaction that may have ended by itself. */
export function rollBack(database: DatabaseSync): void {
  try {
    if (database.isTransaction) database.exec("ROLLBACK");
  } catch {
    // The error that led here says more.
  }
}

/** Which file stands at this path; null when there is none. */
function identityOf(file: string): string | null {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev} ${stat.ino}`;
}

function movedError(file: string): UnderstudyError {
  return new UnderstudyError(
    "store_unavailable",
    `the store ${file} was moved, removed or replaced while this process had it open. Nothing was written. Put it back, or start this process again to go on with what is there.`,
  );
}

/** A call after `close`. */
export function closedError(file: string): UnderstudyError {
  return new UnderstudyError("store_unavailable", `the store ${file} has been closed. Open it again.`);
}
