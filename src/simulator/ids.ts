import { createHash } from "node:crypto";

/**
 * Ids, tokens and codes without chance: the n-th id of a kind is the same in every run with the same seed.
 * They look random, so that nothing can come to rely on their order.
 */
export class Ids {
  readonly #seed: number;
  readonly #counts = new Map<string, number>();

  constructor(seed: number) {
    this.#seed = seed;
  }

  /** `prefix` followed by `length` hexadecimal digits (at most 64). */
  next(prefix: string, length = 24): string {
    const count = (this.#counts.get(prefix) ?? 0) + 1;
    this.#counts.set(prefix, count);
    return prefix + createHash("sha256").update(`${this.#seed}:${prefix}:${count}`).digest("hex").slice(0, length);
  }
}
