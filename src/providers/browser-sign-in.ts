import type { UnderstudyError } from "../core/error.ts";
import type { Secret } from "../core/secret.ts";
import { authorizeUrl, readCallback } from "../oauth/authorization-code.ts";
import { exchangeCode } from "../oauth/code-exchange.ts";
import {
  codexCallbackPath,
  codexCallbackPorts,
  finishBrowserLogin,
  readCodexCallback,
  startBrowserLogin,
} from "../oauth/codex/browser.ts";
import { discoverServer, type ServerMetadata } from "../oauth/discovery.ts";
import { type LoginResult, loginFailure } from "../oauth/login-failure.ts";
import { createPkce, createState } from "../oauth/pkce.ts";
import type { TokenSet } from "../oauth/token-answer.ts";
import { loginError } from "./login-error.ts";
import type { LoginSignIn, OAuthSignIn } from "./provider.ts";
import { requireLogin, type SignedIn, type SignInInput, storeLogin } from "./store-login.ts";

/** Where a provider's sign-in may send the browser back to, on this machine. */
export interface CallbackPlace {
  /** In order of preference; 0 stands for any free one. */
  readonly ports: readonly number[];
  readonly path: string;
  /** The redirect URI, once the port is known. */
  readonly redirectUri: (port: number) => string;
}

/** What one callback came to. */
export type Reception =
  /** It does not belong to this sign-in: go on waiting for the one that does. */
  | { readonly kind: "ignored"; readonly message: string }
  | { readonly kind: "failed"; readonly error: UnderstudyError }
  | { readonly kind: "signed_in"; readonly signedIn: SignedIn };

/** A browser sign-in under way. */
export interface BrowserSignIn {
  /** What the person's browser opens. Holds no secret. */
  readonly url: string;
  /**
   * Takes a callback, however it came: checks it, fetches the tokens and stores the login. A browser that asks twice gets the
   * outcome of the first time. Never rejects. Not cut short by a cancel.
   */
  receive(params: URLSearchParams): Promise<Reception>;
}

export function callbackPlace(signIn: LoginSignIn): CallbackPlace {
  if (signIn.kind === "codex") {
    const redirectUri = (port: number): string => `http://127.0.0.1:${port}${codexCallbackPath}`;
    return { ports: codexCallbackPorts, path: codexCallbackPath, redirectUri };
  }
  if (signIn.redirectUri === null) {
    return { ports: [0], path: "/callback", redirectUri: (port) => `http://127.0.0.1:${port}/callback` };
  }
  const { redirectUri } = signIn;
  const url = new URL(redirectUri);
  return { ports: [Number(url.port || "80")], path: url.pathname, redirectUri: () => redirectUri };
}

/** Begins a sign-in whose callback goes to `port`. Throws `UnderstudyError` `login_failed` or `cancelled`. */
export async function startBrowserSignIn(input: SignInInput, port: number): Promise<BrowserSignIn> {
  const { provider, clock } = input;
  const signIn = requireLogin(provider);
  const begun = await begin(input, signIn, port);
  if (!begun.ok) throw loginError(provider, begun.failure, clock.now());
  const { url, check, fetchTokens } = begun.value;
  let outcome: Promise<Reception> | null = null;

  return {
    url,
    async receive(params) {
      const code = check(params);
      if (!code.ok && code.failure.code === "state_mismatch") {
        return { kind: "ignored", message: code.failure.message };
      }
      outcome ??= finish(code);
      return outcome;
    },
  };

  async function finish(code: LoginResult<Secret>): Promise<Reception> {
    const tokens = code.ok ? await fetchTokens(code.value) : code;
    if (!tokens.ok) return { kind: "failed", error: loginError(provider, tokens.failure, clock.now()) };
    try {
      return { kind: "signed_in", signedIn: await storeLogin(input, tokens.value, signIn.issuer) };
    } catch (error) {
      return { kind: "failed", error: error as UnderstudyError };
    }
  }
}

/** The two halves of a sign-in with the state and the verifier between them. */
interface Begun {
  readonly url: string;
  readonly check: (params: URLSearchParams) => LoginResult<Secret>;
  readonly fetchTokens: (code: Secret) => Promise<LoginResult<TokenSet>>;
}

function begin(input: SignInInput, signIn: LoginSignIn, port: number): Promise<LoginResult<Begun>> {
  return signIn.kind === "codex" ? beginCodex(input, signIn, port) : beginStandard(input, signIn, port);
}

async function beginCodex(
  { transport, clock, onWait }: SignInInput,
  { issuer, clientId }: LoginSignIn,
  port: number,
): Promise<LoginResult<Begun>> {
  const ports = { transport, clock, ...(onWait === undefined ? {} : { onWait }) };
  const login = await startBrowserLogin({ issuer, clientId, port });
  return {
    ok: true,
    value: {
      url: login.url,
      check: (params) => readCodexCallback(params, login),
      fetchTokens: (code) => finishBrowserLogin({ ...ports, issuer, clientId }, login, code),
    },
  };
}

async function beginStandard(
  { transport, clock, signal, onWait }: SignInInput,
  signIn: OAuthSignIn,
  port: number,
): Promise<LoginResult<Begun>> {
  const { issuer, clientId, scope, trustedOrigins } = signIn;
  const ports = { transport, clock, ...(onWait === undefined ? {} : { onWait }) };
  const server = await discoverServer({
    ...ports,
    issuer,
    trustedOrigins,
    ...(signal === undefined ? {} : { signal }),
  });
  if (!server.ok) return server;
  const { authorizationEndpoint, tokenEndpoint }: ServerMetadata = server.value;
  if (authorizationEndpoint === null) return loginFailure("not_enabled", "the sign-in server has no browser login");
  const state = createState();
  const { verifier, challenge } = await createPkce();
  const redirectUri = callbackPlace(signIn).redirectUri(port);
  // OpenID Connect Core §11: whoever wants to stay signed in has to ask the person for it.
  const extraParams: Record<string, string> = scope.split(" ").includes("offline_access") ? { prompt: "consent" } : {};
  const request = { clientId, redirectUri, scope, state, challenge, extraParams };
  return {
    ok: true,
    value: {
      url: authorizeUrl({ ...request, endpoint: authorizationEndpoint }),
      check: (params) => readCallback(params, { state, issuer }),
      fetchTokens: (code) => exchangeCode({ ...ports, endpoint: tokenEndpoint, clientId, code, verifier, redirectUri }),
    },
  };
}
