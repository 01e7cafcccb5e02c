import { UnderstudyError } from "../core/error.ts";
import { formatTarget } from "../core/target.ts";
import type { Provider } from "../providers/provider.ts";
import { describeBlocked, describeCandidate, describeFailure, describeTime, repairCommand } from "./advice.ts";
import type { TurnResult } from "./run-turn.ts";

type FailedTurn = Extract<TurnResult, { ok: false }>;

/** How a failed turn is told: once, with each candidate's reason, and the commands that repair it. */
export interface TurnReport {
  /** One line. */
  readonly summary: string;
  /** One line per candidate: who, why, what to do. */
  readonly candidates: readonly string[];
  /** The commands that help, each once. Empty when only waiting does. */
  readonly commands: readonly string[];
}

/** Puts into words why nobody could answer. */
export function reportFailedTurn(
  turn: FailedTurn,
  route: string,
  findProvider: (id: string) => Provider | null,
  now: number,
): TurnReport {
  const commands = new Set<string>();
  const lines: string[] = [];
  const seen = new Set<string>();
  // The last word on each candidate counts.
  for (const attempt of [...turn.attempts].reverse()) {
    const { candidate, failure } = attempt;
    const who = `${formatTarget(candidate)} · ${candidate.credential.label}`;
    if (failure === null || seen.has(who)) continue;
    seen.add(who);
    const kind = findProvider(candidate.provider)?.signIn.kind === "api_key" ? "api_key" : "oauth";
    const command = repairCommand(failure, candidate.provider, { kind, label: candidate.credential.label });
    if (command !== null) commands.add(command);
    lines.unshift(`${who}: ${describeFailure(failure, now)}${command === null ? "" : `: run ${command}`}`);
  }
  for (const blocked of turn.blocked) {
    const who = describeCandidate(blocked);
    if (seen.has(who)) continue;
    const { cause, command } = describeBlocked(blocked, findProvider(blocked.target.provider), now);
    if (command !== null) commands.add(command);
    lines.push(`${who}: ${cause}${command === null ? "" : `: run ${command}`}`);
  }
  const recovery =
    turn.nearestRecovery === null ? "" : `; the first recovers at ${describeTime(turn.nearestRecovery, now)}`;
  const summary =
    turn.outcome === "cancelled"
      ? "the turn was cancelled"
      : turn.failure?.next === "stop"
        ? `the request was refused: ${describeFailure(turn.failure, now)}`
        : `nobody on route ${route} could answer${recovery}`;
  return { summary, candidates: lines, commands: [...commands] };
}

/** The error of a failed turn, for callers that want one thrown. */
export function toTurnError(turn: FailedTurn, report: TurnReport): UnderstudyError {
  const { failure } = turn;
  const code =
    turn.outcome === "cancelled" ? "cancelled" : failure?.next === "stop" ? "request_refused" : "turn_failed";
  const message = [report.summary, ...report.candidates.map((line) => `  ${line}`)].join("\n");
  return new UnderstudyError(code, message, {
    ...(failure === null ? {} : { failure, ...(failure.status === undefined ? {} : { status: failure.status }) }),
    ...(turn.nearestRecovery === null ? {} : { retryAt: turn.nearestRecovery }),
    ...(report.commands[0] === undefined ? {} : { command: report.commands[0] }),
    reloginRequired: failure?.reloginRequired ?? false,
  });
}
