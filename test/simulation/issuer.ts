import type { Account } from "../../src/credentials/credential.ts";
import type { Chance } from "./chance.ts";
import { issuerFaults, type IssuerFault } from "./issuer-faults.ts";

/** How an issuer treats its tokens. */
export interface IssuerPolicy {
  /** False: the refresh token stays what it is (RFC 6749 §6). */
  readonly rotates: boolean;
  /** How long the refresh token before the current one is still taken, in ms. 0: strict single use. */
  readonly graceMs: number;
  /** What presenting a spent token costs: the whole login (RFC 9700 §4.14.2), or only this answer. */
  readonly reuse: "family" | "token";
  /** True: the access tokens of a login that was revoked are refused at once. */
  readonly revokesAccess: boolean;
  /** True: a rotation ends the access token before it. */
  readonly endsOldAccess: boolean;
  /** How long an access token lives, in ms. */
  readonly lifeMs: number;
  /** How the client learns when the access token ends; `lie`: by a clock that is wrong by `lieMs`. */
  readonly tells: "jwt" | "expires_in" | "nothing" | "lie";
  readonly lieMs: number;
  /** True: OpenAI's nested error body, false: the flat one of the RFC. */
  readonly nestedErrors: boolean;
  /** Least and most ms from a request to its answer. */
  readonly delayMs: readonly [number, number];
}

/** One sign-in of one account: everything that comes of it by refreshing. */
export interface Family {
  readonly issuer: Issuer;
  readonly account: Account;
  /** The refresh token that is good now. */
  current: string;
  previous: { readonly token: string; readonly until: number } | null;
  readonly access: AccessToken[];
  /** Why no token of it works any more. */
  over: "reused" | "revoked by its issuer" | null;
}

export interface AccessToken {
  readonly family: Family;
  /** Unix ms, the true time. */
  readonly livesUntil: number;
  /** The provider stopped taking it before its time. */
  rejected: boolean;
}

/** One refresh that an issuer made good: the old token is spent, and the new pair is on its way. */
export interface Rotation {
  readonly family: Family;
  readonly spent: string;
  readonly refreshToken: string;
  readonly accessToken: string;
  /** Unix ms, the true time. */
  readonly at: number;
  /** The owner that asked, as it calls itself in claims. */
  readonly askedBy: string;
  /** Unix ms, the true time of the claim under which it asked. */
  readonly claimedAt: number;
  /** What kept the answer from arriving whole; null if nothing has. */
  mishap: string | null;
  /** The process has read the new pair. */
  delivered: boolean;
  /** Unix ms, the true time of the durable write; null before it. */
  durableAt: number | null;
}

export type Asker = Pick<Rotation, "askedBy" | "claimedAt">;

/** What the wire is to do with an answer. */
export interface IssuerReply {
  readonly how: "answer" | "cut" | "reset" | "refused-connection";
  readonly delayMs: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly rotation: Rotation | null;
}

/** All issuers share one register of tokens, as the providers that take them do. */
export class TokenRegister {
  readonly access = new Map<string, AccessToken>();
  readonly rotations = new Map<string, Rotation>();
  #made = 0;

  nextSerial(): number {
    this.#made += 1;
    return this.#made;
  }
}

/** A sign-in server in memory, with the faults that the weather puts on it. */
export class Issuer {
  readonly origin: string;
  readonly policy: IssuerPolicy;
  /** The fault that its next answers have, as often as `probability` says. */
  trouble: { readonly fault: IssuerFault; readonly probability: number } | null = null;
  readonly #chance: Chance;
  readonly #register: TokenRegister;
  readonly #families = new Map<string, Family>();

  constructor(origin: string, policy: IssuerPolicy, register: TokenRegister, chance: Chance) {
    this.origin = origin;
    this.policy = policy;
    this.#register = register;
    this.#chance = chance;
  }

