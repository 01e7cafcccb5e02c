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
  /** Writes them, inside a transaction; `clear` after its commit. */
  write(): void;
  clear(): void;
}

/** The oldest are forgotten when there are so many more than the limit, as a share of it: nobody is shown them. */
const trimmedShare = 1 / 32;

export function createJournal(
  { statement, read }: Connection,
  { maxTurns: limit, maxAgeMs }: JournalLimits,
  clock: Clock,
): Journal {
  let pending: { id: string; record: string }[] = [];
  /** Turns written since the oldest were forgotten. Each of these touches other pages of the index: many at once cost little more than a few. */
  let untrimmed = 0;
  /** True until that was done once: the limit may have been lowered. */
  let isNew = true;
  /** When the age of the oldest is looked at again, in Unix ms. */
  let forgetAt = 0;
  const insert = statement("INSERT INTO turn (id, record) VALUES (?, ?) ON CONFLICT (id) DO NOTHING");
  // The oldest only, and not many at once: a limit that was lowered must not hold up other processes for long.
  const trim = statement(
    `DELETE FROM turn WHERE seq IN (
       SELECT seq FROM turn WHERE seq <= (SELECT max(seq) FROM turn) - :limit ORDER BY seq LIMIT :batch)`,
  );
  const forget = statement(
    `DELETE FROM turn WHERE seq IN (SELECT seq FROM turn ORDER BY seq LIMIT :batch)
       AND json_extract(record, '$.endedAt') < :before`,
  );
  const newest = statement("SELECT record FROM turn ORDER BY seq DESC LIMIT ?");

  return {
    get size() {
      return pending.length;
    },
    add(turn) {
      pending.push({ id: turn.id, record: JSON.stringify(turn) });
      // While the store can't be written, memory must not grow without end.
      if (pending.length > limit) pending.shift();
    },
    write() {
      for (const turn of pending) insert().run(turn.id, turn.record);
      untrimmed += pending.length;
      if (isNew || untrimmed >= limit * trimmedShare) {
        trim().run({ limit, batch: untrimmed + pruneBatch });
        untrimmed = 0;
        isNew = false;
      }
      const now = clock.now();
      if (maxAgeMs === Number.POSITIVE_INFINITY || now < forgetAt) return;
      const { changes } = forget().run({ before: now - maxAgeMs, batch: pending.length + pruneBatch });
      forgetAt = changes > 0 ? now : now + ageCheckMs;
    },
    clear() {
      pending = [];
    },
    listTurns: (count) =>
      read(() => {
        const wanted = Math.max(0, Math.min(count, limit));
        const unwritten = pending.map((turn) => turn.record).reverse();
        const stored = newest().all(wanted) as { record: string }[];
        return [...unwritten, ...stored.map((row) => row.record)]
          .slice(0, wanted)
          .map((record) => JSON.parse(record) as TurnRecord);
      }),
  };
}
