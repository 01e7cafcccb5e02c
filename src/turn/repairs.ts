import type { Failure } from "../core/failure.ts";
import { formatTarget, type Target } from "../core/target.ts";
import { createHabitLedger, type Habit, habitByRow, type HabitLedger, withHabit } from "./habits.ts";

/** How a request goes out to a target. */
export interface Repaired {
  /** Without what only its issuer can read. */
  readonly withoutSeals: boolean;
  /** As these habits of the target want it. */
  readonly habits: readonly Habit[];
}

const asItIs: Repaired = { withoutSeals: false, habits: [] };

/** What was done to the request in one turn so that a provider takes it. Each thing is done once: what helps not is not repeated. */
export class Repairs {
  readonly #habits: HabitLedger;
  /** What this turn tries, and does not know yet to help; null as long as that is nothing. */
  #guessed: HabitLedger | null = null;
  #fitted: Set<string> | null = null;
  #withoutSeals = false;

  constructor(habits: HabitLedger) {
    this.#habits = habits;
  }

  for(target: Target): Repaired {
    const known = this.#habits.of(target);
    const habits = this.#guessed === null ? known : this.#guessed.of(target).reduce(withHabit, known);
    return this.#withoutSeals || habits.length > 0 ? { withoutSeals: this.#withoutSeals, habits } : asItIs;
  }

  /** True when the request went out with all that could be done about this failure. */
  isDone(target: Target, { row }: Failure, sent: Repaired): boolean {
    const habit = habitByRow[row];
    if (habit === undefined) return this.#withoutSeals;
    return sent.habits.includes(habit) || this.#fitted?.has(nameOf(target, habit)) === true;
  }

  add(target: Target, { row }: Failure): void {
    const habit = habitByRow[row];
    if (habit === undefined) {
      this.#withoutSeals = true;
    } else {
      (this.#guessed ??= createHabitLedger()).learn(target, habit);
      (this.#fitted ??= new Set()).add(nameOf(target, habit));
    }
  }

  /** The target has answered: what was tried for it helps, and later turns begin with it. */
  proven(target: Target): void {
    for (const habit of this.#guessed?.of(target) ?? []) this.#habits.learn(target, habit);
  }
}

function nameOf(target: Target, habit: Habit): string {
  return `${formatTarget(target)} ${habit}`;
}
