import { exchange, type ExchangeOutcome, type Ports, type UnplannedWait } from "./exchange.ts";
import { readRetryAfter } from "./retry-after.ts";

/** A 429 is met this often at most before it is the result. */
export const maxRateLimitedTries = 4;

/** A server that can't be reached is tried this often at most. */
export const maxUnreachableTries = 3;

const shortestWaitMs = 1_000;
const longestWaitMs = 60_000;

/**
 * An exchange that waits out a rate limit (`Retry-After`, else 2, 4, 8 s; each from 1 to 60 s) and a server that can't be
 * reached (1, 2 s). Only requests that certainly had no effect are sent again, unless `repeatable` says that a
 * second effect does no harm.
 */
export async function patientExchange(
  ports: Ports,
  request: Parameters<typeof exchange>[1],
  options: { readonly timeoutMs: number; readonly signal?: AbortSignal; readonly repeatable: boolean },
): Promise<ExchangeOutcome> {
  const { clock } = ports;
  let limited = 0;
  let unreachable = 0;
  for (;;) {
    const outcome = await exchange(ports, request, options.timeoutMs, options.signal);
    let waitMs: number;
    let why: UnplannedWait["why"];
    if (outcome.kind === "answered" && outcome.answer.status === 429) {
      limited += 1;
      why = "rate_limited";
      if (limited >= maxRateLimitedTries) return outcome;
      const now = clock.now();
      waitMs = (readRetryAfter(outcome.answer.headers, now) ?? now + 1_000 * 2 ** limited) - now;
    } else if (outcome.kind === "never_sent" || (outcome.kind === "unanswered" && options.repeatable)) {
      unreachable += 1;
      why = "no_answer";
      if (unreachable >= maxUnreachableTries) return outcome;
      waitMs = 1_000 * unreachable;
    } else {
      return outcome;
    }
    waitMs = Math.min(Math.max(waitMs, shortestWaitMs), longestWaitMs);
    ports.onWait?.({ why, until: clock.now() + waitMs });
    try {
      await clock.sleep(waitMs, options.signal);
    } catch {
      return { kind: "cancelled" };
    }
  }
}
