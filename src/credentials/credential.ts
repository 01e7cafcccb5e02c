import type { Secret } from "../core/secret.ts";

/**
 * Where the secret of an API key comes from.
 *
 * `stored`: sealed in the store. `env`: the environment variable `name`, read anew each time. `file`: the first line of the
 * file at `path`. `command`: what `command` prints. Only `stored` keeps the secret itself.
 */
export type KeySource =
  | { readonly from: "stored"; readonly secret: Secret }
  | { readonly from: "env"; readonly name: string }
  | { readonly from: "file"; readonly path: string }
  | { readonly from: "command"; readonly command: string }
  /** A server on this machine that asks for no key. */
  | { readonly from: "none" };

/** Whose login it is, as far as the provider says. */
export interface Account {
  /** The provider's stable account id; for Codex the `chatgpt_account_id` claim. */
  readonly id: string | null;
  /** The person or member within the account; for Codex the `chatgpt_user_id` claim, else `sub`. */
  readonly userId: string | null;
  readonly email: string | null;
  /** The plan, as the provider spells it. */
  readonly plan: string | null;
}

/** The token pair of an OAuth credential. Each refresh makes the next generation. */
export interface Grant {
  /** 1 for a fresh login, +1 for each refresh or new login. */
  readonly generation: number;
  readonly accessToken: Secret;
  /** Null when the provider gave none: the grant then ends with its access token. */
  readonly refreshToken: Secret | null;
  readonly idToken: Secret | null;
  /** Unix ms, from the token's `exp` claim or the answer's `expires_in`; null when neither can be read. */
  readonly expiresAt: number | null;
  /** Unix ms of the login or refresh that made this generation. */
  readonly obtainedAt: number;
  /** Issuer origin that made the grant; its refresh token goes nowhere else (rule R7). */
  readonly issuer: string;
}

/** A verdict that only a new sign-in helps. It holds for one generation and ends with it. */
export interface ReloginMark {
  readonly generation: number;
  /** The token endpoint's code, for example `refresh_token_reused`. */
  readonly code: string;
  readonly message: string;
  /** Unix ms. */
  readonly since: number;
}

/**
 * The refresh token of `generation` was sent and the answer is not known (timed out, cut, or the process died).
 * The issuer may or may not have rotated it.
 */
export interface UnknownOutcome {
  readonly generation: number;
  /** Unix ms at which the token was sent or, if the process died, claimed. */
  readonly since: number;
}

interface CredentialBase {
  /** Stable: survives rename, refresh and new logins. */
  readonly id: string;
  readonly provider: string;
  /** Chosen by a person; unique within the provider. */
  readonly label: string;
  /** Lower comes first. */
  readonly priority: number;
  /** Paused by a person: never selected. */
  readonly paused: boolean;
  readonly createdAt: number;
  readonly uses: number;
  readonly lastUsedAt: number;
}

export interface ApiKeyCredential extends CredentialBase {
  readonly kind: "api_key";
  readonly source: KeySource;
  /** False for a key found in the environment, which the store does not know. */
  readonly persisted: boolean;
}

export interface OAuthCredential extends CredentialBase {
  readonly kind: "oauth";
  readonly account: Account;
  readonly grant: Grant;
  readonly relogin: ReloginMark | null;
  readonly unknownOutcome: UnknownOutcome | null;
  /**
   * The last outcome that was not known, of an earlier generation of this login. A late request of it may yet end the login: it
   * tells why, when this generation is refused.
   */
  readonly unknownBefore?: UnknownOutcome;
}

export type Credential = ApiKeyCredential | OAuthCredential;

/** True when only a new sign-in can make this credential usable again. */
export function needsRelogin(credential: Credential): boolean {
  return credential.kind === "oauth" && credential.relogin?.generation === credential.grant.generation;
}

/** True for the credential of a provider that asks for no key: it is called without one. */
export function isKeyless(credential: Credential): boolean {
  return credential.kind === "api_key" && credential.source.from === "none";
}

/**
 * All credentials of a pool: those of the store, then those that are there without having been added. Who was given a credential is never called
 * without one, not even while all of them rest.
 */
export function poolOf(stored: readonly Credential[], unstored: readonly Credential[]): readonly Credential[] {
  if (unstored.length === 0) return stored;
  return [...stored, ...(stored.length === 0 ? unstored : unstored.filter((one) => !isKeyless(one)))];
}
