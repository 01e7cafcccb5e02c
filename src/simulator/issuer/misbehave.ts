import { cut, head, hold, jsonReply, redirectReply, type Reply, textReply, write } from "../reply.ts";
import { badGatewayPage } from "../wire/pages.ts";
import type { IssuedTokens } from "./account.ts";
import { flatError, nestedError, refreshRefusal } from "./issuer-errors.ts";
import type { IssuerFaultName } from "./issuer-faults.ts";

/** What a fault may need to know. */
export interface FaultContext {
  /** Seconds, for `rate-limited`. */
  readonly retryAfterS: number;
  /** An origin that no credential belongs to. */
  readonly elsewhere: string;
}

/** Faults that answer before anything is done. */
export const refusals: Partial<Record<IssuerFaultName, (context: FaultContext) => Reply>> = {
  "rate-limited": ({ retryAfterS }) =>
    jsonReply(
      429,
      {
        error: {
          message: "Too many requests. Please slow down.",
          type: "rate_limit_error",
          param: null,
          code: "rate_limit_exceeded",
        },
      },
      { "retry-after": String(retryAfterS) },
    ),
  "server-error": () => nestedError(500, "server_error", "The server had an error. Please try again."),
  unavailable: () => flatError(503, "temporarily_unavailable", "Try again later."),
  "html-502": () => badGatewayPage(),
  "unreadable-401": () => textReply(401, "text/plain", "\u0000\u0001 not a body anyone can read \ufffd"),
  "detail-body": () => jsonReply(403, { detail: "Sign-in from this place is not possible." }),
  "cut-before-acting": () => ({ status: 0, headers: {}, steps: [cut] }),
  redirect: ({ elsewhere }) => redirectReply(`${elsewhere}/oauth/token`),
  "invalid-grant": () => flatError(400, "invalid_grant", "grant request is invalid"),
  "refresh-token-reused": () => refreshRefusal("refresh_token_reused"),
  "refresh-token-expired": () => refreshRefusal("refresh_token_expired"),
  "refresh-token-invalidated": () => refreshRefusal("refresh_token_invalidated"),
  "top-level-code": () => jsonReply(401, { code: "refresh_token_expired", message: "Your refresh token has expired." }),
  "not-enabled": () => jsonReply(404, { detail: "Not Found" }),
};

/** Faults that spoil an answer after everything was done. */
export const spoilers: Partial<Record<IssuerFaultName, (reply: Reply) => Reply>> = {
  "empty-body": () => textReply(200, "application/json", ""),
  "html-200": () => textReply(200, "text/html", "<!doctype html><title>Welcome</title><p>Please sign in.</p>"),
  "answer-lost": (reply) => ({ ...reply, steps: [cut] }),
  "body-cut": (reply) => ({
    ...reply,
    steps: [head, write(bodyOf(reply).slice(0, Math.floor(bodyOf(reply).length / 2))), cut],
  }),
  slow: (reply) => ({ ...reply, steps: [hold, ...reply.steps] }),
};

/** What a changed field may be made of. */
export interface FieldSource {
  /** Tokens of another account. */
  readonly other: () => IssuedTokens;
  /** The answer's access token under a name that is no JWT. */
  readonly opaque: (accessToken: string) => string;
  /** The answer as it would have been. */
  readonly good: Readonly<Record<string, unknown>>;
}

/** Faults that change fields of a good token answer; a field set to undefined is left out. */
export const fieldFaults: Partial<Record<IssuerFaultName, (source: FieldSource) => Record<string, unknown>>> = {
  "no-access-token": () => ({ access_token: undefined }),
  "no-token-type": () => ({ token_type: undefined }),
  "garbage-id-token": () => ({ id_token: "not.a-jwt" }),
  "opaque-access-token": ({ opaque, good }) => ({
    access_token: opaque(String(good.access_token)),
    expires_in: undefined,
  }),
  "other-account": ({ other }) => {
    const tokens = other();
    return { access_token: tokens.accessToken, refresh_token: tokens.refreshToken, id_token: tokens.idToken };
  },
};

/** A good JSON reply with some fields changed; any other reply as it is. */
export function changeFields(
  reply: Reply,
  change: (good: Readonly<Record<string, unknown>>) => Record<string, unknown>,
): Reply {
  if (reply.status !== 200) return reply;
  const { "content-length": _, ...headers } = reply.headers;
  const good = JSON.parse(bodyOf(reply)) as Record<string, unknown>;
  return jsonReply(200, { ...good, ...change(good) }, headers);
}

function bodyOf(reply: Reply): string {
  return reply.steps.map((step) => (step.do === "write" ? step.text : "")).join("");
}