  /** A person signs in: a new family, and its first access token. `livesMs` shortens that one's life. */
  signIn(account: Account, now: number, livesMs: number = this.policy.lifeMs) {
    const family: Family = {
      issuer: this,
      account,
      current: this.#refreshToken(),
      previous: null,
      access: [],
      over: null,
    };
    this.#families.set(family.current, family);
    return { family, refreshToken: family.current, ...this.#accessToken(family, now, livesMs) };
  }

  /** One POST to the token endpoint. */
  receive(form: URLSearchParams, asker: Asker, now: number): IssuerReply {
    const delayMs = this.#chance.whole(...this.policy.delayMs);
    const { trouble } = this;
    const fault = trouble !== null && this.#chance.happens(trouble.probability) ? trouble.fault : null;
    const plan = fault === null ? null : issuerFaults[fault];
    if (plan?.before !== undefined) {
      return { ...plan.before(this.#chance), delayMs, rotation: null };
    }
    const answer = this.#present(form.get("refresh_token") ?? "", asker, now);
    const reply: IssuerReply = { how: "answer", delayMs, ...answer };
    if (plan?.after === undefined || reply.rotation === null) return reply;
    const spoiled = { ...reply, ...plan.after(reply, this.#chance) };
    reply.rotation.mishap = plan.mishap ?? null;
    return spoiled;
  }

  familyOf(refreshToken: string): Family | null {
    return this.#families.get(refreshToken) ?? null;
  }

  /** The weather: somebody revokes the login at the issuer. */
  revoke(family: Family): void {
    family.over ??= "revoked by its issuer";
  }

  #present(token: string, asker: Asker, now: number): Pick<IssuerReply, "status" | "headers" | "text" | "rotation"> {
    const family = this.#families.get(token);
    if (family === undefined) return this.#error(400, "invalid_grant", "unknown token");
    if (family.over !== null) return this.#error(401, "refresh_token_invalidated", "the login is over");
    const isCurrent = token === family.current;
    const isGraced = family.previous?.token === token && now < family.previous.until;
    if (!isCurrent && !isGraced) {
      if (this.policy.reuse === "family") family.over = "reused";
      return this.#error(401, "refresh_token_reused", "the token was used before");
    }
    return this.#rotate(family, token, asker, now);
  }

  #rotate(family: Family, spent: string, { askedBy, claimedAt }: Asker, now: number) {
    const refreshToken = this.policy.rotates ? this.#refreshToken() : family.current;
    if (this.policy.rotates) {
      family.previous = { token: family.current, until: now + this.policy.graceMs };
      family.current = refreshToken;
      this.#families.set(refreshToken, family);
    }
    if (this.policy.endsOldAccess) {
      for (const access of family.access) access.rejected = true;
    }
    const { accessToken, expiresInS } = this.#accessToken(family, now, this.policy.lifeMs);
    const rotation: Rotation = {
      family,
      spent,
      refreshToken,
      accessToken,
      at: now,
      askedBy,
      claimedAt,
      mishap: null,
      delivered: false,
      durableAt: null,
    };
    if (this.policy.rotates) this.#register.rotations.set(refreshToken, rotation);
    const fields = {
      ...(this.policy.rotates ? { refresh_token: refreshToken } : {}),
      access_token: accessToken,
      ...(expiresInS === null ? {} : { expires_in: expiresInS }),
      token_type: "Bearer",
    };
    return { status: 200, headers: json, text: JSON.stringify(fields), rotation };
  }

  #error(status: number, code: string, words: string) {
    const body = this.policy.nestedErrors
      ? { error: { code, type: "invalid_request_error", message: words } }
      : { error: code, error_description: words };
    return { status, headers: json, text: JSON.stringify(body), rotation: null };
  }

  #refreshToken(): string {
    return `refresh-${this.#register.nextSerial()}`;
  }

  #accessToken(family: Family, now: number, lifeMs: number) {
    const livesUntil = now + lifeMs;
    const told = livesUntil + (this.policy.tells === "lie" ? this.policy.lieMs : 0);
    const serial = this.#register.nextSerial();
    const isJwt = this.policy.tells === "jwt" || this.policy.tells === "lie";
    const accessToken = isJwt ? jwt(serial, family.account, told) : `opaque-${serial}`;
    const access: AccessToken = { family, livesUntil, rejected: false };
    family.access.push(access);
    this.#register.access.set(accessToken, access);
    const expiresAt = this.policy.tells === "nothing" ? null : isJwt ? Math.floor(told / 1_000) * 1_000 : livesUntil;
    const expiresInS = this.policy.tells === "expires_in" ? Math.floor(lifeMs / 1_000) : null;
    return { accessToken, expiresAt, expiresInS };
  }
}

const json = { "content-type": "application/json" };

function jwt(serial: number, account: Account, expiresAt: number): string {
  const claims = {
    jti: serial,
    exp: Math.floor(expiresAt / 1_000),
    email: account.email,
    "https://api.openai.com/auth": { chatgpt_account_id: account.id, chatgpt_user_id: account.userId },
  };
  return `eyJ0.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
}
