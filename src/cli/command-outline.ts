import type { Command, Option } from "commander";

/** What can be typed behind a command's name, for a shell that completes. */
export interface CommandOutline {
  /** The words that lead there: `["auth", "add"]`; empty for the program itself. */
  readonly path: readonly string[];
  readonly summary: string;
  readonly children: readonly string[];
  readonly options: readonly OptionOutline[];
  /** What its first argument can be; null when it takes anything, or none. */
  readonly values: readonly string[] | null;
}

export interface OptionOutline {
  /** `--json`. */
  readonly flag: string;
  readonly summary: string;
  readonly takesValue: boolean;
}

/** Makes the whole command line with the commands that `argv` asks for loaded. */
type CreateProgram = (argv: readonly string[]) => Promise<Command>;

/** Walks every command there is. Each is loaded on the way. `valuesOf` names what an argument of this name can be. */
export async function outlineCommands(
  createProgram: CreateProgram,
  valuesOf: (argument: string) => readonly string[] | null,
): Promise<CommandOutline[]> {
  const walk = async (path: readonly string[]): Promise<CommandOutline[]> => {
    const command = find(await createProgram(path), path);
    const children = command.commands.map((child) => child.name()).filter((name) => name !== "help");
    const below = await Promise.all(children.map((name) => walk([...path, name])));
    return [outline(command, path, children, valuesOf), ...below.flat()];
  };
  return walk([]);
}

function find(program: Command, path: readonly string[]): Command {
  let command = program;
  for (const name of path) {
    const child = command.commands.find((one) => one.name() === name);
    if (child === undefined) throw new RangeError(`there is no command ${path.join(" ")}`);
    command = child;
  }
  return command;
}

function outline(
  command: Command,
  path: readonly string[],
  children: readonly string[],
  valuesOf: (argument: string) => readonly string[] | null,
): CommandOutline {
  const [first] = command.registeredArguments;
  return {
    path,
    summary: command.summary(),
    children,
    options: [...command.options, ...(path.length === 0 ? [] : [helpOption])].flatMap(toOutline),
    values: first === undefined ? null : valuesOf(first.name()),
  };
}

const helpOption: Pick<Option, "long" | "description" | "hidden" | "required" | "optional"> = {
  long: "--help",
  description: "print this help",
  hidden: false,
  required: false,
  optional: false,
};

function toOutline({ long, description, hidden, required, optional }: typeof helpOption): OptionOutline[] {
  if (long == null || hidden) return [];
  return [{ flag: long, summary: description, takesValue: required || optional }];
}
