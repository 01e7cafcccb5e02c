import { type ExchangeOutcome, timeoutCode } from "./exchange.ts";

/** Why a sign-in came to nothing. Closed: a caller can switch over it. */
export const loginFailureCodes = [
  /** The server or the account does not offer this way to sign in. */
  "not_enabled",
  /** Too many tries; `retryAt` says when again, if the server did. */
  "rate_limited",
  /** The person said no. */
  "declined",
  /** The account may sign in, but not use this service. */
  "not_entitled",
  /** The code was not confirmed, or the callback not reached, in time. */
  "expired",
  /** The network was in the way. */
  "unreachable",
  /** The server answered with an error of any other kind. */
  "refused",
  /** The server's success lacks something that is needed. */
  "incomplete",
  /** The callback does not belong to this sign-in. */
  "state_mismatch",
  /** The server is not who it should be, or names addresses that no credential may go to. */
  "untrusted",
  /** The caller gave up. */
  "cancelled",
] as const;
export type LoginFailureCode = (typeof loginFailureCodes)[number];

/** Why a sign-in came to nothing, ready to be shown. */
export interface LoginFailure {
  readonly code: LoginFailureCode;
  /** One sentence for a person, without a command and without secrets. */
  readonly message: string;
  readonly status?: number;
  /** The server's own code. */
  readonly providerCode?: string;
  /** Unix ms. */
  readonly retryAt?: number;
}

/** How a step of a sign-in ended. */
export type LoginResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: LoginFailure };

/** A failed result in one call. */
export function loginFailure(
  code: LoginFailureCode,
  message: string,
  facts: Omit<LoginFailure, "code" | "message"> = {},
): { readonly ok: false; readonly failure: LoginFailure } {
  return { ok: false, failure: { code, message, ...facts } };
}

/** The failure of a request that got no answer. */
export function networkLoginFailure(
  outcome: Exclude<ExchangeOutcome, { kind: "answered" }>,
  url: string,
): { readonly ok: false; readonly failure: LoginFailure } {
  if (outcome.kind === "cancelled") return cancelledLogin;
  const { networkCode } = outcome;
  const host = URL.canParse(url) ? new URL(url).host : "(its address can't be read)";
  const why = networkCode === timeoutCode ? "did not answer in time" : `can't be reached (${networkCode})`;
  return loginFailure("unreachable", `the sign-in server ${host} ${why}`);
}

/** The failure of a sign-in whose caller gave up. */
export const cancelledLogin: { readonly ok: false; readonly failure: LoginFailure } = loginFailure(
  "cancelled",
  "the sign-in was cancelled",
);
