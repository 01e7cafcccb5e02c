import type { Command } from "commander";

/** Gives a command its arguments, options and action. `argv` is what stands behind its name. */
export type DefineCommand = (command: Command, argv: readonly string[]) => void | Promise<void>;

/** A command by its name. Its module is loaded only when the command is asked for. */
export interface CommandEntry {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  readonly load: () => Promise<DefineCommand>;
}

/**
 * Adds the commands of `entries` to `parent`: the one that `argv` asks for whole, the others by name and summary. When its very first
 * word names one, that one alone: nobody will ask what else there is.
 */
export async function addCommands(
  parent: Command,
  entries: readonly CommandEntry[],
  argv: readonly string[],
): Promise<void> {
  const asked = operands(argv);
  const name = asked[0]?.value === "help" ? asked[1] : asked[0];
  // Alone, a group says what is in it.
  if (name === undefined) parent.action(() => parent.outputHelp());
  const first = entries.find((entry) => entry.name === argv[0]);
  for (const entry of first === undefined ? entries : [first]) {
    const command = parent.command(entry.name).summary(entry.summary).description(`${entry.summary}.`);
    if (entry.name === name?.value) await (await entry.load())(command, argv.slice(name.at + 1));
  }
}

/** What is no option. The options above commands take no values. */
function operands(argv: readonly string[]): { value: string; at: number }[] {
  return argv.flatMap((value, at) => (value.startsWith("-") ? [] : [{ value, at }]));
}
