import type { Clock } from "../src/core/clock.ts";

interface Sleeper {
  /** In the clock's own count of waking time, which a jump of the wall clock leaves alone. */
  readonly at: number;
  readonly wake: () => void;
}

/** Lets everything that is ready run, input and output included. */
export function turnOfEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * A clock that stands still until a test moves it. Sleepers wake in the order of their time, and what each of them sets
 * off runs before the next one wakes.
 */
export class VirtualClock implements Clock {
  /** Every sleep that was asked for, in ms, in order. */
  readonly sleeps: number[] = [];
  #now: number;
  #waking = 0;
  #sleepers: Sleeper[] = [];

  constructor(now: number = Date.UTC(2026, 6, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /** How many sleep now. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /** Milliseconds until the first of them wakes; null when nobody sleeps. */
  get nextWakeMs(): number | null {
    const first = this.#sleepers[0];
    return first === undefined ? null : first.at - this.#waking;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const sleeper: Sleeper = {
        at: this.#waking + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#sleepers.push(sleeper);
      this.#sleepers.sort((a, b) => a.at - b.at);
      if (ms <= 0) setImmediate(() => this.#wakeUntil(this.#waking));
    });
  }

  /** Moves on by `ms`, waking on the way whoever is due, also those who fall asleep meanwhile. */
  async advance(ms: number): Promise<void> {
    const end = this.#waking + ms;
    await turnOfEventLoop();
    for (let first = this.#sleepers[0]; first !== undefined && first.at <= end; first = this.#sleepers[0]) {
      this.#move(first.at - this.#waking);
      this.#wakeUntil(first.at);
      await turnOfEventLoop();
    }
    this.#move(end - this.#waking);
    await turnOfEventLoop();
  }

  /** Sets the wall clock forward or back, as a person or a time server would: nobody wakes for it. */
  jump(ms: number): void {
    this.#now += ms;
  }

  #move(ms: number): void {
    this.#waking += ms;
    this.#now += ms;
  }

  #wakeUntil(at: number): void {
    const due = this.#sleepers.filter((sleeper) => sleeper.at <= at);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > at);
    for (const sleeper of due) sleeper.wake();
  }
}
