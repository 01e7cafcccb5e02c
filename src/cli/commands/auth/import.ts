import type { Command } from "commander";
import { UnderstudyError } from "../../../core/error.ts";
import { type ForeignTool, foreignTools } from "../../../platform/foreign-files.ts";
import { type ImportOptions, importFrom } from "../../import-logins.ts";
import { withWorkspace, withWorkspaceToRead } from "../../open-workspace.ts";

const examples = `
Reads only: codex: auth.json in $CODEX_HOME · hermes: auth.json and config.yaml in $HERMES_HOME · opencode: auth.json in its data
folder. What is expired, a placeholder, or somebody else's stays there, with the reason.

A login that two tools share ends with one of them signed out, since its refresh token works once: you are asked first, and
offered a login of its own instead. Keys, routes, strategies and providers come over without a question.

Examples:
  $ understudy auth import codex --dry-run
  $ understudy auth import hermes --route night
  $ understudy auth import codex --from ~/backup/.codex --share-login
`;

export function importCommand(command: Command): void {
  command
    .argument("<tool>", foreignTools.join(", "))
    .option("--dry-run", "show what would come over, and write nothing")
    .option("--from <path>", "another folder, or the file itself")
    .option("--share-login", "take a login over, though both tools then share its single-use token")
    .option("--route <name>", "what the fallback chain is called here; default: the tool's name")
    .option("--json", "what comes over and what not, as JSON")
    .addHelpText("after", examples)
    .action(async (name: string, options: ImportOptions) => {
      const tool = foreignTools.find((one) => one === name);
      if (tool === undefined) {
        throw new UnderstudyError(
          "usage",
          `import knows ${foreignTools.join(", ")}, not ${JSON.stringify(name.slice(0, 60))}`,
        );
      }
      const work = (workspace: Parameters<typeof importFrom>[0]): Promise<void> =>
        importFrom(workspace, tool satisfies ForeignTool, options);
      await (options.dryRun === true ? withWorkspaceToRead(work) : withWorkspace(work));
    });
}
