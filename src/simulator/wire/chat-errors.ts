import type { InStreamName, RefusedName } from "../faults.ts";
import type { Reply } from "../reply.ts";
import type { WireContext } from "./dialect.ts";
import { burstSeconds, openaiError, openaiRefusals } from "./openai-errors.ts";

/** The HTTP errors of Chat Completions: OpenAI's, but for two that it spells in its own way. */
export const chatRefusals: Readonly<Record<RefusedName, ((context: WireContext) => Reply) | null>> = {
  ...openaiRefusals,
  "context-overflow": (context) =>
    openaiError(400, context, {
      message:
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 214001 tokens. Please reduce the length of the messages.",
      type: "invalid_request_error",
      param: "messages",
      code: "context_length_exceeded",
    }),
  "content-policy": (context) =>
    openaiError(400, context, {
      message: "The response was filtered due to the prompt triggering the content management policy.",
      type: "invalid_request_error",
      param: "prompt",
      code: "content_filter",
    }),
  "invalid-encrypted-content": null,
};

interface ChatStreamError {
  readonly message: string;
  readonly type: string;
  readonly param: null;
  readonly code: string | null;
}

/** The chunks that carry an error instead of choices; null where there is none. A filtered answer is no error but a finish reason. */
export function chatStreamErrors(context: WireContext): Readonly<Record<InStreamName, ChatStreamError | null>> {
  const { behaviour } = context;
  const error = (message: string, type: string, code: string | null): ChatStreamError => ({
    message: behaviour.message ?? message,
    type,
    param: null,
    code: behaviour.code ?? code,
  });
  const server = error("The server had an error processing your request. Sorry about that!", "server_error", null);
  const quota = "You exceeded your current quota, please check your plan and billing details.";
  const seconds = burstSeconds(context);
  const burst = `Rate limit reached for requests.${seconds === null ? "" : ` Please try again in ${seconds}s.`}`;
  const overflow = "This model's maximum context length is 128000 tokens. Please reduce the length of the messages.";
  return {
    "soft-quota": error(quota, "insufficient_quota", "insufficient_quota"),
    "soft-burst-limit": error(burst, "requests", "rate_limit_exceeded"),
    "overloaded-in-stream": error("The engine is currently overloaded, please try again later", "server_error", null),
    "soft-failed": server,
    "soft-failed-without-status": null,
    "soft-cancelled": null,
    "soft-context-overflow": error(overflow, "invalid_request_error", "context_length_exceeded"),
    "soft-content-policy": null,
    "error-event": server,
  };
}
