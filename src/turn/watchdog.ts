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
  const after = (ms: number, call: () => void): (() => void) => clock.after?.(ms, call) ?? sleepOn(clock, ms, call);
  let cancel: (() => void) | null = null;
  /** Null: nothing is expected. */
  let deadline: number | null = null;
  let wakeAt = 0;
  let stopped = false;

  function sleep(ms: number): void {
    wakeAt = clock.now() + ms;
    cancel = after(ms, wake);
  }

  function wake(): void {
    cancel = null;
    if (stopped || deadline === null) return;
    const left = deadline - clock.now();
    if (left > 0) sleep(left);
    else onSilence();
  }

  return {
    expect(ms) {
      if (stopped) return;
      deadline = clock.now() + ms;
      if (cancel !== null && deadline >= wakeAt) return;
      cancel?.();
      sleep(ms);
    },
    rest() {
      deadline = null;
    },
    stop() {
      stopped = true;
      cancel?.();
    },
  };
}

/** `after` for a clock that can only be slept on. */
function sleepOn(clock: Clock, ms: number, call: () => void): () => void {
  const controller = new AbortController();
  clock.sleep(ms, controller.signal).then(call, () => {});
  return () => controller.abort(stoppedSleeping);
}

// One for all: an abort without a reason makes an error of its own, with a stack, each time.
const stoppedSleeping = new Error("the watchdog needs no timer any more");
