import type { Command } from "commander";
import { addCommands, type CommandEntry } from "../command-table.ts";

const entries: readonly CommandEntry[] = [
  {
    name: "add",
    summary: "Sign in, or add an API key",
    load: async () => (await import("./auth/add.ts")).addCommand,
  },
  {
    name: "list",
    summary: "Show every login and key and how it stands",
    load: async () => (await import("./auth/list.ts")).listCommand,
  },
  {
    name: "status",
    summary: "Say by the exit code whether somebody is ready",
    load: async () => (await import("./auth/status.ts")).statusCommand,
  },
  {
    name: "import",
    summary: "Bring over what the Codex CLI, Hermes or opencode has",
    load: async () => (await import("./auth/import.ts")).importCommand,
  },
  {
    name: "remove",
    summary: "Remove a login or key; a login is ended at its provider, too",
    load: async () => (await import("./auth/remove.ts")).removeCommand,
  },
  {
    name: "logout",
    summary: "End logins, here and at their provider",
    load: async () => (await import("./auth/logout.ts")).logoutCommand,
  },
  {
    name: "refresh",
    summary: "Renew the tokens of a login now",
    load: async () => (await import("./auth/refresh.ts")).refreshCommand,
  },
  {
    name: "reset",
    summary: "End rests and pauses, so that the next turn tries again",
    load: async () => (await import("./auth/reset.ts")).resetCommand,
  },
  {
    name: "rename",
    summary: "Give a login or key another label",
    load: async () => (await import("./auth/rename.ts")).renameCommand,
  },
  {
    name: "priority",
    summary: "Say who of a pool comes first",
    load: async () => (await import("./auth/priority.ts")).priorityCommand,
  },
  {
    name: "pause",
    summary: "Keep a login or key out of the way until it is resumed",
    load: async () => (await import("./auth/pause.ts")).pauseCommand,
  },
  {
    name: "resume",
    summary: "Use a paused login or key again",
    load: async () => (await import("./auth/pause.ts")).resumeCommand,
  },
];

const examples = `
Wherever a login or key is named: its label, its id, or its number in "understudy auth list".

Examples:
  $ understudy auth add codex --label work
  $ understudy auth add openai --from env:WORK_OPENAI_KEY
  $ understudy auth list --all
  $ understudy auth remove codex work
`;

export async function authCommand(command: Command, argv: readonly string[]): Promise<void> {
  command.addHelpText("after", examples);
  await addCommands(command, entries, argv);
}
