import type { AttemptRecord, TurnEvent } from "../../core/events.ts";
import type { ExplainableTurn } from "../../turn/explain-turn.ts";

/** Turns that are noted at once; those beyond it are seen when they are over, in the journal. */
const limit = 1_000;

interface Running {
  turn: ExplainableTurn;
  attempts: AttemptRecord[];
  /** True while the answer of the last attempt goes to the caller. */
  isCommitted: boolean;
}

/** The turns under way in this process, as far as their events tell. The journal has them only when they are over. */
export class RunningTurns {
  readonly #turns = new Map<string, Running>();

  /**
   * Takes note of an event. Gives the turn as it stands then if somebody wants it; null when nobody does, or nothing that is shown has
   * changed.
   */
  observe(turnId: string, event: TurnEvent, isWanted: boolean): ExplainableTurn | null {
    if (event.type === "turn-start") return this.#begin(turnId, event);
    const running = this.#turns.get(turnId);
    if (running === undefined) return null;
    const { attempts } = running;
    switch (event.type) {
      case "attempt-start":
        attempts.push({
          candidate: event.candidate,
          startedAt: event.at,
          endedAt: event.at,
          called: true,
          failure: null,
          decision: null,
        });
        break;
      case "attempt-failed": {
        const { candidate, failure, decision, cooldown } = event;
        const rests = cooldown === undefined ? {} : { restsUntil: cooldown.until };
        const asked = attempts.at(-1)?.failure === null ? attempts.pop() : undefined;
        const beginning = asked ?? { startedAt: event.at };
        const cut = running.isCommitted ? { cut: true as const } : {};
        const called = asked !== undefined;
        attempts.push({ ...beginning, candidate, endedAt: event.at, called, ...cut, ...rests, failure, decision });
        running.isCommitted = false;
        break;
      }
      case "committed": {
        running.isCommitted = true;
        const asked = attempts.pop();
        if (asked === undefined) return null;
        const { dropped } = event;
        attempts.push(dropped === undefined ? asked : { ...asked, dropped });
        if (dropped === undefined) return null;
        break;
      }
      case "turn-end":
        this.#turns.delete(turnId);
        running.turn = { ...running.turn, outcome: event.outcome, usage: event.usage, endedAt: event.at };
        break;
      default:
        return null;
    }
    return isWanted ? { ...running.turn, attempts: [...attempts] } : null;
  }

  /** All of them, the newest first. */
  list(): ExplainableTurn[] {
    return [...this.#turns.values()].map(({ turn, attempts }) => ({ ...turn, attempts: [...attempts] })).reverse();
  }

  get(turnId: string): ExplainableTurn | null {
    const running = this.#turns.get(turnId);
    return running === undefined ? null : { ...running.turn, attempts: [...running.attempts] };
  }

  forget(turnId: string): void {
    this.#turns.delete(turnId);
  }

  #begin(id: string, { route, at }: Extract<TurnEvent, { type: "turn-start" }>): ExplainableTurn | null {
    if (this.#turns.size >= limit) return null;
    const turn: ExplainableTurn = {
      id,
      route,
      startedAt: at,
      endedAt: at,
      outcome: "running",
      attempts: [],
      usage: null,
    };
    this.#turns.set(id, { turn, attempts: [], isCommitted: false });
    return turn;
  }
}
