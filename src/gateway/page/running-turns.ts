import type { AttemptRecord, TurnEvent } from "../../core/events.ts";
import type { ExplainableTurn } from "../../turn/explain-turn.ts";

/** Turns that are noted at once; those beyond it are seen when they are over, in the journal. */
const limit = 1_000;

type TurnStart = Extract<TurnEvent, { type: "turn-start" }>;

/** What has happened in a turn, the newest first. Nobody may ever ask: then it is worth no more than this. */
interface Noted {
  readonly event: TurnEvent;
  readonly before: Noted | null;
}

interface Running {
  readonly id: string;
  readonly start: TurnStart;
  last: Noted | null;
}

/** The turns under way in this process, as far as their events tell. The journal has them only when they are over. */
export class RunningTurns {
  readonly #turns = new Map<string, Running>();

  /**
   * Takes note of an event. Gives the turn as it stands then if somebody wants it; null when nobody does, or nothing that is shown has
   * changed.
   */
  observe(turnId: string, event: TurnEvent, isWanted: boolean): ExplainableTurn | null {
    switch (event.type) {
      case "turn-start": {
        if (this.#turns.size >= limit) return null;
        const running = { id: turnId, start: event, last: null };
        this.#turns.set(turnId, running);
        return isWanted ? standing(running) : null;
      }
      case "attempt-start":
      case "attempt-failed":
      case "committed": {
        const running = this.#turns.get(turnId);
        if (running === undefined) return null;
        running.last = { event, before: running.last };
        const isShown = event.type !== "committed" || event.dropped !== undefined;
        return isWanted && isShown ? standing(running) : null;
      }
      case "turn-end": {
        const running = isWanted ? this.#turns.get(turnId) : undefined;
        this.#turns.delete(turnId);
        if (running === undefined) return null;
        return { ...standing(running), outcome: event.outcome, usage: event.usage, endedAt: event.at };
      }
      default:
        return null;
    }
  }

  /** All of them, the newest first. */
  list(): ExplainableTurn[] {
    return Array.from(this.#turns.values(), standing).reverse();
  }

  get(turnId: string): ExplainableTurn | null {
    const running = this.#turns.get(turnId);
    return running === undefined ? null : standing(running);
  }

  forget(turnId: string): void {
    this.#turns.delete(turnId);
  }
}

/** A turn as its events so far tell it. */
function standing({ id, start, last }: Running): ExplainableTurn {
  const { route, at } = start;
  const attempts = attemptsOf(last);
  return { id, route, startedAt: at, endedAt: at, outcome: "running", attempts, usage: null };
}

function attemptsOf(last: Noted | null): AttemptRecord[] {
  const events: TurnEvent[] = [];
  for (let noted = last; noted !== null; noted = noted.before) events.push(noted.event);
  const attempts: AttemptRecord[] = [];
  /** True while the answer of the last attempt goes to the caller. */
  let isCommitted = false;
  for (const event of events.reverse()) {
    switch (event.type) {
      case "attempt-start": {
        const { candidate, at } = event;
        attempts.push({ candidate, startedAt: at, endedAt: at, called: true, failure: null, decision: null });
        break;
      }
      case "attempt-failed": {
        const { candidate, failure, decision, cooldown, at } = event;
        const rests = cooldown === undefined ? {} : { restsUntil: cooldown.until };
        const asked = attempts.at(-1)?.failure === null ? attempts.pop() : undefined;
        const beginning = asked ?? { startedAt: at };
        const cut = isCommitted ? { cut: true as const } : {};
        const called = asked !== undefined;
        attempts.push({ ...beginning, candidate, endedAt: at, called, ...cut, ...rests, failure, decision });
        isCommitted = false;
        break;
      }
      case "committed": {
        isCommitted = true;
        const asked = attempts.pop();
        if (asked !== undefined) attempts.push({ ...asked, ...leftOut(event) });
        break;
      }
      default:
        break;
    }
  }
  return attempts;
}

function leftOut({ dropped }: Pick<AttemptRecord, "dropped">): Pick<AttemptRecord, "dropped"> {
  return dropped === undefined ? {} : { dropped };
}
