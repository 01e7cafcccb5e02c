import type { Clock } from "../../core/clock.ts";
import type { TurnRecord } from "../../core/events.ts";
import type { Store } from "../../credentials/store.ts";
import { ageCheckMs, type JournalLimits, pruneBatch } from "../journal-limits.ts";
import type { Connection } from "./connection.ts";
import { mostInRow, PackedTurns, packTurns, readableTurns, unpackTurns } from "./packed-turns.ts";

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
  const bothEnds = statement(
    "SELECT (SELECT seq - count FROM turns ORDER BY seq LIMIT 1) AS before, (SELECT max(seq) FROM turns) AS last",
  );
  const oldest = statement("SELECT seq, count, records FROM turns WHERE seq > ? ORDER BY seq LIMIT 1");
  const remove = statement("DELETE FROM turns WHERE seq BETWEEN ? AND ?");
  const shorten = statement("UPDATE turns SET count = ?, records = ? WHERE seq = ?");
  const newest = statement("SELECT records FROM turns ORDER BY seq DESC");

  /** Keeps of a row only these, the newest of which stays what it is. */
  function keep({ seq }: Row, turns: readonly TurnRecord[]): void {
    const [left] = packTurns(turns, turns.length);
    if (left === undefined) remove().run(seq, seq);
    else shorten().run(left.count, left.text, seq);
  }

  /** Forgets those that are too many, the oldest only, `most` at once: a limit that was lowered must not hold up other processes for long. */
  function trim(most: number): void {
    const ends = bothEnds().get() as { before: number | null; last: number | null };
    if (ends.before === null || ends.last === null) return;
    /** The newest that is forgotten. */
    const until = Math.min(ends.last - limit, ends.before + most);
    if (until <= ends.before) return;
    remove().run(0, until);
    const row = oldest().get(0) as Row | undefined;
    const surplus = row === undefined ? 0 : until - (row.seq - row.count);
    // A row is taken apart for more of them than gather until the next time.
    if (row !== undefined && surplus > 0 && (isNew || surplus >= limit * trimmedShare)) {
      keep(row, readableTurns(row.records).slice(surplus));
    }
  }

  /** Forgets those that ended before, of the `most` oldest. Gives how many these were. */
  function forgetBefore(before: number, most: number): number {
    let forgotten = 0;
    for (let after = 0, left = most; left > 0; ) {
      const row = oldest().get(after) as Row | undefined;
      if (row === undefined) break;
      const kept = readableTurns(row.records).filter(({ endedAt }) => endedAt >= before);
      if (kept.length < row.count) keep(row, kept);
      forgotten += row.count - kept.length;
      left -= row.count;
      after = row.seq;
    }
    return forgotten;
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
      const most = size + pruneBatch;
      // Where many were too old there may be more.
      forgetAt = 2 * forgetBefore(now - maxAgeMs, most) >= most ? now : now + ageCheckMs;
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
          turns.push(...readableTurns((row as { records: string }).records).reverse());
          if (turns.length >= wanted) break;
        }
        return turns.slice(0, wanted);
      }),
  };
}
