import { randomUUID } from "node:crypto";
import type { ClaimRequest, Store } from "../../credentials/store.ts";
import { accountColumns, type CredentialRow, type RowMapper, wholeMs } from "../credential-row.ts";
import { isCurrent, type KeyRing, keyChangedError } from "../key-ring.ts";
import type { Connection } from "./connection.ts";
import { nothingHeld } from "./credentials.ts";
import type { Sql } from "./driver.ts";
import { channelOf, type Presence } from "./presence.ts";

type RefreshMethods = Pick<
  Store,
  "claimRefresh" | "settleAnswered" | "settleRefused" | "releaseClaim" | "settleUnknown"
>;

/**
 * Whose time decides when a claim is over. `database`: one clock for all machines; of the caller's times only the span from `now`
 * to `deadline` counts. `caller`: the request's own `now`, for tests that own the time.
 */
export type ClaimTime = "database" | "caller";

/** A row as this store keeps it: a claim says more than in the SQLite store. */
interface ClaimedRow extends CredentialRow {
  readonly claim_nonce: string | null;
  readonly claim_missed: number | null;
}

/** A row and what the database says about its claim. */
interface WatchedRow extends ClaimedRow {
  /** The database's time, Unix ms. */
  readonly db_now: number;
  /** True when the owner's lock is free; null when the lock proves nothing. */
  readonly lock_free: boolean | null;
}

/**
 * How long the lock of a claim's owner must be missing before the owner counts as dead, in ms. One that lives and has lost its
 * connection takes its lock again within this time; if it can't, the token may be spent twice.
 */
export const lockGraceMs = 2_000;

/** A claim that changes under our eyes so often is somebody's bug. */
const looks = 20;

/**
 * The part of the store that sees to it that a refresh token is spent once; the states are those of the SQLite store. Each step is
 * a single statement that names what it has seen (the generation, the claim's nonce), so that no lock is held between two
 * steps, and none over the network call.
 *
 * A claim ends without its owner
 * - at once when `isDead` is certain: the owner ran on this machine;
 * - when its advisory lock has been missing for `lockGraceMs`, and the server has not been restarted since the claim;
 * - at its deadline, by the database's clock: a frozen owner, a cut-off one, or one that lived through a restart of the server.
 */
