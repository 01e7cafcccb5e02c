/**
 * What can go wrong with one attempt, in a closed vocabulary.
 *
 * A failure says *what kind* (`reason`), *whose* (`scope`), *what helps* (`next`) and *when it may be tried again*
 * (`retryAt`). The rows that turn wire evidence into a failure live in `src/failures/`; what is done about it is decided
 * in `decide.ts`.
 */

/** Why an attempt failed. The order is the order of `docs/errors.md`. */
export const reasons = [
  "relogin_required",
  "auth",
  "entitlement",
  "billing",
  "quota",
  "rate_limit",
  "overloaded",
  "server_error",
  "timeout",
  "network",
  "blocked",
  "model_not_found",
  "context_overflow",
  "payload_too_large",
  "content_policy",
  "invalid_request",
  "invalid_encrypted_content",
  "incomplete",
  "cancelled",
  "unknown",
] as const;
export type Reason = (typeof reasons)[number];

/**
 * Whose failure it is, and so what is kept out of the way for a while:
 *
 * - `request`: the caller's own input, or the caller's cancel. Nothing is kept out of the way (rule R4).
 * - `credential`: this login or key, for every model.
 * - `credential_model`: this model of this login or key; other models of it go on.
 * - `model`: this model at this provider, whichever credential asks.
 * - `provider`: the provider's whole service.
 * - `network`: the way there. Nothing is kept out of the way.
 */
export const scopes = ["request", "credential", "credential_model", "model", "provider", "network"] as const;
export type Scope = (typeof scopes)[number];

/**
 * What the failure itself asks for. `decide.ts` weighs it against what is left to try.
 *
 * - `stop`: nobody else would answer differently; give the caller the error.
 * - `retry`: the same credential, after a back-off.
 * - `refresh`: refresh the grant, then the same credential; failing that, the next one.
 * - `repair`: take out of the request what the provider refused, then the same credential.
 * - `next_credential`: another credential of the same provider.
 * - `next_target`: another target; the credentials left of this one wait at the end of the line.
 */
export const nextSteps = ["stop", "retry", "refresh", "repair", "next_credential", "next_target"] as const;
export type Next = (typeof nextSteps)[number];

/** A classified bad outcome of one attempt. Plain data: it goes to the journal and over the wire as it is. */
export interface Failure {
  readonly reason: Reason;
  readonly scope: Scope;
  readonly next: Next;
  /** Unix time in ms from which the same thing may be tried again, when the provider said so believably. */
  readonly retryAt?: number;
  /** True when only a new sign-in by a person can help. */
  readonly reloginRequired: boolean;
  /** HTTP status, when there was one. */
  readonly status?: number;
  /** The provider's own code, as on the wire. */
  readonly code?: string;
  /** One line for a person, without secrets. At most 500 characters. */
  readonly message: string;
  /** Name of the row in the failure table that decided. */
  readonly row: string;
}

/** True for reasons that say the provider refused for lack of allowance, whichever kind. */
export function isAllowanceReason(reason: Reason): boolean {
  return reason === "quota" || reason === "rate_limit" || reason === "billing";
}
