import type { AttemptRecord, Candidate, Cost, TurnRecord, Usage } from "../../core/events.ts";

/** Who is asked on which route. */
type Who = readonly [route: string, provider: string, model: string, credentialId: string, label: string];

/** A turn that its first attempt answered, and of which there is no more to say. Times in ms, all but the first since `startedAt`. */
type PlainTurn =
  | readonly [who: number, id: string, startedAt: number, took: number, began: number, ended: number]
  | readonly [
      who: number,
      id: string,
      startedAt: number,
      took: number,
      began: number,
      ended: number,
      input: number,
      output: number,
      cachedInput: number,
      reasoning: number,
      cost?: Cost,
    ];

type Item = Who | PlainTurn | TurnRecord;

/**
 * Turns as the journal keeps them, many in one row: the text is a JSON array of
 *
 * - `["ROUTE", "PROVIDER", "MODEL", "CREDENTIAL ID", "LABEL"]`: who is asked on which route, numbered from 0 in the order of these;
 * - `[WHO, "ID", …]`: a plain turn, as nearly all are; `began` and `ended` are those of its attempt;
 * - `{…}`: any other turn, as it is.
 *
 * A turn takes 100 bytes instead of 500, no writing of JSON of its own, and no search for its place in an index.
 */
export class PackedTurns {
  readonly #everybody: Who[] = [];
  readonly #turns: (PlainTurn | TurnRecord)[] = [];
  /** Whoever was asked last is often asked again. */
  #last: Candidate | null = null;
  #lastWho = -1;

  get size(): number {
    return this.#turns.length;
  }

  add(turn: TurnRecord): void {
    this.#turns.push(this.#plain(turn) ?? turn);
  }

  dropOldest(): void {
    this.#turns.shift();
  }

  text(): string {
    return JSON.stringify([...this.#everybody, ...this.#turns]);
  }

  /** Null for a turn of which there is more to say. */
  #plain(turn: TurnRecord): PlainTurn | null {
    const { id, startedAt, endedAt, attempts, usage, cost } = turn;
    const [attempt] = attempts;
    if (turn.outcome !== "answered" || cost === undefined || attempts.length !== 1) return null;
    if (attempt === undefined || !isPlainAttempt(attempt)) return null;
    if (!Number.isSafeInteger(startedAt) || !Number.isSafeInteger(endedAt)) return null;
    const began = attempt.startedAt - startedAt;
    const ended = attempt.endedAt - startedAt;
    const who = this.#numberOf(turn.route, attempt.candidate);
    if (usage === null) return cost === null ? [who, id, startedAt, endedAt - startedAt, began, ended] : null;
    if (!isPlainUsage(usage)) return null;
    const { input, output, cachedInput, reasoning } = usage;
    const took = endedAt - startedAt;
    return cost === null
      ? [who, id, startedAt, took, began, ended, input, output, cachedInput, reasoning]
      : [who, id, startedAt, took, began, ended, input, output, cachedInput, reasoning, cost];
  }

  #numberOf(route: string, candidate: Candidate): number {
    const last = this.#everybody[this.#lastWho];
    if (this.#last === candidate && last?.[0] === route) return this.#lastWho;
    let who = this.#everybody.findIndex((one) => isSame(one, route, candidate));
    if (who < 0) {
      const { provider, model, credential } = candidate;
      who = this.#everybody.push([route, provider, model, credential.id, credential.label]) - 1;
    }
    this.#last = candidate;
    this.#lastWho = who;
    return who;
  }
}

function isSame([ofRoute, ofProvider, ofModel, id, label]: Who, route: string, candidate: Candidate): boolean {
  const { provider, model, credential } = candidate;
  return (
    credential.id === id &&
    credential.label === label &&
    model === ofModel &&
    provider === ofProvider &&
    route === ofRoute
  );
}

/** True when it says nothing but who answered, and when. */
function isPlainAttempt(attempt: AttemptRecord): boolean {
  return (
    attempt.called &&
    attempt.failure === null &&
    attempt.decision === null &&
    attempt.waitedMs === undefined &&
    attempt.restsUntil === undefined &&
    attempt.dropped === undefined &&
    attempt.cut === undefined &&
    Number.isSafeInteger(attempt.startedAt) &&
    Number.isSafeInteger(attempt.endedAt)
  );
}

function isPlainUsage({ input, output, cachedInput, reasoning, reportedCost }: Usage): boolean {
  return (
    reportedCost === undefined &&
    Number.isFinite(input) &&
    Number.isFinite(output) &&
    Number.isFinite(cachedInput) &&
    Number.isFinite(reasoning)
  );
}

/** The turns of a row, the oldest first. */
export function unpackTurns(text: string): TurnRecord[] {
  const everybody: Who[] = [];
  const turns: TurnRecord[] = [];
  for (const item of JSON.parse(text) as Item[]) {
    if (!isList(item)) turns.push(item);
    else if (isWho(item)) everybody.push(item);
    else turns.push(toTurn(item, everybody[item[0]]));
  }
  return turns;
}

/** The same; none for a row that was damaged, so that it holds up nothing but itself. */
export function readableTurns(text: string): TurnRecord[] {
  try {
    return unpackTurns(text);
  } catch {
    return [];
  }
}

function isList(item: Item): item is Who | PlainTurn {
  return Array.isArray(item);
}

function isWho(item: Who | PlainTurn): item is Who {
  return typeof item[0] === "string";
}

function toTurn(plain: PlainTurn, who: Who | undefined): TurnRecord {
  const [, id, startedAt, took, began, ended] = plain;
  if (who === undefined) throw new Error(`the turn ${id} of the journal names nobody`);
  const [route, provider, model, credentialId, label] = who;
  const candidate = { provider, model, credential: { id: credentialId, label } };
  const times = { startedAt: startedAt + began, endedAt: startedAt + ended };
  return {
    id,
    route,
    startedAt,
    endedAt: startedAt + took,
    outcome: "answered",
    attempts: [{ candidate, ...times, called: true, failure: null, decision: null }],
    usage: plain.length === 6 ? null : toUsage(plain),
    cost: plain.length === 6 ? null : (plain[10] ?? null),
  };
}

function toUsage([, , , , , , input, output, cachedInput, reasoning]: Exclude<PlainTurn, { length: 6 }>): Usage {
  return { input, output, cachedInput, reasoning };
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
