import type { Failure } from "../core/failure.ts";
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

/** A wait up to here is worth a client's while, in ms. */
const shortWaitMs = 120_000;

/**
 * Chooses the shape. What clients do with each status was measured: Codex repeats a 401, 403 or 5xx up to 30 times and stops
 * at once for 400 and for 429 `usage_limit_reached`; Claude Code repeats all but 400, 403 and 404.
 *
 * - The caller's own mistake: the provider's status, 400 if it had none.
 * - Somebody recovers soon: 429 with `Retry-After`.
 * - Somebody recovers later: 429 `usage_limit_reached` with the time.
 * - Nobody recovers without a person (a sign-in, a bill, a wrong name): 400, which costs one request everywhere.
 * - The providers are in trouble: 503.
 *
 * `x-should-retry: false` keeps the official SDKs from repeating a turn that has already tried everybody.
 */
export function chooseLastWord(turn: FailedTurn, report: TurnReport, now: number): LastWord {
  const message = [report.summary, ...report.candidates].join("\n");
  const headers = { "x-should-retry": "false" };
  const { failure, nearestRecovery } = turn;

  if (failure?.next === "stop" || (failure?.next === "repair" && failure.scope === "request")) {
    const status = failure.status !== undefined && failure.status >= 400 && failure.status < 500 ? failure.status : 400;
    const type = failure.reason === "context_overflow" ? "invalid_request_error" : failure.reason;
    return {
      error: { status, type, code: failure.code ?? failure.reason, message: failure.message || message },
      headers,
    };
  }
  if (nearestRecovery !== null && nearestRecovery - now <= shortWaitMs && !isTrouble(failure)) {
    const seconds = Math.max(1, Math.ceil((nearestRecovery - now) / 1_000));
    return {
      error: { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded", message },
      headers: { "retry-after": String(seconds) },
    };
  }
  if (nearestRecovery !== null && !isTrouble(failure)) {
    return {
      error: {
        status: 429,
        type: "usage_limit_reached",
        code: "usage_limit_reached",
        message,
        resetsAt: nearestRecovery,
      },
      headers,
    };
  }
  if (isTrouble(failure))
    return { error: { status: 503, type: "server_error", code: failure?.reason ?? null, message }, headers };
  return {
    error: { status: 400, type: "invalid_request_error", code: failure?.reason ?? "no_candidate", message },
    headers,
  };
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
