import type { SQLInputValue } from "node:sqlite";
import type { Clock } from "../../core/clock.ts";
import type { Cooldown } from "../../core/cooldown.ts";
import type { Store } from "../../credentials/store.ts";
import type { Connection } from "./connection.ts";
import { type CooldownRow, cooldownColumns, failuresRememberedMs, toCooldown } from "../cooldown-row.ts";
import { wholeMs } from "../credential-row.ts";
import type { PoolRecords } from "./pools.ts";

type CooldownMethods = Pick<Store, "listCooldowns" | "putCooldown" | "clearCooldowns">;

/** The part of the store that keeps cooldowns. */
export function createCooldownMethods(
  { statement, read, write, stamp }: Connection,
  clock: Clock,
  pools: PoolRecords,
): CooldownMethods {
  const list = statement("SELECT * FROM cooldown ORDER BY provider, credential_id, model");
  const forget = statement("DELETE FROM cooldown WHERE until <= ?");
  // Rule R5: the later end stays, with the reason that set it. Right-hand names are the stored values before the update.
  const put = statement(
    `INSERT INTO cooldown (provider, credential_id, model, until, reason, message, since, failures, stated)
     VALUES (:provider, :credential_id, :model, :until, :reason, :message, :since, :failures, :stated)
     ON CONFLICT (provider, credential_id, model) DO UPDATE SET
       until = max(until, excluded.until),
       reason = iif(excluded.until > until, excluded.reason, reason),
       message = iif(excluded.until > until, excluded.message, message),
       since = iif(excluded.until > until, excluded.since, since),
       stated = iif(excluded.until > until, excluded.stated, stated),
       failures = max(failures, excluded.failures)`,
  );
  const matching = `WHERE provider = coalesce(:provider, provider)
    AND credential_id = coalesce(:credentialId, credential_id) AND model = coalesce(:model, model)
    AND since < coalesce(:setBefore, since + 1)`;
  const find = statement(`SELECT 1 FROM cooldown ${matching} LIMIT 1`);
  const clear = statement(`DELETE FROM cooldown ${matching}`);

  // Every turn looks at them, and few turns change them.
  let listed: { readonly stamp: number; readonly cooldowns: readonly Cooldown[] } | null = null;

  function listStored(): readonly Cooldown[] {
    const now = stamp();
    if (listed?.stamp !== now) {
      listed = { stamp: now, cooldowns: (list().all() as unknown as CooldownRow[]).map(toCooldown) };
    }
    return listed.cooldowns;
  }

  return {
    listCooldowns: (provider) =>
      read(() => {
        const after = clock.now() - failuresRememberedMs;
        return listStored().filter((one) => one.until > after && (provider === undefined || one.provider === provider));
      }),

    // A turn waits for this before it ends: committed for all processes, but not fsynced. What a power cut takes away costs one more
    // refused call.
    putCooldown: (cooldown) =>
      write(
        () => {
          forget().run(clock.now() - failuresRememberedMs);
          put().run(cooldownColumns(cooldown));
        },
        // What is forgotten has long kept nobody.
        { durable: false, told: () => pools.rested(cooldown.provider, cooldown.credentialId) },
      ),

    async clearCooldowns({ provider, credentialId, model, setBefore }) {
      const filter: Record<string, SQLInputValue> = {
        provider: provider ?? null,
        credentialId: credentialId ?? null,
        model: model ?? null,
        setBefore: setBefore === undefined ? null : wholeMs(setBefore),
      };
      // Every answered turn clears; most have nothing to clear and so nothing to write.
      if ((await read(() => find().get(filter))) === undefined) return 0;
      const told =
        provider === undefined || credentialId === undefined
          ? {}
          : { told: () => pools.rested(provider, credentialId) };
      // Behind an answer, nobody has to wait for the disk: what a power cut brings back ends by itself, or with the next answer.
      const durable = setBefore === undefined;
      return write(() => Number(clear().run(filter).changes), { durable, ...told });
    },
  };
}
