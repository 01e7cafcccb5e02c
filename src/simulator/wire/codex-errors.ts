import type { RefusedName } from "../faults.ts";
import { jsonReply, type Reply } from "../reply.ts";
import type { WireContext } from "./dialect.ts";
import { burstSeconds, openaiError, openaiRefusals } from "./openai-errors.ts";

type Refusal = (context: WireContext) => Reply;

function detail(status: number, context: WireContext, message: unknown): Reply {
  return jsonReply(
    status,
    { detail: context.behaviour.message ?? message },
    { "x-request-id": context.nextId("req_") },
  );
}

/** The two things an access token can be told, besides being good. */
export const tokenRefusals = {
  token_expired: "Provided authentication token is expired. Please try signing in again.",
  token_invalidated: "Your authentication token has been invalidated. Please try signing in again.",
} as const;

/** The HTTP errors of Codex's backend, which come as `{"error": …}` or as `{"detail": …}`. */
export const codexRefusals: Readonly<Record<RefusedName, Refusal | null>> = {
  ...openaiRefusals,
  "quota-exhausted": (context) => {
    const resetsInS = context.behaviour.resetsInS ?? 3_600;
    const resetsAt = Math.floor(context.now / 1_000) + resetsInS;
    return jsonReply(
      429,
      {
        error: {
          type: "usage_limit_reached",
          message: context.behaviour.message ?? "The usage limit has been reached",
          plan_type: context.plan,
          resets_at: resetsAt,
          eligible_promo: null,
          resets_in_seconds: resetsInS,
        },
      },
      {
        "x-request-id": context.nextId("req_"),
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-reset-at": String(resetsAt),
        "x-codex-primary-reset-after-seconds": String(resetsInS),
      },
    );
  },
  "burst-limit": (context) =>
    openaiError(
      429,
      context,
      {
        message: "Rate limit reached. Please slow down.",
        type: "rate_limit_error",
        code: "rate_limit_exceeded",
      },
      burstSeconds(context) === null ? {} : { "retry-after": String(burstSeconds(context)) },
    ),
  overloaded: (context) =>
    openaiError(503, context, {
      message: "Our servers are currently overloaded. Please try again later.",
      type: "service_unavailable_error",
      code: "server_is_overloaded",
    }),
  unauthorized: (context) => {
    const code = context.behaviour.code === "token_invalidated" ? "token_invalidated" : "token_expired";
    return openaiError(401, context, { message: tokenRefusals[code], type: "invalid_request_error", code });
  },
  forbidden: (context) => detail(403, context, "Workspace is not authorized in this region."),
  billing: (context) => detail(402, context, { code: "deactivated_workspace" }),
  entitlement: (context) =>
    detail(
      400,
      context,
      `The '${context.request.model}' model is not supported when using Codex with a ChatGPT account.`,
    ),
  "payload-too-large": (context) => detail(413, context, "Request body too large"),
  "content-policy": (context) =>
    openaiError(400, context, {
      message: "This content was flagged for possible cybersecurity risk.",
      type: "invalid_request_error",
      code: "cyber_policy",
    }),
  "invalid-request": (context) => detail(400, context, "Unsupported parameter: simulated"),
  "echo-key": (context) =>
    openaiError(401, context, {
      message: `Could not parse your authentication token: ${context.presented}`,
      type: "invalid_request_error",
      code: "invalid_token",
    }),
};
