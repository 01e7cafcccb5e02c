import type { AttemptRecord, TurnEvent } from "../../core/events.ts";
import { Slots } from "../../core/slots.ts";
import type { ExplainableTurn } from "../../turn/explain-turn.ts";

/** Turns that are noted at once; those beyond it are seen when they are over, in the journal. */
const limit = 1_000;

type TurnStart = Extract<TurnEvent, { type: "turn-start" }>;

/** What has happened in a turn, the newest first. Nobody may ever ask: then it is worth no more than this. */
interface Noted {
  readonly event: TurnEvent;
  readonly before: Noted | null;
}

/** A turn under way, as far as it was noted. Whoever runs it holds it. */
export class RunningTurn {
  start: TurnStart | null = null;
  last: Noted | null = null;
  /** Among those that are noted; -1 when it is not. */
  place = -1;
}

/** The turns under way in this process, as far as their events tell. The journal has them only when they are over. */
export class RunningTurns {
  readonly #turns = new Slots<RunningTurn>();

  /**
   * Takes note of an event. Gives the turn as it stands then if somebody wants it; null when nobody does, or nothing that is shown has
   * changed.
   */
  observe(turn: RunningTurn, event: TurnEvent, isWanted: boolean): ExplainableTurn | null {
    switch (event.type) {
      case "turn-start": {
        if (this.#turns.size >= limit) return null;
        turn.start = event;
        turn.place = this.#turns.add(turn);
        return isWanted ? standing(turn) : null;
      }
      case "attempt-start":
      case "attempt-failed":
      case "committed": {
        if (turn.place < 0) return null;
        turn.last = { event, before: turn.last };
        const isShown = event.type !== "committed" || event.dropped !== undefined;
        return isWanted && isShown ? standing(turn) : null;
      }
      case "turn-end": {
        if (turn.place < 0) return null;
        this.forget(turn);
        const stood = isWanted ? standing(turn) : null;
        return stood && { ...stood, outcome: event.outcome, usage: event.usage, endedAt: event.at };
      }
      default:
        return null;
    }
  }

  /** All of them, the newest first. */
  list(): ExplainableTurn[] {
    return [...this.#turns].flatMap((turn) => standing(turn) ?? []).sort((a, b) => b.startedAt - a.startedAt);
  }

  get(turnId: string): ExplainableTurn | null {
    for (const turn of this.#turns) if (turn.start?.turnId === turnId) return standing(turn);
    return null;
  }

  forget(turn: RunningTurn): void {
    if (turn.place >= 0) this.#turns.remove(turn.place);
    turn.place = -1;
  }
}

/** A turn as its events so far tell it; null before the first. */
export function standing({ start, last }: RunningTurn): ExplainableTurn | null {
  if (start === null) return null;
  const { turnId: id, route, at } = start;
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
