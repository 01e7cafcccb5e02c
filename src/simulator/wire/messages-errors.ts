import type { InStreamName, RefusedName } from "../faults.ts";
import { jsonReply, type Reply } from "../reply.ts";
import type { Objection, WireContext } from "./dialect.ts";
import { burstSeconds, commonRefusals } from "./openai-errors.ts";

/** Anthropic's own list. */
export type MessagesErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "billing_error"
  | "permission_error"
  | "not_found_error"
  | "request_too_large"
  | "rate_limit_error"
  | "api_error"
  | "overloaded_error";

const byStatus: Readonly<Record<number, MessagesErrorType>> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  500: "api_error",
  529: "overloaded_error",
};

/** Anthropic's error body; the type follows from the status. */
function messagesError(
  status: number,
  message: string,
  context: { nextId: (prefix: string) => string },
  headers: Record<string, string> = {},
): Reply {
  const requestId = context.nextId("req_");
  const error = { type: byStatus[status] ?? "invalid_request_error", message };
  return jsonReply(status, { type: "error", error, request_id: requestId }, { "request-id": requestId, ...headers });
}

export function messagesObjection(objection: Objection, context: { nextId: (prefix: string) => string }): Reply {
  return messagesError(objection.status, objection.message, context);
}

function row(status: number, message: (context: WireContext) => string): (context: WireContext) => Reply {
  return (context) => messagesError(status, context.behaviour.message ?? message(context), context);
}

/** The HTTP errors of Anthropic's API. */
export const messagesRefusals: Readonly<Record<RefusedName, ((context: WireContext) => Reply) | null>> = {
  ...commonRefusals,
  "quota-exhausted": (context) => {
    const resetsInS = context.behaviour.resetsInS ?? 3_600;
    const resetsAt = String(Math.floor(context.now / 1_000) + resetsInS);
    return messagesError(
      429,
      context.behaviour.message ?? "This request would exceed your account's rate limit. Please try again later.",
      context,
      {
        "retry-after": String(resetsInS),
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": resetsAt,
        "anthropic-ratelimit-unified-representative-claim": "five_hour",
        "anthropic-ratelimit-unified-5h-status": "rejected",
        "anthropic-ratelimit-unified-5h-reset": resetsAt,
        "anthropic-ratelimit-unified-7d-status": "allowed",
      },
    );
  },
  "burst-limit": (context) => {
    const seconds = burstSeconds(context);
    return messagesError(
      429,
      context.behaviour.message ??
        "This request would exceed your organization's rate limit of 50 requests per minute.",
      context,
      seconds === null
        ? {}
        : {
            "retry-after": String(seconds),
            "anthropic-ratelimit-requests-limit": "50",
            "anthropic-ratelimit-requests-remaining": "0",
            "anthropic-ratelimit-requests-reset": new Date(context.now + seconds * 1_000).toISOString(),
          },
    );
  },
  overloaded: row(529, () => "Overloaded"),
  "server-error": row(500, () => "Internal server error"),
  unauthorized: row(401, () => "invalid x-api-key"),
  forbidden: row(403, () => "Your API key does not have permission to use the specified resource."),
  billing: row(402, () => "Your organization has no payment method that works."),
  "credit-balance": row(
    400,
    () =>
      "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
  ),
  "model-not-found": row(404, ({ request }) => `model: ${request.model}`),
  entitlement: null,
  "context-overflow": row(400, () => "prompt is too long: 214001 tokens > 200000 maximum"),
  "payload-too-large": row(413, () => "Request exceeds the maximum size"),
  "content-policy": row(400, () => "Output blocked by content filtering policy"),
  "invalid-request": row(400, () => "simulated: Extra inputs are not permitted"),
  "invalid-encrypted-content": row(400, () => "messages.1.content.0: Invalid `signature` in `thinking` block"),
  "echo-key": row(401, ({ presented }) => `invalid x-api-key: ${presented}`),
};

/** The error events inside a stream; null where Anthropic has none. A refusal for its content is no error but a stop reason. */
export function inStreamErrors(
  context: WireContext,
): Readonly<Record<InStreamName, { type: MessagesErrorType; message: string } | null>> {
  const error = (type: MessagesErrorType, message: string) => ({ type, message: context.behaviour.message ?? message });
  return {
    "soft-quota": error(
      "rate_limit_error",
      "This request would exceed your account's rate limit. Please try again later.",
    ),
    "soft-burst-limit": error("rate_limit_error", "Number of request tokens has exceeded your per-minute rate limit."),
    "overloaded-in-stream": error("overloaded_error", "Overloaded"),
    "soft-failed": error("api_error", "Internal server error"),
    "soft-failed-without-status": null,
    "soft-cancelled": null,
    "soft-context-overflow": error("invalid_request_error", "prompt is too long: 214001 tokens > 200000 maximum"),
    "soft-content-policy": null,
    "error-event": error("api_error", "Internal server error"),
  };
}
