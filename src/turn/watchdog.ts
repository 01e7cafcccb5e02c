import type { Clock } from "../core/clock.ts";

/** Calls `onSilence` once when an expected sign of life does not come in time. */
export interface Watchdog {
  /** The next sign of life is due within `ms`. */
  expect(ms: number): void;
  /** Nothing is expected until the next `expect`. */
  rest(): void;
  /** No more is expected. */
  stop(): void;
}

/**
 * One sleeping timer for a whole stream: a sign of life only moves the deadline, and a timer that wakes for nothing goes back to
 * sleep. Only an earlier deadline needs a new one.
 */
export function createWatchdog(clock: Clock, onSilence: () => void): Watchdog {
  let sleeping: AbortController | null = null;
  /** Null: nothing is expected. */
  let deadline: number | null = null;
  let wakeAt = 0;
  let stopped = false;

  async function watch(stop: AbortController): Promise<void> {
    try {
      for (;;) {
        if (deadline === null) break;
        const left = deadline - clock.now();
        if (left <= 0) break;
        wakeAt = deadline;
        await clock.sleep(left, stop.signal);
      }
    } catch {
      return; // Stopped, or replaced by an earlier timer.
    }
    if (stop.signal.aborted) return;
    sleeping = null;
    if (deadline !== null) onSilence();
  }

  return {
    expect(ms) {
      if (stopped) return;
      deadline = clock.now() + ms;
      if (sleeping !== null && deadline >= wakeAt) return;
      sleeping?.abort();
      sleeping = new AbortController();
      void watch(sleeping);
    },
    rest() {
      deadline = null;
    },
    stop() {
      stopped = true;
      sleeping?.abort();
    },
  };
}
