import { UnderstudyError } from "../core/error.ts";

/** What the journal keeps of past turns: those that are neither too many nor too old. */
export interface JournalLimits {
  /** At least 1. */
  readonly maxTurns: number;
  /** In ms. */
  readonly maxAgeMs: number;
}

export const dayMs: number = 24 * 60 * 60 * 1_000;

const defaultJournalLimits: JournalLimits = { maxTurns: 10_000, maxAgeMs: Number.POSITIVE_INFINITY };

/**
 * With each writing the journal forgets at most this many turns more than it writes: what is too old or too many goes a little at a
 * time, and no other process waits for it.
 */
export const pruneBatch = 200;

/** How often a process looks for turns that are too old, while it finds none, in ms. */
export const ageCheckMs = 60_000;

/** Fills in the defaults. Throws `config_invalid`. */
export function checkJournalLimits(given: Partial<JournalLimits> = {}): JournalLimits {
  const limits = { ...defaultJournalLimits, ...given };
  if (!Number.isSafeInteger(limits.maxTurns) || limits.maxTurns < 1) {
    throw new UnderstudyError("config_invalid", `maxTurns must be a whole number from 1 on, not ${limits.maxTurns}`);
  }
  if (!(limits.maxAgeMs > 0)) {
    throw new UnderstudyError("config_invalid", `maxAgeMs must be more than 0, not ${limits.maxAgeMs}`);
  }
  return limits;
}
