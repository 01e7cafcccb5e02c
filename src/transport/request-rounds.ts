/** Somebody who has a request to write. */
export interface Asker {
  /** Writes it, unless it was given up meanwhile. Never throws. */
  write(): void;
}

/** Requests that come within so many ms of the one before are a crowd. Long beside what a short request takes, short beside what a long one does. */
const crowdMs = 0.25;

/**
 * When requests are written: at once, or, in a crowd, all that a round of the event loop has brought one behind the other, at its end. Each write wakes
 * its reader, which on a busy processor goes first; what the other requests of the round need would have left the caches by then. What it saves is in
 * decision 028. One for all connections.
 */
export class RequestRounds {
  readonly #now: () => number;
  #lastAt = Number.NEGATIVE_INFINITY;
  #due: Asker[] = [];

  /** `now`: ms from whatever point. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Has `asker` write, now or soon. */
  ask(asker: Asker): void {
    const now = this.#now();
    const isCrowd = now - this.#lastAt < crowdMs;
    this.#lastAt = now;
    if (isCrowd) {
      if (this.#due.push(asker) === 1) setImmediate(() => this.#writeAll());
      return;
    }
    // Who was first has waited long enough.
    this.#writeAll();
    asker.write();
  }

  #writeAll(): void {
    if (this.#due.length === 0) return;
    const due = this.#due;
    this.#due = [];
    for (const asker of due) asker.write();
  }
}
