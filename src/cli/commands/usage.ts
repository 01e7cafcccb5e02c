import type { Command } from "commander";
import { exitCodes } from "../exit-codes.ts";
import { withWorkspace, withWorkspaceToRead } from "../open-workspace.ts";
import { isoTime, printJson } from "../output.ts";
import { type AccountUsage, printUsage, readUsage, tellProblems } from "../show-usage.ts";

interface UsageOptions {
  readonly cached?: boolean;
  readonly json?: boolean;
}

const examples = `
Plans have windows: so much in five hours, so much in a week. What the provider says beside every answer is remembered; without
--cached it is asked. Keys have no windows.

Examples:
  $ understudy usage
  $ understudy usage codex --cached              spends nothing, calls nobody
  $ understudy usage --json | jq '.accounts[] | select(.windows[].usedPercent > 90)'
`;

export function usageCommand(command: Command): void {
  command
    .argument("[provider]", "id or alias of a provider")
    .option("--cached", "only what is remembered: no call")
    .option("--json", "as JSON")
    .addHelpText("after", examples)
    .action((name: string | undefined, options: UsageOptions) => {
      const open = options.cached === true ? withWorkspaceToRead : withWorkspace;
      return open(async (workspace) => {
        const asked = await readUsage(workspace, name, options.cached === true);
        const now = workspace.clock.now();
        if (options.json === true) {
          printJson({ accounts: asked.map(toJson) });
          tellProblems(asked, name, now);
        } else {
          printUsage(asked, name, now);
        }
        if (asked.length > 0 && asked.every(({ usage, failure }) => usage === null && failure !== null)) {
          process.exitCode = asked.some((one) => one.failure?.reloginRequired)
            ? exitCodes.needsPerson
            : exitCodes.failed;
        }
      });
    });
}

function toJson({ provider, login, usage, failure }: AccountUsage): Record<string, unknown> {
  return {
    provider: provider.id,
    credential: { id: login.id, label: login.label },
    plan: usage?.plan ?? login.account.plan,
    at: isoTime(usage?.at),
    source: usage?.source ?? null,
    windows: (usage?.windows ?? []).map(({ resetsAt, ...window }) => ({ ...window, resetsAt: isoTime(resetsAt) })),
    credits: usage?.credits ?? null,
    error: failure === null ? null : failure.reason,
  };
}
