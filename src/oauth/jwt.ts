import { asObject, type Fields } from "./answer-body.ts";

/**
 * The claims of a JWT, not verified: the signature is for the provider to check, we only look up times and names. Null for
 * everything that is not three non-empty base64url parts with a JSON object in the middle.
 */
export function readJwtClaims(token: string): Fields | null {
  const parts = token.trim().split(".");
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]+$/.test(part))) return null;
  try {
    const binary = atob((parts[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.codePointAt(0) ?? 0);
    return asObject(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch {
    return null;
  }
}

/**
 * How long a fresh access token lives, in ms: `exp` − `iat`, so that the issuer's clock need not agree with ours. Null for an
 * opaque token, or one that does not say both.
 */
export function readLifetime(accessToken: string): number | null {
  const claims = readJwtClaims(accessToken);
  const [issued, ends] = [claims?.["iat"], claims?.["exp"]];
  if (typeof issued !== "number" || typeof ends !== "number") return null;
  const lifetime = (ends - issued) * 1_000;
  return Number.isFinite(lifetime) && lifetime > 0 ? lifetime : null;
}

/** When an access token ends, in Unix ms, by its `exp` claim; null for an opaque token or one without a numeric `exp`. */
export function readExpiry(accessToken: string): number | null {
  const exp = readJwtClaims(accessToken)?.["exp"];
  return typeof exp === "number" && Number.isFinite(exp) ? exp * 1_000 : null;
}
