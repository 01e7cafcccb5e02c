import type { Clock } from "../core/clock.ts";
import type { AttemptRecord, Candidate, TurnEvent, TurnOutcome, TurnRecord, Usage } from "../core/events.ts";
import type { Failure } from "../core/failure.ts";
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

  constructor(turnId: string, route: string, clock: Clock, onEvent: ((event: TurnEvent) => void) | undefined) {
    this.turnId = turnId;
    this.#route = route;
    this.#clock = clock;
    this.#startedAt = clock.now();
    this.#onEvent = onEvent;
    this.tell({ type: "turn-start", turnId, route });
  }

  tell(event: Untimed<TurnEvent>): void {
    this.#onEvent?.({ ...event, at: this.#clock.now() });
  }

  add(record: Omit<AttemptRecord, "endedAt">): void {
    this.attempts.push({ ...record, endedAt: this.#clock.now() });
  }

  /** The last attempt answered, and its answer broke off. */
  cutLast(failure: Failure): void {
    const last = this.attempts.pop();
    if (last !== undefined) this.attempts.push({ ...last, failure, endedAt: this.#clock.now() });
  }

  /** `cut`: why the answer broke off. */
  end(outcome: TurnOutcome, usage: Usage | null, cut: Failure | null = null): TurnRecord {
    const attempts = this.attempts.length;
    this.tell({ type: "turn-end", turnId: this.turnId, outcome, attempts, usage, failure: cut });
    return {
      id: this.turnId,
      route: this.#route,
      startedAt: this.#startedAt,
      endedAt: this.#clock.now(),
      outcome,
      attempts: this.attempts,
      usage,
    };
  }
}

/** A candidate as it may be shown. */
export function toCandidate({ target, credential }: LineCandidate): Candidate {
  const { id, label } = credential;
  return { provider: target.provider, model: target.model, credential: { id, label } };
}
