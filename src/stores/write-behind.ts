/** Gathers small writes and makes them together a moment later. */
export interface WriteBehind {
  /** Something is to be written. Throws nothing; the writing happens later, or at `flush`. */
  touch(): void;
  /** Writes what is pending now. Rejects if it can't be written; it stays pending. */
  flush(): Promise<void>;
  /** Writes what is pending and stops the timer for good. */
  stop(): Promise<void>;
}

/** Pause before gathered writes are made, in ms; after a failure `retryMs`. */
const delayMs = 200;
const retryMs = 5_000;

/**
 * `pending` tells whether there is something to write, `write` writes it. The timer does not keep the process alive: a
 * process that ends without `stop` loses what is pending.
 */
export function createWriteBehind(pending: () => boolean, write: () => Promise<void>): WriteBehind {
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let last: Promise<void> = Promise.resolve();

  function schedule(ms: number): void {
    if (stopped) return;
    timer ??= setTimeout(() => {
      timer = null;
      flush().catch(() => schedule(retryMs));
    }, ms).unref();
  }

  // One writing at a time: two would count the same twice.
  function flush(): Promise<void> {
    const written = last.catch(() => {}).then(() => (pending() ? write() : undefined));
    last = written;
    return written;
  }

  return {
    touch: () => schedule(delayMs),
    flush,
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await flush();
    },
  };
}
