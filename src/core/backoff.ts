import type { Random } from "./clock.ts";

/** Full-jitter exponential back-off: a delay drawn evenly from [0, min(cap, base * 2^n)]. */
export interface Backoff {
  /** Milliseconds; the ceiling of the first delay. */
  readonly baseMs: number;
  /** Milliseconds; no ceiling ever exceeds it. */
  readonly capMs: number;
}

/** For an upstream that answered 5xx or broke the connection: at most 1 s, then at most 2 s. */
export const retryBackoff: Backoff = { baseMs: 1_000, capMs: 8_000 };

/** For a token endpoint that refused for now. */
export const refreshBackoff: Backoff = { baseMs: 1_000, capMs: 60_000 };

/** The delay before try number `n` (the first retry is n = 0), in ms. */
export function backoffDelay(backoff: Backoff, n: number, random: Random): number {
  return random() * Math.min(backoff.capMs, backoff.baseMs * 2 ** Math.min(n, 30));
}
