import type { Clock } from "../../core/clock.ts";
import type { TurnRecord } from "../../core/events.ts";
import type { Store } from "../../credentials/store.ts";
import { ageCheckMs, type JournalLimits, pruneBatch } from "../journal-limits.ts";
import type { Connection } from "./connection.ts";

/** The journal: turns that are stored, and those of this process that are not written yet. */
export interface Journal extends Pick<Store, "listTurns"> {
  /** Turns not written yet. */
  readonly size: number;
  add(turn: TurnRecord): void;
  /** Writes them and forgets the oldest beyond the limit; what could not be written stays pending. */
  write(): Promise<void>;
}

/** Turns that go into one statement. */
const batchSize = 500;

export function createJournal(
  { run }: Connection,
  { maxTurns: limit, maxAgeMs }: JournalLimits,
  clock: Clock,
): Journal {
  /** When the age of the oldest is looked at again, in Unix ms. */
  let forgetAt = 0;
  let pending: { readonly id: string; readonly record: string }[] = [];

  return {
    get size() {
      return pending.length;
    },
    add(turn) {
      pending.push({ id: turn.id, record: JSON.stringify(turn) });
      // While the store can't be written, memory must not grow without end.
      if (pending.length > limit) pending.shift();
    },
    async write() {
      const rows = pending.length + pruneBatch;
      while (pending.length > 0) {
        const batch = pending.slice(0, batchSize);
        // Written twice after a lost answer, a turn counts once.
        await run((sql) => sql`INSERT INTO turn ${sql(batch, "id", "record")} ON CONFLICT (id) DO NOTHING`);
        pending = pending.filter((turn) => !batch.includes(turn));
      }
      // Numbers may be missing, so the oldest are found by counting.
      await run(
        (sql) => sql`
          DELETE FROM turn WHERE seq IN (
            SELECT seq FROM turn WHERE seq <= (SELECT seq FROM turn ORDER BY seq DESC OFFSET ${limit} LIMIT 1)
            ORDER BY seq LIMIT ${rows} FOR UPDATE SKIP LOCKED)`,
      );
      const now = clock.now();
      if (maxAgeMs === Number.POSITIVE_INFINITY || now < forgetAt) return;
      const { count } = await run(
        (sql) => sql`
          DELETE FROM turn WHERE seq IN (SELECT seq FROM turn ORDER BY seq LIMIT ${rows} FOR UPDATE SKIP LOCKED)
            AND (record::json->>'endedAt')::bigint < ${now - maxAgeMs}`,
      );
      forgetAt = count > 0 ? now : now + ageCheckMs;
    },
    async listTurns(count) {
      const wanted = Math.max(0, Math.min(count, limit));
      const unwritten = pending.toReversed();
      const stored = await run(
        (sql) => sql<{ id: string; record: string }[]>`SELECT id, record FROM turn ORDER BY seq DESC LIMIT ${wanted}`,
      );
      // One that was written while this was asked is in both.
      const known = new Set(unwritten.map((turn) => turn.id));
      return [...unwritten, ...stored.filter((turn) => !known.has(turn.id))]
        .slice(0, wanted)
        .map((turn) => JSON.parse(turn.record) as TurnRecord);
    },
  };
}
