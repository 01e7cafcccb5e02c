import { accessSync, closeSync, constants, openSync, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { DatabaseSync, DatabaseSyncOptions } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { type Clock, systemClock } from "../../core/clock.ts";
import type { Store } from "../../credentials/store.ts";
import { giveName, makePrivateFolder, syncFolder, tightenFile, withReason } from "../private-file.ts";
import { followKey } from "../follow-key.ts";
import {
  createKeyRing,
  isCurrent,
  type KeyMemory,
  type KeyRing,
  keyChangedError,
  type StoreKeys,
} from "../key-ring.ts";
import {
  type Connection,
  closedError,
  createConnection,
  defaultLockWaitMs,
  durableLevel,
  rollBack,
  whenFree,
  monotonicMs,
} from "./connection.ts";
import { createCooldownMethods } from "./cooldowns.ts";
import { createRowMapper } from "../credential-row.ts";
import { createCredentialMethods } from "./credentials.ts";
import { damagedError, needsWriter, storeError } from "./errors.ts";
import { createJournal } from "./journal.ts";
import { chooseJournalMode, type JournalMode } from "./journal-mode.ts";
import { createRefreshMethods } from "./refresh.ts";
import { adoptKey, inspectStore, migrate, readKeyCheck, readVersion, schemaVersion } from "./schema.ts";
import { createPoolRecords } from "./pools.ts";
import { createPendingUses } from "./uses.ts";
import { checkJournalLimits, type JournalLimits } from "../journal-limits.ts";
import { createWriteBehind } from "../write-behind.ts";

export interface SqliteStoreOptions {
  /** Path of the store. The file and its folder are made if missing, for this user only. */
  readonly file: string;
  /** The key that seals the secrets: 32 bytes. Or where to find those that it may be. */
  readonly key: StoreKeys;
  /** Tells which cooldowns are long over. Default: the machine's clock. */
  readonly clock?: Clock;
  /** What the journal keeps. Default 10,000 turns, however old. */
  readonly journal?: Partial<JournalLimits>;
  /** How long a call waits for other processes' locks, in ms. Default 10,000. */
  readonly lockWaitMs?: number;
  /** Default: `wal`, or `delete` on a file system where a write-ahead log is not safe. */
  readonly journalMode?: JournalMode;
  /**
   * True: for whoever only looks. A store that is in order is opened so that nothing in it can change, which is faster; calls that
   * would change something reject. One that must be migrated or cleared up after a crash is opened as usual. Secrets are opened when
   * they are needed, so that it is `Secret.reveal` that throws for one that was altered.
   */
  readonly readOnly?: boolean;
  /** For `readOnly`: whether the key fits is asked here first. */
  readonly keyMemory?: KeyMemory;
}

/**
 * Opens the store in one SQLite file, or makes it. Any number of processes on one machine may have it open.
 *
 * Throws `store_unavailable` when it can't be read or written, is damaged or does not belong to the key; `store_newer` when
 * a newer version wrote it; `config_invalid` for a wrong option. A file that is refused is left byte for byte as it was.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { clock = systemClock, lockWaitMs = defaultLockWaitMs } = options;
  const journal = checkJournalLimits(options.journal);
  const { connection, ring, onlyReads } = await openConnection(options, lockWaitMs);
  const store = createStore(connection, ring, clock, journal, onlyReads);
  return followKey(store, ring, connection.file, () => connection.read(() => readKeyCheck(connection.database)));
}

/** The file, opened and with its tables, and the keys that fit it. Throws as `openSqliteStore` does. */
export async function openConnection(
  options: Pick<SqliteStoreOptions, "file" | "key" | "journalMode" | "readOnly" | "keyMemory">,
  lockWaitMs: number = defaultLockWaitMs,
): Promise<{ connection: Connection; ring: KeyRing; onlyReads: boolean }> {
  const ring = await createKeyRing(options.key);
  const file = resolve(options.file);
  const giveUpAt = monotonicMs() + lockWaitMs;

  try {
    if (options.readOnly === true) {
      const database = await openForReading(file, remembering(ring, options.keyMemory), giveUpAt);
      if (database !== null) {
        return { connection: createConnection(database, file, lockWaitMs), ring, onlyReads: true };
      }
    }
    prepareFile(file, ring);
    const journalMode = options.journalMode ?? chooseJournalMode(dirname(file));
    const inspected = await inspectReadOnly(file, ring, giveUpAt);
    const database = await openForWriting(file, giveUpAt, (database) => {
      if (!inspected) inspectStore(database, file, ring);
      setUp(database, ring, journalMode);
      // Another process may have made the store, or given it another key, since it was inspected.
      adoptKey(database, file, ring);
    });
    // What was sealed with a key that the store no longer has could not be opened again.
    const guard = (): void => {
      if (!isCurrent(ring, readKeyCheck(database))) throw keyChangedError(file);
    };
    return { connection: createConnection(database, file, lockWaitMs, guard), ring, onlyReads: false };
  } catch (error) {
    throw storeError(file, error);
  }
}

function createStore(
  connection: Connection,
  ring: KeyRing,
  clock: Clock,
  limits: JournalLimits,
  onlyReads: boolean,
): Store {
  const mapper = createRowMapper(ring, connection.file, onlyReads);
  const uses = createPendingUses(connection);
  const pools = createPoolRecords(connection, mapper, uses, clock);
  const journal = createJournal(connection, limits, clock);
  const behind = createWriteBehind(
    () => uses.size + journal.size,
    () =>
      connection.write(
        () => {
          uses.write();
          journal.write();
        },
        {
          durable: false,
          committed: () => {
            uses.clear();
            journal.clear();
          },
          // Each use was, when it was counted.
          told() {},
        },
      ),
  );
  let closed: Promise<void> | null = null;
  /** True once turns are made here: this process writes much, and lives long. */
  let isBusy = false;

  /** What is refused now; undefined when something may be put off to be written later. */
  function refuseLater(): Promise<never> | undefined {
    if (closed !== null) return Promise.reject(closedError(connection.file));
    if (!isBusy) {
      isBusy = true;
      try {
        connection.database.exec(`PRAGMA wal_autocheckpoint = ${logPages}`);
      } catch (error) {
        return Promise.reject(storeError(connection.file, error));
      }
    }
    return undefined;
  }

  async function stopAndClose(): Promise<void> {
    try {
      await behind.stop();
    } finally {
      await connection.close();
    }
  }

  return {
    ...createCredentialMethods(connection, mapper, uses),
    ...createRefreshMethods(connection, mapper, pools),
    ...createCooldownMethods(connection, clock, pools),
    readPool: pools.readPool,
    listCooldownsOf: pools.listCooldownsOf,
    recordUse(id, at) {
      const refused = refuseLater();
      if (refused !== undefined) return refused;
      uses.add(id, at);
      pools.used(id, at);
      behind.touch();
    },
    appendTurn(turn) {
      const refused = refuseLater();
      if (refused !== undefined) return refused;
      journal.add(turn);
      behind.touch();
    },
    listTurns: journal.listTurns,
    close: () => (closed ??= stopAndClose()),
  };
}

/**
 * Pages that the write-ahead log of a busy process grows to before they are moved into the file, which waits for the disk and holds up the
 * event loop meanwhile. SQLite's own 1,000 are reached by some 13,000 turns. 16 MB.
 */
const logPages = 4_000;

/** No SQLite file is shorter: https://www.sqlite.org/fileformat.html#the_database_header */
const headerBytes = 100;

/** Makes the store if it is missing; checks who owns it and that it can be written. */
function prepareFile(file: string, ring: KeyRing): void {
  const folder = dirname(file);
  if (!tightenFile(file)) {
    makePrivateFolder(folder);
    makeStore(file, ring);
    tightenFile(file);
  }
  // SQLite takes a file of one byte for an empty one and would write over it. An empty one was never made by us: it was cut off.
  const { size } = statSync(file);
  if (size < headerBytes) throw damagedError(size === 0 ? "it is empty" : `it has only ${size} bytes`);
  // SQLite gives these the mode of the store; they may be older than its mode.
  for (const suffix of ["-wal", "-shm", "-journal"]) tightenFile(file + suffix);
  withReason(`the store ${file} can't be written`, () => accessSync(file, constants.R_OK | constants.W_OK));
  withReason(`the folder ${folder} can't be written, which the store in it needs`, () =>
    accessSync(folder, constants.W_OK | constants.X_OK),
  );
}

/** Makes the store aside, 0600, and gives it its name when its tables are on disk: under its name it is never empty. */
function makeStore(file: string, ring: KeyRing): void {
  const what = `the store ${file} can't be made`;
  const chance = process.getBuiltinModule("node:crypto").randomBytes(4).toString("hex");
  const aside = `${file}.${process.pid}-${chance}`;
  withReason(what, () => closeSync(openSync(aside, "wx", 0o600)));
  try {
    const database = openDatabase(aside);
    try {
      database.exec(`PRAGMA synchronous = ${durableLevel}; PRAGMA fullfsync = ON; BEGIN IMMEDIATE`);
      migrate(database, ring);
      database.exec("COMMIT");
    } finally {
      database.close();
    }
    // Another process was faster: just as good.
    withReason(what, () => giveName(aside, file));
    syncFolder(dirname(file));
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Takes a key check that is known to fit without opening it. */
function remembering(ring: KeyRing, memory: KeyMemory | undefined): Pick<KeyRing, "adopt"> {
  if (memory === undefined) return ring;
  return {
    adopt(check) {
      if (memory.knows(check)) return true;
      const fits = ring.adopt(check);
      if (fits) memory.note(check);
      return fits;
    },
  };
}

/** What knows SQLite is loaded by now, and not by a command that only prints its help. */
function openDatabase(path: string | URL, options: DatabaseSyncOptions = {}): DatabaseSync {
  const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
  return new DatabaseSync(path, options);
}

/** Null when there is nothing to read yet, or when somebody must write first. */
async function openForReading(
  file: string,
  ring: Pick<KeyRing, "adopt">,
  giveUpAt: number,
): Promise<DatabaseSync | null> {
  if (!tightenFile(file) || statSync(file).size < headerBytes) return null;
  const database = openDatabase(file, { readOnly: true });
  try {
    if ((await whenFree(() => inspectStore(database, file, ring), giveUpAt)) === schemaVersion) return database;
  } catch (error) {
    database.close();
    if (needsWriter(error)) return null;
    throw error;
  }
  database.close();
  return null;
}

/** Looks before anything can be written. False when a writer must look, since it must clear up first after a crash. */
async function inspectReadOnly(file: string, ring: KeyRing, giveUpAt: number): Promise<boolean> {
  const database = openDatabase(file, { readOnly: true });
  try {
    await whenFree(() => inspectStore(database, file, ring), giveUpAt);
    return true;
  } catch (error) {
    if (needsWriter(error)) return false;
    throw error;
  } finally {
    database.close();
  }
}

async function openForWriting(
  file: string,
  giveUpAt: number,
  prepare: (database: DatabaseSync) => void,
): Promise<DatabaseSync> {
  // `rw`: SQLite must never make the file itself, since it would be readable for others.
  const url = pathToFileURL(file);
  url.searchParams.set("mode", "rw");
  const database = openDatabase(url);
  try {
    await whenFree(() => prepare(database), giveUpAt);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Settings of this connection, and the tables. May be run again after any part of it met a lock. */
function setUp(database: DatabaseSync, ring: KeyRing, journalMode: JournalMode): void {
  database.exec(`
    PRAGMA journal_mode = ${journalMode};
    PRAGMA journal_size_limit = ${4 * 1024 * 1024};
    PRAGMA synchronous = ${durableLevel};
    PRAGMA fullfsync = ON; -- on macOS a plain fsync stops at the disk's own cache
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
  `);
  if (readVersion(database) === schemaVersion) return;
  try {
    database.exec("BEGIN IMMEDIATE");
    migrate(database, ring);
    database.exec("COMMIT");
  } catch (error) {
    rollBack(database);
    throw error;
  }
}
