import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command } from "commander";
import { parseConfig } from "../../../config/parse.ts";
import { UnderstudyError } from "../../../core/error.ts";
import { editConfig } from "../../../platform/edit-config.ts";
import { interruptSignal } from "../../interrupt.ts";
import { findHome } from "../../load-config.ts";
import { say } from "../../output.ts";
import { askChoice, canAsk } from "../../prompt.ts";

const template = `# Who is asked first, and who takes over.
# routes:
#   coding: [codex/gpt-5.5, anthropic/claude-sonnet-5]
`;

const examples = `
Opens a copy in $VISUAL or $EDITOR. What is not in order is told with its line before anything is written, and can be mended or
thrown away: the configuration itself is never broken in between.

Examples:
  $ understudy config edit
  $ EDITOR="code --wait" understudy config edit
`;

export function editCommand(command: Command): void {
  command.addHelpText("after", examples).action(async () => {
    const home = findHome();
    if (!canAsk()) {
      throw new UnderstudyError("usage", `there is no terminal for an editor: change ${home.configFile} by hand`, {
        command: "understudy config check",
      });
    }
    const folder = mkdtempSync(join(tmpdir(), "understudy-"));
    const copy = join(folder, "config.yaml");
    let unwritten = false;
    try {
      const changed = await editConfig(home, async (text, fileName) => {
        const edited = await editText(copy, text, fileName);
        unwritten = edited !== text;
        return edited;
      });
      unwritten = false;
      say(changed ? `${home.configFile} is written.` : "Nothing was changed.");
    } finally {
      // What took a person a while to write is not thrown away because it came too late, or the disk is full.
      if (unwritten) say(`What you wrote is kept in ${copy}`);
      else rmSync(folder, { recursive: true, force: true });
    }
  });
}

/** The text as the person leaves it: in order, or the old one. */
async function editText(copy: string, text: string, fileName: string): Promise<string> {
  const offered = text === "" ? template : text;
  writeFileSync(copy, offered, { mode: 0o600 });
  for (;;) {
    await runEditor(copy);
    interruptSignal.throwIfAborted();
    const edited = readFileSync(copy, "utf8");
    if (edited === offered) return text;
    const parsed = parseConfig(edited, fileName);
    if (parsed.ok) return edited;
    say(...parsed.problems.map(({ message }) => message));
    const next = await askChoice(
      "It is not in order yet",
      [
        { value: "again", label: "Edit it again" },
        { value: "discard", label: "Throw the changes away" },
      ],
      "",
    );
    if (next === "discard") return text;
  }
}

/** Runs the editor on our terminal. Its setting may hold arguments, so a shell reads it; the path is handed over apart. */
async function runEditor(file: string): Promise<void> {
  const { VISUAL, EDITOR } = process.env;
  const editor = VISUAL?.trim() || EDITOR?.trim() || (process.platform === "win32" ? "notepad" : "vi");
  const child =
    process.platform === "win32"
      ? spawn(`${editor} "${file}"`, { stdio: "inherit", shell: true })
      : spawn("/bin/sh", ["-c", `${editor} "$1"`, "sh", file], { stdio: "inherit" });
  // Ctrl-C is for the editor while it has the terminal.
  const ours = process.listeners("SIGINT");
  process.removeAllListeners("SIGINT").on("SIGINT", () => {});
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject).on("exit", resolve);
    });
    if (code !== 0) {
      throw new UnderstudyError(
        "usage",
        `the editor \`${editor}\` ended with ${code ?? "a signal"}: nothing was changed`,
      );
    }
  } finally {
    process.removeAllListeners("SIGINT");
    for (const listener of ours) process.on("SIGINT", listener as () => void);
  }
}
