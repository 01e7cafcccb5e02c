/** The places at which the issuer can be told to misbehave. */
export const issuerEndpoints = ["usercode", "poll", "token", "revoke", "authorize"] as const;
export type IssuerEndpoint = (typeof issuerEndpoints)[number];

interface IssuerFaultRow {
  /** Where it can happen; `any` is every endpoint but `authorize`. */
  readonly at: "any" | "token" | "authorize" | "usercode";
  readonly doc: string;
}

/**
 * Everything the issuer can do wrong. "Acts" means that it has done what was asked: for a refresh, the old token is spent.
 * A port that refuses is `issuer.stop()`.
 */
const table = {
  "rate-limited": { at: "any", doc: "429 with Retry-After. Nothing was done" },
  "server-error": { at: "any", doc: "500 with an OpenAI error body. Nothing was done" },
  unavailable: { at: "any", doc: "503 with a flat error. Nothing was done" },
  "html-502": { at: "any", doc: "502 with a proxy's page. Nothing was done" },
  "unreadable-401": { at: "any", doc: "401 whose body is neither JSON nor a known text. No verdict on the login" },
  "detail-body": { at: "any", doc: '403 with {"detail": text}. Nothing was done' },
  "empty-body": { at: "any", doc: "Acts, then 200 without a body" },
  "html-200": { at: "any", doc: "Acts, then 200 with a page instead of JSON" },
  "cut-before-acting": { at: "any", doc: "The connection is destroyed and nothing was done" },
  "answer-lost": { at: "any", doc: "Acts, then the connection is destroyed without a byte" },
  "body-cut": { at: "any", doc: "Acts, then the connection is destroyed in the middle of the body" },
  "held-before-acting": { at: "any", doc: "Nothing is done until `release()`; never, if the client leaves first" },
  slow: { at: "any", doc: "Acts at once; the answer is held until `release()`" },
  redirect: { at: "any", doc: "302 to another origin. Nothing was done" },

  "invalid-grant": { at: "token", doc: '400 {"error":"invalid_grant"}, flat. Nothing was done' },
  "refresh-token-reused": { at: "token", doc: "401 refresh_token_reused, nested. Nothing was done" },
  "refresh-token-expired": { at: "token", doc: "401 refresh_token_expired, nested. Nothing was done" },
  "refresh-token-invalidated": { at: "token", doc: "401 refresh_token_invalidated, nested. Nothing was done" },
  "top-level-code": { at: "token", doc: '401 {"code":"refresh_token_expired"}. Nothing was done' },
  "no-access-token": { at: "token", doc: "Acts, then 200 without access_token" },
  "no-token-type": { at: "token", doc: "Acts, then 200 without token_type" },
  "no-refresh-token": { at: "token", doc: "200 without refresh_token: the old one stays good" },
  "garbage-id-token": { at: "token", doc: "Acts, then 200 with an id_token that is no JWT" },
  "opaque-access-token": { at: "token", doc: "Acts, then 200 with an access token that is no JWT and no expires_in" },
  "other-account": { at: "token", doc: "Acts, then 200 with tokens of another account" },

  "not-enabled": { at: "usercode", doc: "404: device sign-in is not enabled here" },

  denied: { at: "authorize", doc: "Back to the client with error=access_denied" },
  "wrong-state": { at: "authorize", doc: "Back to the client with a code and a state that is not its own" },
  "no-code": { at: "authorize", doc: "Back to the client with the state and no code" },
} as const satisfies Record<string, IssuerFaultRow>;

export type IssuerFaultName = keyof typeof table;

/** Name → where it can happen and what it does. */
export const issuerFaults: Readonly<Record<IssuerFaultName, IssuerFaultRow>> = table;

/** All names, for tests that go through every one of them. */
export const issuerFaultNames = Object.keys(table) as IssuerFaultName[];

/** True when the fault can happen at that endpoint. */
export function isFaultAt(name: IssuerFaultName, endpoint: IssuerEndpoint): boolean {
  const { at } = issuerFaults[name];
  return at === endpoint || (at === "any" && endpoint !== "authorize");
}
