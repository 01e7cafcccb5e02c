import type { ClaimResult, Store } from "../../credentials/store.ts";
import type { Connection } from "./connection.ts";
import type { PoolRecords } from "./pools.ts";
import { accountColumns, type CredentialRow, type RowMapper, wholeMs } from "../credential-row.ts";

type RefreshMethods = Pick<
  Store,
  "claimRefresh" | "settleAnswered" | "settleRefused" | "releaseClaim" | "settleUnknown"
>;

/**
 * The part of the store that sees to it that a refresh token is spent once. One credential and generation goes through
 *
 *     free ──claim──▶ claimed ──answered──▶ free, generation + 1
 *      ▲                │ ├────refused────▶ relogin mark       (until a new login or a late answer: generation + 1)
 *      └────release─────┘ └─unknown, owner dead, deadline over──▶ unknown ──claim with replay──▶ claimed, still unknown
 *
 * An unknown outcome stays noted while it is replayed: a replay that was never sent settles nothing. The claim has no
 * generation of its own; whatever raises the generation clears it.
 */
export function createRefreshMethods(
  { statement, write: writeAny }: Connection,
  mapper: RowMapper,
  pools: PoolRecords,
): RefreshMethods {
  /** A transaction that changes nothing but this credential and its cooldowns. */
  const write = <T>(id: string, work: () => T): Promise<T> => writeAny(work, { told: () => pools.changed(id) });

  const byId = statement("SELECT * FROM credential WHERE id = ? AND kind = 'oauth'");
  const claim = statement(
    "UPDATE credential SET claim_owner = :owner, claim_since = :now, claim_deadline = :deadline WHERE id = :id",
  );
  const abandon = statement(
    `UPDATE credential SET unknown_generation = generation, unknown_since = claim_since,
       claim_owner = NULL, claim_since = NULL, claim_deadline = NULL
     WHERE id = ?`,
  );
  const release = statement(
    `UPDATE credential SET claim_owner = NULL, claim_since = NULL, claim_deadline = NULL
     WHERE id = :id AND generation = :generation AND claim_owner = :owner`,
  );
  const noteUnknown = statement(
    `UPDATE credential SET unknown_generation = generation, unknown_since = :since
     WHERE id = :id AND generation = :generation`,
  );
  const refuse = statement(
    `UPDATE credential SET
       relogin_generation = :generation, relogin_code = :code, relogin_message = :message, relogin_since = :since,
       claim_owner = NULL, claim_since = NULL, claim_deadline = NULL
     WHERE id = :id AND kind = 'oauth' AND generation = :generation`,
  );
  // What the answer doesn't say about the account stays as it was. What was not known of a generation stays noted.
  const answer = statement(
    `UPDATE credential SET
       generation = generation + 1, access_token = :access_token, refresh_token = :refresh_token, id_token = :id_token,
       expires_at = :expires_at, obtained_at = :obtained_at, issuer = :issuer,
       account_id = coalesce(:account_id, account_id), account_user_id = coalesce(:account_user_id, account_user_id),
       account_email = coalesce(:account_email, account_email), account_plan = coalesce(:account_plan, account_plan),
       relogin_generation = NULL, relogin_code = NULL, relogin_message = NULL, relogin_since = NULL,
       claim_owner = NULL, claim_since = NULL, claim_deadline = NULL
     WHERE id = :id AND kind = 'oauth' AND generation = :generation`,
  );
  // Rule R5: a newer generation clears what was held against the old token; a used-up quota is not the token's fault.
  const clearAuthCooldowns = statement(
    "DELETE FROM cooldown WHERE credential_id = ? AND reason IN ('auth', 'relogin_required')",
  );

  function rowOf(id: string): CredentialRow | undefined {
    return byId().get(id) as CredentialRow | undefined;
  }

  return {
    claimRefresh: ({ credentialId, generation, owner, now, deadline, isDead, replay }) =>
      write(credentialId, (): ClaimResult => {
        const row = rowOf(credentialId);
        if (row === undefined) return { outcome: "gone" };
        if (row.generation !== generation || row.relogin_generation === generation) {
          return { outcome: "superseded", credential: mapper.toOAuth(row) };
        }
        if (row.claim_owner !== null) {
          if (now < row.claim_deadline && !isDead(row.claim_owner)) {
            return { outcome: "held", until: row.claim_deadline };
          }
          abandon().run(credentialId);
          return { outcome: "unknown", credential: mapper.toOAuth(rowOf(credentialId) ?? row) };
        }
        if (row.unknown_generation === generation && !replay) {
          return { outcome: "unknown", credential: mapper.toOAuth(row) };
        }
        claim().run({ id: credentialId, owner, now: wholeMs(now), deadline: wholeMs(deadline) });
        return { outcome: "claimed", credential: mapper.toOAuth(row) };
      }),

    settleAnswered(id, generation, grant, account) {
      const columns = mapper.grantColumns(id, grant);
      const known = accountColumns(account ?? { id: null, userId: null, email: null, plan: null });
      return write(id, () => {
        const settled = answer().run({ id, generation, ...columns, ...known }).changes > 0;
        if (settled) clearAuthCooldowns().run(id);
        return settled;
      });
    },

    settleRefused: (id, { generation, code, message, since }) =>
      write(id, () => refuse().run({ id, generation, code, message, since: wholeMs(since) }).changes > 0),

    releaseClaim: (id, generation, owner) =>
      write(id, () => {
        release().run({ id, generation, owner });
      }),

    settleUnknown: (id, generation, owner, since) =>
      write(id, () => {
        noteUnknown().run({ id, generation, since: wholeMs(since) });
        release().run({ id, generation, owner });
      }),
  };
}
