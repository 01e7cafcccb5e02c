import { UnderstudyError } from "../../core/error.ts";
import type { Account, Credential } from "../../credentials/credential.ts";
import type { Store } from "../../credentials/store.ts";
import type { Connection } from "./connection.ts";
import { accountColumns, type CredentialRow, labelKey, type RowMapper, wholeMs } from "../credential-row.ts";
import type { PendingUses } from "./uses.ts";

type CredentialMethods = Pick<
  Store,
  "listCredentials" | "getCredential" | "addApiKey" | "saveLogin" | "updateCredential" | "removeCredential"
>;

/** The part of the store that keeps logins and keys. */
export function createCredentialMethods(
  { statement, read, write, stamp }: Connection,
  mapper: RowMapper,
  uses: PendingUses,
): CredentialMethods {
  const all = statement("SELECT * FROM credential ORDER BY priority, id");
  const ofProvider = statement("SELECT * FROM credential WHERE provider = ? ORDER BY priority, id");
  const byId = statement("SELECT * FROM credential WHERE id = ?");
  const byLabel = statement("SELECT id FROM credential WHERE provider = ? AND label_key = ?");
  const byAccount = statement(
    `SELECT * FROM credential
     WHERE kind = 'oauth' AND provider = ? AND account_id = ? AND account_user_id = ? ORDER BY priority, id LIMIT 1`,
  );
  const nextPriority = statement(
    "SELECT coalesce(max(priority) + 1, 0) AS priority FROM credential WHERE provider = ?",
  );
  const insertKey = statement(
    `INSERT INTO credential (id, provider, label, label_key, kind, priority, created_at, source, secret)
     VALUES (:id, :provider, :label, :label_key, 'api_key', :priority, :created_at, :source, :secret)`,
  );
  const insertLogin = statement(
    `INSERT INTO credential (id, provider, label, label_key, kind, priority, created_at,
       account_id, account_user_id, account_email, account_plan,
       generation, access_token, refresh_token, id_token, expires_at, obtained_at, issuer)
     VALUES (:id, :provider, :label, :label_key, 'oauth', :priority, :created_at,
       :account_id, :account_user_id, :account_email, :account_plan,
       1, :access_token, :refresh_token, :id_token, :expires_at, :obtained_at, :issuer)`,
  );
  const replaceLogin = statement(
    `UPDATE credential SET
       account_id = :account_id, account_user_id = :account_user_id, account_email = :account_email, account_plan = :account_plan,
       generation = generation + 1, access_token = :access_token, refresh_token = :refresh_token, id_token = :id_token,
       expires_at = :expires_at, obtained_at = :obtained_at, issuer = :issuer,
       relogin_generation = NULL, relogin_code = NULL, relogin_message = NULL, relogin_since = NULL,
       unknown_generation = NULL, unknown_since = NULL,
       claim_owner = NULL, claim_since = NULL, claim_deadline = NULL
     WHERE id = :id`,
  );
  const update = statement(
    "UPDATE credential SET label = :label, label_key = :label_key, priority = :priority, paused = :paused WHERE id = :id",
  );
  const remove = statement("DELETE FROM credential WHERE id = ?");
  const clearCooldowns = statement("DELETE FROM cooldown WHERE credential_id = ?");

  // Every turn lists its pool, and few turns change it.
  const listed = new Map<string | undefined, { stamp: number; credentials: Credential[] }>();

  function listStored(provider: string | undefined): Credential[] {
    const now = stamp();
    const known = listed.get(provider);
    if (known?.stamp === now) return known.credentials;
    const rows = (provider === undefined ? all().all() : ofProvider().all(provider)) as unknown as CredentialRow[];
    const credentials = rows.map(mapper.toCredential);
    listed.set(provider, { stamp: now, credentials });
    return credentials;
  }

  function rowOf(id: string): CredentialRow | undefined {
    return byId().get(id) as CredentialRow | undefined;
  }

  /** The row that was just written. */
  function writtenRow(id: string): CredentialRow {
    const row = rowOf(id);
    if (row === undefined) throw new Error(`credential ${id} is missing right after it was written`);
    return row;
  }

  function isTaken(provider: string, label: string, exceptId?: string): boolean {
    const row = byLabel().get(provider, labelKey(label)) as { id: string } | undefined;
    return row !== undefined && row.id !== exceptId;
  }

  function refuseTaken(provider: string, label: string, exceptId?: string): void {
    if (labelKey(label) === "") throw new UnderstudyError("usage", "the label is empty", { provider });
    if (!isTaken(provider, label, exceptId)) return;
    throw new UnderstudyError("usage", `${provider} already has a credential "${label}"; choose another label`, {
      provider,
      credential: label,
    });
  }

  /** `label`, or `label-2`, `label-3`, … */
  function freeLabel(provider: string, label: string): string {
    for (let n = 1; ; n++) {
      const candidate = n === 1 ? label : `${label}-${n}`;
      if (!isTaken(provider, candidate)) return candidate;
    }
  }

  /** The columns of a new credential at the end of its pool. */
  function newPlace(provider: string, label: string, at: number) {
    const { priority } = nextPriority().get(provider) as { priority: number };
    const id = `c-${process.getBuiltinModule("node:crypto").randomBytes(6).toString("hex")}`;
    return { id, provider, label, label_key: labelKey(label), priority, created_at: wholeMs(at) };
  }

  function rowToReplace(provider: string, account: Account, replaces: string | undefined): CredentialRow | undefined {
    if (replaces === undefined) {
      // An account or user that is not known is NULL, which equals nothing.
      return byAccount().get(provider, account.id, account.userId) as CredentialRow | undefined;
    }
    const row = rowOf(replaces);
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
    listCredentials: (provider) => read(() => listStored(provider).map(uses.overlay)),

    getCredential: (id) =>
      read(() => {
        const row = rowOf(id);
        return row === undefined ? null : uses.overlay(mapper.toCredential(row));
      }),

    addApiKey: ({ provider, label, source, at }) =>
      write(() => {
        refuseTaken(provider, label);
        const place = newPlace(provider, label, at);
        insertKey().run({ ...place, ...mapper.sourceColumns(place.id, source) });
        const credential = mapper.toCredential(writtenRow(place.id));
        if (credential.kind !== "api_key") throw new Error("a credential was written as an API key and is none");
        return credential;
      }),

    saveLogin: ({ provider, label, account, grant, replaces, at }) =>
      write(() => {
        const old = rowToReplace(provider, account, replaces);
        if (old !== undefined) {
          replaceLogin().run({ id: old.id, ...accountColumns(account), ...mapper.grantColumns(old.id, grant) });
          clearCooldowns().run(old.id);
          const replaced = mapper.toGrant(old);
          return { credential: uses.overlay(mapper.toOAuth(writtenRow(old.id))), replaced };
        }
        const place = newPlace(provider, freeLabel(provider, label), at);
        insertLogin().run({ ...place, ...accountColumns(account), ...mapper.grantColumns(place.id, grant) });
        return { credential: mapper.toOAuth(writtenRow(place.id)), replaced: null };
      }),

    updateCredential: (id, change) =>
      write(() => {
        const row = rowOf(id);
        if (row === undefined) return null;
        const { label = row.label, priority = row.priority, paused = row.paused !== 0 } = change;
        if (!Number.isSafeInteger(priority)) {
          throw new UnderstudyError("usage", `the priority must be a whole number, not ${priority}`);
        }
        refuseTaken(row.provider, label, id);
        update().run({ id, label, label_key: labelKey(label), priority, paused: paused ? 1 : 0 });
        return uses.overlay(mapper.toCredential(writtenRow(id)));
      }),

    removeCredential: (id) =>
      write(() => {
        clearCooldowns().run(id);
        const removed = remove().run(id).changes > 0;
        mapper.forget(id);
        uses.forget(id);
        return removed;
      }),
  };
}