export function createRefreshMethods(
  connection: Connection,
  presence: Presence,
  ring: KeyRing,
  mapper: RowMapper,
  claimTime: ClaimTime,
): RefreshMethods {
  const { run, address } = connection;
  const channel = channelOf(connection);
  /** Claims whose acknowledgement was lost, by credential: they may stand there, and nobody acts on them. */
  const orphans = new Map<string, string>();
  let hearsOfReturn = false;

  async function claim(request: ClaimRequest): Promise<ClaimedRow | undefined> {
    const { credentialId, generation, owner, replay } = request;
    const nonce = orphans.get(credentialId) ?? randomUUID();
    const lock = await presence.lock();
    const span = wholeMs(request.deadline) - wholeMs(request.now);
    try {
      const [row] = await run(
        (sql) => sql<ClaimedRow[]>`
          UPDATE credential SET
            claim_owner = ${owner}, claim_since = ${time(sql, request)},
            claim_deadline = ${time(sql, request)} + ${span}::bigint,
            claim_nonce = ${nonce}, claim_lock = ${lock}, claim_server = ${serverStart(sql)}, claim_missed = NULL
          WHERE id = ${credentialId} AND kind = 'oauth' AND generation = ${generation} AND claim_owner IS NULL
            AND relogin_generation IS DISTINCT FROM generation
            AND (${replay} OR unknown_generation IS DISTINCT FROM generation)
          RETURNING *`,
      );
      return row;
    } catch (error) {
      orphans.set(credentialId, nonce);
      if (!hearsOfReturn) {
        hearsOfReturn = true;
        presence.subscribe((hint) => {
          if (hint === "reconnected") releaseOrphans().catch(() => {});
        });
      }
      throw error;
    }
  }

  /** Ends our own claims that nobody acts on, as soon as the server is back. */
  async function releaseOrphans(): Promise<void> {
    const found = [...orphans];
    if (found.length === 0) return;
    const nonces = found.map(([, nonce]) => nonce);
    await run((sql) => sql`UPDATE credential SET ${sql(noClaim)} WHERE claim_nonce IN ${sql(nonces)}`);
    for (const [id, nonce] of found) if (orphans.get(id) === nonce) orphans.delete(id);
  }

  async function watch(request: ClaimRequest): Promise<WatchedRow | undefined> {
    const [row] = await run(
      (sql) => sql<WatchedRow[]>`
        SELECT *, ${time(sql, request)} AS db_now,
          CASE WHEN claim_server = ${serverStart(sql)} THEN pg_try_advisory_xact_lock(claim_lock) END AS lock_free
        FROM credential WHERE id = ${request.credentialId} AND kind = 'oauth'`,
    );
    return row;
  }

  /** Turns the claim that was seen into an unknown outcome; undefined when it is another one by now. */
  async function abandon(id: string, nonce: string | null): Promise<ClaimedRow | undefined> {
    const [row] = await run(
      (sql) => sql<ClaimedRow[]>`
        UPDATE credential SET unknown_generation = generation, unknown_since = claim_since, ${sql(noClaim)}
        WHERE id = ${id} AND claim_nonce = ${nonce}
        RETURNING *`,
    );
    return row;
  }

  /** Notes since when the owner's lock has been missing; null: it is there again. */
  async function noteMissed(row: WatchedRow, since: number | null): Promise<void> {
    await run(
      (sql) => sql`
        UPDATE credential SET claim_missed = ${since} WHERE id = ${row.id} AND claim_nonce = ${row.claim_nonce}`,
    );
  }

  /** When the standing claim of `row` is over without its owner, by the database's clock. */
  async function endOf(row: WatchedRow): Promise<number> {
    if (row.lock_free !== true) {
      if (row.claim_missed !== null) await noteMissed(row, null);
      return row.claim_deadline;
    }
    if (row.claim_missed === null) await noteMissed(row, row.db_now);
    return Math.min(row.claim_deadline, (row.claim_missed ?? row.db_now) + lockGraceMs);
  }

  /** The database's time, or the caller's. */
  function time(sql: Sql, { now }: ClaimRequest) {
    const given = claimTime === "caller" ? wholeMs(now) : null;
    return sql`coalesce(${given}::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)`;
  }

  return {
    async claimRefresh(request) {
      const { credentialId, generation, isDead, replay } = request;
      await releaseOrphans();
      for (let look = 1; look <= looks; look++) {
        const claimed = await claim(request);
        if (claimed !== undefined) return { outcome: "claimed", credential: mapper.toOAuth(claimed) };
        const row = await watch(request);
        if (row === undefined) return { outcome: "gone" };
        if (row.generation !== generation || row.relogin_generation === generation) {
          return { outcome: "superseded", credential: mapper.toOAuth(row) };
        }
        if (row.claim_owner !== null) {
          const end = row.db_now >= row.claim_deadline || isDead(row.claim_owner) ? row.db_now : await endOf(row);
          if (row.db_now < end) return { outcome: "held", until: request.now + (end - row.db_now) };
          const abandoned = await abandon(credentialId, row.claim_nonce);
          if (abandoned !== undefined) return { outcome: "unknown", credential: mapper.toOAuth(abandoned) };
        } else if (row.unknown_generation === generation && !replay) {
          return { outcome: "unknown", credential: mapper.toOAuth(row) };
        }
        // Somebody was faster, or let go in between: look again.
      }
      throw new Error(`the claim on ${credentialId} changed ${looks} times while it was looked at`);
    },

    async settleAnswered(id, generation, grant, account) {
      const { unknown_generation: _, unknown_since: __, ...over } = nothingHeld;
      const columns = { ...mapper.grantColumns(id, grant), ...over };
      const known = accountColumns(account ?? { id: null, userId: null, email: null, plan: null });
      const check = ring.check ?? new Uint8Array();
      // What is sealed here must be sealed with the store's key: `rekey` locks the table, so that this statement runs before it or
      // after it. What the answer doesn't say about the account stays as it was. Rule R5: a newer generation clears what was held
      // against the old token.
      const [result] = await run(
        (sql) => sql<{ key: Uint8Array | null; settled: number }[]>`
          WITH key AS (SELECT value FROM meta WHERE key = 'key_check'),
          settled AS (
            UPDATE credential SET
              generation = generation + 1,
              account_id = coalesce(${known["account_id"] ?? null}, account_id),
              account_user_id = coalesce(${known["account_user_id"] ?? null}, account_user_id),
              account_email = coalesce(${known["account_email"] ?? null}, account_email),
              account_plan = coalesce(${known["account_plan"] ?? null}, account_plan),
              ${sql(columns)}
            FROM key
            WHERE key.value = ${check} AND id = ${id} AND kind = 'oauth' AND generation = ${generation}
            RETURNING id
          ),
          cleared AS (
            DELETE FROM cooldown
            WHERE credential_id IN (SELECT id FROM settled) AND reason IN ('auth', 'relogin_required')
          )
          SELECT (SELECT value FROM key) AS key, (SELECT count(*) FROM settled) AS settled,
            (SELECT pg_notify(${channel}, 'credentials') FROM settled)`,
      );
      if (!isCurrent(ring, result?.key ?? undefined)) throw keyChangedError(address.name);
      return (result?.settled ?? 0) > 0;
    },

    async settleRefused(id, { generation, code, message, since }) {
      const mark = {
        relogin_generation: generation,
        relogin_code: code,
        relogin_message: message,
        relogin_since: wholeMs(since),
      };
      const rows = await run(
        (sql) => sql`
          WITH refused AS (
            UPDATE credential SET ${sql({ ...mark, ...noClaim })}
            WHERE id = ${id} AND kind = 'oauth' AND generation = ${generation}
            RETURNING id
          )
          SELECT pg_notify(${channel}, 'credentials') FROM refused`,
      );
      return rows.length > 0;
    },

    async releaseClaim(id, generation, owner) {
      await run(
        (sql) => sql`
          UPDATE credential SET ${sql(noClaim)}
          WHERE id = ${id} AND generation = ${generation} AND claim_owner = ${owner}`,
      );
    },

    async settleUnknown(id, generation, owner, since) {
      await run(
        (sql) => sql`
          UPDATE credential SET
            unknown_generation = generation, unknown_since = ${wholeMs(since)}::bigint,
            claim_since = CASE WHEN claim_owner = ${owner} THEN NULL ELSE claim_since END,
            claim_deadline = CASE WHEN claim_owner = ${owner} THEN NULL ELSE claim_deadline END,
            claim_nonce = CASE WHEN claim_owner = ${owner} THEN NULL ELSE claim_nonce END,
            claim_lock = CASE WHEN claim_owner = ${owner} THEN NULL ELSE claim_lock END,
            claim_server = CASE WHEN claim_owner = ${owner} THEN NULL ELSE claim_server END,
            claim_missed = CASE WHEN claim_owner = ${owner} THEN NULL ELSE claim_missed END,
            claim_owner = CASE WHEN claim_owner = ${owner} THEN NULL ELSE claim_owner END
          WHERE id = ${id} AND generation = ${generation}`,
      );
    },
  };
}

/** No claim. */
const noClaim = {
  claim_owner: null,
  claim_since: null,
  claim_deadline: null,
  claim_nonce: null,
  claim_lock: null,
  claim_server: null,
  claim_missed: null,
} as const;

/** Tells one run of the server from the next, which knows nothing of the locks of the one before. In microseconds. */
function serverStart(sql: Sql) {
  return sql`(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint`;
}
