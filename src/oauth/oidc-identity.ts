import type { Secret } from "../core/secret.ts";
import { readPrintable, readText } from "./answer-body.ts";
import { readJwtClaims } from "./jwt.ts";

/** Whose login it is, as an OpenID Connect server says it. */
export interface OidcAccount {
  /** The issuer: a subject means something together with its issuer only. Null when there is no subject. */
  readonly id: string | null;
  /** Claim `sub`. */
  readonly userId: string | null;
  /** Claim `email`, else `preferred_username`. */
  readonly email: string | null;
  readonly plan: null;
}

/** Reads the account from an id token; all null without a readable one. */
export function readOidcAccount(issuer: string, idToken: Secret | null): OidcAccount {
  const claims = (idToken === null ? null : readJwtClaims(idToken.reveal())) ?? {};
  const userId = readText(claims["sub"]);
  return {
    id: userId === null ? null : issuer,
    userId,
    email: readPrintable(claims["email"]) ?? readPrintable(claims["preferred_username"]),
    plan: null,
  };
}

/**
 * What is wrong with an id token that came from the token endpoint itself, or null: it must name this issuer and this client
 * (OpenID Connect Core §3.1.3.7; the signature need not be checked on that way). No id token, or an unreadable one, is fine: then
 * nobody is named.
 */
export function idTokenProblem(idToken: Secret | null, issuer: string, clientId: string): string | null {
  const claims = idToken === null ? null : readJwtClaims(idToken.reveal());
  if (claims === null) return null;
  if (claims["iss"] !== issuer) return "the sign-in server's id token names another issuer";
  const audience = claims["aud"];
  const isOurs = audience === clientId || (Array.isArray(audience) && audience.includes(clientId));
  return isOurs ? null : "the sign-in server's id token was made for another client";
}
