import type { Command } from "commander";
import { requireStored } from "../../find-credential.ts";
import { requirePool } from "../../find-provider.ts";
import { withWorkspace } from "../../open-workspace.ts";
import { say, shellWord } from "../../output.ts";

export function pauseCommand(command: Command): void {
  define(command, true);
}

export function resumeCommand(command: Command): void {
  define(command, false);
}

function define(command: Command, paused: boolean): void {
  const [verb, done] = paused ? ["pause", "paused"] : ["resume", "resumed"];
  command
    .argument("<provider>", "id or alias of a provider")
    .argument("<credential>", "id, label or number")
    .addHelpText("after", `\nExamples:\n  $ understudy auth ${verb} codex work\n`)
    .action((name: string, target: string) =>
      withWorkspace(async (workspace) => {
        const { id, provider, label } = requireStored(await requirePool(workspace, name), target, done);
        await workspace.store.updateCredential(id, { paused });
        say(
          paused
            ? `${provider} · ${label} is paused: no turn uses it until understudy auth resume ${provider} ${shellWord(label)}`
            : `${provider} · ${label} is used again.`,
        );
      }),
    );
}
