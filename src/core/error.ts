import type { Failure } from "./failure.ts";

/** Every code an `UnderstudyError` may carry. Closed: a caller can switch over it. */
export const errorCodes = [
  /** The configuration is wrong; the message names file, line, key and value. */
  "config_invalid",
  /** No such route, provider or model. */
  "route_unknown",
  /** No such credential, or the name fits several. */
  "credential_unknown",
  /** The store can't be read or written; nothing in it was changed. */
  "store_unavailable",
  /** The store was written by a newer version. */
  "store_newer",
  /** A sign-in did not complete. */
  "login_failed",
  /** A refresh did not give a token. */
  "refresh_failed",
  /** A person must sign in again. */
  "relogin_required",
  /** Every candidate of the route was tried or is cooling. */
  "turn_failed",
  /** The caller's own request can't be served by anyone. */
  "request_refused",
  /** The answer was cut after its beginning had been passed on. */
  "answer_cut",
  /** The caller gave up. */
  "cancelled",
  /** Wrong usage of the command line or of an option. */
  "usage",
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** Facts that may go with an error. None of them is a secret. */
export interface ErrorFacts {
  readonly provider?: string;
  /** Label of the credential concerned. */
  readonly credential?: string;
  readonly status?: number;
  /** Unix ms. */
  readonly retryAt?: number;
  /** The provider's or token endpoint's own code. */
  readonly providerCode?: string;
  readonly reloginRequired?: boolean;
  /** The one command that repairs it. */
  readonly command?: string;
  readonly failure?: Failure;
}

/** The one error class of this package. `code` says what, the facts say which and when. */
export class UnderstudyError extends Error {
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, message: string, facts: ErrorFacts = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = "UnderstudyError";
    this.code = code;
    this.facts = facts;
  }
}

/** True for an `UnderstudyError`, with the given code if one is named. */
export function isUnderstudyError(error: unknown, code?: ErrorCode): error is UnderstudyError {
  return error instanceof UnderstudyError && (code === undefined || error.code === code);
}
