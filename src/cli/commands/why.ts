import type { Command } from "commander";
import type { TurnRecord } from "../../core/events.ts";
import { withWorkspaceToRead } from "../open-workspace.ts";
import { isoTime, printJson } from "../output.ts";
import { findTurn, showTurn } from "../show-turn.ts";

const examples = `
Examples:
  $ understudy why                      the last turn
  $ understudy why 3f9a                 the turn whose id ends like this
  $ understudy why --json | jq .attempts
`;

export function whyCommand(command: Command): void {
  command
    .argument("[turn]", "id of a turn, or how it begins or ends; default: the last")
    .option("--json", "as JSON")
    .addHelpText("after", examples)
    .action((id: string | undefined, options: { json?: boolean }) =>
      withWorkspaceToRead(async (workspace) => {
        if (options.json === true) printJson(toJson(await findTurn(workspace.store, id)));
        else await showTurn(workspace, id);
      }),
    );
}

function toJson(turn: TurnRecord): Record<string, unknown> {
  return {
    id: turn.id,
    route: turn.route,
    outcome: turn.outcome,
    startedAt: isoTime(turn.startedAt),
    endedAt: isoTime(turn.endedAt),
    usage: turn.usage,
    cost: turn.cost ?? null,
    attempts: turn.attempts.map(
      ({ candidate, startedAt, endedAt, called, waitedMs, restsUntil, failure, decision }) => ({
        ...candidate,
        startedAt: isoTime(startedAt),
        endedAt: isoTime(endedAt),
        called,
        waitedMs: waitedMs ?? 0,
        restsUntil: isoTime(restsUntil),
        failure: failure === null ? null : { ...failure, retryAt: isoTime(failure.retryAt) },
        decision,
      }),
    ),
  };
}
