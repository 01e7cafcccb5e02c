import type { Cooldown } from "./cooldown.ts";
import type { Decision } from "./decide.ts";
import type { Failure } from "./failure.ts";

/** A credential as it may be shown: no part of the secret. */
export interface CredentialName {
  readonly id: string;
  readonly label: string;
}

/** Which candidate an attempt used. */
export interface Candidate {
  readonly provider: string;
  readonly model: string;
  readonly credential: CredentialName;
}

/** Tokens of one answer, each counted once: `input` includes `cachedInput`, `output` includes `reasoning`. */
export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cachedInput: number;
  readonly reasoning: number;
  /** What the provider itself says that this answer cost, in its own currency. */
  readonly reportedCost?: number;
}

/** What an answer cost. `prices`: by the configured price. `provider`: as the provider reports it. */
export interface Cost {
  readonly usd: number;
  readonly from: "prices" | "provider";
}

/** What happens during a turn, in order. `at` is Unix ms. */
export type TurnEvent =
  | { readonly type: "turn-start"; readonly turnId: string; readonly route: string; readonly at: number }
  | { readonly type: "attempt-start"; readonly attempt: number; readonly candidate: Candidate; readonly at: number }
  | {
      readonly type: "token-refresh";
      readonly candidate: Candidate;
      /** `ok`: a new token. `kept`: the refresh failed but the old token still lives. `failed`: no token. */
      readonly outcome: "ok" | "kept" | "failed";
      readonly at: number;
    }
  | {
      readonly type: "attempt-failed";
      readonly attempt: number;
      readonly candidate: Candidate;
      readonly failure: Failure;
      readonly decision: Decision;
      /** Who or what rests from now on because of it. Missing: nobody. */
      readonly cooldown?: Cooldown;
      readonly at: number;
    }
  | {
      readonly type: "switched";
      readonly from: Candidate;
      readonly to: Candidate;
      readonly failure: Failure;
      readonly at: number;
    }
  | { readonly type: "waiting"; readonly untilMs: number; readonly at: number }
  | {
      readonly type: "relogin-required";
      readonly candidate: Candidate;
      readonly failure: Failure;
      /** The one command that repairs it. */
      readonly command: string;
      readonly at: number;
    }
  /** Something about this turn could not be written to the store. The turn goes on. */
  | { readonly type: "store-unavailable"; readonly message: string; readonly at: number }
  | {
      readonly type: "committed";
      readonly attempt: number;
      readonly candidate: Candidate;
      /**
       * Of the time since the turn began, what neither providers nor token endpoints nor waits took, in ms with fractions.
       * Missing: nobody measured.
       */
      readonly overheadMs?: number;
      /** In words, what of the request could not be carried to this candidate. Missing: all of it went there. */
      readonly dropped?: readonly string[];
      readonly at: number;
    }
  | {
      readonly type: "turn-end";
      readonly turnId: string;
      readonly outcome: TurnOutcome;
      readonly attempts: number;
      readonly usage: Usage | null;
      /** Null when neither the configuration nor the provider names a price. */
      readonly cost: Cost | null;
      /** Why the answer broke off after its beginning; else null. */
      readonly failure: Failure | null;
      /** Who or what rests from now on because of it. Missing: nobody. */
      readonly cooldown?: Cooldown;
      readonly at: number;
    };

/** `answered`: complete. `cut`: broke after the commit point. `failed`: no candidate could answer. */
export type TurnOutcome = "answered" | "cut" | "failed" | "cancelled";

/** What the journal keeps of one attempt. No content of the conversation. */
export interface AttemptRecord {
  readonly candidate: Candidate;
  readonly startedAt: number;
  readonly endedAt: number;
  /** False when it ended before a call was made: no token, no key. */
  readonly called: boolean;
  /** How long the turn had waited before it, in ms: a back-off, or a recovery. Missing: not at all. */
  readonly waitedMs?: number;
  /** Until when the credential, or this model, rests because of it, in Unix ms. Missing: nobody rests. */
  readonly restsUntil?: number;
  /** In words, what of the request could not be carried to who answered: names of fields and kinds of content. Missing: nothing was left out. */
  readonly dropped?: readonly string[];
  /** True when it had begun to answer, and its caller had seen some of it when it failed. */
  readonly cut?: true;
  readonly failure: Failure | null;
  readonly decision: Decision | null;
}

/** What the journal keeps of one turn. */
export interface TurnRecord {
  readonly id: string;
  readonly route: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly outcome: TurnOutcome;
  readonly attempts: readonly AttemptRecord[];
  readonly usage: Usage | null;
  /** Null or missing: neither the configuration nor the provider names a price. */
  readonly cost?: Cost | null;
}
