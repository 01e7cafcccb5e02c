import type { Call } from "../role.ts";

/** The token of an `Authorization: Bearer` header; null when there is none. */
export function bearerOf(call: Call): string | null {
  return /^Bearer (\S+)$/i.exec(call.headers.authorization ?? "")?.[1] ?? null;
}
