import type { APICallError } from "@ai-sdk/provider";
import { UnderstudyError } from "../core/error.ts";
import type { Route } from "../core/target.ts";
import { protocols } from "../protocols/index.ts";
import { aboutTurn } from "../turn/about-turn.ts";
import { chooseLastWord } from "../turn/last-word.ts";
import type { TurnResult } from "../turn/run-turn.ts";
import type { TurnRuntime } from "../turn/runtime.ts";
import { reportFailedTurn, toTurnError } from "../turn/turn-error.ts";
import type { CommittedTurn } from "./about-answer.ts";

/** What stands in `data` of an `APICallError` of this package. Its `cause` is the `UnderstudyError`. */
export interface UnderstudyErrorData {
  readonly turnId: string;
  /** One line per candidate: who, why, what to do. */
  readonly candidates: readonly string[];
  /** The commands that repair it, each once. Empty when only waiting helps. */
  readonly commands: readonly string[];
  /** Unix ms at which the first candidate recovers by itself; null when none will, or nobody knows. */
  readonly retryAt: number | null;
}

/** The dialect of the error's body: the one that most know. */
const dialect = "chat-completions";

/**
 * The error of a turn that nobody could answer. Never retryable: the pool and the route have been walked, with their own waits, and
 * the AI SDK would walk them twice more. `retry-after` and `data.retryAt` say when another try is worth it.
 */
export function spentRouteError(
  turn: Extract<TurnResult, { ok: false }>,
  route: Route,
  runtime: TurnRuntime,
): Promise<APICallError> {
  const now = runtime.clock.now();
  const report = reportFailedTurn(turn, route.name, runtime.findProvider, now);
  const { error, headers } = chooseLastWord(turn, report, { dialect }, now);
  const { candidates, commands } = report;
  const data: UnderstudyErrorData = { turnId: turn.turnId, candidates, commands, retryAt: turn.nearestRecovery };
  return createCallError({
    message: error.message,
    ...addressOf(route.name),
    statusCode: error.status,
    responseHeaders: { ...headers, ...aboutTurn(turn) },
    responseBody: JSON.stringify(protocols[dialect].encodeError(error).body),
    isRetryable: false,
    data,
    cause: toTurnError(turn, report),
  });
}

/**
 * The error of an answer that broke off after its beginning had been passed on. Another turn may well succeed, unless the answer
 * was refused.
 */
export function cutAnswerError(turn: CommittedTurn, route: string): Promise<APICallError> {
  const end = turn.answer.end();
  const failure = end?.kind === "cut" ? end.failure : null;
  const message = `the answer broke off: ${failure?.message ?? "the connection ended"}`;
  const statusCode = failure?.status ?? 502;
  const code = failure?.code ?? failure?.reason ?? "incomplete";
  const again = failure?.next !== "stop";
  const body = { status: statusCode, type: "server_error", code, message, again };
  const data: UnderstudyErrorData = { turnId: turn.turnId, candidates: [], commands: [], retryAt: null };
  return createCallError({
    message,
    ...addressOf(route),
    statusCode,
    responseHeaders: aboutTurn(turn),
    responseBody: JSON.stringify(protocols[dialect].encodeError(body).body),
    isRetryable: again,
    data,
    cause: new UnderstudyError("answer_cut", message, failure === null ? {} : { failure }),
  });
}

type CallErrorFacts = ConstructorParameters<typeof APICallError>[0];

/** There is no one URL, and the conversation stays out of errors. */
function addressOf(route: string): Pick<CallErrorFacts, "url" | "requestBodyValues"> {
  return { url: `understudy:${encodeURIComponent(route)}`, requestBodyValues: { model: route } };
}

/** The AI SDK's own class where it can be loaded, for whoever asks with `instanceof`; else the same by its markers. */
async function createCallError(facts: CallErrorFacts): Promise<APICallError> {
  try {
    const provider = await import("@ai-sdk/provider");
    return new provider.APICallError(facts);
  } catch {
    return createMarkedError(facts);
  }
}

/**
 * An error that `APICallError.isInstance` of every copy of the AI SDK accepts: it looks for these symbols, not for the class.
 * https://github.com/vercel/ai/blob/main/packages/provider/src/errors/ai-sdk-error.ts
 */
export function createMarkedError({ message, cause, ...facts }: CallErrorFacts): APICallError {
  const error = Object.assign(new Error(message, { cause }), facts, {
    name: "AI_APICallError",
    [Symbol.for("vercel.ai.error")]: true,
    [Symbol.for("vercel.ai.error.AI_APICallError")]: true,
  });
  // The markers are private to the class, so no literal can have its type.
  return error as unknown as APICallError;
}
