import type { Secret } from "../core/secret.ts";
import { exchange, type ExchangeOutcome, isSuccess, postRequest, timeoutCode, type Ports } from "./exchange.ts";
import { classifyRefreshError, type RefreshCode } from "./refresh-verdicts.ts";
import { readTokenAnswer, type TokenAnswer, type TokenSet } from "./token-answer.ts";

/** How one spending of a refresh token ended. */
export type RefreshOutcome =
  | { readonly kind: "answered"; readonly tokens: TokenSet }
  /**
   * The server rotated the refresh token and gave no usable access token. The old refresh token is spent: keep the new
   * one first, then refresh with it.
   */
  | {
      readonly kind: "rotated";
      readonly refreshToken: Secret;
      readonly idToken: Secret | null;
      readonly code: RefreshCode;
      readonly message: string;
      readonly status: number;
    }
  /** Only a new sign-in helps. Never send this token again. */
  | {
      readonly kind: "refused";
      readonly code: string;
      readonly message: string;
      readonly status: number;
      readonly reloginRequired: true;
    }
  /** Not now; no verdict on the login. `retryAt` in Unix ms, when the server said. */
  | {
      readonly kind: "deferred";
      readonly code: string;
      readonly message: string;
      readonly status: number;
      readonly reloginRequired: false;
      readonly retryAt?: number;
    }
  /** No byte reached the server: the token is as it was. */
  | {
      readonly kind: "never_sent";
      readonly code: RefreshCode;
      readonly message: string;
      readonly networkCode: string;
      readonly reloginRequired: false;
    }
  /** Sent, and what came back (if anything) does not say how it ended: the token may be spent. */
  | {
      readonly kind: "unanswered";
      readonly code: RefreshCode;
      readonly message: string;
      readonly networkCode: string;
      readonly reloginRequired: false;
      readonly status?: number;
    };

/** Which token is spent, and where. */
export interface RefreshOptions extends Ports {
  /** The token endpoint. The refresh token is sent there and nowhere else: redirects are not followed (rule R7). */
  readonly endpoint: string;
  readonly clientId: string;
  readonly refreshToken: Secret;
  /** RFC 6749 says form; OpenAI's own client sends JSON, and its server takes both. */
  readonly encoding: "form" | "json";
  /** Limit for the whole call. Default 20,000. */
  readonly timeoutMs?: number;
  /** Further fields, for example OpenAI's `refresh_reason`. */
  readonly extraParams?: Readonly<Record<string, string>>;
}

/** Milliseconds a refresh may take. */
export const refreshTimeoutMs = 20_000;

/**
 * Spends a refresh token: one POST, never retried, never throws. There is no way to abort it, since a call that was
 * given up half-way leaves nobody who knows the new token.
 */
export async function refreshGrant(options: RefreshOptions): Promise<RefreshOutcome> {
  const { clock, endpoint, clientId, refreshToken, encoding, extraParams } = options;
  const timeoutMs = options.timeoutMs ?? refreshTimeoutMs;
  const request = postRequest(endpoint, encoding, {
    ...extraParams,
    grant_type: "refresh_token",
    client_id: clientId,
    refresh_token: refreshToken.reveal(),
  });
  const outcome = await exchange(options, request, timeoutMs);
  if (outcome.kind !== "answered") return readNetworkFault(outcome, endpoint, timeoutMs);
  return readRefreshAnswer(readTokenAnswer(outcome.answer, clock.now(), [refreshToken]));
}

/** From a token endpoint's answer to what it means for the login. */
export function readRefreshAnswer(answer: TokenAnswer): RefreshOutcome {
  const { status } = answer;
  switch (answer.kind) {
    case "tokens":
      return { kind: "answered", tokens: answer.tokens };
    case "rotated":
      return {
        kind: "rotated",
        refreshToken: answer.refreshToken,
        idToken: answer.idToken,
        code: "refresh_missing_access_token",
        message: "the sign-in server gave a new refresh token without an access token",
        status,
      };
    case "no_tokens":
      return {
        kind: "refused",
        code: "refresh_missing_access_token" satisfies RefreshCode,
        message: "the sign-in server called the refresh a success but gave no access token",
        status,
        reloginRequired: true,
      };
    case "error":
      return judge(answer, answer.code, true);
    case "unreadable":
      break;
  }
  if (!isSuccess(status)) return judge(answer, null, false);
  return {
    kind: "unanswered",
    code: "refresh_invalid_answer",
    message: "the sign-in server called the refresh a success, but its answer could not be read",
    networkCode: answer.cut ?? "UNREADABLE_ANSWER",
    reloginRequired: false,
    status,
  };
}

function judge(
  answer: { readonly status: number; readonly description: string | null; readonly retryAt: number | null },
  issuerCode: string | null,
  isError: boolean,
): RefreshOutcome {
  const { status, description, retryAt } = answer;
  const verdict = classifyRefreshError(status, issuerCode, isError);
  const code = verdict.tell ?? issuerCode ?? ("refresh_failed" satisfies RefreshCode);
  const sentence = verdict.sentence.replace("{status}", String(status));
  const message = verdict.quotes && description !== null ? `${sentence}: ${description}` : sentence;
  if (verdict.final) return { kind: "refused", code, message, status, reloginRequired: true };
  return { kind: "deferred", code, message, status, reloginRequired: false, ...(retryAt === null ? {} : { retryAt }) };
}

function readNetworkFault(
  outcome: Exclude<ExchangeOutcome, { kind: "answered" }>,
  endpoint: string,
  timeoutMs: number,
): RefreshOutcome {
  const server = `the sign-in server ${hostOf(endpoint)}`;
  if (outcome.kind === "never_sent") {
    return {
      kind: "never_sent",
      code: "refresh_never_sent",
      message: `${server} can't be reached (${outcome.networkCode})`,
      networkCode: outcome.networkCode,
      reloginRequired: false,
    };
  }
  const networkCode = outcome.kind === "unanswered" ? outcome.networkCode : "UNKNOWN";
  const why =
    networkCode === timeoutCode
      ? `did not answer within ${timeoutMs / 1_000} s`
      : `broke the connection without an answer (${networkCode})`;
  return {
    kind: "unanswered",
    code: "refresh_unanswered",
    message: `${server} ${why}`,
    networkCode,
    reloginRequired: false,
  };
}

/** The host of a URL, for a message; the text itself is never shown, since it could hold anything. */
function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : "(its address can't be read)";
}
