import type { CancelSignal } from "./cancel.ts";

/** Time and chance are parameters, so that a test or a simulation can own both. */
export interface Clock {
  /** Unix time in milliseconds. May jump: nothing may assume that it only grows. */
  now(): number;
  /**
   * Resolves after `ms` milliseconds (0 or less: in a later turn of the event loop).
   * Rejects with the signal's reason as soon as `signal` aborts, and leaves no listener behind.
   */
  sleep(ms: number, signal?: CancelSignal): Promise<void>;
  /**
   * Calls `call` after `ms` milliseconds, unless the returned function was called before. What `sleep` does, for what is rarely waited
   * for to its end and must cost little; a clock that lacks it is slept on.
   */
  after?(ms: number, call: () => void): () => void;
}

/** A source of chance: numbers in [0, 1). */
export type Random = () => number;

/** What a timer of Node and of browsers can hold: 24 days. */
const longestTimerMs = 2_147_483_647;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, call) {
    const timer = setTimeout(call, Math.min(Math.max(ms, 0), longestTimerMs));
    return () => clearTimeout(timer);
  },
  sleep(ms, signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const onAbort = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(
        () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
        Math.min(Math.max(ms, 0), longestTimerMs),
      );
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  },
};
