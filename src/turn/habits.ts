import { formatTarget, type Target } from "../core/target.ts";
import type { HistoryHabit } from "../protocols/protocol.ts";

/** What a target insists on: in a history, or, with `plain-schemas`, in the schemas of tools. */
export type Habit = HistoryHabit | "plain-schemas";

/**
 * Which targets insist on what: learnt from a refusal and the answer to the repaired request, so that it costs one refusal per target and
 * process, and not one per turn. Who refuses the repaired request as well had another reason, and nothing is learnt.
 */
export interface HabitLedger {
  learn(target: Target, habit: Habit): void;
  of(target: Target): readonly Habit[];
}

const none: readonly Habit[] = [];

export function createHabitLedger(): HabitLedger {
  const known = new Map<string, readonly Habit[]>();
  const of = (target: Target): readonly Habit[] =>
    known.size === 0 ? none : (known.get(formatTarget(target)) ?? none);
  return {
    of,
    learn: (target, habit) => void known.set(formatTarget(target), withHabit(of(target), habit)),
  };
}

/** The habits with one more, which ends those that it contradicts. */
export function withHabit(habits: readonly Habit[], habit: Habit): readonly Habit[] {
  return [...habits.filter((one) => one !== habit && !contradicts(one, habit)), habit];
}

/** Who refuses reasoning wants none added. */
function contradicts(one: Habit, other: Habit): boolean {
  const wants: readonly Habit[] = ["needs-reasoning", "needs-signatures"];
  return (one === "no-reasoning" && wants.includes(other)) || (other === "no-reasoning" && wants.includes(one));
}

/** What a refusal by one of these rows of the failure table tells of the target. */
export const habitByRow: Readonly<Partial<Record<string, Habit>>> = {
  "reasoning-unwanted-words": "no-reasoning",
  "reasoning-missing-words": "needs-reasoning",
  "signature-missing-words": "needs-signatures",
  "schema-refused-words": "plain-schemas",
};
