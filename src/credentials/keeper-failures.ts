import type { Failure } from "../core/failure.ts";
import type { OAuthCredential } from "./credential.ts";
import type { RefreshOutcome } from "./refresh-outcome.ts";

/**
 * What a turn is told when the keeper has no token to give. Trouble of the token endpoint, the network or the store benches
 * nobody (scope `network`): it is not the credential's fault, and the line goes on to the next.
 */

export function reloginFailure(credential: OAuthCredential): Failure {
  return {
    reason: "relogin_required",
    scope: "credential",
    next: "next_credential",
    reloginRequired: true,
    code: credential.relogin?.code ?? "relogin_required",
    message: credential.relogin?.message ?? "a new sign-in is needed",
    row: "keeper-relogin",
  };
}

export const noRefreshToken: Failure = {
  reason: "relogin_required",
  scope: "credential",
  next: "next_credential",
  reloginRequired: true,
  code: "no_refresh_token",
  message: "the access token is over and this login has no refresh token",
  row: "keeper-no-refresh-token",
};

export const goneFailure: Failure = {
  reason: "auth",
  scope: "network",
  next: "next_credential",
  reloginRequired: false,
  message: "the credential was removed meanwhile",
  row: "keeper-gone",
};

export const unwrittenFailure: Failure = {
  reason: "server_error",
  scope: "network",
  next: "next_credential",
  reloginRequired: false,
  code: "store_unavailable",
  message:
    "the refreshed token can't be written to the store, so it is not used yet; it is kept in memory and tried again",
  row: "keeper-unwritten",
};

export const noAccessTokenFailure: Failure = {
  reason: "server_error",
  scope: "network",
  next: "next_credential",
  reloginRequired: false,
  code: "no_access_token",
  message: "the token endpoint gave a new refresh token and no access token; it is asked again shortly",
  row: "keeper-no-access-token",
};

/** The token endpoint's trouble is not the credential's fault: it benches nothing, and the line goes on. */
export function deferredFailure(outcome: Extract<RefreshOutcome, { kind: "deferred" }>): Failure {
  return {
    reason: outcome.status === 429 ? "rate_limit" : "server_error",
    scope: "network",
    next: "next_credential",
    reloginRequired: false,
    code: outcome.code,
    message: outcome.message,
    row: "keeper-deferred",
    ...(outcome.status === undefined ? {} : { status: outcome.status }),
    ...(outcome.retryAt === undefined ? {} : { retryAt: outcome.retryAt }),
  };
}

export function networkFailure(message: string, row: string): Failure {
  return { reason: "network", scope: "network", next: "next_credential", reloginRequired: false, message, row };
}

export function storeFailure(error: unknown): Failure {
  return {
    reason: "server_error",
    scope: "network",
    next: "next_credential",
    reloginRequired: false,
    code: "store_unavailable",
    message: error instanceof Error ? error.message : String(error),
    row: "keeper-store",
  };
}
