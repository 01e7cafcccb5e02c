import type { ProvenRow } from "../row.ts";

/**
 * The login or the key. A 429 is never a login problem, whatever it says, so no row here fits one. A rejected access
 * token is no verdict on its grant: the refresh finds out.
 */
export const credentialRows: readonly ProvenRow[] = [
  {
    name: "grant-over",
    match: {
      status: [0, 400, 401, 403],
      code: ["refresh_token_reused", "refresh_token_expired", "refresh_token_invalidated", "invalid_grant"],
    },
    reason: "relogin_required",
    fixture: "grant-over.json",
    source: "RFC 6749 §5.2; OpenAI Codex, token endpoint",
  },
  {
    name: "anthropic-oauth-not-allowed",
    match: {
      type: ["authentication_error", "permission_error"],
      message: /oauth authentication is currently not (?:allowed|supported)|organization has disabled/i,
    },
    reason: "entitlement",
    scope: "credential",
    fixture: "anthropic-oauth-not-allowed.json",
    source: "anthropics/claude-code #6312, #65714",
  },
  {
    name: "credential-refused",
    match: {
      status: [0, 400, 401, 403, 404],
      code: [
        "invalid_api_key",
        "incorrect_api_key_error",
        "InvalidApiKey",
        "API_KEY_INVALID",
        "api_key_expired",
        "invalid_authentication_error",
        "authentication_error",
        "AuthError",
        "UNAUTHENTICATED",
        "invalid_token",
        "token_expired",
        "token_invalidated",
        "token_revoked",
        "expired_token",
        "ExpiredTokenException",
        "UnrecognizedClientException",
      ],
    },
    reason: "auth",
    fixture: "credential-refused.json",
    source: "OpenAI, Anthropic, Google, Moonshot, DashScope and AWS error references; router-for-me/CLIProxyAPI #3654",
  },
  {
    name: "status-401",
    match: { status: [401] },
    reason: "auth",
    fixture: "status-401.json",
    source: "RFC 9110 §15.5.2",
  },
  {
    name: "credential-words",
    match: {
      status: [0, 400, 403],
      message:
        /(?:invalid|incorrect|missing|expired|revoked) (?:api[ _-]?key|access token|credentials|authentication token)|api key (?:is )?(?:not valid|invalid|expired|not found|required)|no (?:auth(?:entication)? credentials|api key) (?:found|provided)|(?:access |authentication |oauth )token (?:is |has |was )?(?:been )?(?:expired|invalid|revoked|invalidated)/i,
    },
    reason: "auth",
    fixture: "credential-words.json",
    source: "xAI and Google answer a wrong key with 400; Hermes' list of auth messages, without its single words",
  },
  {
    // Refreshing a login does not widen what it may do.
    name: "status-403",
    match: { status: [403] },
    fallback: true,
    reason: "auth",
    next: "next_credential",
    fixture: "status-403.json",
    source: "RFC 9110 §15.5.4",
  },
];
