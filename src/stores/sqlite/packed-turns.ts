import type { AttemptRecord, Cost, TurnRecord, Usage } from "../../core/events.ts";

/**
 * Turns as the journal keeps them, many in one row: the text is a JSON array whose items are
 *
 * - `["ROUTE", "PROVIDER", "MODEL", "CREDENTIAL ID", "LABEL"]`: who is asked on which route, numbered from 0 in the order of these;
 * - `[WHO, "ID", startedAt, took, began, ended, [input, output, cachedInput, reasoning]]`: a turn that its first attempt answered, as nearly
 *   all do; times in ms, the last three since `startedAt`, `began` and `ended` those of the attempt; the usage is null if nobody told it, and
 *   what it cost comes after it where that is known;
 * - `{…}`: any other turn, as it is.
 *
 * A turn takes 100 bytes instead of 500, and no search for its place in an index.
 */
export class PackedTurns {
  readonly #who: string[] = [];
  readonly #turns: string[] = [];
  /** The numbers of `#who`. */
  readonly #numbers = new Map<string, number>();
  /** Whoever was asked last is often asked again. */
  #last: { readonly route: string; readonly candidate: AttemptRecord["candidate"]; readonly who: number } | null = null;

  get size(): number {
    return this.#turns.length;
  }

  add(turn: TurnRecord): void {
    this.#turns.push(this.#plain(turn) ?? JSON.stringify(turn));
  }

  dropOldest(): void {
    this.#turns.shift();
  }

  text(): string {
    return `[${[...this.#who, ...this.#turns].join()}]`;
  }

  /** Null for a turn of which there is more to say. */
  #plain(turn: TurnRecord): string | null {
    const { id, route, startedAt, endedAt, outcome, attempts, usage, cost } = turn;
    const [attempt] = attempts;
    if (outcome !== "answered" || cost === undefined || attempts.length !== 1 || attempt === undefined) return null;
    if (!isPlainAttempt(attempt)) return null;
    const used = usage === null ? "null" : plainUsage(usage);
    const isWhole =
      Number.isSafeInteger(startedAt) &&
      Number.isSafeInteger(endedAt) &&
      Number.isSafeInteger(attempt.startedAt) &&
      Number.isSafeInteger(attempt.endedAt);
    if (used === null || !isWhole) return null;
    const began = attempt.startedAt - startedAt;
    const ended = attempt.endedAt - startedAt;
    const who = this.#numberOf(route, attempt.candidate);
    return `[${who},${JSON.stringify(id)},${startedAt},${endedAt - startedAt},${began},${ended},${used}${cost === null ? "" : `,${JSON.stringify(cost)}`}]`;
  }

  #numberOf(route: string, candidate: AttemptRecord["candidate"]): number {
    const last = this.#last;
    if (last?.candidate === candidate && last.route === route) return last.who;
    const { provider, model, credential } = candidate;
    const name = JSON.stringify([route, provider, model, credential.id, credential.label]);
    let who = this.#numbers.get(name);
    if (who === undefined) {
      who = this.#who.push(name) - 1;
      this.#numbers.set(name, who);
    }
    this.#last = { route, candidate, who };
    return who;
  }
}

/** True when it says nothing but who answered, and when. */
function isPlainAttempt({ called, failure, decision, waitedMs, restsUntil, dropped, cut }: AttemptRecord): boolean {
  return (
    called &&
    failure === null &&
    decision === null &&
    waitedMs === undefined &&
    restsUntil === undefined &&
    dropped === undefined &&
    cut === undefined
  );
}

function plainUsage({ input, output, cachedInput, reasoning, reportedCost }: Usage): string | null {
  const isWhole =
    reportedCost === undefined &&
    Number.isSafeInteger(input) &&
    Number.isSafeInteger(output) &&
    Number.isSafeInteger(cachedInput) &&
    Number.isSafeInteger(reasoning);
  return isWhole ? `[${input},${output},${cachedInput},${reasoning}]` : null;
}

type Who = readonly [route: string, provider: string, model: string, id: string, label: string];
type Plain = readonly [
  who: number,
  id: string,
  startedAt: number,
  took: number,
  began: number,
  ended: number,
  usage: readonly [input: number, output: number, cachedInput: number, reasoning: number] | null,
  cost?: Cost | null,
];

/** The turns of a row, the oldest first. */
export function unpackTurns(text: string): TurnRecord[] {
  const everybody: Who[] = [];
  const turns: TurnRecord[] = [];
  for (const item of JSON.parse(text) as (Who | Plain | TurnRecord)[]) {
    if (!Array.isArray(item)) turns.push(item as TurnRecord);
    else if (isWho(item as Who | Plain)) everybody.push(item as unknown as Who);
    else turns.push(toTurn(item as unknown as Plain, everybody));
  }
  return turns;
}

function isWho(item: Who | Plain): item is Who {
  return typeof item[0] === "string";
}

function toTurn(
  [who, id, startedAt, took, began, ended, used, cost = null]: Plain,
  everybody: readonly Who[],
): TurnRecord {
  const asked = everybody[who];
  if (asked === undefined) throw new Error(`the turn ${id} of the journal names nobody`);
  const [route, provider, model, credentialId, label] = asked;
  const candidate = { provider, model, credential: { id: credentialId, label } };
  const times = { startedAt: startedAt + began, endedAt: startedAt + ended };
  return {
    id,
    route,
    startedAt,
    endedAt: startedAt + took,
    outcome: "answered",
    attempts: [{ candidate, ...times, called: true, failure: null, decision: null }],
    usage: used === null ? null : { input: used[0], output: used[1], cachedInput: used[2], reasoning: used[3] },
    cost,
  };
}

/** The texts of rows for these turns, the oldest first. */
export function packTurns(turns: readonly TurnRecord[], most: number = mostInRow): { count: number; text: string }[] {
  const rows: { count: number; text: string }[] = [];
  for (let at = 0; at < turns.length; at += most) {
    const packed = new PackedTurns();
    for (const turn of turns.slice(at, at + most)) packed.add(turn);
    rows.push({ count: packed.size, text: packed.text() });
  }
  return rows;
}

/** Turns that go into one row at most: whoever wants one of them reads them all. */
export const mostInRow = 256;
