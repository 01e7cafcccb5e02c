import { Secret } from "../core/secret.ts";
import { type LoginResult, loginFailure } from "./login-failure.ts";
import { scrubText } from "./scrub.ts";

/** One authorization request with PKCE (RFC 6749 §4.1.1, RFC 7636 §4.3). */
export interface AuthorizationRequest {
  /** The authorization endpoint. */
  readonly endpoint: string;
  readonly clientId: string;
  readonly redirectUri: string;
  /** Blank-separated. */
  readonly scope: string;
  readonly state: string;
  readonly challenge: string;
  /** What this issuer wants besides. */
  readonly extraParams?: Readonly<Record<string, string>>;
}

/** The address that a person's browser is sent to. Holds no secret: the verifier stays here. */
export function authorizeUrl(request: AuthorizationRequest): string {
  const url = new URL(request.endpoint);
  const params = {
    ...request.extraParams,
    response_type: "code",
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    scope: request.scope,
    state: request.state,
    code_challenge: request.challenge,
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  return url.href;
}

/** What a callback brings, not yet checked. */
export type CallbackParams = URLSearchParams;

/**
 * Checks a callback. The state comes first: what does not carry it was not sent by our browser, so nothing else of it is
 * looked at, and the caller goes on waiting. Then the issuer (RFC 9207), if both sides name it; then an error; then
 * the code.
 */
export function readCallback(
  params: CallbackParams,
  expected: { readonly state: string; readonly issuer?: string },
): LoginResult<Secret> {
  if (single(params, "state") !== expected.state) {
    return loginFailure("state_mismatch", "the callback does not belong to this sign-in");
  }
  const issuer = single(params, "iss");
  if (issuer !== null && expected.issuer !== undefined && issuer !== expected.issuer) {
    return loginFailure("untrusted", "the callback comes from another sign-in server");
  }
  const error = single(params, "error");
  if (error !== null) {
    const providerCode = scrubText(error).toLowerCase();
    const description = single(params, "error_description");
    const detail = scrubText(description ?? error);
    return providerCode === "access_denied"
      ? loginFailure("declined", `the sign-in was declined: ${detail}`, { providerCode })
      : loginFailure("refused", `the sign-in server reported an error: ${detail}`, { providerCode });
  }
  const code = single(params, "code");
  return code === null
    ? loginFailure("incomplete", "the callback holds no authorization code")
    : { ok: true, value: new Secret(code) };
}

/**
 * Reads what a person pasted from a browser that could not reach us: the whole address, its query part, or the
 * `code#state` that some issuers show. Null when it is none of these; a bare code is none, since without the state
 * nobody knows whose it is.
 */
export function parsePastedCallback(pasted: string): CallbackParams | null {
  const text = pasted.trim().replace(/^["'<]+|["'>]+$/g, "");
  if (/\s/.test(text)) return null;
  if (/^https?:\/\//i.test(text)) return URL.canParse(text) ? withState(new URL(text).searchParams) : null;
  if (/(?:^|[?&])state=/.test(text)) return withState(new URLSearchParams(text.replace(/^[^?]*\?/, "")));
  const [code, state, ...rest] = text.split("#");
  if (code === undefined || code === "" || state === undefined || state === "" || rest.length > 0) return null;
  return new URLSearchParams({ code, state });
}

function withState(params: URLSearchParams): CallbackParams | null {
  return params.has("state") ? params : null;
}

/** The value of a parameter that stands there once; null for a blank, missing or doubled one (RFC 6749 §3.1). */
function single(params: URLSearchParams, name: string): string | null {
  const values = params.getAll(name);
  const value = values.length === 1 ? values[0] : undefined;
  return value === undefined || value.trim() === "" ? null : value;
}
