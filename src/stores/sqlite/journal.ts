import type { TurnRecord } from "../../core/events.ts";
import type { Store } from "../../credentials/store.ts";
import type { Connection } from "./connection.ts";

/** How many turns the journal keeps. */
export const defaultJournalLimit = 10_000;

/** The journal: turns that are stored, and those of this process that are not written yet. */
export interface Journal extends Pick<Store, "listTurns"> {
  /** Turns not written yet. */
  readonly size: number;
  add(turn: TurnRecord): void;
  /** Writes them, inside a transaction; `clear` after its commit. */
  write(): void;
  clear(): void;
}

export function createJournal({ database, read }: Connection, limit: number): Journal {
  let pending: { id: string; record: string }[] = [];
  const insert = database.prepare("INSERT INTO turn (id, record) VALUES (:id, :record) ON CONFLICT (id) DO NOTHING");
  const trim = database.prepare("DELETE FROM turn WHERE seq <= (SELECT max(seq) FROM turn) - ?");
  const newest = database.prepare("SELECT record FROM turn ORDER BY seq DESC LIMIT ?");

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
      for (const turn of pending) insert.run(turn);
      trim.run(limit);
    },
    clear() {
      pending = [];
    },
    listTurns: (count) =>
      read(() => {
        const wanted = Math.max(0, Math.min(count, limit));
        const unwritten = pending.map((turn) => turn.record).reverse();
        const stored = newest.all(wanted) as { record: string }[];
        return [...unwritten, ...stored.map((row) => row.record)]
          .slice(0, wanted)
          .map((record) => JSON.parse(record) as TurnRecord);
      }),
  };
}
