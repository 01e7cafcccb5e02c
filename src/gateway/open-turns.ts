/** The turns under way, and whether new ones are still taken. */
export class OpenTurns {
  readonly #open = new Set<AbortController>();
  readonly #waiting = new Set<() => void>();
  #draining = false;

  get draining(): boolean {
    return this.#draining;
  }

  get size(): number {
    return this.#open.size;
  }

  /** A turn begins. Its controller gives it up; call `end` when it is over, however it ended. */
  begin(): { readonly controller: AbortController; readonly end: () => void } {
    const controller = new AbortController();
    this.#open.add(controller);
    return {
      controller,
      end: () => {
        this.#open.delete(controller);
        if (this.#open.size === 0) for (const wake of this.#waiting) wake();
      },
    };
  }

  /** No new turns. Resolves when those under way are over; after `deadlineMs` they are given up. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    if (this.#open.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        for (const controller of this.#open) controller.abort(new Error("the gateway is closing"));
      }, deadlineMs);
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
    });
  }
}
