import type { Reason, Scope } from "../../../src/core/failure.ts";
import type { ProtocolName } from "../../../src/core/target.ts";
import type { Chance } from "../chance.ts";
import type { WireAnswer } from "./answers.ts";

/** What the wire is to do with one model call. */
export interface ModelReply {
  readonly how: "answer" | "refused-connection" | "reset" | "silent";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body, piece by piece. */
  readonly pieces: readonly string[];
  /** How it ends: as it should, with a broken connection, or not at all. */
  readonly end: "end" | "broken" | "hold";
  /** True when the terminal event, or the whole body, is in `pieces`. */
  readonly isComplete: boolean;
  /** The truth about this reply where it is another than its fault's. */
  readonly truth?: Truth;
}

/** Whose fault it is, and what the core may call it. */
export interface Truth {
  readonly scope: Scope;
  readonly reasons: readonly Reason[];
}

export interface CallContext {
  readonly dialect: ProtocolName;
  readonly streams: boolean;
  readonly answer: WireAnswer;
  readonly chance: Chance;
}

/** A fault with the truth about it, which the core has to find out. */
export interface ModelFault extends Truth {
  readonly reply: (context: CallContext) => ModelReply;
}

const page = { "content-type": "text/html" };

/** Everything that a model provider, or the way there, was seen to do wrong. */
const table = {
  quota: {
    scope: "credential",
    reasons: ["quota"],
    reply: (call) => {
      const seconds = call.chance.span(60, 6 * 3_600);
      if (call.dialect !== "messages") {
        return refusal(call, 429, "usage_limit_reached", "the plan's window is used up", {
          resets_in_seconds: seconds,
        });
      }
      return refusal(
        call,
        429,
        "rate_limit_error",
        "the window is used up",
        {},
        {
          "retry-after": String(seconds),
          "anthropic-ratelimit-unified-status": "rejected",
          "anthropic-ratelimit-unified-representative-claim": "five_hour",
        },
      );
    },
  },
  "quota-in-stream": {
    scope: "credential",
    reasons: ["quota"],
    reply: (call) => {
      const code = call.dialect === "messages" ? "rate_limit_error" : "usage_limit_reached";
      return failure(call, 0, code, "You have reached your usage limit");
    },
  },
  burst: {
    scope: "credential_model",
    reasons: ["rate_limit"],
    reply: (call) => {
      const code = call.dialect === "messages" ? "rate_limit_error" : "rate_limit_exceeded";
      const seconds = call.chance.happens(0.5) ? call.chance.span(1, 300) : null;
      const headers: Record<string, string> = seconds === null ? {} : { "retry-after": String(seconds) };
      return refusal(call, 429, code, "slow down", {}, headers);
    },
  },
  "burst-in-stream": {
    scope: "credential_model",
    reasons: ["rate_limit"],
    reply: (call) => {
      const code = call.dialect === "messages" ? "rate_limit_error" : "rate_limit_exceeded";
      return failure(call, 0, code, "Please try again in 7s.");
    },
  },
  unpaid: {
    scope: "credential",
    reasons: ["billing"],
    reply: (call) =>
      call.dialect === "messages"
        ? refusal(call, 400, "invalid_request_error", "Your credit balance is too low to access the API")
        : refusal(call, 429, "insufficient_quota", "You exceeded your current quota"),
  },
  "not-in-plan": {
    scope: "credential_model",
    reasons: ["entitlement"],
    reply: (call) => refusal(call, 403, "model_not_supported", "your plan does not include it"),
  },
  "server-error": {
    scope: "model",
    reasons: ["server_error"],
    reply: (call) =>
      refusal(call, 500, call.dialect === "messages" ? "api_error" : "server_error", "something went wrong"),
  },
  "error-in-stream": {
    scope: "model",
    reasons: ["server_error"],
    reply: (call) => failure(call, 0, call.dialect === "messages" ? "api_error" : "server_error", "something broke"),
  },
  "error-in-answer": {
    scope: "model",
    reasons: ["server_error"],
    reply: (call) => failure(call, 2, call.dialect === "messages" ? "api_error" : "server_error", "something broke"),
  },
  overloaded: {
    scope: "model",
    reasons: ["overloaded"],
    reply: (call) =>
      call.dialect === "messages"
        ? refusal(call, 529, "overloaded_error", "Overloaded")
        : refusal(call, 503, "server_is_overloaded", "Overloaded"),
  },
  "overloaded-in-stream": {
    scope: "model",
    reasons: ["overloaded"],
    reply: (call) =>
      failure(call, 0, call.dialect === "messages" ? "overloaded_error" : "server_is_overloaded", "Overloaded"),
  },
  "model-missing": {
    scope: "model",
    reasons: ["model_not_found"],
    reply: (call) =>
      refusal(call, 404, call.dialect === "messages" ? "not_found_error" : "model_not_found", "there is no such model"),
  },
  "firewall-page": {
    scope: "provider",
    reasons: ["blocked"],
    reply: () => answer(403, page, ["<html><title>Just a moment...</title></html>"], "end", false),
  },
  "web-page": {
    scope: "provider",
    reasons: ["blocked"],
    reply: () => answer(200, page, ["<html><title>Sign in to the hotel's network</title></html>"], "end", false),
  },
  "refused-connection": { scope: "network", reasons: ["network"], reply: () => nothing("refused-connection") },
  reset: { scope: "network", reasons: ["network"], reply: () => nothing("reset") },
  silent: { scope: "model", reasons: ["timeout"], reply: () => nothing("silent") },
  "silent-before-content": {
    scope: "model",
    reasons: ["timeout"],
    reply: (call) => partly(call, 0, "hold"),
  },
  "silent-in-answer": { scope: "model", reasons: ["timeout"], reply: (call) => partly(call, 2, "hold") },
  "cut-before-content": { scope: "model", reasons: ["incomplete"], reply: (call) => partly(call, 0, "end") },
  "cut-in-answer": { scope: "model", reasons: ["incomplete"], reply: (call) => partly(call, 2, "end") },
  "broken-before-content": { scope: "network", reasons: ["network"], reply: (call) => partly(call, 0, "broken") },
  "broken-in-answer": { scope: "network", reasons: ["network"], reply: (call) => partly(call, 2, "broken") },
} as const satisfies Readonly<Record<string, ModelFault>>;

