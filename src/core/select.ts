import type { Random } from "./clock.ts";
import { type Compare, itemAt, sizeOf, type Tree } from "./ordered-tree.ts";

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
  const ordered = [...credentials].sort(comparisonOf(strategy));
  if (strategy === "random") shuffle(ordered, random);
  const preferred = ordered.findIndex((credential) => credential.id === preferredId);
  if (preferred > 0) ordered.unshift(...ordered.splice(preferred, 1));
  return ordered;
}

/** The order of a strategy before chance has its say. Zero only for one and the same credential. */
export function comparisonOf(strategy: Strategy): Compare<Selectable> {
  switch (strategy) {
    case "fill_first":
    case "random":
      return byPriority;
    case "round_robin":
      return (a, b) => a.lastUsedAt - b.lastUsedAt || byPriority(a, b);
    case "least_used":
      return (a, b) => a.uses - b.uses || byPriority(a, b);
  }
}

/** True when the order of a strategy changes with each use. */
export function ordersByUse(strategy: Strategy): boolean {
  return strategy === "round_robin" || strategy === "least_used";
}

function byPriority(a: Selectable, b: Selectable): number {
  return a.priority - b.priority || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** Fisher–Yates from the front, in place: who comes first is drawn first. */
function shuffle(items: unknown[], random: Random): void {
  for (let i = 0; i < items.length - 1; i++) {
    const j = i + Math.floor(random() * (items.length - i));
    [items[i], items[j]] = [items[j], items[i]];
  }
}

/**
 * The order of `orderCredentials`, drawn one by one from a tree that is sorted by `comparisonOf(strategy)`: a turn that needs only the
 * first draws only the first.
 */
export class Draw<T extends Selectable> {
  readonly #sorted: Tree<T>;
  readonly #preferred: T | undefined;
  /** Null when nothing is left to chance. */
  readonly #random: Random | null;
  /** The place that is drawn next; -1 while the preferred one has not been given. */
  #at: number;
  /** Who stands elsewhere than in the sorted order, as `shuffle` would have moved them so far. */
  #moved: Map<number, number> | null = null;

  constructor(sorted: Tree<T>, strategy: Strategy, random: Random, preferred?: T) {
    this.#sorted = sorted;
    this.#preferred = preferred;
    this.#random = strategy === "random" ? random : null;
    this.#at = preferred === undefined ? 0 : -1;
  }

  /** Undefined past the last. */
  next(): T | undefined {
    const preferred = this.#preferred;
    if (this.#at < 0) {
      this.#at = 0;
      return preferred;
    }
    for (const size = sizeOf(this.#sorted); this.#at < size; ) {
      const i = this.#at++;
      const item = itemAt(this.#sorted, this.#random === null ? i : this.#chance(i, size, this.#random));
      if (item !== undefined && item.id !== preferred?.id) return item;
    }
    return undefined;
  }

  #chance(i: number, size: number, random: Random): number {
    const moved = (this.#moved ??= new Map());
    const j = i < size - 1 ? i + Math.floor(random() * (size - i)) : i;
    const place = moved.get(j) ?? j;
    moved.set(j, moved.get(i) ?? i);
    moved.delete(i);
    return place;
  }
}
