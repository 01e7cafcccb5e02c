import type { Secret } from "../core/secret.ts";
import type { ErrorAnswer } from "./error-answer.ts";
import { postRequest, type Ports } from "./exchange.ts";
import { type LoginFailureCode, type LoginResult, loginFailure, networkLoginFailure } from "./login-failure.ts";
import { patientExchange } from "./patient-exchange.ts";
import { readTokenAnswer, type TokenAnswer, type TokenSet } from "./token-answer.ts";

/** Limit for one request of a sign-in, in ms. */
export const loginTimeoutMs = 15_000;

/** One exchange of an authorization code. */
export interface CodeExchangeOptions extends Ports {
  /** The token endpoint. */
  readonly endpoint: string;
  readonly clientId: string;
  readonly code: Secret;
  readonly verifier: Secret;
  /** The same that the authorization named. */
  readonly redirectUri: string;
  /** Default `loginTimeoutMs`. */
  readonly timeoutMs?: number;
}

/**
 * Turns an authorization code into tokens (RFC 6749 §4.1.3 with RFC 7636 §4.5, form-encoded). A rate limit is waited out.
 * Can't be cancelled: a code that was given up half-way is spent, and nobody has its tokens.
 */
export async function exchangeCode(options: CodeExchangeOptions): Promise<LoginResult<TokenSet>> {
  const { clock, endpoint, clientId, code, verifier, redirectUri } = options;
  const request = postRequest(endpoint, "form", {
    grant_type: "authorization_code",
    client_id: clientId,
    code: code.reveal(),
    redirect_uri: redirectUri,
    code_verifier: verifier.reveal(),
  });
  const timeoutMs = options.timeoutMs ?? loginTimeoutMs;
  const outcome = await patientExchange(options, request, { timeoutMs, repeatable: false });
  if (outcome.kind !== "answered") return networkLoginFailure(outcome, endpoint);
  return readLoginTokens(readTokenAnswer(outcome.answer, clock.now(), [code, verifier]));
}

/** The tokens of a first answer, or why there are none. */
export function readLoginTokens(answer: TokenAnswer): LoginResult<TokenSet> {
  if (answer.kind === "tokens") return { ok: true, value: answer.tokens };
  if (answer.kind === "rotated" || answer.kind === "no_tokens") {
    return loginFailure("incomplete", "the sign-in server gave no access token", { status: answer.status });
  }
  return answerFailure(answer, "the sign-in server gave no tokens");
}

/** Which of the standard codes are not a plain refusal. RFC 6749 §4.1.2.1, §5.2; RFC 8628 §3.5. */
const knownCodes: Readonly<Record<string, LoginFailureCode>> = {
  access_denied: "declined",
  authorization_declined: "declined",
  expired_token: "expired",
};

/** The failure that an error answer is, with the server's own words where it has any. */
export function answerFailure(answer: ErrorAnswer, sentence: string): ReturnType<typeof loginFailure> {
  const { status, description, retryAt } = answer;
  const providerCode = answer.kind === "error" ? answer.code : null;
  const facts = {
    status,
    ...(providerCode === null ? {} : { providerCode }),
    ...(retryAt === null ? {} : { retryAt }),
  };
  if (status === 429) {
    return loginFailure("rate_limited", "the sign-in server limits the tries to sign in (status 429)", facts);
  }
  const detail = description ?? providerCode;
  return loginFailure(
    (providerCode === null ? undefined : knownCodes[providerCode]) ?? "refused",
    `${sentence} (status ${status})${detail === null ? "" : `: ${detail}`}`,
    facts,
  );
}
