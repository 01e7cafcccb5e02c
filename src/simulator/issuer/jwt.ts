/**
 * A JWT without a signature: header `alg: none`, and a third part that only fills its place, since clients insist on three
 * non-empty parts. Nothing may trust it; clients of this issuer read the claims and verify nothing.
 */
export function createUnsignedJwt(claims: Readonly<Record<string, unknown>>): string {
  const header = encode({ alg: "none", typ: "JWT" });
  return `${header}.${encode(claims)}.c2ltdWxhdGVk`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
