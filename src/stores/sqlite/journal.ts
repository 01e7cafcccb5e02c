import type { Clock } from "../../core/clock.ts";
import type { TurnRecord } from "../../core/events.ts";
import type { Store } from "../../credentials/store.ts";
import { ageCheckMs, type JournalLimits, pruneBatch } from "../journal-limits.ts";
import type { Connection } from "./connection.ts";
import { mostInRow, PackedTurns, packTurns, unpackTurns } from "./packed-turns.ts";

/** The journal: turns that are stored, and those of this process that are not written yet. */
export interface Journal extends Pick<Store, "listTurns"> {
  /** Turns not written yet. */
  readonly size: number;
  add(turn: TurnRecord): void;
  /** Writes them, inside a transaction; `clear` after its commit. */
  write(): void;
  clear(): void;
}

/** A row: turns that were written together. `seq` is the number of its newest one, counted over the whole journal. */
interface Row {
  readonly seq: number;
  readonly count: number;
  readonly records: string;
}

/** The oldest are forgotten when there are so many more than the limit, as a share of it: nobody is shown them. */
const trimmedShare = 1 / 32;

export function createJournal(
  { statement, read }: Connection,
  { maxTurns: limit, maxAgeMs }: JournalLimits,
  clock: Clock,
): Journal {
  let pending: PackedTurns[] = [];
  let size = 0;
  /** Turns written since the oldest were forgotten. */
  let untrimmed = 0;
  /** True until that was done once: the limit may have been lowered. */
  let isNew = true;
  /** When the age of the oldest is looked at again, in Unix ms. */
  let forgetAt = 0;
  const insert = statement(
    "INSERT INTO turns (seq, count, records) VALUES ((SELECT coalesce(max(seq), 0) FROM turns) + ?1, ?1, ?2)",
  );
  const newestSeq = statement("SELECT max(seq) AS seq FROM turns");
  const oldest = statement("SELECT seq, count, records FROM turns WHERE seq > ? ORDER BY seq LIMIT 1");
  const remove = statement("DELETE FROM turns WHERE seq = ?");
  const shorten = statement("UPDATE turns SET count = ?, records = ? WHERE seq = ?");
  const newest = statement("SELECT records FROM turns ORDER BY seq DESC");

  /** Keeps of a row only these, the newest of which stays what it is. */
  function keep({ seq }: Row, turns: readonly TurnRecord[]): void {
    const [left] = packTurns(turns, turns.length);
    if (left === undefined) remove().run(seq);
    else shorten().run(left.count, left.text, seq);
  }

  /** Goes through the oldest rows, until `most` turns were seen; `choose` gives those of a row that stay. Gives how many were forgotten. */
  function forgetOldest(most: number, choose: (row: Row, left: number) => readonly TurnRecord[] | null): number {
    let forgotten = 0;
    for (let after = -1, left = most; left > 0; ) {
      const row = oldest().get(after) as Row | undefined;
      const kept = row === undefined ? null : choose(row, left);
      if (row === undefined || kept === null) break;
      if (kept.length < row.count) keep(row, kept);
      forgotten += row.count - kept.length;
      left -= row.count;
      after = row.seq;
    }
    return forgotten;
  }

  // The oldest only, and not many at once: a limit that was lowered must not hold up other processes for long.
  function trim(most: number): void {
    const { seq: last } = newestSeq().get() as { seq: number | null };
    /** The newest that is too many. */
    const until = (last ?? 0) - limit;
    // A row is only taken apart for more of them than gather between two times.
    const least = isNew ? 1 : limit * trimmedShare;
    forgetOldest(most, ({ seq, count, records }, left) => {
      const surplus = Math.min(count - (seq - until), count, left);
      if (surplus === count) return [];
      return surplus < least ? null : unpackTurns(records).slice(surplus);
    });
  }

  function forgetBefore(before: number, most: number): number {
    return forgetOldest(most, ({ records }) => unpackTurns(records).filter(({ endedAt }) => endedAt >= before));
  }

  return {
    get size() {
      return size;
    },
    add(turn) {
      let last = pending.at(-1);
      if (last === undefined || last.size >= mostInRow) pending.push((last = new PackedTurns()));
      last.add(turn);
      size += 1;
      if (size <= limit) return;
      // While the store can't be written, memory must not grow without end.
      size -= 1;
      pending[0]?.dropOldest();
      if (pending[0]?.size === 0) pending.shift();
    },
    write() {
      for (const packed of pending) insert().run(packed.size, packed.text());
      untrimmed += size;
      if (isNew || untrimmed >= limit * trimmedShare) {
        trim(untrimmed + pruneBatch);
        untrimmed = 0;
        isNew = false;
      }
      const now = clock.now();
      if (maxAgeMs === Number.POSITIVE_INFINITY || now < forgetAt) return;
      forgetAt = forgetBefore(now - maxAgeMs, size + pruneBatch) > 0 ? now : now + ageCheckMs;
    },
    clear() {
      pending = [];
      size = 0;
    },
    listTurns: (count) =>
      read(() => {
        const wanted = Math.max(0, Math.min(count, limit));
        const turns = pending.toReversed().flatMap((packed) => unpackTurns(packed.text()).reverse());
        if (turns.length >= wanted) return turns.slice(0, wanted);
        for (const row of newest().iterate()) {
          turns.push(...unpackTurns((row as { records: string }).records).reverse());
          if (turns.length >= wanted) break;
        }
        return turns.slice(0, wanted);
      }),
  };
}
