import type { Failure, Reason, Scope } from "./failure.ts";

/**
 * Until when something is not to be used, and why. The key is (provider, credential, model); an empty string stands
 * for "all": `("codex", "c1", "")` keeps credential c1 out of the way for every model, `("codex", "", "gpt-5.5")` keeps
 * the model out of the way for every credential.
 */
export interface Cooldown {
  readonly provider: string;
  readonly credentialId: string;
  readonly model: string;
  /** Unix ms. */
  readonly until: number;
  readonly reason: Reason;
  /** One line for a person. */
  readonly message: string;
  /** Unix ms of the failure that set it. */
  readonly since: number;
  /** How many failures in a row have set it; the back-off grows with it. */
  readonly failures: number;
  /** True when `until` is the provider's own word and not our guess. */
  readonly stated: boolean;
}

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/**
 * How long something rests when the provider does not say, by reason. Several entries: first, second, … failure in a
 * row; the last one repeats. A reason that is missing sets no cooldown.
 */
export const defaultCooldownsMs: Partial<Record<Reason, readonly number[]>> = {
  // Ends with the next login or generation, not with time.
  relogin_required: [32 * 24 * hour],
  rate_limit: [30 * second, 1 * minute, 2 * minute, 4 * minute, 8 * minute, 16 * minute, 30 * minute],
  quota: [1 * hour],
  billing: [1 * hour],
  auth: [5 * minute],
  entitlement: [12 * hour],
  // Two short rests: most outages are over within a minute, and a probe that fails costs one quick call (decision 008).
  overloaded: [30 * second, 30 * second, 1 * minute, 5 * minute],
  server_error: [30 * second, 30 * second, 1 * minute, 5 * minute],
  incomplete: [30 * second, 30 * second, 1 * minute, 5 * minute],
  // A probe of a silent provider costs the whole patience of a turn.
  timeout: [30 * second, 1 * minute, 5 * minute],
  blocked: [5 * minute],
  model_not_found: [10 * minute],
};

/** A reset further away than this is not believed: a plan window is at most a month. */
export const longestBelievedMs: number = 32 * 24 * hour;

/** An end further away than any cooldown's can be, in ms: it was made by a clock that ran far ahead, and counts for nothing. */
export const longestBelievedEndMs: number = longestBelievedMs + minute;

/** Where a failure of this scope is noted; null when it is nobody's fault but the caller's or the network's. */
export function cooldownKey(
  scope: Scope,
  at: { provider: string; credentialId: string; model: string },
): Pick<Cooldown, "provider" | "credentialId" | "model"> | null {
  switch (scope) {
    case "credential":
      return { provider: at.provider, credentialId: at.credentialId, model: "" };
    case "credential_model":
      return { provider: at.provider, credentialId: at.credentialId, model: at.model };
    case "model":
      return { provider: at.provider, credentialId: "", model: at.model };
    case "provider":
      return { provider: at.provider, credentialId: "", model: "" };
    case "request":
    case "network":
      return null;
  }
}

/**
 * The cooldown that a failure sets, given the one that stands there now (`current`, may be over).
 *
 * Rule R5: the result never ends before `current` does. The provider's own time (`failure.retryAt`) beats our table;
 * a time further away than `longestBelievedMs` counts as that bound.
 */
export function nextCooldown(
  failure: Failure,
  at: { provider: string; credentialId: string; model: string },
  current: Cooldown | null,
  now: number,
): Cooldown | null {
  const key = cooldownKey(failure.scope, at);
  if (key === null) return null;
  const steps = defaultCooldownsMs[failure.reason];
  if (steps === undefined && failure.retryAt === undefined) return null;
  const failures = (current?.failures ?? 0) + 1;
  const stated = failure.retryAt !== undefined;
  const guessed = now + (steps?.[Math.min(failures, steps.length) - 1] ?? 0);
  const wanted = Math.min(failure.retryAt ?? guessed, now + longestBelievedMs);
  if (current !== null && current.until >= wanted) return { ...current, failures };
  return { ...key, until: wanted, reason: failure.reason, message: failure.message, since: now, failures, stated };
}

/**
 * True when time alone may heal it. A refused login, an unpaid bill, a missing right or a wrong name need a person: their
 * cooldown only says when it is worth another look, and nobody waits for it.
 */
export function healsByItself(reason: Reason): boolean {
  switch (reason) {
    case "relogin_required":
    case "auth":
    case "entitlement":
    case "billing":
    case "model_not_found":
      return false;
    default:
      return true;
  }
}

/** True while `cooldown` keeps (credential, model) out of the way at time `now`. */
export function isCooling(cooldown: Cooldown, credentialId: string, model: string, now: number): boolean {
  return (
    cooldown.until > now &&
    cooldown.until <= now + longestBelievedEndMs &&
    (cooldown.credentialId === "" || cooldown.credentialId === credentialId) &&
    (cooldown.model === "" || cooldown.model === model)
  );
}
