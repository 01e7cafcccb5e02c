import type { Clock } from "../core/clock.ts";
import type { Secret } from "../core/secret.ts";
import type { Transport } from "../core/transport.ts";
import type { OAuthCredential } from "../credentials/credential.ts";
import type { RefreshOutcome, SpendRefreshToken } from "../credentials/refresh-outcome.ts";
import type { NewGrant } from "../credentials/store.ts";
import { codexEndpoints } from "../oauth/codex/endpoints.ts";
import { readCodexAccount } from "../oauth/codex/identity.ts";
import { readExpiry } from "../oauth/jwt.ts";
import { refreshGrant } from "../oauth/refresh.ts";
import type { TokenSet } from "../oauth/token-answer.ts";
import type { Provider } from "./provider.ts";

export interface SpendOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly findProvider: (id: string) => Provider | null;
  /** Limit of the one POST, in ms. */
  readonly timeoutMs: number;
}

/**
 * How the token keeper spends a refresh token: at the issuer that made the grant and nowhere else (rule R7), in the way
 * the provider's sign-in asks for.
 */
export function createSpendRefreshToken(options: SpendOptions): SpendRefreshToken {
  return async (credential) => {
    const signIn = options.findProvider(credential.provider)?.signIn;
    const { refreshToken, issuer } = credential.grant;
    if (signIn?.kind !== "codex" || refreshToken === null) {
      return { kind: "never_sent", message: `${credential.provider} has no way to refresh a login` };
    }
    const outcome = await refreshGrant({
      transport: options.transport,
      clock: options.clock,
      endpoint: codexEndpoints(issuer).token,
      clientId: signIn.clientId,
      refreshToken,
      encoding: "form",
      timeoutMs: options.timeoutMs,
    });
    switch (outcome.kind) {
      case "answered":
        return answered(credential, outcome.tokens, options.clock.now());
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
}

function answered(credential: OAuthCredential, tokens: TokenSet, now: number): RefreshOutcome {
  const { grant } = credential;
  return {
    kind: "answered",
    grant: {
      ...toGrant(tokens, grant.issuer, now),
      // RFC 6749 §6: without a new refresh token the old one stays.
      refreshToken: tokens.refreshToken ?? grant.refreshToken,
      idToken: tokens.idToken ?? grant.idToken,
    },
    account: readCodexAccount(tokens.idToken, tokens.accessToken),
  };
}

/** A token endpoint's tokens as a grant. The end is the token's own `exp`, else the answer's `expires_in`. */
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
  return readExpiry(accessToken.reveal()) ?? (expiresInS === null ? null : now + expiresInS * 1_000);
}
