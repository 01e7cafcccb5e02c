import type { Secret } from "../core/secret.ts";
import { exchange, isSuccess, postRequest, type Ports } from "./exchange.ts";

/** Which token is to end, and where. */
export interface RevokeOptions extends Ports {
  /** The revocation endpoint (RFC 7009). */
  readonly endpoint: string;
  readonly token: Secret;
  readonly hint: "refresh_token" | "access_token";
  /** Null leaves it out, as Codex does when it revokes an access token. */
  readonly clientId: string | null;
  /** RFC 7009 says form; OpenAI's client sends JSON. Default `json`. */
  readonly encoding?: "form" | "json";
  /** Default 10,000. */
  readonly timeoutMs?: number;
}

/**
 * Asks the issuer to end a token, best effort: true when it said yes. Never throws. Whoever logs out forgets the token
 * whatever comes back.
 */
export async function revokeToken(options: RevokeOptions): Promise<boolean> {
  const { endpoint, token, hint, clientId, encoding = "json", timeoutMs = 10_000 } = options;
  const fields = {
    token: token.reveal(),
    token_type_hint: hint,
    ...(clientId === null ? {} : { client_id: clientId }),
  };
  const outcome = await exchange(options, postRequest(endpoint, encoding, fields), timeoutMs);
  return outcome.kind === "answered" && isSuccess(outcome.answer.status);
}
