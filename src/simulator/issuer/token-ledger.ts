import type { Ids } from "../ids.ts";
import type { SecretNames } from "../secret-names.ts";
import { accountClaims, type IssuedTokens, type SimulatedAccount } from "./account.ts";
import { createUnsignedJwt } from "./jwt.ts";

/** Everything that descends from one login. */
interface Family {
  revoked: boolean;
}

interface RefreshToken {
  readonly value: string;
  readonly account: SimulatedAccount;
  readonly family: Family;
  readonly clientId: string;
  /** Unix ms. */
  readonly expiresAt: number;
  spent: boolean;
  /** Times it was presented at the token endpoint. */
  presented: number;
}

interface AccessToken {
  readonly account: SimulatedAccount;
  readonly family: Family;
  /** Unix ms. */
  readonly expiresAt: number;
  revoked: boolean;
}

/** What the ledger says of a refresh token. Only `live` ones can be redeemed, and only once. */
export type RefreshState = "live" | "spent" | "expired" | "invalidated" | "unknown";

/** What the ledger says of an access token. */
export type AccessState =
  | { readonly state: "valid"; readonly account: SimulatedAccount }
  | { readonly state: "expired" | "invalidated"; readonly account: SimulatedAccount }
  | { readonly state: "unknown" };

/**
 * Every token the issuer has handed out, and what has become of it. Strict: a refresh token is worth one new pair, and
 * whoever presents it a second time is refused, whatever the reason.
 */
export class TokenLedger {
  readonly #now: () => number;
  readonly #ids: Ids;
  readonly #secrets: SecretNames;
  readonly #issuer: () => string;
  readonly #refresh = new Map<string, RefreshToken>();
  readonly #access = new Map<string, AccessToken>();
  readonly #counts = new Map<string, number>();

  constructor(options: { now: () => number; ids: Ids; secrets: SecretNames; issuer: () => string }) {
    this.#now = options.now;
    this.#ids = options.ids;
    this.#secrets = options.secrets;
    this.#issuer = options.issuer;
  }

  /** A new login: a family of its own. */
  issue(account: SimulatedAccount, times: TokenTimes, clientId: string): IssuedTokens {
    return this.#issue(account, times, clientId, { revoked: false });
  }

  /** The state of a refresh token. `present` counts it as presented at the token endpoint. */
  look(value: string, present: "present" | "only-look" = "only-look"): RefreshState {
    const token = this.#refresh.get(value);
    if (token === undefined) return "unknown";
    if (present === "present") token.presented += 1;
    if (token.spent) return "spent";
    if (token.family.revoked) return "invalidated";
    return token.expiresAt <= this.#now() ? "expired" : "live";
  }

  /** Spends a live refresh token for the next pair of its family. Throws when it is not live. */
  rotate(value: string, times: TokenTimes): IssuedTokens {
    const token = this.#refresh.get(value);
    if (token === undefined || this.look(value) !== "live") throw new Error("only a live refresh token can be rotated");
    token.spent = true;
    return this.#issue(token.account, times, token.clientId, token.family);
  }

  /** A new access token for a live refresh token that stays as it is. */
  renewAccess(value: string, times: TokenTimes): Omit<IssuedTokens, "refreshToken"> {
    const token = this.#refresh.get(value);
    if (token === undefined) throw new Error("no such refresh token");
    return this.#issueAccess(token.account, times, token.clientId, token.family);
  }

  /** Ends the family of a token of either kind. False when the token is unknown. */
  revokeFamilyOf(value: string): boolean {
    const family = this.#refresh.get(value)?.family ?? this.#access.get(value)?.family;
    if (family === undefined) return false;
    family.revoked = true;
    return true;
  }

  accountOf(value: string): SimulatedAccount | null {
    return this.#refresh.get(value)?.account ?? this.#access.get(value)?.account ?? null;
  }

  clientOf(refreshToken: string): string | null {
    return this.#refresh.get(refreshToken)?.clientId ?? null;
  }

  lookAtAccess(value: string): AccessState {
    const token = this.#access.get(value);
    if (token === undefined) return { state: "unknown" };
    if (token.revoked || token.family.revoked) return { state: "invalidated", account: token.account };
    return { state: token.expiresAt <= this.#now() ? "expired" : "valid", account: token.account };
  }

  /** Another name for an access token, one that is no JWT. */
  aliasAccess(value: string): string {
    const token = this.#access.get(value);
    if (token === undefined) throw new Error("no such access token");
    const alias = this.#ids.next("opaque_", 40);
    this.#access.set(alias, token);
    this.#secrets.add(alias, this.#name("opaque access token", token.account));
    return alias;
  }

  /** The account's live refresh tokens, the newest last. */
  liveRefreshTokens(account: SimulatedAccount): string[] {
    return [...this.#refresh.values()]
      .filter((token) => token.account === account && this.look(token.value) === "live")
      .map((token) => token.value);
  }

  /** Makes every access token of the account unusable; its refresh tokens go on. */
  revokeAccess(account: SimulatedAccount): void {
    for (const token of this.#access.values()) if (token.account === account) token.revoked = true;
  }

  /** Ends every login of the account. */
  revokeLogins(account: SimulatedAccount): void {
    for (const token of this.#refresh.values()) if (token.account === account) token.family.revoked = true;
    for (const token of this.#access.values()) if (token.account === account) token.family.revoked = true;
  }

  /** How often a refresh token was presented at the token endpoint. */
  presented(value: string): number {
    return this.#refresh.get(value)?.presented ?? 0;
  }

  /** Refresh tokens that were presented more than once. */
  presentedTwice(): number {
    return [...this.#refresh.values()].filter((token) => token.presented > 1).length;
  }

  #issue(account: SimulatedAccount, times: TokenTimes, clientId: string, family: Family): IssuedTokens {
    const access = this.#issueAccess(account, times, clientId, family);
    const value = this.#ids.next("rt_", 40);
    const expiresAt = this.#now() + times.refreshExpiresInS * 1_000;
    this.#refresh.set(value, { value, account, family, clientId, expiresAt, spent: false, presented: 0 });
    this.#secrets.add(value, this.#name("refresh token", account));
    return { ...access, refreshToken: value };
  }

  #issueAccess(account: SimulatedAccount, times: TokenTimes, clientId: string, family: Family) {
    const issuedAt = Math.floor(this.#now() / 1_000);
    const seconds = { issuedAt, expiresAt: issuedAt + times.expiresInS };
    const claims = accountClaims(account, this.#issuer(), seconds, this.#ids.next("jti_"));
    const accessToken = createUnsignedJwt({ ...claims, aud: ["https://api.openai.com/v1"], client_id: clientId });
    const idToken = createUnsignedJwt({ ...claims, aud: [clientId] });
    const expiresAt = seconds.expiresAt * 1_000;
    this.#access.set(accessToken, { account, family, expiresAt, revoked: false });
    this.#secrets.add(accessToken, this.#name("access token", account));
    this.#secrets.add(idToken, this.#name("id token", account));
    return { accessToken, idToken, expiresAt };
  }

  #name(kind: string, account: SimulatedAccount): string {
    const count = (this.#counts.get(`${kind} ${account.name}`) ?? 0) + 1;
    this.#counts.set(`${kind} ${account.name}`, count);
    return `${kind} ${count} of ${account.name}`;
  }
}

export interface TokenTimes {
  /** Seconds the access token lives. Negative: it is already over. */
  readonly expiresInS: number;
  /** Seconds the refresh token lives. */
  readonly refreshExpiresInS: number;
}
