import type { Clock } from "../core/clock.ts";

/** Calls `onSilence` once when an expected sign of life does not come in time. */
export interface Watchdog {
  /** A sign of life: the next one is due within `ms`. */
  expect(ms: number): void;
  /** No more is expected. */
  stop(): void;
}

/** One sleeping timer for a whole stream: a sign of life moves the deadline, and only an earlier one needs a new timer. */
export function createWatchdog(clock: Clock, onSilence: () => void): Watchdog {
  let sleeping: AbortController | null = null;
  let deadline = 0;
  let wakeAt = 0;
  let stopped = false;

  async function watch(stop: AbortController): Promise<void> {
    try {
      for (;;) {
        const left = deadline - clock.now();
        if (left <= 0) break;
        wakeAt = deadline;
        await clock.sleep(left, stop.signal);
      }
    } catch {
      return; // Stopped, or replaced by an earlier timer.
    }
    if (!stop.signal.aborted) onSilence();
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
    stop() {
      stopped = true;
      sleeping?.abort();
    },
  };
}
