import type { Failure } from "../core/failure.ts";
import type { ProtocolName } from "../core/target.ts";
import type { ProtocolError } from "../protocols/protocol.ts";
import type { TurnResult } from "./run-turn.ts";
import type { TurnReport } from "./turn-error.ts";

type FailedTurn = Extract<TurnResult, { ok: false }>;

/** How a client is told that nobody could answer: in a shape that makes it stop once, with a clear text. */
export interface LastWord {
  readonly error: ProtocolError;
  /** Extra headers. Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * What a turn without an answer comes to:
 *
 * - `refused`: the caller's own mistake, or a refusal of the content. Nobody else would answer differently.
 * - `soon`: somebody recovers within `shortWaitMs`. Worth the client's waiting.
 * - `later`: a plan's limit, with its reset further away.
 * - `person`: nobody recovers without a person: a sign-in, a bill, a missing right, a wrong name.
 * - `trouble`: the providers or the way to them are at fault, and it may be over in a moment.
 */
export type Ending = "refused" | "soon" | "later" | "person" | "trouble";

/** A wait up to here is worth a client's while, in ms. */
const shortWaitMs = 120_000;

/** What a client is told to wait when the providers are in trouble and none of them says how long, in seconds. */
const troubleWaitS = 5;

export function endingOf({ failure, nearestRecovery }: FailedTurn, now: number): Ending {
  if (failure?.next === "stop" || (failure?.next === "repair" && failure.scope === "request")) return "refused";
  if (isTrouble(failure)) return "trouble";
  if (nearestRecovery === null) return "person";
  return nearestRecovery - now <= shortWaitMs ? "soon" : "later";
}

interface Shape {
  readonly status: number;
  readonly type: string;
  /** Null: the reason of the failure. */
  readonly code: string | null;
  /** True: `Retry-After` says when. False: `x-should-retry: false` keeps the official SDKs from asking again. */
  readonly again: boolean;
}

/**
 * The shape per dialect. What the clients do with each was measured (docs/decisions/007, `npm run test:clients`):
 *
 * - Codex asks once for 400 and for 429 `usage_limit_reached`; six times, as far apart as `Retry-After` says, for any other 429 that
 *   has one; six times for 401 and 413; up to thirty times for a 5xx. So it gets none of these: trouble is a 429 that says when
 *   to come back.
 * - Claude Code and the official SDKs ask once whatever the status, when `x-should-retry: false` stands beside it; without it
 *   Claude Code goes on for minutes after 401, 429 and 5xx.
 * - opencode, and all that is built on the AI SDK, ignores that header and goes on after 408, 409, 429 and 5xx. So a spent plan is
 *   a 402 for these (`repeatsEvery429`); for all others it is the 429 by which SDKs know a limit.
 */
const shapes: Readonly<Record<ProtocolName, Readonly<Record<Exclude<Ending, "refused">, Shape>>>> = {
  responses: {
    soon: { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded", again: true },
    later: { status: 429, type: "usage_limit_reached", code: "usage_limit_reached", again: false },
    person: { status: 400, type: "invalid_request_error", code: null, again: false },
    trouble: { status: 429, type: "server_error", code: null, again: true },
  },
  "chat-completions": {
    soon: { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded", again: true },
    later: { status: 429, type: "usage_limit_reached", code: "usage_limit_reached", again: false },
    person: { status: 400, type: "invalid_request_error", code: null, again: false },
    trouble: { status: 503, type: "server_error", code: null, again: true },
  },
  messages: {
    soon: { status: 429, type: "rate_limit_error", code: null, again: true },
    later: { status: 429, type: "rate_limit_error", code: null, again: false },
    person: { status: 400, type: "invalid_request_error", code: null, again: false },
    trouble: { status: 529, type: "overloaded_error", code: null, again: true },
  },
};

/** Who is told. */
export interface Listener {
  readonly dialect: ProtocolName;
  /** The caller's `user-agent`, if it has one. */
  readonly userAgent?: string | undefined;
}

/** True for clients that take no 429 as final, whatever is said beside it. */
export function repeatsEvery429(userAgent: string): boolean {
  return /\b(ai-sdk[\w-]*|opencode)\//.test(userAgent);
}

/** Chooses what a caller is told. */
export function chooseLastWord(turn: FailedTurn, report: TurnReport, listener: Listener, now: number): LastWord {
  const { dialect, userAgent = "" } = listener;
  const { failure, nearestRecovery } = turn;
  const ending = endingOf(turn, now);
  const message = speakTo(dialect, [report.summary, ...report.candidates].join("\n"));
  if (ending === "refused" && failure !== null) {
    return { error: refusal(failure, dialect, message), headers: { "x-should-retry": "false" } };
  }
  const { status, type, code, again } = shapes[dialect][ending === "refused" ? "person" : ending];
  const error: ProtocolError = {
    status: ending === "later" && repeatsEvery429(userAgent) ? 402 : status,
    type,
    code: code ?? failure?.reason ?? "no_candidate",
    message,
    again,
    ...(nearestRecovery === null || ending === "trouble" ? {} : { resetsAt: nearestRecovery }),
  };
  if (!again) return { error, headers: { "x-should-retry": "false" } };
  const waitMs = nearestRecovery === null ? troubleWaitS * 1_000 : Math.min(nearestRecovery - now, shortWaitMs);
  return { error, headers: { "retry-after": String(Math.max(1, Math.ceil(waitMs / 1_000))) } };
}

/** The same for a fault of our own, such as a store that can't be read. */
export function troubleWord(dialect: ProtocolName, message: string): LastWord {
  const { status, type } = shapes[dialect].trouble;
  return {
    error: { status, type, code: "understudy_error", message },
    headers: { "retry-after": String(troubleWaitS) },
  };
}

/** Statuses of a refusal that every client takes as final. Any other becomes 400: some clients ask again after 401, 408, 409, 429. */
const finalStatuses: Readonly<Record<ProtocolName, ReadonlySet<number>>> = {
  responses: new Set([400, 404]),
  "chat-completions": new Set([400, 403, 404, 413, 422]),
  messages: new Set([400, 403, 404, 413]),
};

/**
 * The caller's own mistake, in the provider's words. Anthropic's error types are a closed list that follows the status;
 * OpenAI's clients look at the code. That a conversation is too long is said as the dialect says it, since coding agents
 * compact their history on exactly those words.
 */
function refusal(failure: Failure, dialect: ProtocolName, message: string): ProtocolError {
  const given = failure.status ?? 400;
  const status = finalStatuses[dialect].has(given) ? given : 400;
  const words = speakTo(dialect, failure.message || message);
  const tooLong = failure.reason === "context_overflow";
  if (dialect === "messages") {
    const said = tooLong && !/prompt is too long/i.test(words) ? `prompt is too long: ${words}` : words;
    return { status, type: messagesTypes[status] ?? "invalid_request_error", code: null, message: said };
  }
  const code = tooLong ? "context_length_exceeded" : (failure.code ?? failure.reason);
  return { status, type: "invalid_request_error", code, message: words };
}

/** https://docs.anthropic.com/en/api/errors */
const messagesTypes: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
};

/** Claude Code says "Not logged in · Please run /login" instead of any message that has this header's name in it. */
function speakTo(dialect: ProtocolName, message: string): string {
  return dialect === "messages" ? message.replaceAll(/x-api-key/gi, "API key") : message;
}

/** True when the providers or the way to them were at fault, not an allowance or a login. */
function isTrouble(failure: Failure | null): boolean {
  switch (failure?.reason) {
    case "overloaded":
    case "server_error":
    case "timeout":
    case "network":
    case "blocked":
    case "incomplete":
    case "unknown":
      return true;
    default:
      return false;
  }
}
