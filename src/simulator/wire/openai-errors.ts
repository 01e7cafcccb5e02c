import type { RefusedName } from "../faults.ts";
import { jsonReply, redirectReply, type Reply, textReply } from "../reply.ts";
import type { Objection, WireContext } from "./dialect.ts";
import { badGatewayPage, blockedPage } from "./pages.ts";

type Refusal = (context: WireContext) => Reply;

/** When a burst limit ends, in seconds; null when the provider does not say. */
export function burstSeconds({ behaviour }: WireContext): number | null {
  return behaviour.retryAfterS === undefined ? 2 : behaviour.retryAfterS;
}

/** OpenAI's error body. */
export function openaiError(
  status: number,
  context: WireContext,
  error: { message: string; type: string; param?: string | null; code?: string | null },
  headers: Record<string, string> = {},
): Reply {
  const { behaviour } = context;
  return jsonReply(
    status,
    {
      error: {
        message: behaviour.message ?? error.message,
        type: error.type,
        param: error.param ?? null,
        code: behaviour.code ?? error.code ?? null,
      },
    },
    { "x-request-id": context.nextId("req_"), ...headers },
  );
}

/** An objection as OpenAI writes it. */
export function openaiObjection(objection: Objection, context: { nextId: (prefix: string) => string }): Reply {
  const { status, message, param, code } = objection;
  const headers = { "x-request-id": context.nextId("req_") };
  if (objection.asDetail === true) return jsonReply(status, { detail: message }, headers);
  const type = status === 401 ? "authentication_error" : "invalid_request_error";
  return jsonReply(status, { error: { message, type, param: param ?? null, code: code ?? null } }, headers);
}

/** What every backend can do and no dialect spells in its own way. */
export const commonRefusals = {
  "waf-page": () => blockedPage(),
  "html-502": () => badGatewayPage(),
  "empty-500": () => textReply(500, "text/plain", ""),
  redirect: ({ elsewhere }) => redirectReply(`${elsewhere}/taken-away`),
} satisfies Partial<Record<RefusedName, Refusal>>;

/** The HTTP errors of the public OpenAI API, for Responses and Chat Completions. */
export const openaiRefusals: Readonly<Record<RefusedName, Refusal | null>> = {
  ...commonRefusals,
  "quota-exhausted": (context) =>
    openaiError(429, context, {
      message: "You exceeded your current quota, please check your plan and billing details.",
      type: "insufficient_quota",
      code: "insufficient_quota",
    }),
  "burst-limit": (context) => {
    const seconds = burstSeconds(context);
    const again = seconds === null ? "" : ` Please try again in ${seconds}s.`;
    return openaiError(
      429,
      context,
      {
        message: `Rate limit reached for ${context.request.model} on requests per min (RPM): Limit 3, Used 3, Requested 1.${again}`,
        type: "requests",
        code: "rate_limit_exceeded",
      },
      seconds === null
        ? {}
        : {
            "retry-after": String(seconds),
            "x-ratelimit-limit-requests": "3",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-requests": `${seconds}s`,
          },
    );
  },
  overloaded: (context) =>
    openaiError(503, context, {
      message: "The engine is currently overloaded, please try again later",
      type: "server_error",
    }),
  "server-error": (context) =>
    openaiError(500, context, {
      message: "The server had an error processing your request. Sorry about that!",
      type: "server_error",
    }),
  unauthorized: (context) =>
    openaiError(401, context, {
      message: "Incorrect API key provided.",
      type: "invalid_request_error",
      code: "invalid_api_key",
    }),
  forbidden: (context) =>
    openaiError(403, context, {
      message: "You do not have permission to perform this operation.",
      type: "permission_error",
      code: "insufficient_permissions",
    }),
  billing: (context) =>
    openaiError(402, context, {
      message: "Payment required: this account has no credits left.",
      type: "billing_error",
      code: "insufficient_credits",
    }),
  "credit-balance": null,
  "model-not-found": (context) =>
    openaiError(404, context, {
      message: `The model \`${context.request.model}\` does not exist or you do not have access to it.`,
      type: "invalid_request_error",
      param: "model",
      code: "model_not_found",
    }),
  entitlement: (context) =>
    openaiError(403, context, {
      message: `Project \`proj_simulated\` does not have access to model \`${context.request.model}\``,
      type: "invalid_request_error",
      code: "model_not_found",
    }),
  "context-overflow": (context) =>
    openaiError(400, context, {
      message: "Your input exceeds the context window of this model. Please adjust your input and try again.",
      type: "invalid_request_error",
      param: "input",
      code: "context_length_exceeded",
    }),
  "payload-too-large": (context) =>
    openaiError(413, context, { message: "Request body too large.", type: "invalid_request_error" }),
  "content-policy": (context) =>
    openaiError(400, context, {
      message: "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
      type: "invalid_request_error",
      code: "invalid_prompt",
    }),
  "invalid-request": (context) =>
    openaiError(400, context, {
      message: "Unknown parameter: 'simulated'.",
      type: "invalid_request_error",
      param: "simulated",
      code: "unknown_parameter",
    }),
  "invalid-encrypted-content": (context) =>
    openaiError(400, context, {
      message:
        "The encrypted content gAAA... could not be verified. Reason: Encrypted content could not be decrypted or parsed.",
      type: "invalid_request_error",
      code: "invalid_encrypted_content",
    }),
  "echo-key": (context) =>
    openaiError(401, context, {
      message: `Incorrect API key provided: ${context.presented}. You can find your API key in your settings.`,
      type: "invalid_request_error",
      code: "invalid_api_key",
    }),
};
