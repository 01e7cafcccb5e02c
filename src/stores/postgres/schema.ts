import { UnderstudyError } from "../../core/error.ts";
import { isCurrent, type KeyRing, keyChangedError, keyCheck, keyMismatchError } from "../key-ring.ts";
import type { Connection } from "./connection.ts";
import type { Sql } from "./driver.ts";
import { channelOf } from "./presence.ts";

/**
 * The tables, as a list of forward steps: step n brings a store from version n to n + 1. A step that has been released is
 * never changed; a change of the tables is a new step at the end. They are those of the SQLite store, and a claim says more
 * here, since its owner may be on another machine.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value BYTEA NOT NULL);

  CREATE TABLE credential (
    id TEXT PRIMARY KEY,
    provider TEXT NOT NULL,
    label TEXT NOT NULL,
    label_key TEXT NOT NULL, -- the label without regard to case
    kind TEXT NOT NULL CHECK (kind IN ('api_key', 'oauth')),
    priority BIGINT NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    uses BIGINT NOT NULL DEFAULT 0,
    last_used_at BIGINT NOT NULL DEFAULT 0,

    source TEXT, -- JSON of an API key's source, without the secret
    secret BYTEA, -- sealed, as are the three tokens

    account_id TEXT,
    account_user_id TEXT,
    account_email TEXT,
    account_plan TEXT,
    generation BIGINT,
    access_token BYTEA,
    refresh_token BYTEA,
    id_token BYTEA,
    expires_at BIGINT,
    obtained_at BIGINT,
    issuer TEXT,

    relogin_generation BIGINT,
    relogin_code TEXT,
    relogin_message TEXT,
    relogin_since BIGINT,

    unknown_generation BIGINT,
    unknown_since BIGINT,

    -- The claim is on the row's own generation: it ends with it. Times are the database's.
    claim_owner TEXT,
    claim_since BIGINT,
    claim_deadline BIGINT,
    claim_nonce TEXT, -- tells this claim from every other
    claim_lock BIGINT, -- the advisory lock that its owner holds while it lives
    claim_server BIGINT, -- when the server that knew this lock was started
    claim_missed BIGINT, -- since when the lock has been seen missing

    UNIQUE (provider, label_key),
    CHECK (kind <> 'api_key' OR source IS NOT NULL),
    CHECK (kind <> 'oauth' OR (
      generation IS NOT NULL AND access_token IS NOT NULL AND obtained_at IS NOT NULL AND issuer IS NOT NULL)),
    CHECK ((claim_owner IS NULL) = (claim_since IS NULL) AND (claim_owner IS NULL) = (claim_deadline IS NULL)
      AND (claim_owner IS NULL) = (claim_nonce IS NULL))
  );

  -- No reference to credential: a cooldown may be of a whole provider, or of a key found in the environment.
  CREATE TABLE cooldown (
    provider TEXT NOT NULL,
    credential_id TEXT NOT NULL,
    model TEXT NOT NULL,
    until BIGINT NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    since BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    stated INTEGER NOT NULL,
    PRIMARY KEY (provider, credential_id, model)
  );

  CREATE TABLE turn (
    seq BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    record TEXT NOT NULL -- JSON
  );
  `,
];

/** The version that this code reads and writes. */
export const schemaVersion: number = migrations.length;

/** The row of `meta` with the version of the tables, as decimal digits. */
const versionField = "version";

/** How tables of version `found` can be used: `ready`, after `migrate`, or not by this program. */
export function checkVersion(found: number, name: string): void {
  if (found === schemaVersion) return;
  if (found > schemaVersion) {
    throw new UnderstudyError(
      "store_newer",
      `the store ${name} was written by a newer version of Understudy (its tables have version ${found}, this program knows ${schemaVersion}). Nothing in it was changed. Install the newer version and start again.`,
    );
  }
  const what =
    found === 0 ? "has no tables yet" : `has tables of version ${found}, and this program needs ${schemaVersion}`;
  throw new UnderstudyError("store_unavailable", `the store ${name} ${what}. Run ${migrateCommand}.`, {
    command: migrateCommand,
  });
}

