import { Secret } from "../core/secret.ts";

/** Fills an array with unguessable bytes. */
export type RandomBytes = (into: Uint8Array<ArrayBuffer>) => void;

/** The machine's source of unguessable bytes. */
export const secureRandomBytes: RandomBytes = (into) => {
  globalThis.crypto.getRandomValues(into);
};

/** Proof that the one who exchanges the code is the one who asked for it (RFC 7636). */
export interface Pkce {
  /** Sent with the exchange only. 32 random bytes as 43 characters. */
  readonly verifier: Secret;
  /** Sent with the authorization: the SHA-256 of the verifier. The method is always S256. */
  readonly challenge: string;
}

/** A new pair, for one sign-in only. */
export async function createPkce(randomBytes: RandomBytes = secureRandomBytes): Promise<Pkce> {
  const verifier = createState(randomBytes);
  const digest = await globalThis.crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return { verifier: new Secret(verifier), challenge: base64url(new Uint8Array(digest)) };
}

/** 32 random bytes, base64url without padding: a `state` that nobody can guess. */
export function createState(randomBytes: RandomBytes = secureRandomBytes): string {
  const bytes = new Uint8Array(32);
  randomBytes(bytes);
  return base64url(bytes);
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCodePoint(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
