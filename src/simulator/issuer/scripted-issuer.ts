import { type Call, type CallResult, parseBody, Role, type Stage } from "../role.ts";
import { Script } from "../script.ts";
import { jsonReply, type Reply } from "../reply.ts";
import type { IssuedTokens, SimulatedAccount } from "./account.ts";
import { answerAuthorize } from "./authorize-endpoint.ts";
import { DeviceCodes } from "./device-codes.ts";
import { answerPoll, answerUsercode, approve } from "./device-endpoint.ts";
import { devicePage, devicePageAnswer } from "./device-page.ts";
import { isFaultAt, type IssuerEndpoint, type IssuerFaultName } from "./issuer-faults.ts";
import { codexClientId, type IssuerCounters, type IssuerSettings, type IssuerState } from "./issuer-state.ts";
import { changeFields, fieldFaults, refusals, spoilers } from "./misbehave.ts";
import { answerToken, tokenReply } from "./token-endpoint.ts";
import { type AccessState, TokenLedger } from "./token-ledger.ts";

/** An account by itself or by its name. */
export type AccountRef = SimulatedAccount | string;

export interface IssuerScriptOptions {
  /** Default `token`. */
  readonly at?: IssuerEndpoint;
  /** Only for this account's tokens. */
  readonly for?: AccountRef;
  /** Requests it lasts for; default 1. */
  readonly times?: number;
  /** Seconds in `Retry-After` of `rate-limited`; default 20. */
  readonly retryAfterS?: number;
}

const endpoints: Readonly<Record<string, IssuerEndpoint>> = {
  "POST /api/accounts/deviceauth/usercode": "usercode",
  "POST /api/accounts/deviceauth/token": "poll",
  "POST /oauth/token": "token",
  "POST /oauth/revoke": "revoke",
  "GET /oauth/authorize": "authorize",
};

/**
 * OpenAI's issuer as Codex uses it: device code, browser sign-in, code exchange, refresh with strict single use, revocation. Its
 * JWTs are unsigned. What goes wrong is queued by name with `script`; who signs in is said with `addAccount` and `approveDevice`.
 */
export class ScriptedIssuer extends Role {
  readonly settings: IssuerSettings = {
    clientId: codexClientId,
    onReuse: "refuse",
    accessTokenExpiresInS: 3_600,
    refreshTokenExpiresInS: 30 * 24 * 3_600,
    pollInterval: "5",
    pendingStatus: 403,
    autoApprove: null,
    approveAfterPolls: 0,
    browserAccount: null,
  };
  readonly counters: IssuerCounters = {
    usercodes: 0,
    polls: 0,
    exchanges: 0,
    refreshes: 0,
    rotations: 0,
    reused: 0,
    revocations: 0,
  };
  readonly #script = new Script<{ fault: IssuerFaultName; retryAfterS: number }>();
  readonly #accounts: SimulatedAccount[] = [];
  readonly #state: IssuerState;

