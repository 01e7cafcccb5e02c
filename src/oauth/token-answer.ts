import { Secret } from "../core/secret.ts";
import { type Fields, parseAnswerBody, readText } from "./answer-body.ts";
import { type ErrorAnswer, readErrorAnswer } from "./error-answer.ts";
import { type HttpAnswer, isSuccess } from "./exchange.ts";

/** What a token endpoint gave. */
export interface TokenSet {
  readonly accessToken: Secret;
  /** Null when none came: after a refresh the old one stays valid (RFC 6749 §6). */
  readonly refreshToken: Secret | null;
  readonly idToken: Secret | null;
  /** Seconds from now, as the answer says; null when it does not. */
  readonly expiresInS: number | null;
  /** The other fields of the answer (scope, token_type, account_uuid, …), without any that may hold a secret. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** A token endpoint's answer, read. */
export type TokenAnswer =
  | { readonly kind: "tokens"; readonly tokens: TokenSet; readonly status: number }
  /** A refresh token without a usable access token: the old one is spent, this is all there is. Keep it. */
  | {
      readonly kind: "rotated";
      readonly refreshToken: Secret;
      readonly idToken: Secret | null;
      readonly status: number;
    }
  /** The server called it a success and gave neither token. */
  | { readonly kind: "no_tokens"; readonly status: number }
  | ErrorAnswer;

/**
 * Reads an answer of a token endpoint. The raw text is looked at once, and the tokens are taken out of a success before
 * anything else of it is looked at: a missing `token_type`, an unreadable `id_token` or an odd content type must not
 * cost a refresh token that the server has already rotated. Of a success that broke off, whole token strings are
 * still taken. `sent` are secrets of the request, which an answer might echo.
 */
export function readTokenAnswer(answer: HttpAnswer, now: number, sent: readonly Secret[] = []): TokenAnswer {
  const { status } = answer;
  const body = parseAnswerBody(answer.text);
  if (isSuccess(status)) {
    const found = takeTokens(body ?? salvage(answer.text));
    const { accessToken, refreshToken, idToken } = found;
    if (accessToken !== null) return { kind: "tokens", tokens: { ...found, accessToken }, status };
    if (refreshToken !== null) return { kind: "rotated", refreshToken, idToken, status };
  }
  const failed = readErrorAnswer(answer, now, sent);
  return isSuccess(status) && body !== null && failed.kind === "unreadable" ? { kind: "no_tokens", status } : failed;
}

/** The token strings that are whole in a JSON text that is not. */
function salvage(raw: string): Fields {
  const fields: Record<string, unknown> = {};
  if (!raw.trimStart().startsWith("{")) return fields;
  for (const [, name, value] of raw.matchAll(
    /"(access_token|refresh_token|id_token)"\s*:\s*("[\x21\x23-\x5b\x5d-\x7e]+")/g,
  )) {
    if (name !== undefined && value !== undefined) fields[name] = JSON.parse(value);
  }
  return fields;
}

function takeTokens(body: Fields): Omit<TokenSet, "accessToken"> & { accessToken: Secret | null } {
  const access = readText(body["access_token"]);
  const refresh = readText(body["refresh_token"]);
  const id = readText(body["id_token"]);
  return {
    refreshToken: refresh === null ? null : new Secret(refresh),
    // An access token is sent in a header: anything but visible ASCII can't be one (RFC 6749 appendix A.12).
    accessToken: access !== null && /^[\x21-\x7e]+$/.test(access) ? new Secret(access) : null,
    idToken: id === null ? null : new Secret(id),
    expiresInS: readSeconds(body["expires_in"]),
    extra: Object.fromEntries(Object.entries(body).filter(([name]) => isHarmless(name))),
  };
}

/** A number, or a string that holds one (some issuers send it so). */
export function readSeconds(value: unknown): number | null {
  const seconds = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof seconds === "number" && Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

function isHarmless(name: string): boolean {
  return name === "token_type" || !/token|secret|key|code|password|expires_in/i.test(name);
}
