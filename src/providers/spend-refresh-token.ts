import type { Clock } from "../core/clock.ts";
import type { Secret } from "../core/secret.ts";
import type { Transport } from "../core/transport.ts";
import type { OAuthCredential } from "../credentials/credential.ts";
import type { RefreshOutcome, SpendRefreshToken } from "../credentials/refresh-outcome.ts";
import type { NewGrant } from "../credentials/store.ts";
import { codexEndpoints } from "../oauth/codex/endpoints.ts";
import { readCodexAccount } from "../oauth/codex/identity.ts";
import { discoverServer } from "../oauth/discovery.ts";
import { readExpiry, readLifetime } from "../oauth/jwt.ts";
import { readOidcAccount } from "../oauth/oidc-identity.ts";
import { refreshGrant } from "../oauth/refresh.ts";
import type { TokenSet } from "../oauth/token-answer.ts";
import type { LoginSignIn, Provider } from "./provider.ts";

export interface SpendOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly findProvider: (id: string) => Provider | null;
  /** Limit of the one POST, in ms. */
  readonly timeoutMs: number;
}

/**
 * How long it may take to find a token endpoint by discovery, in ms. Together with the POST it must stay below the life of the
 * keeper's claim, or somebody else would spend the same token: `claimMs` is `timeoutMs` + 10,000.
 */
const discoveryLimitMs = 8_000;

/** How long an endpoint that was found is gone by, in ms. */
const discoveryLifeMs: number = 10 * 60_000;

/**
 * How the token keeper spends a refresh token: at the issuer that made the grant and nowhere else (rule R7), in the way
 * the provider's sign-in asks for.
 */
export function createSpendRefreshToken(options: SpendOptions): SpendRefreshToken {
  const { transport, clock, timeoutMs } = options;
  const found = new Map<string, { endpoint: string; until: number }>();

  return async (credential) => {
    const signIn = options.findProvider(credential.provider)?.signIn;
    const { refreshToken, issuer } = credential.grant;
    if (signIn === undefined || signIn.kind === "api_key" || refreshToken === null) {
      return { kind: "never_sent", message: `${credential.provider} has no way to refresh a login` };
    }
    const endpoint = await findTokenEndpoint(signIn, issuer);
    if (!endpoint.ok) return { kind: "never_sent", message: endpoint.message };
    const outcome = await refreshGrant({
      transport,
      clock,
      endpoint: endpoint.value,
      clientId: signIn.clientId,
      refreshToken,
      encoding: "form",
      timeoutMs,
    });
    if (outcome.kind !== "answered") found.delete(issuer);
    switch (outcome.kind) {
      case "answered":
        return answered(signIn, credential, outcome.tokens, clock.now());
      case "rotated":
        // The new refresh token is all that came: kept beside the old access token, it is spent next.
        return {
          kind: "answered",
          grant: { ...credential.grant, refreshToken: outcome.refreshToken },
          account: null,
        };
      case "refused":
      case "deferred":
      case "never_sent":
      case "unanswered":
        return outcome;
    }
  };

  async function findTokenEndpoint(
    signIn: LoginSignIn,
    issuer: string,
  ): Promise<{ ok: true; value: string } | { ok: false; message: string }> {
    if (signIn.kind === "codex") return { ok: true, value: codexEndpoints(issuer).token };
    const known = found.get(issuer);
    if (known !== undefined && clock.now() < known.until) return { ok: true, value: known.endpoint };
    const limit = new AbortController();
    const timer = new AbortController();
    void clock.sleep(discoveryLimitMs, timer.signal).then(
      () => limit.abort(),
      () => {},
    );
    const { trustedOrigins } = signIn;
    const server = await discoverServer({ transport, clock, issuer, trustedOrigins, signal: limit.signal });
    timer.abort();
    if (!server.ok) {
      const cancelled = server.failure.code === "cancelled";
      return {
        ok: false,
        message: cancelled ? "the sign-in server did not describe itself in time" : server.failure.message,
      };
    }
    const { tokenEndpoint } = server.value;
    found.set(issuer, { endpoint: tokenEndpoint, until: clock.now() + discoveryLifeMs });
    return { ok: true, value: tokenEndpoint };
  }
}

function answered(signIn: LoginSignIn, credential: OAuthCredential, tokens: TokenSet, now: number): RefreshOutcome {
  const { grant } = credential;
  return {
    kind: "answered",
    grant: {
      ...toGrant(tokens, grant.issuer, now),
      // RFC 6749 §6: without a new refresh token the old one stays.
      refreshToken: tokens.refreshToken ?? grant.refreshToken,
      idToken: tokens.idToken ?? grant.idToken,
    },
    account:
      signIn.kind === "codex"
        ? readCodexAccount(tokens.idToken, tokens.accessToken)
        : readOidcAccount(grant.issuer, tokens.idToken),
  };
}

/**
 * Tokens fresh from a token endpoint as a grant. The end is counted from now by how long the token lives (`exp` − `iat`, else
 * `expires_in`), since the issuer's clock and ours need not agree; a token that tells only its `exp` is believed.
 */
export function toGrant(tokens: TokenSet, issuer: string, now: number): NewGrant {
  const { accessToken, refreshToken, idToken, expiresInS } = tokens;
  return {
    accessToken,
    refreshToken,
    idToken,
    expiresAt: expiryOf(accessToken, expiresInS, now),
    obtainedAt: now,
    issuer,
  };
}

function expiryOf(accessToken: Secret, expiresInS: number | null, now: number): number | null {
  const lifetime = readLifetime(accessToken.reveal()) ?? (expiresInS === null ? null : expiresInS * 1_000);
  return lifetime === null ? readExpiry(accessToken.reveal()) : now + lifetime;
}
