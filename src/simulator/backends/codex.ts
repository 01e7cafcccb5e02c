import type { ScriptedIssuer } from "../issuer/scripted-issuer.ts";
import { jsonReply, type Reply } from "../reply.ts";
import type { Call, Stage } from "../role.ts";
import { tokenRefusals } from "../wire/codex-errors.ts";
import type { Objection } from "../wire/dialect.ts";
import { createResponsesDialect } from "../wire/responses-dialect.ts";
import { Backend, type Caller } from "./backend.ts";
import { bearerOf } from "./bearer.ts";
import { type CodexLimits, defaultLimits, limitHeaders, usageBody } from "./codex-limits.ts";

/**
 * Codex's Responses backend for ChatGPT logins: streams only, with its own rules for the body, its rate headers and its sticky
 * turn state. The access tokens are the issuer's; a credential's name is its account's.
 */
export class CodexBackend extends Backend {
  /** Requests that brought the turn state of another account. */
  foreignTurnStates = 0;
  protected override readonly modelCall = "POST /backend-api/codex/responses";
  protected override readonly otherCalls = ["GET /backend-api/codex/models", "GET /backend-api/wham/usage"];
  readonly #issuer: ScriptedIssuer;
  readonly #limits = new Map<string, CodexLimits>();

  constructor(stage: Stage, issuer: ScriptedIssuer) {
    super(stage, createResponsesDialect("codex"), ["gpt-5.5", "gpt-5.4", "gpt-5.4-mini", "gpt-5.3-codex"]);
    this.#issuer = issuer;
  }

  override get baseUrl(): string {
    return `${this.origin}/backend-api/codex`;
  }

  /** What the account's rate headers and its usage say from now on. It limits nothing by itself. */
  setLimits(account: string, limits: Partial<CodexLimits>): void {
    this.#limits.set(account, { ...this.#limitsOf(account), ...limits });
  }

  /** A good token of the issuer, and the id of its account beside it. */
  protected override authenticate(call: Call): Caller | Objection {
    const presented = bearerOf(call);
    if (presented === null) return { status: 401, message: "Unauthorized", asDetail: true };
    const access = this.#issuer.lookAtAccess(presented);
    switch (access.state) {
      case "unknown":
        return {
          status: 401,
          code: "invalid_token",
          message: "Could not parse your authentication token. Please try signing in again.",
        };
      case "expired":
        call.record.credential = access.account.name;
        return { status: 401, code: "token_expired", message: tokenRefusals.token_expired };
      case "invalidated":
        call.record.credential = access.account.name;
        return { status: 401, code: "token_invalidated", message: tokenRefusals.token_invalidated };
      case "valid":
        break;
    }
    const accountId = call.headers["chatgpt-account-id"];
    if (accountId === undefined && call.path.endsWith("/responses")) {
      return { status: 401, message: "ChatGPT-Account-ID header is missing", asDetail: true };
    }
    if (accountId !== undefined && accountId !== access.account.accountId) {
      return { status: 403, message: "The account does not belong to this token", asDetail: true };
    }
    return { credential: access.account.name, plan: access.account.plan, presented };
  }

  protected override headersFor(caller: Caller, call: Call): Record<string, string> {
    const stateOf = (account: string): string => `ts.${Buffer.from(account).toString("base64url")}.`;
    const given = call.headers["x-codex-turn-state"];
    const own = typeof given === "string" && given.startsWith(stateOf(caller.credential));
    if (given !== undefined && !own) this.foreignTurnStates += 1;
    return {
      "x-codex-turn-state": own ? given : this.stage.ids.next(stateOf(caller.credential)),
      "x-codex-plan-type": caller.plan,
      ...limitHeaders(this.#limitsOf(caller.credential), this.stage.now()),
    };
  }

  protected override answerOther(call: Call, caller: Caller): Reply {
    if (call.path.endsWith("/usage")) {
      return jsonReply(200, usageBody(caller.plan, this.#limitsOf(caller.credential), this.stage.now()));
    }
    if (!call.query.has("client_version")) {
      return this.refuse(call, { status: 400, message: "client_version is required", asDetail: true });
    }
    // Without the account's id the real one answers with an empty list.
    const models = call.headers["chatgpt-account-id"] === undefined ? [] : this.models;
    const rows = models.map((slug, index) => ({
      slug,
      display_name: slug,
      priority: index + 1,
      visibility: "list",
      supported_in_api: true,
    }));
    return jsonReply(200, { models: rows }, { etag: `W/"models-${rows.length}"` });
  }

  #limitsOf(account: string): CodexLimits {
    return this.#limits.get(account) ?? defaultLimits;
  }
}
