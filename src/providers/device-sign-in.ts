import { pollDeviceLogin, startDeviceLogin } from "../oauth/codex/device-code.ts";
import { pollDeviceGrant, requestDeviceAuthorization } from "../oauth/device-grant.ts";
import { discoverServer } from "../oauth/discovery.ts";
import { type LoginResult, loginFailure } from "../oauth/login-failure.ts";
import type { TokenSet } from "../oauth/token-answer.ts";
import { loginError } from "./login-error.ts";
import type { LoginSignIn, OAuthSignIn } from "./provider.ts";
import { requireLogin, type SignedIn, type SignInInput, storeLogin } from "./store-login.ts";

/** What a person needs to confirm a device login, on any machine. */
export interface DeviceCodePrompt {
  /** What to open. */
  readonly verificationUrl: string;
  /** What to type there. */
  readonly userCode: string;
  /** The address with the code already in it; null when the server has none. */
  readonly completeVerificationUrl: string | null;
  /** Unix ms. */
  readonly expiresAt: number;
}

export interface DeviceSignInInput extends SignInInput {
  /** Shows the person where to go and what to type. Called once, and waited for. */
  readonly onCode: (prompt: DeviceCodePrompt) => void | Promise<void>;
}

/**
 * Signs in with a code that the person types on a page, and stores the login: OpenAI's own shape for Codex, RFC 8628 for
 * everybody else. Throws `UnderstudyError`: `login_failed` or `cancelled`; then nothing was stored.
 */
export async function signInByDevice(input: DeviceSignInInput): Promise<SignedIn> {
  const { provider, clock } = input;
  const signIn = requireLogin(provider);
  const result = await fetchTokens(input, signIn);
  if (!result.ok) throw loginError(provider, result.failure, clock.now());
  return storeLogin(input, result.value, signIn.issuer);
}

function fetchTokens(input: DeviceSignInInput, signIn: LoginSignIn): Promise<LoginResult<TokenSet>> {
  return signIn.kind === "codex" ? fetchCodexTokens(input, signIn) : fetchStandardTokens(input, signIn);
}

async function fetchCodexTokens(
  input: DeviceSignInInput,
  { issuer, clientId }: LoginSignIn,
): Promise<LoginResult<TokenSet>> {
  const options = { ...portsOf(input), issuer, clientId };
  const started = await startDeviceLogin(options);
  if (!started.ok) return started;
  await input.onCode({ ...started.value, completeVerificationUrl: null });
  return pollDeviceLogin(options, started.value);
}

async function fetchStandardTokens(input: DeviceSignInInput, signIn: OAuthSignIn): Promise<LoginResult<TokenSet>> {
  const { clientId, scope, issuer, trustedOrigins } = signIn;
  const ports = portsOf(input);
  const server = await discoverServer({ ...ports, issuer, trustedOrigins });
  if (!server.ok) return server;
  const { deviceAuthorizationEndpoint: endpoint, tokenEndpoint } = server.value;
  if (endpoint === null) return loginFailure("not_enabled", "the sign-in server has no device login");
  const started = await requestDeviceAuthorization({ ...ports, clientId, endpoint, scope });
  if (!started.ok) return started;
  await input.onCode(started.value);
  return pollDeviceGrant({ ...ports, clientId, tokenEndpoint }, started.value);
}

function portsOf({ transport, clock, signal, onWait }: SignInInput) {
  return {
    transport,
    clock,
    ...(signal === undefined ? {} : { signal }),
    ...(onWait === undefined ? {} : { onWait }),
  };
}
