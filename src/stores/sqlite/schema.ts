import type { DatabaseSync } from "node:sqlite";
import { UnderstudyError } from "../../core/error.ts";
import { damagedError } from "./errors.ts";
import { type KeyRing, keyCheck, keyMismatchError } from "../key-ring.ts";
import type { Sealer } from "../seal.ts";

/**
 * The tables, as a list of forward steps: step n brings a store from version n to n + 1. A step that has been released is
 * never changed; a change of the tables is a new step at the end.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE credential (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    label TEXT NOT NULL,
    label_key TEXT NOT NULL, -- the label without regard to case
    kind TEXT NOT NULL CHECK (kind IN ('api_key', 'oauth')),
    priority INTEGER NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0,
    last_used_at INTEGER NOT NULL DEFAULT 0,

    source TEXT, -- JSON of an API key's source, without the secret
    secret BLOB, -- sealed, as are the three tokens

    account_id TEXT,
    account_user_id TEXT,
    account_email TEXT,
    account_plan TEXT,
    generation INTEGER,
    access_token BLOB,
    refresh_token BLOB,
    id_token BLOB,
    expires_at INTEGER,
    obtained_at INTEGER,
    issuer TEXT,

    relogin_generation INTEGER,
    relogin_code TEXT,
    relogin_message TEXT,
    relogin_since INTEGER,

    unknown_generation INTEGER,
    unknown_since INTEGER,

    -- The claim is on the row's own generation: it ends with it.
    claim_owner TEXT,
    claim_since INTEGER,
    claim_deadline INTEGER,

    UNIQUE (provider, label_key),
    CHECK (kind <> 'api_key' OR source IS NOT NULL),
    CHECK (kind <> 'oauth' OR (
      generation IS NOT NULL AND access_token IS NOT NULL AND obtained_at IS NOT NULL AND issuer IS NOT NULL)),
    CHECK ((claim_owner IS NULL) = (claim_since IS NULL) AND (claim_owner IS NULL) = (claim_deadline IS NULL))
  ) STRICT, WITHOUT ROWID;

  -- No reference to credential: a cooldown may be of a whole provider, or of a key found in the environment.
  CREATE TABLE cooldown (
    provider TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    model TEXT NOT NULL,
    until INTEGER NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    since INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    stated INTEGER NOT NULL,
    PRIMARY KEY (provider, credential_id, model)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE turn (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL -- JSON
  ) STRICT;
  `,
  // Turns that are written together become one row: each by itself cost a tenth of a turn.
  `
  CREATE TABLE turns (
    seq INTEGER PRIMARY KEY, -- the number of its newest turn, counted over the whole journal
    count INTEGER NOT NULL, -- of its turns
    records TEXT NOT NULL -- JSON, see packed-turns.ts
  ) STRICT;

  INSERT INTO turns (seq, count, records)
    SELECT row_number() OVER (ORDER BY seq), 1, '[' || record || ']' FROM turn ORDER BY seq;

  DROP TABLE turn;
  `,
];

/** The version that this code reads and writes. */
export const schemaVersion: number = migrations.length;

/** `Unds`: marks a SQLite file as a store of this package. */
export const applicationId = 0x556e6473;

/**
 * Looks at a store without changing anything and tells its version; 0 for an empty file. Throws `store_newer` for a version
 * from the future, `store_unavailable` for another program's database and for a key that does not fit, and
 * SQLite's own error for a damaged file.
 */
export function inspectStore(database: DatabaseSync, file: string, ring: Pick<KeyRing, "adopt">): number {
  try {
    // One snapshot, though another process may be making the tables right now.
    database.exec("BEGIN");
    return inspectSnapshot(database, file, ring);
  } finally {
    if (database.isTransaction) database.exec("ROLLBACK");
  }
}

function inspectSnapshot(database: DatabaseSync, file: string, ring: Pick<KeyRing, "adopt">): number {
  const version = readVersion(database);
  const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get() as { count: number };
  if (version === 0 && tables.count === 0) return 0;
  const { application_id: id } = database.prepare("PRAGMA application_id").get() as { application_id: number };
  if (id !== applicationId) {
    throw new UnderstudyError(
      "store_unavailable",
      `${file} is a database of another program. It was left as it is: name another path for the store.`,
    );
  }
  checkVersion(version, file);
  for (const table of ["meta", "credential", "cooldown"]) {
    const check = database.prepare(`PRAGMA quick_check(${table})`).get() as { quick_check: string };
    if (check.quick_check !== "ok") throw damagedError(check.quick_check);
  }
  adoptKey(database, file, ring);
  return version;
}

/** Throws `store_newer` if `version` is from the future. */
export function checkVersion(version: number, file: string): void {
  if (version <= schemaVersion) return;
  throw new UnderstudyError(
    "store_newer",
    `the store ${file} was written by a newer version of Understudy (its tables have version ${version}, this program knows ${schemaVersion}). Nothing in it was changed. Install the newer version and start again.`,
  );
}

export function readVersion(database: DatabaseSync): number {
  return (database.prepare("PRAGMA user_version").get() as { user_version: number }).user_version;
}

/** Brings the tables up to date in the transaction that the caller has begun. A new store gets its key check. */
export function migrate(database: DatabaseSync, sealer: Sealer, steps: readonly string[] = migrations): void {
  const version = readVersion(database);
  for (const step of steps.slice(version)) database.exec(step);
  if (version < steps.length) database.exec(`PRAGMA user_version = ${steps.length}`);
  if (version > 0) return;
  database.exec(`PRAGMA application_id = ${applicationId}`);
  database
    .prepare("INSERT INTO meta (key, value) VALUES (?, ?)")
    .run(keyCheck.field, sealer.seal(keyCheck.text, keyCheck.id, keyCheck.field));
}

/** Makes the key that seals this store the one that `ring` seals with; throws `store_unavailable` when it has none that fits. */
export function adoptKey(database: DatabaseSync, file: string, ring: Pick<KeyRing, "adopt">): void {
  if (ring.adopt(readKeyCheck(database))) return;
  throw keyMismatchError(file, "Give the key it was made with (the key file beside it, or UNDERSTUDY_KEY)");
}

/** The key check as it stands there. */
export function readKeyCheck(database: DatabaseSync): Uint8Array {
  const row = database.prepare("SELECT value FROM meta WHERE key = ?").get(keyCheck.field) as
    | { value: Uint8Array }
    | undefined;
  if (row === undefined) throw damagedError("the key check is missing");
  return row.value;
}
