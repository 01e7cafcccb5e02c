import type { Clock } from "../core/clock.ts";

/**
 * Calls `onSilence` once when an expected sign of life does not come in time. One sleeping timer for a whole stream: a sign of life only moves
 * the deadline, and a timer that wakes for nothing goes back to sleep. Only an earlier deadline needs a new one.
 */
export class Watchdog {
  readonly #clock: Clock;
  readonly #onSilence: () => void;
  #cancel: (() => void) | null = null;
  /** Null: nothing is expected. */
  #deadline: number | null = null;
  #wakeAt = 0;
  #stopped = false;

  constructor(clock: Clock, onSilence: () => void) {
    this.#clock = clock;
    this.#onSilence = onSilence;
  }

  /** The next sign of life is due within `ms`. */
  expect(ms: number): void {
    if (this.#stopped) return;
    const deadline = this.#clock.now() + ms;
    this.#deadline = deadline;
    if (this.#cancel !== null && deadline >= this.#wakeAt) return;
    this.#cancel?.();
    this.#wakeAt = deadline;
    this.#sleep(ms);
  }

  /** Nothing is expected until the next `expect`. */
  rest(): void {
    this.#deadline = null;
  }

  /** No more is expected. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #sleep(ms: number): void {
    const clock = this.#clock;
    const wake = (): void => this.#wake();
    this.#cancel = clock.after?.(ms, wake) ?? sleepOn(clock, ms, wake);
  }

  #wake(): void {
    this.#cancel = null;
    if (this.#stopped || this.#deadline === null) return;
    const left = this.#deadline - this.#clock.now();
    if (left <= 0) return this.#onSilence();
    this.#wakeAt = this.#deadline;
    this.#sleep(left);
  }
}

/** `after` for a clock that can only be slept on. */
function sleepOn(clock: Clock, ms: number, call: () => void): () => void {
  const controller = new AbortController();
  clock.sleep(ms, controller.signal).then(call, () => {});
  return () => controller.abort(stoppedSleeping);
}

// One for all: an abort without a reason makes an error of its own, with a stack, each time.
const stoppedSleeping = new Error("the watchdog needs no timer any more");
