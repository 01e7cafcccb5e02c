import type { CooldownRow } from "../cooldown-row.ts";
import type { CredentialRow } from "../credential-row.ts";
import { isCurrent, keyChangedError, keyCheck } from "../key-ring.ts";
import type { StoreTables, StoreTools, TurnRow } from "../store-tools.ts";
import type { Sql } from "./driver.ts";
import { connect, type PostgresStoreOptions, toolCallMs } from "./open.ts";
import { channelOf } from "./presence.ts";
import { adoptKey, checkVersion, migrate, readKeyCheck, readVersion } from "./schema.ts";

export interface PostgresToolsOptions extends Pick<PostgresStoreOptions, "address" | "key" | "callMs"> {
  /** True: makes the tables where there are none. Older ones are left to `migratePostgresStore`. Default false. */
  readonly makeTables?: boolean;
}

/** Rows that go into one statement. */
const batchSize = 200;

/** Opens a PostgreSQL store for tools. Throws as `openPostgresStore` does. */
export async function openPostgresTools(options: PostgresToolsOptions): Promise<StoreTools> {
  const { connection, ring } = await connect({ callMs: toolCallMs, ...options });
  const { name } = connection.address;
  try {
    const version = await connection.run((sql) => readVersion(sql, name));
    if (version === 0 && options.makeTables === true) await migrate(connection, ring);
    else checkVersion(version, name);
    await connection.run((sql) => adoptKey(sql, name, ring));
  } catch (error) {
    await connection.close();
    throw error;
  }

  async function readTables(sql: Sql): Promise<StoreTables> {
    return {
      credentials: await sql<CredentialRow[]>`SELECT * FROM credential ORDER BY priority, id COLLATE "C"`,
      cooldowns: await sql<CooldownRow[]>`SELECT * FROM cooldown`,
      turns: await sql<TurnRow[]>`SELECT id, record FROM turn ORDER BY seq`,
    };
  }

  async function replace(sql: Sql, table: string, rows: readonly object[] | undefined): Promise<void> {
    if (rows === undefined) return;
    await sql`DELETE FROM ${sql(table)}`;
    // A row of another store lacks what only this one keeps.
    const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    const blank = Object.fromEntries(columns.map((column) => [column, null]));
    for (let at = 0; at < rows.length; at += batchSize) {
      await sql`INSERT INTO ${sql(table)} ${sql(rows.slice(at, at + batchSize).map((row) => ({ ...blank, ...row })))}`;
    }
  }

  return {
    place: name,
    ring,
    read: () =>
      connection.transact(async (sql) => {
        await sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`;
        return readTables(sql);
      }),
    rewrite: (change) =>
      connection.transact(async (sql) => {
        // Readers go on; writers wait. Those who had begun are waited for.
        await sql`LOCK TABLE meta, credential, cooldown, turn IN EXCLUSIVE MODE`;
        if (!isCurrent(ring, await readKeyCheck(sql, name))) throw keyChangedError(name);
        const { credentials, cooldowns, turns, keyCheck: check } = change(await readTables(sql));
        await replace(sql, "credential", credentials);
        await replace(sql, "cooldown", cooldowns);
        await replace(sql, "turn", turns);
        if (check !== undefined) await sql`UPDATE meta SET value = ${check} WHERE key = ${keyCheck.field}`;
        await sql`SELECT pg_notify(${channelOf(connection)}, hint) FROM (VALUES ('credentials'), ('cooldowns')) AS v(hint)`;
      }),
    close: connection.close,
  };
}
