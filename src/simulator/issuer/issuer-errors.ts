import { jsonReply, type Reply } from "../reply.ts";

/** OpenAI's shape: the code inside `error`. */
export function nestedError(status: number, code: string, message: string): Reply {
  return jsonReply(status, { error: { message, type: "invalid_request_error", param: null, code } });
}

/** RFC 6749 section 5.2. */
export function flatError(status: number, error: string, description: string): Reply {
  return jsonReply(status, { error, error_description: description });
}

/** The three verdicts on a refresh token, in the issuer's words. */
export const refreshRefusals = {
  refresh_token_reused:
    "Your refresh token has already been used to generate a new access token. Please try signing in again.",
  refresh_token_expired: "Your refresh token has expired. Please try signing in again.",
  refresh_token_invalidated: "Your session has ended. Please log in again.",
} as const;

export function refreshRefusal(code: keyof typeof refreshRefusals): Reply {
  return nestedError(401, code, refreshRefusals[code]);
}
