/** How a hold ended: somebody released it, or the client went away first. */
export type HoldEnd = "released" | "gone";

/** Answers that are being held back. They wait for `release()` or for their client to leave, never for a clock. */
export class Holds {
  readonly #waiting = new Set<() => void>();
  readonly #onChange: () => void;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** How many are held now. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Resolves when released, or when `gone` aborts. */
  wait(gone: AbortSignal): Promise<HoldEnd> {
    return new Promise((resolve) => {
      if (gone.aborted) {
        resolve("gone");
        return;
      }
      const settle = (end: HoldEnd): void => {
        gone.removeEventListener("abort", onGone);
        this.#waiting.delete(release);
        resolve(end);
        this.#onChange();
      };
      const release = (): void => settle("released");
      const onGone = (): void => settle("gone");
      gone.addEventListener("abort", onGone, { once: true });
      this.#waiting.add(release);
      this.#onChange();
    });
  }

  /** Lets the `count` longest held go on; all of them by default. Returns how many there were. */
  release(count: number = Number.POSITIVE_INFINITY): number {
    const chosen = [...this.#waiting].slice(0, count);
    for (const release of chosen) release();
    return chosen.length;
  }
}
