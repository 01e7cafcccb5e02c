import type { Command } from "commander";
import { UnderstudyError } from "../../core/error.ts";
import { foreignTools } from "../../platform/foreign-files.ts";
import { builtInProviders } from "../../providers/registry.ts";
import { outlineCommands } from "../command-outline.ts";
import { shells, writeCompletion } from "../completion-scripts.ts";
import { writeText } from "../standard-streams.ts";

const examples = `
Prints the script; where it goes is up to you. Write it anew after an update.

Examples:
  $ source <(understudy completion bash)                          # in ~/.bashrc
  $ understudy completion zsh > "\${fpath[1]}/_understudy"
  $ understudy completion fish > ~/.config/fish/completions/understudy.fish
`;

export function completionCommand(command: Command): void {
  command
    .argument("<shell>", shells.join(", "))
    .addHelpText("after", examples)
    .action(async (name: string) => {
      const shell = shells.find((one) => one === name);
      if (shell === undefined) {
        throw new UnderstudyError(
          "usage",
          `completion knows ${shells.join(", ")}, not ${JSON.stringify(name.slice(0, 60))}`,
        );
      }
      const { createProgram } = await import("../program.ts");
      writeText(1, writeCompletion(shell, await outlineCommands(createProgram, valuesOf)));
    });
}

/** What an argument of this name can be, as far as it is known without looking at anybody's configuration. */
function valuesOf(argument: string): readonly string[] | null {
  switch (argument) {
    case "provider":
      return builtInProviders.map(({ id }) => id);
    case "tool":
      return foreignTools;
    case "shell":
      return shells;
    case "client":
      return ["codex", "claude", "opencode"];
    default:
      return null;
  }
}
