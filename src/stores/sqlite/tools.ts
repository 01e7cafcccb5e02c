import type { SQLInputValue } from "node:sqlite";
import type { TurnRecord } from "../../core/events.ts";
import type { CooldownRow } from "../cooldown-row.ts";
import type { CredentialRow } from "../credential-row.ts";
import { keyCheck } from "../key-ring.ts";
import type { StoreTables, StoreTools, TurnRow } from "../store-tools.ts";
import { openConnection, type SqliteStoreOptions } from "./open.ts";
import { packTurns, readableTurns } from "./packed-turns.ts";

/** Opens a SQLite store for tools. Makes it and throws as `openSqliteStore` does. */
export async function openSqliteTools(options: Pick<SqliteStoreOptions, "file" | "key">): Promise<StoreTools> {
  const { connection, ring } = await openConnection(options);
  const { database, file } = connection;

  function readTables(): StoreTables {
    return {
      credentials: database
        .prepare("SELECT * FROM credential ORDER BY priority, id")
        .all() as unknown as CredentialRow[],
      cooldowns: database.prepare("SELECT * FROM cooldown").all() as unknown as CooldownRow[],
      turns: readTurns(),
    };
  }

  function readTurns(): TurnRow[] {
    const rows = database.prepare("SELECT records FROM turns ORDER BY seq").all() as { records: string }[];
    return rows.flatMap(({ records }) =>
      readableTurns(records).map((turn) => ({ id: turn.id, record: JSON.stringify(turn) })),
    );
  }

  function packRows(turns: readonly TurnRow[]): object[] {
    let seq = 0;
    return packTurns(turns.map(({ record }) => JSON.parse(record) as TurnRecord)).map(({ count, text }) => ({
      seq: (seq += count),
      count,
      records: text,
    }));
  }

  function replace(table: string, rows: readonly object[] | undefined): void {
    if (rows === undefined) return;
    database.exec(`DELETE FROM ${table}`);
    for (const row of rows) {
      const columns = Object.keys(row);
      database
        .prepare(`INSERT INTO ${table} (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`)
        .run(...(Object.values(row) as SQLInputValue[]));
    }
  }

  return {
    place: file,
    ring,
    // The write lock makes the three readings one.
    read: () => connection.write(readTables),
    rewrite: (change) =>
      connection.write(() => {
        const { credentials, cooldowns, turns, keyCheck: check } = change(readTables());
        replace("credential", credentials);
        replace("cooldown", cooldowns);
        replace("turns", turns === undefined ? undefined : packRows(turns));
        if (check !== undefined) {
          database.prepare("UPDATE meta SET value = ? WHERE key = ?").run(check, keyCheck.field);
        }
      }),
    close: connection.close,
  };
}