  constructor(stage: Stage) {
    super(stage);
    const { settings } = this;
    this.#state = {
      settings,
      counters: this.counters,
      ledger: new TokenLedger({ ...stage, issuer: () => this.origin }),
      deviceCodes: new DeviceCodes(stage.ids),
      authorizationCodes: new Map(),
      accounts: this.#accounts,
      ids: stage.ids,
      now: stage.now,
      origin: () => this.origin,
      times: () => ({
        expiresInS: settings.accessTokenExpiresInS,
        refreshExpiresInS: settings.refreshTokenExpiresInS,
      }),
      hide: (value, name) => stage.secrets.add(value, name),
    };
  }

  // Accounts and their tokens -----------------------------------------------------------------------------------------

  /** A new account. `name` is what logs and scripts call it (default: the email); plan `plus` by default. */
  addAccount(input: {
    email: string;
    name?: string;
    accountId?: string;
    userId?: string;
    plan?: string;
  }): SimulatedAccount {
    const account: SimulatedAccount = {
      name: input.name ?? input.email,
      email: input.email,
      accountId: input.accountId ?? this.stage.ids.next("acct_"),
      userId: input.userId ?? this.stage.ids.next("user-"),
      plan: input.plan ?? "plus",
    };
    if (this.#accounts.some((other) => other.name === account.name)) throw new Error(`account ${account.name} exists`);
    this.#accounts.push(account);
    return account;
  }

  get accounts(): readonly SimulatedAccount[] {
    return this.#accounts;
  }

  /** A login without the flow. `expiresInS` may be negative for an access token that is already over. */
  issueTokens(account: AccountRef, options: { expiresInS?: number; clientId?: string } = {}): IssuedTokens {
    const times = this.#state.times();
    return this.#state.ledger.issue(
      this.account(account),
      { ...times, expiresInS: options.expiresInS ?? times.expiresInS },
      options.clientId ?? this.settings.clientId ?? codexClientId,
    );
  }

  /** Another client redeems the account's newest live refresh token. Returns what it got; yours is spent now. */
  consumeRefreshToken(account: AccountRef): IssuedTokens {
    const token = this.#state.ledger.liveRefreshTokens(this.account(account)).at(-1);
    if (token === undefined) throw new Error("the account has no live refresh token");
    return this.#state.ledger.rotate(token, this.#state.times());
  }

  /** Makes the account's access tokens answer `token_invalidated`; refreshing still works. */
  revokeAccess(account: AccountRef): void {
    this.#state.ledger.revokeAccess(this.account(account));
  }

  /** Ends all logins of the account: access and refresh tokens are invalidated. */
  revokeLogins(account: AccountRef): void {
    this.#state.ledger.revokeLogins(this.account(account));
  }

  /** What the backends ask: whose access token it is, and whether it is still good. */
  lookAtAccess(accessToken: string): AccessState {
    return this.#state.ledger.lookAtAccess(accessToken);
  }

  /** How often this refresh token was presented at the token endpoint. */
  refreshesOf(refreshToken: string): number {
    return this.#state.ledger.presented(refreshToken);
  }

  /** Refresh tokens that were presented more than once, for whatever reason. */
  get presentedTwice(): number {
    return this.#state.ledger.presentedTwice();
  }

  /** The account's refresh tokens that could still be redeemed, the newest last. */
  liveRefreshTokens(account: AccountRef): string[] {
    return this.#state.ledger.liveRefreshTokens(this.account(account));
  }

  // The person ---------------------------------------------------------------------------------------------------------

  /** User codes that wait for a person, the oldest first. */
  get pendingUserCodes(): string[] {
    return this.#state.deviceCodes.pending();
  }

  approveDevice(userCode: string, account: AccountRef): void {
    approve(this.#state, this.#deviceCode(userCode), this.account(account));
  }

  declineDevice(userCode: string): void {
    this.#deviceCode(userCode).state = "declined";
  }

  // Faults -------------------------------------------------------------------------------------------------------------

  /** Queues a fault. Throws when it can't happen at that endpoint. */
  script(fault: IssuerFaultName, options: IssuerScriptOptions = {}): void {
    const at = options.at ?? "token";
    if (!isFaultAt(fault, at)) throw new TypeError(`the issuer has no fault ${fault} at ${at}`);
    const account = options.for === undefined ? undefined : this.account(options.for).name;
    this.#script.add({ fault, retryAfterS: options.retryAfterS ?? 20 }, { at, account }, options.times ?? 1);
  }

  /** Queued faults that have not happened yet. */
  get unplayed(): IssuerFaultName[] {
    return this.#script.unplayed.map((entry) => entry.fault);
  }

  // -------------------------------------------------------------------------------------------------------------------

  protected override async answer(call: Call): Promise<CallResult> {
    const endpoint = endpoints[`${call.method} ${call.path}`];
    if (endpoint === undefined) return this.#page(call);
    const body = parseBody(call.text, call.headers["content-type"]);
    const fields = typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
    const account = this.#accountIn(fields);
    call.record.credential = account?.name ?? null;
    const cue = this.#script.next({ at: endpoint, account: account?.name });
    if (cue === null) return this.#act(endpoint, call, fields, null);

    const { fault, retryAfterS } = cue;
    call.record.behaviour = fault;
    if (fault === "held-before-acting" && (await this.holdBack(call)) === "gone")
      return { status: 0, headers: {}, steps: [] };
    const refusal = refusals[fault];
    if (refusal !== undefined) {
      this.#countRefused(endpoint, fields);
      return refusal({ retryAfterS, elsewhere: this.stage.elsewhere() });
    }
    if (fault === "no-refresh-token") return this.#renewAccess(call, fields);
    const reply = this.#act(endpoint, call, fields, fault);
    const change = fieldFaults[fault];
    if (change === undefined) return spoilers[fault]?.(reply) ?? reply;
    const other = (): IssuedTokens => this.issueTokens(this.#otherThan(account));
    const opaque = (accessToken: string): string => this.#state.ledger.aliasAccess(accessToken);
    return changeFields(reply, (good) => change({ other, opaque, good }));
  }

  #act(endpoint: IssuerEndpoint, call: Call, fields: Record<string, unknown>, fault: IssuerFaultName | null): Reply {
    switch (endpoint) {
      case "usercode":
        return answerUsercode(this.#state, fields);
      case "poll":
        return answerPoll(this.#state, fields);
      case "token":
        return answerToken(this.#state, fields);
      case "authorize":
        return answerAuthorize(this.#state, call.query, fault);
      case "revoke":
        this.counters.revocations += 1;
        if (typeof fields.token !== "string") return jsonReply(400, { error: "invalid_request" });
        this.#state.ledger.revokeFamilyOf(fields.token);
        return jsonReply(200, {});
    }
  }

  /** An answer without a refresh token: the old one was not spent. */
  #renewAccess(call: Call, fields: Record<string, unknown>): Reply {
    const token = typeof fields.refresh_token === "string" ? fields.refresh_token : "";
    if (this.#state.ledger.look(token) !== "live") return this.#act("token", call, fields, null);
    this.counters.refreshes += 1;
    this.#state.ledger.look(token, "present");
    const tokens = this.#state.ledger.renewAccess(token, this.#state.times());
    return changeFields(tokenReply(this.#state, { ...tokens, refreshToken: "" }), () => ({ refresh_token: undefined }));
  }

  /** A refused request was made all the same. */
  #countRefused(endpoint: IssuerEndpoint, fields: Record<string, unknown>): void {
    if (endpoint === "usercode") this.counters.usercodes += 1;
    if (endpoint === "poll") this.counters.polls += 1;
    if (endpoint === "revoke") this.counters.revocations += 1;
    if (endpoint !== "token") return;
    if (typeof fields.refresh_token !== "string") {
      this.counters.exchanges += 1;
      return;
    }
    this.counters.refreshes += 1;
    this.#state.ledger.look(fields.refresh_token, "present");
  }

  #page(call: Call): Reply {
    if (call.path !== "/codex/device") return this.unplannedReply(call);
    if (call.method === "GET") return devicePage();
    if (call.method !== "POST") return this.unplannedReply(call);
    const code = this.#state.deviceCodes.find(new URLSearchParams(call.text).get("user_code")?.trim() ?? "");
    const account = this.settings.browserAccount ?? this.#accounts[0];
    if (code?.state !== "pending" || account === undefined) return devicePageAnswer(false);
    approve(this.#state, code, account);
    return devicePageAnswer(true);
  }

  /** Whose request it is, as far as its fields tell. */
  #accountIn(fields: Record<string, unknown>): SimulatedAccount | null {
    for (const token of [fields.refresh_token, fields.token]) {
      if (typeof token === "string") return this.#state.ledger.accountOf(token);
    }
    if (typeof fields.code === "string") return this.#state.authorizationCodes.get(fields.code)?.account ?? null;
    if (typeof fields.user_code === "string") return this.#state.deviceCodes.find(fields.user_code)?.account ?? null;
    return null;
  }

  /** The account itself, wherever only its name is at hand. Throws when there is none. */
  account(ref: AccountRef): SimulatedAccount {
    if (typeof ref !== "string") return ref;
    const account = this.#accounts.find((other) => other.name === ref);
    if (account === undefined) throw new Error(`the issuer has no account ${ref}`);
    return account;
  }

  #otherThan(account: SimulatedAccount | null): SimulatedAccount {
    const other = this.#accounts.find((candidate) => candidate !== account);
    return other ?? this.addAccount({ email: "somebody-else@example.test" });
  }

  #deviceCode(userCode: string) {
    const code = this.#state.deviceCodes.find(userCode);
    if (code === null) throw new Error(`the issuer has no device code ${userCode}`);
    return code;
  }
}
