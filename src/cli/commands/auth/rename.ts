import type { Command } from "commander";
import { requireStored } from "../../find-credential.ts";
import { requirePool } from "../../find-provider.ts";
import { withWorkspace } from "../../open-workspace.ts";
import { colors, say } from "../../output.ts";
import { checkLabel } from "../../../providers/label.ts";

const examples = `
Examples:
  $ understudy auth rename codex 1 work
`;

export function renameCommand(command: Command): void {
  command
    .argument("<provider>", "id or alias of a provider")
    .argument("<credential>", "id, label or number")
    .argument("<label>", "what to call it")
    .addHelpText("after", examples)
    .action((name: string, target: string, label: string) => {
      checkLabel(label);
      return withWorkspace(async (workspace) => {
        const credential = requireStored(await requirePool(workspace, name), target, "renamed");
        await workspace.store.updateCredential(credential.id, { label: label.trim() });
        say(`${credential.provider} · ${credential.label} is called ${colors.bold(label.trim())} now.`);
      });
    });
}
