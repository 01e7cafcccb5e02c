import { existsSync } from "node:fs";
import type { Command } from "commander";
import { addCommands, type CommandEntry } from "../command-table.ts";
import { configError } from "../../config/problem.ts";
import { resolveConfig } from "../../config/resolve.ts";
import { builtInProviders } from "../../providers/registry.ts";
import { exitCodes } from "../exit-codes.ts";
import { findHome, parseConfigFile } from "../load-config.ts";
import { printJson, printLines, say } from "../output.ts";

const entries: readonly CommandEntry[] = [
  {
    name: "check",
    summary: "Say what is wrong with it: line, key and value",
    load: () => Promise.resolve(checkCommand),
  },
  { name: "path", summary: "Print where it is", load: () => Promise.resolve(pathCommand) },
  {
    name: "edit",
    summary: "Change it in your editor, checked before it counts",
    load: async () => (await import("./config/edit.ts")).editCommand,
  },
];

const examples = `
Examples:
  $ understudy config check
  $ understudy config edit
`;

export async function configCommand(command: Command, argv: readonly string[]): Promise<void> {
  command.addHelpText("after", examples);
  await addCommands(command, entries, argv);
}

function checkCommand(command: Command): void {
  command.addHelpText("after", "\nExamples:\n  $ understudy config check && understudy serve\n");
  command.option("--json", "as JSON").action(async (options: { json?: boolean }) => {
    const home = findHome();
    const parsed = await parseConfigFile(home);
    if (!parsed.ok) {
      if (options.json !== true) throw configError(parsed.problems);
      printJson({ file: home.configFile, ok: false, problems: parsed.problems, warnings: [] });
      process.exitCode = exitCodes.usage;
      return;
    }
    const { routes, warnings } = resolveConfig(parsed.config, builtInProviders, process.env);
    if (options.json === true) {
      printJson({ file: home.configFile, ok: true, problems: [], warnings });
      return;
    }
    for (const warning of warnings) say(warning);
    if (!existsSync(home.configFile))
      say(`There is no ${home.configFile}: the defaults hold, and there are no routes.`);
    else say(`${home.configFile} is in order: ${routes.length} route${routes.length === 1 ? "" : "s"}.`);
  });
}

function pathCommand(command: Command): void {
  command.addHelpText("after", '\nExamples:\n  $ cp "$(understudy config path)" backup.yaml\n');
  command.option("--json", "every place, as JSON").action((options: { json?: boolean }) => {
    const { configFile, configDir, dataDir, storeFile, keyFile } = findHome();
    if (options.json === true) printJson({ configFile, configDir, dataDir, storeFile, keyFile });
    else printLines(configFile);
  });
}
