import type { Secret } from "../../core/secret.ts";
import { authorizeUrl, type CallbackParams, readCallback } from "../authorization-code.ts";
import { exchangeCode } from "../code-exchange.ts";
import { type LoginResult, loginFailure } from "../login-failure.ts";
import { createPkce, createState, type RandomBytes } from "../pkce.ts";
import type { TokenSet } from "../token-answer.ts";
import type { CodexLoginOptions } from "./device-code.ts";
import { codexEndpoints } from "./endpoints.ts";

/** OpenAI's client may be called back on these ports of this machine only, in order of preference. */
export const codexCallbackPorts: readonly number[] = [1455, 1457];

/** The path of the callback. */
export const codexCallbackPath = "/auth/callback";

/** What OpenAI's own client asks for. */
export const codexScope = "openid profile email offline_access api.connectors.read api.connectors.invoke";

/** A browser sign-in that has begun: everything the callback is checked against. */
export interface BrowserLogin {
  /** What the person's browser opens. */
  readonly url: string;
  readonly redirectUri: string;
  readonly state: string;
  readonly verifier: Secret;
}

/** Where to sign in, and where the callback goes. */
export interface BrowserLoginOptions {
  /** Origin of the sign-in server. */
  readonly issuer: string;
  readonly clientId: string;
  /** The port that listens for the callback: one of `codexCallbackPorts`. */
  readonly port: number;
  /** How we name ourselves to OpenAI. Default `understudy`. */
  readonly originator?: string;
  readonly randomBytes?: RandomBytes;
}

/** Begins a browser sign-in: new state, new PKCE pair, and the address to open. */
export async function startBrowserLogin(options: BrowserLoginOptions): Promise<BrowserLogin> {
  const { issuer, clientId, port, originator = "understudy", randomBytes } = options;
  const state = createState(randomBytes);
  const { verifier, challenge } = await createPkce(randomBytes);
  const redirectUri = `http://127.0.0.1:${port}${codexCallbackPath}`;
  const url = authorizeUrl({
    endpoint: codexEndpoints(issuer).authorize,
    clientId,
    redirectUri,
    scope: codexScope,
    state,
    challenge,
    extraParams: { id_token_add_organizations: "true", codex_cli_simplified_flow: "true", originator },
  });
  return { url, redirectUri, state, verifier };
}

/** Checks the callback of a Codex sign-in and gives the code. After `state_mismatch` go on waiting for the right one. */
export function readCodexCallback(params: CallbackParams, login: BrowserLogin): LoginResult<Secret> {
  const result = readCallback(params, { state: login.state });
  if (!result.ok && result.failure.code === "declined" && missesEntitlement(params)) {
    const message = "this account may sign in, but its workspace has no access to Codex";
    return loginFailure("not_entitled", message, { providerCode: "access_denied" });
  }
  return result;
}

/** Fetches the tokens for the code of a callback. Not cut short by a cancel. */
export function finishBrowserLogin(
  options: Omit<CodexLoginOptions, "signal">,
  login: BrowserLogin,
  code: Secret,
): Promise<LoginResult<TokenSet>> {
  const { transport, clock, issuer, clientId } = options;
  const { verifier, redirectUri } = login;
  return exchangeCode({
    transport,
    clock,
    endpoint: codexEndpoints(issuer).token,
    clientId,
    code,
    verifier,
    redirectUri,
  });
}

function missesEntitlement(params: CallbackParams): boolean {
  return params.get("error_description")?.includes("missing_codex_entitlement") ?? false;
}
