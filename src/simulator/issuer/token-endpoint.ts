import { createHash } from "node:crypto";
import { jsonReply, type Reply } from "../reply.ts";
import type { IssuedTokens } from "./account.ts";
import { flatError, nestedError, refreshRefusal } from "./issuer-errors.ts";
import type { IssuerState } from "./issuer-state.ts";

/** `POST /oauth/token`, form or JSON. */
export function answerToken(state: IssuerState, fields: Readonly<Record<string, unknown>>): Reply {
  const { clientId } = state.settings;
  if (typeof fields.client_id !== "string" || (clientId !== null && fields.client_id !== clientId)) {
    return flatError(401, "invalid_client", "The client is not known.");
  }
  switch (fields.grant_type) {
    case "authorization_code":
      return exchange(state, fields);
    case "refresh_token":
      return refresh(state, fields);
    default:
      return flatError(
        400,
        "unsupported_grant_type",
        `The grant type ${JSON.stringify(fields.grant_type)} is not known.`,
      );
  }
}

/** RFC 6749 section 4.1.3 with PKCE (RFC 7636): the code once, with its client, its redirect URI and its verifier. */
function exchange(state: IssuerState, fields: Readonly<Record<string, unknown>>): Reply {
  state.counters.exchanges += 1;
  const code = typeof fields.code === "string" ? state.authorizationCodes.get(fields.code) : undefined;
  if (code === undefined || code.used) return flatError(400, "invalid_grant", "The code is unknown or was used.");
  const verifier = typeof fields.code_verifier === "string" ? fields.code_verifier : "";
  if (fields.client_id !== code.clientId) return flatError(400, "invalid_grant", "The code belongs to another client.");
  if (fields.redirect_uri !== code.redirectUri) return flatError(400, "invalid_grant", "The redirect_uri is another.");
  if (challengeOf(verifier) !== code.codeChallenge)
    return flatError(400, "invalid_grant", "The code_verifier is wrong.");
  code.used = true;
  return tokenReply(state, state.ledger.issue(code.account, state.times(), code.clientId));
}

/** A refresh token is worth one new pair. */
function refresh(state: IssuerState, fields: Readonly<Record<string, unknown>>): Reply {
  state.counters.refreshes += 1;
  if (typeof fields.refresh_token !== "string" || fields.refresh_token === "") {
    return flatError(400, "invalid_request", "The refresh_token is missing.");
  }
  const token = fields.refresh_token;
  const looked = state.ledger.look(token, "present");
  switch (looked) {
    case "live": {
      if (state.ledger.clientOf(token) !== fields.client_id) {
        return flatError(400, "invalid_grant", "The token belongs to another client.");
      }
      state.counters.rotations += 1;
      return tokenReply(state, state.ledger.rotate(token, state.times()));
    }
    case "spent":
      state.counters.reused += 1;
      if (state.settings.onReuse === "revoke-family") state.ledger.revokeFamilyOf(token);
      return refreshRefusal("refresh_token_reused");
    case "expired":
      return refreshRefusal("refresh_token_expired");
    case "invalidated":
      return refreshRefusal("refresh_token_invalidated");
    case "unknown":
      return nestedError(
        401,
        "refresh_token_invalidated",
        "Could not validate your refresh token. Please sign in again.",
      );
  }
}

export function tokenReply(state: IssuerState, tokens: IssuedTokens): Reply {
  return jsonReply(
    200,
    {
      access_token: tokens.accessToken,
      refresh_token: tokens.refreshToken,
      id_token: tokens.idToken,
      token_type: "Bearer",
      expires_in: Math.max(0, Math.round((tokens.expiresAt - state.now()) / 1_000)),
      scope: "openid profile email offline_access",
    },
    { "cache-control": "no-store" },
  );
}

export function challengeOf(verifier: string): string {
  return createHash("sha256").update(verifier).digest("base64url");
}
