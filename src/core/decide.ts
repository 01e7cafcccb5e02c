import type { Random } from "./clock.ts";
import { type Backoff, backoffDelay, retryBackoff } from "./backoff.ts";
import type { Failure } from "./failure.ts";

/**
 * What to do after a failed attempt: a pure function of what failed and what is left. No reading of clocks or stores.
 *
 * The policy, in order:
 *
 * 1. `stop` stops: the caller's own mistake, a refusal of the content, the caller's cancel.
 * 2. `repair` is tried once per turn and kind of repair; then it moves to the next target.
 * 3. `refresh` is tried once per credential and turn, if its grant can be refreshed; then it moves to the next credential.
 * 4. `retry` stays with the same credential at most `maxRetriesPerTarget` times per target, with full-jitter back-off;
 *    then it moves to the next target.
 * 5. A burst limit whose end is at most `shortWaitMs` away, with no other credential in the pool, waits it out in place:
 *    cheaper than losing the prompt cache. It counts as a retry of the target.
 * 6. `next_credential` walks the pool before the chain (R11): another credential of this target, else the next target.
 *    Walking does not use up the retries: ten keys means ten keys.
 * 7. `next_target` leaves this target at once, since its other credentials would meet the same fault; they wait at the end of
 *    the line, so that one usable candidate is always reached (R2). Nobody else left: retry in place as in 4.
 * 8. Nothing left: wait for the nearest recovery if it comes within what is left of `maxWaitMs`, else give up.
 */
export type Decision =
  | { readonly action: "stop" }
  | { readonly action: "give_up" }
  | { readonly action: "retry"; readonly delayMs: number }
  | { readonly action: "refresh" }
  | { readonly action: "repair" }
  | { readonly action: "next_credential" }
  | { readonly action: "next_target" }
  | { readonly action: "wait"; readonly untilMs: number };

/** What a decision may rest on, besides the failure itself. */
export interface Situation {
  /** Unix ms. */
  readonly now: number;
  /** Times the current target was tried again with the same credential in this turn. */
  readonly retriesOnTarget: number;
  /** True when this credential's grant could be refreshed and has not been in this turn. */
  readonly canRefresh: boolean;
  /** True when the request went out with the repair that this failure asks for. */
  readonly repaired: boolean;
  /** Usable credentials of the same target that this turn has not tried. */
  readonly credentialsLeft: number;
  /** Usable candidates further down the line: other targets, and credentials put off until the end. */
  readonly othersLeft: number;
  /** Unix ms at which the first candidate of the route recovers; null when none will by itself. */
  readonly nearestRecovery: number | null;
  /** Milliseconds this turn may still spend waiting for a recovery. */
  readonly waitLeftMs: number;
}

/** Same-credential retries per target and turn. */
export const maxRetriesPerTarget = 2;

/** A burst limit this short is waited out when the pool has no other credential, in ms. */
export const shortWaitMs = 5_000;

export function decide(
  failure: Failure,
  situation: Situation,
  random: Random,
  backoff: Backoff = retryBackoff,
): Decision {
  const { now, retriesOnTarget, credentialsLeft, othersLeft } = situation;
  const mayRetry = retriesOnTarget < maxRetriesPerTarget;
  const retry = (): Decision => ({ action: "retry", delayMs: backoffDelay(backoff, retriesOnTarget, random) });

  switch (failure.next) {
    case "stop":
      return { action: "stop" };
    case "repair":
      return situation.repaired ? leave() : { action: "repair" };
    case "refresh":
      return situation.canRefresh ? { action: "refresh" } : walk();
    case "retry":
      return mayRetry ? retry() : leave();
    case "next_credential": {
      const shortWait = failure.retryAt === undefined ? Number.POSITIVE_INFINITY : failure.retryAt - now;
      if (failure.reason === "rate_limit" && credentialsLeft === 0 && shortWait <= shortWaitMs && mayRetry) {
        return { action: "retry", delayMs: Math.max(0, shortWait) };
      }
      return walk();
    }
    case "next_target":
      return leave();
  }

  function walk(): Decision {
    if (credentialsLeft > 0) return { action: "next_credential" };
    if (othersLeft > 0) return { action: "next_target" };
    return waitOrGiveUp();
  }

  function leave(): Decision {
    if (othersLeft > 0) return { action: "next_target" };
    if (credentialsLeft > 0) return { action: "next_credential" };
    if (mayRetry && retryable(failure)) return retry();
    return waitOrGiveUp();
  }

  function waitOrGiveUp(): Decision {
    const { nearestRecovery, waitLeftMs } = situation;
    if (nearestRecovery !== null && nearestRecovery - now <= waitLeftMs) {
      return { action: "wait", untilMs: nearestRecovery };
    }
    return { action: "give_up" };
  }
}

/** True when the same call may well succeed a moment later. */
function retryable(failure: Failure): boolean {
  switch (failure.reason) {
    case "overloaded":
    case "server_error":
    case "network":
    case "incomplete":
    case "unknown":
      return true;
    default:
      return false;
  }
}
