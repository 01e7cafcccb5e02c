import { formatTarget, type Target } from "../core/target.ts";
import type { HistoryHabit } from "../protocols/protocol.ts";

/**
 * Which targets insist on what in the history of a request: learnt from their refusals, so that it costs one of them per target and process,
 * and not one per turn.
 */
export interface HabitLedger {
  learn(target: Target, habit: HistoryHabit): void;
  of(target: Target): HistoryHabit | undefined;
}

export function createHabitLedger(): HabitLedger {
  const known = new Map<string, HistoryHabit>();
  return {
    learn: (target, habit) => void known.set(formatTarget(target), habit),
    of: (target) => known.get(formatTarget(target)),
  };
}

/** What a refusal by one of these rows of the failure table tells of the target. */
export const habitByRow: Readonly<Partial<Record<string, HistoryHabit>>> = {
  "reasoning-unwanted-words": "no-reasoning",
  "reasoning-missing-words": "needs-reasoning",
  "signature-missing-words": "needs-signatures",
};
