/** Gathers small writes and makes them together a moment later. */
export interface WriteBehind {
  /** Something is to be written. Throws nothing; the writing happens later, or at `flush`. */
  touch(): void;
  /** Writes what is pending now. Rejects if it can't be written; it stays pending. */
  flush(): Promise<void>;
  /** Writes what is pending and stops the timer for good. */
  stop(): Promise<void>;
}

/** Pause before gathered writes are made, in ms; it doubles with every failure in a row up to `longestPauseMs`. */
const delayMs = 200;
const longestPauseMs = 5_000;
/** So many small writes are made at once, in the next round of the event loop: a writing holds it up, and a larger one for longer. */
export const mostGathered = 256;

/**
 * `pending` tells how much there is to write, `write` writes it. The timer does not keep the process alive: a
 * process that ends without `stop` loses what is pending.
 */
export function createWriteBehind(pending: () => number, write: () => Promise<void>): WriteBehind {
  let timer: NodeJS.Timeout | null = null;
  /** True while a writing is under way, or about to be. */
  let isBusy = false;
  let stopped = false;
  let failures = 0;
  let last: Promise<void> = Promise.resolve();

  function schedule(): void {
    if (stopped) return;
    if (failures === 0 && !isBusy && pending() >= mostGathered) {
      isBusy = true;
      setImmediate(() => {
        isBusy = false;
        if (!stopped) flush().catch(schedule);
      });
    }
    if (timer !== null) return;
    const pauseMs = Math.min(delayMs * 2 ** failures, longestPauseMs);
    timer = setTimeout(() => {
      timer = null;
      flush().catch(schedule);
    }, pauseMs).unref();
  }

  // One writing at a time: two would count the same twice.
  function flush(): Promise<void> {
    const written = last.catch(() => {}).then(writePending);
    last = written;
    return written;
  }

  async function writePending(): Promise<void> {
    if (pending() === 0) return;
    isBusy = true;
    try {
      await write();
      failures = 0;
    } catch (error) {
      failures++;
      throw error;
    } finally {
      isBusy = false;
    }
  }

  return {
    touch: schedule,
    flush,
    async stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      timer = null;
      await flush();
    },
  };
}
