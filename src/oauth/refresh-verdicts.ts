/**
 * What a token endpoint's error means for a login, as ordered rows: the first that fits decides.
 *
 * - 429 is never a login problem, whatever its body says.
 * - The code decides next, at any status: OpenAI answers `refresh_token_reused` with 401 and with 400.
 * - A code that by its own meaning ends soon never ends a login.
 * - 401 and 403 with a readable error of any other kind end the login: the issuer has looked at the token and refused it.
 * - An answer that can't be read says nothing about the login, at any status (a firewall's 403 page, a proxy's 401).
 * - Everything else (400, 404, 5xx with a code we don't know) is tried again.
 */
export interface RefreshVerdict {
  readonly name: string;
  /** In lower case. Missing: any code, or none. */
  readonly codes?: readonly string[];
  /** Missing: any status. */
  readonly statuses?: readonly number[];
  /** Missing: either. */
  readonly isError?: boolean;
  /** True: this refresh token will never work again; only a new sign-in helps. */
  readonly final: boolean;
  /** The code that is told. Missing: the issuer's own, else `refresh_failed`. */
  readonly tell?: RefreshCode;
  /** For a person, without a command. `{status}` is filled in. */
  readonly sentence: string;
  /** True when the issuer's own words follow the sentence. */
  readonly quotes: boolean;
}

/** Our own codes for a refresh that gave no token. The issuer's codes pass through beside them. */
export const refreshCodes = [
  /** Generic: the answer named no code, or could not be read. */
  "refresh_failed",
  /** 429. The login is as good as before. */
  "refresh_rate_limited",
  /** A success without a token in it. */
  "refresh_missing_access_token",
  /** A success that can't be read: whether the token is spent is not known. */
  "refresh_invalid_answer",
  /** No connection: nothing was sent. */
  "refresh_never_sent",
  /** Sent, and no answer came in time. */
  "refresh_unanswered",
] as const;
export type RefreshCode = (typeof refreshCodes)[number];

/** In order; the last row fits everything. */
export const refreshVerdicts: readonly RefreshVerdict[] = [
  {
    name: "rate-limited",
    statuses: [429],
    final: false,
    tell: "refresh_rate_limited",
    sentence: "the sign-in server is limiting refreshes (status 429); the login itself is still valid",
    quotes: false,
  },
  {
    name: "reused",
    codes: ["refresh_token_reused"],
    final: true,
    sentence:
      "this login's single-use refresh token was already used by another client (the Codex CLI, the VS Code extension, another tool or another machine)",
    quotes: false,
  },
  {
    name: "expired",
    codes: ["refresh_token_expired"],
    final: true,
    sentence: "this login's refresh token has expired",
    quotes: false,
  },
  {
    name: "revoked",
    codes: ["refresh_token_invalidated", "token_invalidated", "refresh_token_revoked", "token_revoked"],
    final: true,
    sentence: "this login was revoked by the sign-in server",
    quotes: false,
  },
  {
    name: "refused",
    codes: [
      "invalid_grant",
      "invalid_token",
      "invalid_request",
      "invalid_refresh_token",
      "bad_refresh_token",
      "unauthorized_client",
      "token_expired",
    ],
    final: true,
    sentence: "the sign-in server no longer accepts this login's refresh token",
    quotes: true,
  },
  {
    name: "for-now",
    codes: ["temporarily_unavailable", "server_error", "slow_down", "rate_limit_exceeded", "too_many_requests"],
    final: false,
    sentence: "the sign-in server could not refresh the login now (status {status})",
    quotes: true,
  },
  {
    name: "unauthorized",
    statuses: [401, 403],
    isError: true,
    final: true,
    sentence: "the sign-in server refused to refresh this login (status {status})",
    quotes: true,
  },
  {
    name: "unreadable",
    isError: false,
    final: false,
    tell: "refresh_failed",
    sentence: "the refresh failed with status {status} and an answer that says nothing about the login",
    quotes: true,
  },
  {
    name: "other",
    final: false,
    sentence: "the refresh failed with status {status}",
    quotes: true,
  },
];

/** The verdict on an answer: `code` as the body has it, in lower case. */
export function classifyRefreshError(status: number, code: string | null, isError: boolean): RefreshVerdict {
  const verdict = refreshVerdicts.find(
    (row) =>
      (row.statuses?.includes(status) ?? true) &&
      (row.codes === undefined || (code !== null && row.codes.includes(code))) &&
      (row.isError ?? isError) === isError,
  );
  if (verdict === undefined) throw new Error("the last row of refreshVerdicts must fit everything");
  return verdict;
}
