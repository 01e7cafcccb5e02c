import type { Clock } from "../../core/clock.ts";
import type { Store } from "../../credentials/store.ts";
import { type CooldownRow, cooldownColumns, failuresRememberedMs, toCooldown } from "../cooldown-row.ts";
import type { Connection } from "./connection.ts";
import type { Sql } from "./driver.ts";
import { channelOf } from "./presence.ts";

type CooldownMethods = Pick<Store, "listCooldowns" | "putCooldown" | "clearCooldowns">;

/** The part of the store that keeps cooldowns. */
export function createCooldownMethods(connection: Connection, clock: Clock): CooldownMethods {
  const { run } = connection;
  const channel = channelOf(connection);

  return {
    async listCooldowns(provider) {
      const after = Math.round(clock.now()) - failuresRememberedMs;
      const rows = await run(
        (sql) => sql<CooldownRow[]>`
          SELECT * FROM cooldown WHERE until > ${after} AND provider = coalesce(${provider ?? null}, provider)
          ORDER BY provider COLLATE "C", credential_id COLLATE "C", model COLLATE "C"`,
      );
      return rows.map(toCooldown);
    },

    async putCooldown(cooldown) {
      const columns = cooldownColumns(cooldown);
      const before = Math.round(clock.now()) - failuresRememberedMs;
      // Rule R5: the later end stays, with the reason that set it. What is over for a day is forgotten on the way.
      await run(
        (sql) => sql`
          WITH forgotten AS (
            DELETE FROM cooldown WHERE (provider, credential_id, model) IN (
              SELECT provider, credential_id, model FROM cooldown WHERE until <= ${before}
                AND (provider, credential_id, model) <> (${columns.provider}, ${columns.credential_id}, ${columns.model})
              FOR UPDATE SKIP LOCKED)
          ), put AS (
            INSERT INTO cooldown ${sql(columns)}
            ON CONFLICT (provider, credential_id, model) DO UPDATE SET
              until = greatest(cooldown.until, excluded.until),
              reason = CASE WHEN excluded.until > cooldown.until THEN excluded.reason ELSE cooldown.reason END,
              message = CASE WHEN excluded.until > cooldown.until THEN excluded.message ELSE cooldown.message END,
              since = CASE WHEN excluded.until > cooldown.until THEN excluded.since ELSE cooldown.since END,
              stated = CASE WHEN excluded.until > cooldown.until THEN excluded.stated ELSE cooldown.stated END,
              failures = CASE WHEN cooldown.until <= ${before} THEN excluded.failures
                ELSE greatest(cooldown.failures, excluded.failures) END
            RETURNING 1
          )
          SELECT pg_notify(${channel}, 'cooldowns') FROM put`,
      );
    },

    async clearCooldowns(filter) {
      // Every answered turn clears; most have nothing to clear and so nothing to write.
      if ((await run((sql) => sql`SELECT 1 FROM cooldown WHERE ${matching(sql, filter)} LIMIT 1`)).length === 0)
        return 0;
      const rows = await run(
        (sql) => sql`
          WITH cleared AS (DELETE FROM cooldown WHERE ${matching(sql, filter)} RETURNING 1)
          SELECT pg_notify(${channel}, 'cooldowns') FROM cleared`,
      );
      return rows.length;
    },
  };
}

function matching(sql: Sql, { provider, credentialId, model, setBefore }: Parameters<Store["clearCooldowns"]>[0]) {
  return sql`provider = coalesce(${provider ?? null}, provider)
    AND credential_id = coalesce(${credentialId ?? null}, credential_id) AND model = coalesce(${model ?? null}, model)
    AND since < coalesce(${setBefore === undefined ? null : Math.round(setBefore)}, since + 1)`;
}
