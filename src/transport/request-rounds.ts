/** Somebody who has a request to write. */
export interface Asker {
  /** Writes it, unless it was given up meanwhile. */
  write(): void;
}

/** Where so many requests wait for their answers, the next are written at the end of a round of the event loop. */
const crowd = 8;

/**
 * When requests are written: at once, or, where many wait for their answers, all that a round of the event loop has brought one behind the other, at its end.
 * Each write wakes its reader, which on a busy processor goes first; what the other requests of the round need would have left the caches by then. What it
 * saves is in decision 028. One for all connections.
 */
export class RequestRounds {
  #unanswered = 0;
  #due: Asker[] = [];

  /** Has `asker` write, now or soon. To be followed by `answered`. */
  ask(asker: Asker): void {
    this.#unanswered += 1;
    if (this.#unanswered <= crowd) return asker.write();
    if (this.#due.push(asker) === 1) setImmediate(() => this.#writeAll());
  }

  /** The head of an answer is there, or nobody waits for it any more. */
  answered(): void {
    this.#unanswered -= 1;
  }

  #writeAll(): void {
    const due = this.#due;
    this.#due = [];
    for (const asker of due) asker.write();
  }
}
