import type { Clock } from "../core/clock.ts";
import type { UnplannedWait } from "./exchange.ts";
import { cancelledLogin, type LoginFailure, type LoginResult, loginFailure } from "./login-failure.ts";

/** What one poll said. */
export type PollStep<T> =
  /** It is over, for good or ill. */
  | { readonly step: "done"; readonly result: LoginResult<T> }
  | { readonly step: "pending" }
  /** RFC 8628 §3.5: from now on poll 5 s less often. */
  | { readonly step: "slow_down" }
  /** 429. `retryAt` in Unix ms; null when the server did not say. */
  | { readonly step: "busy"; readonly retryAt: number | null }
  /** 5xx, a broken network: tolerated for a while. */
  | { readonly step: "trouble"; readonly failure: LoginFailure };

/** What is polled, how often and how long. */
export interface PollOptions<T> {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Milliseconds between two polls. */
  readonly intervalMs: number;
  /** Unix ms after which nobody will confirm any more. */
  readonly expiresAt: number;
  /** One poll. Never rejects. */
  readonly poll: () => Promise<PollStep<T>>;
  /** Told of the first wait of several in a row for a rate limit or an outage. */
  readonly onWait?: (wait: UnplannedWait) => void;
}

/** Times in a row that a server may fail before the sign-in is given up. */
export const maxTroubles = 5;

/** No wait between two polls is doubled beyond this, in ms. */
export const longestPollMs = 60_000;

/** RFC 8628 §3.5, in ms. */
export const slowDownMs = 5_000;

/**
 * Polls until a person has confirmed or refused, or the code has expired.
 *
 * - The first poll goes out at once.
 * - `slow_down` lengthens the interval for good.
 * - `busy` waits as long as the server says, else twice as long each time; `trouble` doubles too. Both end with the next
 *   ordinary answer. A server that asks for more patience than the code has left ends it as `rate_limited`.
 * - After `maxTroubles` troubles in a row the next one is the result.
 * - The limit holds by the clock and by the sum of the waits, so a clock set back does not make it endless.
 */
export async function pollUntil<T>(options: PollOptions<T>): Promise<LoginResult<T>> {
  const { clock, signal, expiresAt, poll } = options;
  let intervalMs = options.intervalMs;
  let waitLeftMs = expiresAt - clock.now();
  let troubles = 0;
  let doublings = 0;

  while (waitLeftMs > 0 && clock.now() < expiresAt) {
    const step = await poll();
    const wasPlanned = doublings === 0;
    let waitMs = intervalMs;
    switch (step.step) {
      case "done":
        return step.result;
      case "pending":
        troubles = doublings = 0;
        break;
      case "slow_down":
        troubles = doublings = 0;
        intervalMs += slowDownMs;
        waitMs = intervalMs;
        break;
      case "busy": {
        troubles = 0;
        doublings += 1;
        const { retryAt } = step;
        waitMs = retryAt === null ? doubled(intervalMs, doublings) : Math.max(intervalMs, retryAt - clock.now());
        if (waitMs > waitLeftMs) {
          const facts = { status: 429, ...(retryAt === null ? {} : { retryAt }) };
          return loginFailure(
            "rate_limited",
            "the sign-in server limits the tries beyond the life of this code",
            facts,
          );
        }
        break;
      }
      case "trouble":
        troubles += 1;
        if (troubles > maxTroubles) return { ok: false, failure: step.failure };
        doublings += 1;
        waitMs = doubled(intervalMs, doublings);
        break;
    }
    waitMs = Math.min(waitMs, waitLeftMs);
    if (wasPlanned && doublings > 0) {
      const why = step.step === "busy" ? "rate_limited" : "no_answer";
      options.onWait?.({ why, until: clock.now() + waitMs });
    }
    waitLeftMs -= waitMs;
    try {
      await clock.sleep(waitMs, signal);
    } catch {
      return cancelledLogin;
    }
  }
  return loginFailure("expired", "the sign-in was not confirmed in time");
}

function doubled(intervalMs: number, times: number): number {
  return Math.max(intervalMs, Math.min(longestPollMs, intervalMs * 2 ** times));
}
