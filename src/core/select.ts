import type { Random } from "./clock.ts";

/** How a pool chooses among its usable credentials. */
export const strategies = ["fill_first", "round_robin", "least_used", "random"] as const;
export type Strategy = (typeof strategies)[number];

/** What selection needs to know of a credential. */
export interface Selectable {
  readonly id: string;
  /** Lower comes first. */
  readonly priority: number;
  /** Attempts made with it so far. */
  readonly uses: number;
  /** Unix ms of the last attempt; 0 when never used. */
  readonly lastUsedAt: number;
}

/**
 * The usable credentials in the order in which a turn tries them. The input is not changed.
 *
 * - `fill_first`: by priority; the first serves until it is exhausted.
 * - `round_robin`: the one used longest ago first. Read from the stored times, so it turns round over all processes.
 * - `least_used`: the one with the fewest attempts first.
 * - `random`: a fair shuffle.
 *
 * `preferredId` (the credential that served this conversation before) comes first whatever the strategy says.
 */
export function orderCredentials<T extends Selectable>(
  credentials: readonly T[],
  strategy: Strategy,
  random: Random,
  preferredId?: string,
): T[] {
  const ordered = [...credentials].sort(byPriority);
  switch (strategy) {
    case "fill_first":
      break;
    case "round_robin":
      ordered.sort((a, b) => a.lastUsedAt - b.lastUsedAt);
      break;
    case "least_used":
      ordered.sort((a, b) => a.uses - b.uses);
      break;
    case "random":
      shuffle(ordered, random);
      break;
  }
  const preferred = ordered.findIndex((credential) => credential.id === preferredId);
  if (preferred > 0) ordered.unshift(...ordered.splice(preferred, 1));
  return ordered;
}

function byPriority(a: Selectable, b: Selectable): number {
  return a.priority - b.priority || (a.id < b.id ? -1 : 1);
}

/** Fisher–Yates, in place. */
function shuffle(items: unknown[], random: Random): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j], items[i]];
  }
}
