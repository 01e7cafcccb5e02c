import type { Next, Reason, Scope } from "../core/failure.ts";
import type { ResetReader } from "./row.ts";

/** Whose failure it is and what helps. */
export interface Verdict {
  readonly scope: Scope;
  readonly next: Next;
  readonly reloginRequired: boolean;
}

/** What a reason means unless its row says otherwise. */
export interface ReasonDefaults extends Verdict {
  /** Where a time of recovery is looked for. Empty for what no waiting mends, or where providers' hints mislead. */
  readonly retryAt: readonly ResetReader[];
  /** For a person, when the provider gave no words of its own. */
  readonly words: string;
}

/** Burst limits: nothing that is sent with every answer may turn a burst into a plan window. */
const burst: readonly ResetReader[] = ["body-fields", "retry-after", "ratelimit-windows", "prose"];

export const reasonDefaults: Readonly<Record<Reason, ReasonDefaults>> = {
  relogin_required: {
    scope: "credential",
    next: "next_credential",
    reloginRequired: true,
    retryAt: [],
    words: "the login has ended and can't be refreshed",
  },
  auth: {
    scope: "credential",
    next: "refresh",
    reloginRequired: false,
    retryAt: [],
    words: "the provider did not accept the credential",
  },
  entitlement: {
    scope: "credential_model",
    next: "next_credential",
    reloginRequired: false,
    retryAt: [],
    words: "this account may not use this model",
  },
  // No time is read: a `Retry-After: 1` beside an unpaid bill pays nothing.
  billing: {
    scope: "credential",
    next: "next_credential",
    reloginRequired: false,
    retryAt: [],
    words: "the account has no credit left",
  },
  quota: {
    scope: "credential",
    next: "next_credential",
    reloginRequired: false,
    retryAt: ["body-fields", "codex-windows", "unified-windows", "retry-after", "ratelimit-windows", "prose"],
    words: "the allowance of the account's plan is used up",
  },
  rate_limit: {
    scope: "credential_model",
    next: "next_credential",
    reloginRequired: false,
    retryAt: burst,
    words: "too many requests in a short time",
  },
  overloaded: {
    scope: "model",
    next: "next_target",
    reloginRequired: false,
    retryAt: ["body-fields", "retry-after", "prose"],
    words: "the provider is overloaded",
  },
  server_error: {
    scope: "model",
    next: "retry",
    reloginRequired: false,
    retryAt: ["retry-after"],
    words: "the provider failed",
  },
  timeout: {
    scope: "model",
    next: "next_target",
    reloginRequired: false,
    retryAt: [],
    words: "the provider did not answer in time",
  },
  network: {
    scope: "network",
    next: "retry",
    reloginRequired: false,
    retryAt: [],
    words: "the connection to the provider failed",
  },
  blocked: {
    scope: "provider",
    next: "next_target",
    reloginRequired: false,
    retryAt: ["retry-after"],
    words: "something in front of the provider turned the request away",
  },
  model_not_found: {
    scope: "model",
    next: "next_target",
    reloginRequired: false,
    retryAt: [],
    words: "the provider does not know this model",
  },
  context_overflow: {
    scope: "request",
    next: "stop",
    reloginRequired: false,
    retryAt: [],
    words: "the conversation is longer than the model can read",
  },
  payload_too_large: {
    scope: "request",
    next: "stop",
    reloginRequired: false,
    retryAt: [],
    words: "the request is larger than the provider takes",
  },
  content_policy: {
    scope: "request",
    next: "stop",
    reloginRequired: false,
    retryAt: [],
    words: "the provider refused the content",
  },
  invalid_request: {
    scope: "request",
    next: "stop",
    reloginRequired: false,
    retryAt: [],
    words: "the provider refused the request as malformed",
  },
  invalid_encrypted_content: {
    scope: "request",
    next: "repair",
    reloginRequired: false,
    retryAt: [],
    words: "the provider refused reasoning that another account or model encrypted",
  },
  incomplete: {
    scope: "model",
    next: "retry",
    reloginRequired: false,
    retryAt: [],
    words: "the answer ended before it was complete",
  },
  cancelled: {
    scope: "request",
    next: "stop",
    reloginRequired: false,
    retryAt: [],
    words: "the caller gave up",
  },
  // Nobody knows whose fault it is, so nothing is kept out of the way (rule R4); and nobody knows that another try would
  // fail too, so the turn goes on: twice in place, then elsewhere.
  unknown: {
    scope: "request",
    next: "retry",
    reloginRequired: false,
    retryAt: [],
    words: "the provider failed without saying why",
  },
};

/**
 * The limits and keys of a provider behind an aggregator are the aggregator's, not ours: what would count against one of our
 * credentials counts against the model there, and the next target is asked.
 */
export function behindAggregator(verdict: Verdict): Verdict {
  if (verdict.scope !== "credential" && verdict.scope !== "credential_model") return verdict;
  return { scope: "model", next: "next_target", reloginRequired: false };
}
