import { Canceller } from "../core/cancel.ts";
import { Slots } from "../core/slots.ts";

/** A turn under way, and how it is given up. */
export interface OpenTurn {
  /** Gives it up; its signal tells whoever works on it. */
  readonly controller: { readonly signal: Canceller; abort(reason: unknown): void };
  /** It is over, however it ended. */
  end(): void;
}

/** The turns under way, and whether new ones are still taken. */
export class OpenTurns {
  readonly #open = new Slots<Turn>();
  readonly #waiting = new Set<() => void>();
  #draining = false;

  get draining(): boolean {
    return this.#draining;
  }

  get size(): number {
    return this.#open.size;
  }

  /** A turn begins. Call `end` when it is over, however it ended. */
  begin(): OpenTurn {
    const turn = new Turn(this);
    turn.place = this.#open.add(turn);
    return turn;
  }

  /** For the turn itself. */
  ended(turn: Turn): void {
    this.#open.remove(turn.place);
    if (this.#open.size === 0) for (const wake of this.#waiting) wake();
  }

  /** No new turns. Resolves when those under way are over; after `deadlineMs` they are given up. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        for (const turn of this.#open) turn.abort(new Error("the gateway is closing"));
      }, deadlineMs);
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
    });
  }
}

/** One object for all that it is: its controller, that one's signal, and its place among the others. */
class Turn extends Canceller implements OpenTurn {
  readonly #turns: OpenTurns;
  /** Among the open ones. */
  place = -1;

  constructor(turns: OpenTurns) {
    super();
    this.#turns = turns;
  }

  get controller(): this {
    return this;
  }

  get signal(): this {
    return this;
  }

  end(): void {
    this.#turns.ended(this);
  }
}
