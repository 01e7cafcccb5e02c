import type { Account, OAuthCredential } from "./credential.ts";
import type { NewGrant } from "./store.ts";

/** How one spending of a refresh token ended. A value, never a throw. */
export type RefreshOutcome =
  /** A new pair. `account` is whose it is, as far as the new tokens say. */
  | { readonly kind: "answered"; readonly grant: NewGrant; readonly account: Account | null }
  /** Refused for good: this token will never work again. */
  | { readonly kind: "refused"; readonly code: string; readonly message: string; readonly status?: number }
  /** Refused for now: 429, 5xx, or an answer that says nothing about the login. `retryAt` in Unix ms. */
  | {
      readonly kind: "deferred";
      readonly code: string;
      readonly message: string;
      readonly status?: number;
      readonly retryAt?: number;
    }
  /** No byte reached the token endpoint. */
  | { readonly kind: "never_sent"; readonly message: string }
  /** Sent, but no answer came: the token may be spent. */
  | { readonly kind: "unanswered"; readonly message: string };

/** Spends the credential's refresh token once: one POST with its own time limit, never aborted by a caller. */
export type SpendRefreshToken = (credential: OAuthCredential) => Promise<RefreshOutcome>;
