import type { InStreamName } from "../faults.ts";
import type { WireContext } from "./dialect.ts";
import { burstSeconds } from "./openai-errors.ts";

/** Whose Responses API it is: Codex's backend for ChatGPT logins, or the public one for API keys. */
export type ResponsesFlavour = "codex" | "openai";

/** One way for a response to fail after its 200. `status` null: the response carries none. */
export interface ResponsesFailure {
  readonly event: "response.failed" | "response.cancelled" | "error";
  readonly status: "failed" | "cancelled" | null;
  readonly error: Readonly<Record<string, unknown>> | null;
}

/** The failures inside a Responses answer, each with its wire shape. */
export function responsesFailures(
  context: WireContext,
  flavour: ResponsesFlavour,
): Readonly<Record<InStreamName, ResponsesFailure>> {
  const { behaviour, request } = context;
  const failed = (code: string, message: string, more: object = {}): ResponsesFailure => ({
    event: "response.failed",
    status: "failed",
    error: { code: behaviour.code ?? code, message: behaviour.message ?? message, ...more },
  });
  const serverError = failed("server_error", "The server had an error processing your request. Sorry about that!");
  const resetsInS = behaviour.resetsInS ?? 3_600;
  const seconds = burstSeconds(context);
  return {
    "soft-quota":
      flavour === "codex"
        ? failed("usage_limit_reached", "The usage limit has been reached", {
            type: "usage_limit_reached",
            plan_type: context.plan,
            resets_at: Math.floor(context.now / 1_000) + resetsInS,
            resets_in_seconds: resetsInS,
          })
        : failed("insufficient_quota", "You exceeded your current quota, please check your plan and billing details."),
    "soft-burst-limit": failed(
      "rate_limit_exceeded",
      `Rate limit reached for ${request.model} on tokens per min (TPM).${seconds === null ? "" : ` Please try again in ${seconds}s.`}`,
    ),
    "overloaded-in-stream": failed(
      "server_is_overloaded",
      "Our servers are currently overloaded. Please try again later.",
    ),
    "soft-failed": serverError,
    "soft-failed-without-status": { ...serverError, status: null },
    "soft-cancelled": { event: "response.cancelled", status: "cancelled", error: null },
    "soft-context-overflow": failed(
      "context_length_exceeded",
      "Your input exceeds the context window of this model. Please adjust your input and try again.",
    ),
    "soft-content-policy": failed(
      "invalid_prompt",
      "Invalid prompt: your prompt was flagged as potentially violating our usage policy.",
    ),
    "error-event": { ...serverError, event: "error" },
  };
}
