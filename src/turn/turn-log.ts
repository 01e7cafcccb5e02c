import type { Clock } from "../core/clock.ts";
import type { Cooldown } from "../core/cooldown.ts";
import type { Decision } from "../core/decide.ts";
import type { AttemptRecord, Candidate, Cost, TurnEvent, TurnOutcome, TurnRecord, Usage } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
import type { Target } from "../core/target.ts";
import type { Credential } from "../credentials/credential.ts";
import { cleanMessage } from "../failures/clean-message.ts";
import type { LineCandidate } from "./line.ts";

/** `TurnEvent` without its time. */
type Untimed<T> = T extends unknown ? Omit<T, "at"> : never;

/** What a turn tells (events) and what it leaves behind (its record). */
export class TurnLog {
  readonly turnId: string;
  readonly attempts: AttemptRecord[] = [];
  readonly #route: string;
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #onEvent: ((event: TurnEvent) => void) | undefined;
  #waitedMs = 0;

  constructor(turnId: string, route: string, clock: Clock, onEvent: ((event: TurnEvent) => void) | undefined) {
    this.turnId = turnId;
    this.#route = route;
    this.#clock = clock;
    const at = clock.now();
    this.#startedAt = at;
    this.#onEvent = onEvent;
    onEvent?.({ type: "turn-start", turnId, route, at });
  }

  tell(event: Untimed<TurnEvent>): void {
    this.#onEvent?.({ ...event, at: this.#clock.now() });
  }

  /** Counts a wait towards the attempt that comes next. */
  waited(ms: number): void {
    this.#waitedMs += ms;
  }

  add(record: Omit<AttemptRecord, "endedAt" | "waitedMs">): void {
    const waitedMs = this.#waitedMs;
    const endedAt = this.#clock.now();
    this.#waitedMs = 0;
    this.attempts.push(waitedMs > 0 ? { ...record, waitedMs, endedAt } : { ...record, endedAt });
  }

  /** The last attempt answered, and its answer broke off. `decision`: what was done about it; null when the turn ended with it. */
  cutLast(failure: Failure, cooldown: Cooldown | null, decision: Decision | null = null): void {
    const last = this.attempts.pop();
    if (last === undefined) return;
    const endedAt = this.#clock.now();
    this.attempts.push({ ...last, cut: true, failure, decision, ...restsUntil(cooldown), endedAt });
  }

  end(outcome: TurnOutcome, { usage, cost, cut = null, cooldown = null }: TurnEnd): TurnRecord {
    const { turnId, attempts } = this;
    const at = this.#clock.now();
    const counted = attempts.length;
    const event = { type: "turn-end", turnId, outcome, attempts: counted, usage, cost, failure: cut, at } as const;
    this.#onEvent?.(cooldown === null ? event : { ...event, cooldown });
    const startedAt = this.#startedAt;
    return { id: turnId, route: this.#route, startedAt, endedAt: at, outcome, attempts, usage, cost };
  }
}

interface TurnEnd {
  readonly usage: Usage | null;
  readonly cost: Cost | null;
  /** Why the answer broke off. */
  readonly cut?: Failure | null;
  /** What the break set. */
  readonly cooldown?: Cooldown | null;
}

/** So much of what was left out is told, each in so many characters: it may name whatever fields a caller made up. */
const droppedEntries = 20;
const droppedLength = 100;

/** What the record and the event of an answer say of what could not be carried to who gives it. */
export function leftOut(dropped: readonly string[]): Pick<AttemptRecord, "dropped"> {
  if (dropped.length === 0) return {};
  return { dropped: dropped.slice(0, droppedEntries).map((what) => cleanMessage(what.slice(0, droppedLength))) };
}

/** What an attempt's record says of the cooldown that it set. */
export function restsUntil(cooldown: Cooldown | null): Pick<AttemptRecord, "restsUntil"> {
  return cooldown === null ? {} : { restsUntil: cooldown.until };
}

/** What each credential was last shown as, and for which target: a turn shows it several times, and so does the next one. */
const shown = new WeakMap<Credential, { readonly target: Target; readonly candidate: Candidate }>();

/** A candidate as it may be shown. */
export function toCandidate({ target, credential }: LineCandidate): Candidate {
  const known = shown.get(credential);
  if (known?.target === target) return known.candidate;
  const { id, label } = credential;
  const candidate = { provider: target.provider, model: target.model, credential: { id, label } };
  shown.set(credential, { target, candidate });
  return candidate;
}
