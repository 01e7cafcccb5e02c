import { Command, CommanderError } from "commander";
import { addCommands, type CommandEntry } from "./command-table.ts";
import { exitCodeHelp, exitCodes } from "./exit-codes.ts";
import { interruptExitCode, interruptSignal } from "./interrupt.ts";
import { colors, scrubLines } from "./output.ts";
import { reportError } from "./report-error.ts";
import { readPackageVersion } from "../platform/package-version.ts";
import { writeText } from "./standard-streams.ts";

/** Every command, in the order in which a person meets them. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: "ask",
    summary: "Ask one question; the answer comes from whoever on the route can give it",
    load: async () => (await import("./commands/ask.ts")).askCommand,
  },
  {
    name: "chat",
    summary: "Talk, with switches as quiet lines; can be taken up again",
    load: async () => (await import("./commands/chat.ts")).chatCommand,
  },
  {
    name: "auth",
    summary: "Sign in to providers, keep keys, see who is ready",
    load: async () => (await import("./commands/auth.ts")).authCommand,
  },
  {
    name: "serve",
    summary: "Open the gateway: clients and SDKs as they are, kept alive",
    load: async () => (await import("./commands/serve.ts")).serveCommand,
  },
  {
    name: "run",
    summary: "Start Codex, Claude Code or opencode through the gateway",
    load: async () => (await import("./commands/run.ts")).runCommand,
  },
  {
    name: "routes",
    summary: "Show the routes and which of their targets are usable now",
    load: async () => (await import("./commands/routes.ts")).routesCommand,
  },
  {
    name: "model",
    summary: "Choose provider and model: who is asked first on a route",
    load: async () => (await import("./commands/model.ts")).modelCommand,
  },
  {
    name: "models",
    summary: "List the models of a provider, as it names them now",
    load: async () => (await import("./commands/models.ts")).modelsCommand,
  },
  {
    name: "fallback",
    summary: "Change who takes over on a route, in order",
    load: async () => (await import("./commands/fallback.ts")).fallbackCommand,
  },
  {
    name: "usage",
    summary: "Show how much of each account's plan is used, and when it begins anew",
    load: async () => (await import("./commands/usage.ts")).usageCommand,
  },
  {
    name: "why",
    summary: "Show how a turn went: who was tried, what failed, what was decided",
    load: async () => (await import("./commands/why.ts")).whyCommand,
  },
  {
    name: "doctor",
    summary: "Find what is broken, and mend what can be mended",
    load: async () => (await import("./commands/doctor.ts")).doctorCommand,
  },
  {
    name: "explain",
    summary: "Read a provider's error on standard input and say what it means",
    load: async () => (await import("./commands/explain.ts")).explainCommand,
  },
  {
    name: "config",
    summary: "Check or change the configuration, or show where it is",
    load: async () => (await import("./commands/config.ts")).configCommand,
  },
  {
    name: "store",
    summary: "Say where state is kept; migrate it, copy it, give it a new key",
    load: async () => (await import("./commands/store.ts")).storeCommand,
  },
  {
    name: "completion",
    summary: "Print what makes bash, zsh or fish complete this program's words",
    load: async () => (await import("./commands/completion.ts")).completionCommand,
  },
  {
    name: "demo",
    summary: "Play a bad night on scripted providers on this machine; no account needed",
    load: async () => (await import("./commands/demo.ts")).demoCommand,
  },
];

const examples = `
Examples:
  $ understudy auth add codex                 sign in with a ChatGPT plan
  $ understudy auth add anthropic             add an API key, typed hidden
  $ understudy auth list                      who is ready, who rests until when and why
  $ understudy model                          choose who is asked first
  $ understudy ask "Why is the sky blue?"     an answer, whoever can give it
  $ understudy why                            how the last turn went

${exitCodeHelp}
`;

/** The whole command line, with the commands that `argv` asks for loaded. */
export async function createProgram(argv: readonly string[]): Promise<Command> {
  const program = new Command("understudy")
    .description("Keeps an AI agent's turn alive when a login or a quota fails.")
    .helpOption("-h, --help", "print this help")
    .helpCommand("help [command]", "print the help of a command")
    .enablePositionalOptions()
    .showHelpAfterError("(--help shows what there is)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => writeText(1, text),
      writeErr: (text) => writeText(2, text),
      // Commander repeats what was typed, and that may be a key in the wrong place.
      outputError: (text, write) => {
        write(`${colors.red("understudy:")} ${scrubLines(text.replace(/^error: /, ""))}`);
      },
    })
    .addHelpText("after", examples);
  // It is an option before a command, and no command begins there.
  if (!commandTable.some(({ name }) => name === argv[0])) {
    program.version(readPackageVersion(), "-v, --version", "print the version");
  }
  await addCommands(program, commandTable, argv);
  return program;
}

/** Runs the command that `argv` names. Gives the exit code; never throws. */
export async function runProgram(argv: readonly string[]): Promise<number> {
  try {
    const program = await createProgram(argv);
    await program.parseAsync([...argv], { from: "user" });
    return Number(process.exitCode ?? exitCodes.done);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    // Whatever an interrupt broke, the interrupt is what happened; one that is no failure needs no words.
    if (interruptExitCode() === exitCodes.done) return exitCodes.done;
    return reportError(interruptSignal.aborted ? interruptSignal.reason : error);
  }
}