const migrateCommand = "understudy store migrate";

/** The version of the tables; 0 when there are none. Throws `store_unavailable` if the tables are another program's. */
export async function readVersion(sql: Sql, name: string): Promise<number> {
  const [found] = await sql<{ meta: boolean; any: boolean }[]>`
    SELECT to_regclass('meta') IS NOT NULL AS meta, to_regclass('credential') IS NOT NULL AS any`;
  if (found?.meta !== true && found?.any !== true) return 0;
  const [row] = await sql<{ value: Uint8Array }[]>`SELECT value FROM meta WHERE key = ${versionField}`;
  const version = Number(Buffer.from(row?.value ?? []).toString());
  if (Number.isSafeInteger(version) && version > 0) return version;
  throw new UnderstudyError(
    "store_unavailable",
    `the tables in ${name} are not a store's. They were left as they are: name another schema (?schema=…) or database.`,
  );
}

/** The key check as it stands there. */
export async function readKeyCheck(sql: Sql, name: string): Promise<Uint8Array> {
  const [row] = await sql<{ value: Uint8Array }[]>`SELECT value FROM meta WHERE key = ${keyCheck.field}`;
  if (row !== undefined) return row.value;
  throw new UnderstudyError("store_unavailable", `the store ${name} is damaged: its key check is missing.`);
}

/** Makes the key that seals this store the one that `ring` seals with; throws `store_unavailable` when it has none that fits. */
export async function adoptKey(sql: Sql, name: string, ring: KeyRing): Promise<void> {
  if (ring.adopt(await readKeyCheck(sql, name))) return;
  throw keyMismatchError(name, "Give the key it was made with (UNDERSTUDY_KEY or UNDERSTUDY_KEY_COMMAND)");
}

/**
 * Keeps the key of the store as it is until the transaction ends: `rekey` waits that long. Throws `keyChangedError` when it
 * is another one already, since what would be sealed now could not be opened again.
 */
export async function holdKey(sql: Sql, name: string, ring: KeyRing): Promise<void> {
  const [row] = await sql<{ value: Uint8Array }[]>`SELECT value FROM meta WHERE key = ${keyCheck.field} FOR SHARE`;
  if (!isCurrent(ring, row?.value)) throw keyChangedError(name);
}

/**
 * Makes the tables or brings them up to date, in one transaction; of several processes that do it at once, one does. Gives the
 * version before and after. Throws `store_newer`, and `store_unavailable` when the key does not fit.
 */
export async function migrate(
  connection: Connection,
  ring: KeyRing,
  steps: readonly string[] = migrations,
): Promise<{ from: number; to: number }> {
  const { schema, name } = connection.address;
  return connection.transact(async (sql) => {
    await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`understudy.migrate.${schema}`}, 0))`;
    const [found] = await sql<{ made: boolean }[]>`SELECT to_regnamespace(${schema}) IS NOT NULL AS made`;
    // A user who may not make schemas can still be given one.
    if (found?.made !== true) await sql`CREATE SCHEMA ${sql(schema)}`;
    const from = await readVersion(sql, name);
    if (from > steps.length) checkVersion(from, name);
    if (from > 0) await adoptKey(sql, name, ring);
    for (const step of steps.slice(from)) await sql.unsafe(step);
    if (from === 0) await sql`INSERT INTO meta (key, value) VALUES (${keyCheck.field}, ${ring.newCheck()})`;
    if (from < steps.length) {
      await sql`
        INSERT INTO meta (key, value) VALUES (${versionField}, ${Buffer.from(String(steps.length))})
        ON CONFLICT (key) DO UPDATE SET value = excluded.value`;
      await sql`SELECT pg_notify(${channelOf(connection)}, 'version')`;
    }
    return { from, to: steps.length };
  });
}
