import type { Clock } from "../core/clock.ts";
import { UnderstudyError } from "../core/error.ts";
import type { Transport } from "../core/transport.ts";
import type { Grant, OAuthCredential } from "../credentials/credential.ts";
import type { Store } from "../credentials/store.ts";
import { type DeviceLogin, pollDeviceLogin, startDeviceLogin } from "../oauth/codex/device-code.ts";
import { codexEndpoints } from "../oauth/codex/endpoints.ts";
import { readCodexAccount } from "../oauth/codex/identity.ts";
import type { LoginFailure } from "../oauth/login-failure.ts";
import { revokeToken } from "../oauth/revoke.ts";
import type { TokenSet } from "../oauth/token-answer.ts";
import type { Provider } from "./provider.ts";
import { toGrant } from "./spend-refresh-token.ts";

export interface SignInInput {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly store: Store;
  readonly provider: Provider;
  /** For a new credential; default: the account's e-mail address. */
  readonly label?: string;
  /** The credential whose login this replaces, whatever account signs in. */
  readonly replaces?: string;
  /** Shows the person where to go and what to type. */
  readonly onCode: (login: DeviceLogin) => void;
  readonly signal?: AbortSignal;
}

export interface SignedIn {
  readonly credential: OAuthCredential;
  /** True when the login of a credential that was there already was replaced. */
  readonly renewed: boolean;
}

/**
 * Signs in to Codex with a device code and stores the login. A second login of the same account takes the place of
 * its first; the grant it replaces is revoked, best effort. Throws `UnderstudyError` `login_failed`; then nothing was stored.
 */
export async function signInToCodex(input: SignInInput): Promise<SignedIn> {
  const { transport, clock, provider, signal } = input;
  if (provider.signIn.kind !== "codex") throw new UnderstudyError("usage", `${provider.id} has no device login`);
  const { issuer, clientId } = provider.signIn;
  const options = { transport, clock, issuer, clientId, ...(signal ? { signal } : {}) };
  const started = await startDeviceLogin(options);
  if (!started.ok) throw loginError(provider, started.failure);
  input.onCode(started.value);
  const polled = await pollDeviceLogin(options, started.value);
  if (!polled.ok) throw loginError(provider, polled.failure);
  return saveLogin(input, polled.value, issuer);
}

async function saveLogin(input: SignInInput, tokens: TokenSet, issuer: string): Promise<SignedIn> {
  const { store, clock, provider, replaces } = input;
  const now = clock.now();
  const account = readCodexAccount(tokens.idToken, tokens.accessToken);
  const { credential, replaced } = await store.saveLogin({
    provider: provider.id,
    label: input.label ?? account.email ?? provider.id,
    account,
    grant: toGrant(tokens, issuer, now),
    at: now,
    ...(replaces === undefined ? {} : { replaces }),
  });
  if (replaced !== null) await revokeGrant(input, replaced);
  return { credential, renewed: replaced !== null };
}

/** Tells the issuer that a grant is no longer used. Best effort: false when it could not be told. */
export async function revokeGrant(
  { transport, clock, provider }: Pick<SignInInput, "transport" | "clock" | "provider">,
  grant: Grant,
): Promise<boolean> {
  if (provider.signIn.kind !== "codex") return false;
  return revokeToken({
    transport,
    clock,
    endpoint: codexEndpoints(grant.issuer).revoke,
    // The client id goes with a refresh token only.
    clientId: grant.refreshToken === null ? null : provider.signIn.clientId,
    token: grant.refreshToken ?? grant.accessToken,
    hint: grant.refreshToken === null ? "access_token" : "refresh_token",
  });
}

function loginError(provider: Provider, failure: LoginFailure): UnderstudyError {
  const code = failure.code === "cancelled" ? "cancelled" : "login_failed";
  return new UnderstudyError(code, `${provider.name}: ${failure.message}`, {
    provider: provider.id,
    providerCode: failure.code,
    ...(failure.status === undefined ? {} : { status: failure.status }),
  });
}
