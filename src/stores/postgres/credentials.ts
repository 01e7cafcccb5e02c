import { randomBytes } from "node:crypto";
import { UnderstudyError } from "../../core/error.ts";
import type { Account, Credential } from "../../credentials/credential.ts";
import type { Store } from "../../credentials/store.ts";
import { accountColumns, type CredentialRow, labelKey, type RowMapper, wholeMs } from "../credential-row.ts";
import type { KeyRing } from "../key-ring.ts";
import type { Connection } from "./connection.ts";
import type { Sql } from "./driver.ts";
import { channelOf } from "./presence.ts";
import { holdKey } from "./schema.ts";
import type { PendingUses } from "./uses.ts";

type CredentialMethods = Pick<
  Store,
  "listCredentials" | "getCredential" | "addApiKey" | "saveLogin" | "updateCredential" | "removeCredential"
>;

/** The part of the store that keeps logins and keys. */
export function createCredentialMethods(
  connection: Connection,
  ring: KeyRing,
  mapper: RowMapper,
  uses: PendingUses,
): CredentialMethods {
  const { address, run, transact } = connection;
  const channel = channelOf(connection);

  /** A transaction in which nobody else adds to or renames in the pool of `provider`. */
  function inPool<T>(provider: string, work: (sql: Sql) => Promise<T>): Promise<T> {
    return transact(async (sql) => {
      await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`understudy.pool.${address.schema}.${provider}`}, 0))`;
      await holdKey(sql, address.name, ring);
      const result = await work(sql);
      await sql`SELECT pg_notify(${channel}, 'credentials')`;
      return result;
    });
  }

  async function isTaken(sql: Sql, provider: string, label: string, exceptId = ""): Promise<boolean> {
    const rows = await sql`
      SELECT 1 FROM credential WHERE provider = ${provider} AND label_key = ${labelKey(label)} AND id <> ${exceptId}`;
    return rows.length > 0;
  }

  async function refuseTaken(sql: Sql, provider: string, label: string, exceptId?: string): Promise<void> {
    if (labelKey(label) === "") throw new UnderstudyError("usage", "the label is empty", { provider });
    if (!(await isTaken(sql, provider, label, exceptId))) return;
    throw new UnderstudyError("usage", `${provider} already has a credential "${label}"; choose another label`, {
      provider,
      credential: label,
    });
  }

  /** `label`, or `label-2`, `label-3`, … */
  async function freeLabel(sql: Sql, provider: string, label: string): Promise<string> {
    for (let n = 1; ; n++) {
      const candidate = n === 1 ? label : `${label}-${n}`;
      if (!(await isTaken(sql, provider, candidate))) return candidate;
    }
  }

  /** The columns of a new credential at the end of its pool. */
  async function newPlace(sql: Sql, provider: string, label: string, at: number) {
    const [next] = await sql<{ priority: number }[]>`
      SELECT coalesce(max(priority) + 1, 0) AS priority FROM credential WHERE provider = ${provider}`;
    const id = `c-${randomBytes(6).toString("hex")}`;
    const priority = next?.priority ?? 0;
    return { id, provider, label, label_key: labelKey(label), priority, created_at: wholeMs(at) };
  }

  async function rowToReplace(
    sql: Sql,
    provider: string,
    account: Account,
    replaces: string | undefined,
  ): Promise<CredentialRow | undefined> {
    if (replaces === undefined) {
      // An account or user that is not known is NULL, which equals nothing.
      const [row] = await sql<CredentialRow[]>`
        SELECT * FROM credential
        WHERE kind = 'oauth' AND provider = ${provider} AND account_id = ${account.id}
          AND account_user_id = ${account.userId}
        ORDER BY priority, id LIMIT 1 FOR UPDATE`;
      return row;
    }
    const [row] = await sql<CredentialRow[]>`SELECT * FROM credential WHERE id = ${replaces} FOR UPDATE`;
    if (row === undefined || row.provider !== provider) {
      throw new UnderstudyError("credential_unknown", `${provider} has no credential ${replaces} to replace`, {
        provider,
      });
    }
    if (row.kind !== "oauth") {
      throw new UnderstudyError("usage", `"${row.label}" is an API key; a login can't replace it`, {
        provider,
        credential: row.label,
      });
    }
    return row;
  }

  return {
    async listCredentials(provider) {
      const rows = await run(
        (sql) => sql<CredentialRow[]>`
          SELECT * FROM credential WHERE provider = coalesce(${provider ?? null}, provider)
          ORDER BY priority, id COLLATE "C"`,
      );
      return rows.map((row) => uses.overlay(mapper.toCredential(row)));
    },

    async getCredential(id) {
      const [row] = await run((sql) => sql<CredentialRow[]>`SELECT * FROM credential WHERE id = ${id}`);
      return row === undefined ? null : uses.overlay(mapper.toCredential(row));
    },

    addApiKey: ({ provider, label, source, at }) =>
      inPool(provider, async (sql) => {
        await refuseTaken(sql, provider, label);
        const place = await newPlace(sql, provider, label, at);
        const columns = { ...place, kind: "api_key", ...mapper.sourceColumns(place.id, source) };
        const credential = mapper.toCredential(await written(sql`INSERT INTO credential ${sql(columns)} RETURNING *`));
        if (credential.kind !== "api_key") throw new Error("a credential was written as an API key and is none");
        return credential;
      }),

    saveLogin: ({ provider, label, account, grant, replaces, at }) =>
      inPool(provider, async (sql) => {
        const old = await rowToReplace(sql, provider, account, replaces);
        if (old !== undefined) {
          const columns = { ...accountColumns(account), ...mapper.grantColumns(old.id, grant), ...nothingHeld };
          const row = await written(
            sql`UPDATE credential SET generation = generation + 1, ${sql(columns)} WHERE id = ${old.id} RETURNING *`,
          );
          await sql`DELETE FROM cooldown WHERE credential_id = ${old.id}`;
          const replaced = mapper.toGrant(old);
          return { credential: uses.overlay(mapper.toOAuth(row)), replaced };
        }
        const place = await newPlace(sql, provider, await freeLabel(sql, provider, label), at);
        const columns = {
          ...place,
          kind: "oauth",
          generation: 1,
          ...accountColumns(account),
          ...mapper.grantColumns(place.id, grant),
        };
        const row = await written(sql`INSERT INTO credential ${sql(columns)} RETURNING *`);
        return { credential: mapper.toOAuth(row), replaced: null };
      }),

    async updateCredential(id, change): Promise<Credential | null> {
      const [standing] = await run((sql) => sql<CredentialRow[]>`SELECT * FROM credential WHERE id = ${id}`);
      if (standing === undefined) return null;
      return inPool(standing.provider, async (sql) => {
        const [row] = await sql<CredentialRow[]>`SELECT * FROM credential WHERE id = ${id} FOR UPDATE`;
        if (row === undefined) return null;
        const { label = row.label, priority = row.priority, paused = row.paused !== 0 } = change;
        if (!Number.isSafeInteger(priority)) {
          throw new UnderstudyError("usage", `the priority must be a whole number, not ${priority}`);
        }
        await refuseTaken(sql, row.provider, label, id);
        const columns = { label, label_key: labelKey(label), priority, paused: paused ? 1 : 0 };
        const changed = await written(sql`UPDATE credential SET ${sql(columns)} WHERE id = ${id} RETURNING *`);
        return uses.overlay(mapper.toCredential(changed));
      });
    },

    async removeCredential(id) {
      const rows = await run(
        (sql) => sql`
          WITH removed AS (DELETE FROM credential WHERE id = ${id} RETURNING id),
            cleared AS (DELETE FROM cooldown WHERE credential_id = ${id})
          SELECT pg_notify(${channel}, 'credentials') FROM removed`,
      );
      mapper.forget(id);
      uses.forget(id);
      return rows.length > 0;
    },
  };
}

/** What a new login or generation ends. */
export const nothingHeld = {
  relogin_generation: null,
  relogin_code: null,
  relogin_message: null,
  relogin_since: null,
  unknown_generation: null,
  unknown_since: null,
  claim_owner: null,
  claim_since: null,
  claim_deadline: null,
  claim_nonce: null,
  claim_lock: null,
  claim_server: null,
  claim_missed: null,
} as const;

/** The one row that a statement has written. */
async function written(statement: Promise<readonly unknown[]>): Promise<CredentialRow> {
  const [row] = await statement;
  if (row === undefined) throw new Error("a credential is missing right after it was written");
  return row as CredentialRow;
}
