/**
 * Keeps calls from waiting for a server that is known to be away: after two losses in a row a call is refused at once, until
 * the pause is over; then one call goes through to look, and the others are refused until it is back.
 *
 *   open ──2 losses──▶ shut ──pause over──▶ one looks ──answered──▶ open
 *                        ▲                      └──lost──┐
 *                        └──────longer pause─────────────┘
 *
 * The pause doubles from 50 ms to 2 s, less up to half of it by chance, so that many processes don't come back in step.
 */
export interface Gate {
  /** Throws the error of the last loss when the server is not to be asked now. */
  enter(): void;
  /** The server answered. */
  passed(): void;
  /** The connection was lost. */
  lost(error: unknown): void;
}

const pauseMs = { first: 50, longest: 2_000 };

/** How long to wait after the nth loss in a row, in ms; none after the first. */
export function pauseAfter(losses: number, random: () => number = Math.random): number {
  if (losses < 2) return 0;
  return Math.min(pauseMs.first * 2 ** (losses - 2), pauseMs.longest) * (1 - random() / 2);
}

export function createGate(now: () => number = () => performance.now()): Gate {
  let losses = 0;
  let shutUntil = 0;
  let looking = false;
  let last: unknown = null;

  return {
    enter() {
      if (losses < 2) return;
      if (looking || now() < shutUntil) throw last;
      looking = true;
    },
    passed() {
      losses = 0;
      looking = false;
    },
    lost(error) {
      losses++;
      looking = false;
      last = error;
      shutUntil = now() + pauseAfter(losses);
    },
  };
}