export type ModelFaultName = keyof typeof table;

export const modelFaults: Readonly<Record<ModelFaultName, ModelFault>> = table;

/** What every provider answers to a request that is wrong in itself. */
export const callersMistakes = {
  "context-overflow": (call) => refusal(call, 400, "context_length_exceeded", "prompt is too long"),
  "refused-content": (call) => refusal(call, 400, "content_policy_violation", "no"),
  malformed: (call) => refusal(call, 400, "invalid_request_error", "messages: at least one is required"),
} as const satisfies Readonly<Record<string, (call: CallContext) => ModelReply>>;

export type CallersMistake = keyof typeof callersMistakes;

/** The answer as it should be. */
export function goodReply({ answer: said, streams }: CallContext): ModelReply {
  if (!streams) return answer(200, { "content-type": "application/json" }, [said.whole], "end", true);
  return answer(200, eventStream, [...said.opening, ...said.words, ...said.closing], "end", true);
}

export function unauthorizedReply(call: CallContext): ModelReply {
  return refusal(call, 401, call.dialect === "messages" ? "authentication_error" : "invalid_token", "who are you?");
}

const eventStream = { "content-type": "text/event-stream; charset=utf-8" };

function answer(
  status: number,
  headers: Readonly<Record<string, string>>,
  pieces: readonly string[],
  end: ModelReply["end"],
  isComplete: boolean,
): ModelReply {
  return { how: "answer", status, headers, pieces, end, isComplete };
}

function nothing(how: "refused-connection" | "reset" | "silent"): ModelReply {
  return { how, status: 0, headers: {}, pieces: [], end: "end", isComplete: false };
}

/** An HTTP error in the dialect's own shape. */
function refusal(
  { dialect }: CallContext,
  status: number,
  code: string,
  message: string,
  fields: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): ModelReply {
  const text = JSON.stringify(errorBody(dialect, code, message, fields));
  return answer(status, { "content-type": "application/json", ...headers }, [text], "end", false);
}

function errorBody(dialect: ProtocolName, code: string, message: string, fields: Readonly<Record<string, unknown>>) {
  if (dialect !== "messages") return { error: { code, type: code, message, ...fields } };
  return { type: "error", error: { type: code, message, ...fields } };
}

/** A failure told inside a stream, after `words` words; without a stream, in a body that calls itself a success. */
function failure(call: CallContext, words: number, code: string, message: string): ModelReply {
  const { dialect, streams, answer: said } = call;
  const body = errorBody(dialect, code, message, {});
  if (!streams) {
    const failed = dialect === "responses" ? { object: "response", status: "failed", output: [], ...body } : body;
    return answer(200, { "content-type": "application/json" }, [JSON.stringify(failed)], "end", false);
  }
  const pieces = [...said.opening, ...said.words.slice(0, words), failureEvent(dialect, body)];
  return answer(200, eventStream, pieces, "end", false);
}

function failureEvent(dialect: ProtocolName, body: object): string {
  if (dialect === "responses") {
    const response = { id: "resp", object: "response", status: "failed", output: [], ...body };
    return `event: response.failed\ndata: ${JSON.stringify({ type: "response.failed", response })}\n\n`;
  }
  return `${dialect === "messages" ? "event: error\n" : ""}data: ${JSON.stringify(body)}\n\n`;
}

/** The beginning of an answer, with `words` words of it. Without a stream the body comes whole or not at all. */
function partly({ streams, answer: said }: CallContext, words: number, end: ModelReply["end"]): ModelReply {
  if (streams) return answer(200, eventStream, [...said.opening, ...said.words.slice(0, words)], end, false);
  const half = said.whole.slice(0, said.whole.length >> 1);
  const broken = answer(200, { "content-type": "application/json" }, [half], end === "end" ? "broken" : end, false);
  return end === "end" ? { ...broken, truth: { scope: "network", reasons: ["network"] } } : broken;
}
