import { spawnSync } from "node:child_process";
import { afterAll, describe, expect, it } from "vitest";
import { outlineCommands } from "../../src/cli/command-outline.ts";
import { createProgram } from "../../src/cli/program.ts";
import { type CliStage, openCliStage } from "./rig.ts";

const stage: CliStage = await openCliStage();
afterAll(() => stage[Symbol.asyncDispose]());

const has = (shell: string): boolean => spawnSync(shell, ["-c", "exit 0"]).status === 0;

/** What bash would offer after these words. */
function complete(script: string, ...words: string[]): string[] {
  const quoted = ["understudy", ...words].map((word) => `'${word}'`).join(" ");
  const run = spawnSync(
    "bash",
    [
      "--norc",
      "-c",
      `${script}\nCOMP_WORDS=(${quoted})\nCOMP_CWORD=${words.length}\n_understudy\nprintf '%s\\n' "\${COMPREPLY[@]}"`,
    ],
    { encoding: "utf8" },
  );
  expect(run.stderr).toBe("");
  return run.stdout.split("\n").filter((line) => line !== "");
}

describe("completion", () => {
  it.runIf(has("bash"))("offers commands, options and known arguments in bash", async () => {
    const { code, stdout } = await stage.run(["completion", "bash"]);
    expect(code).toBe(0);
    expect(complete(stdout, "mod")).toEqual(["model", "models"]);
    expect(complete(stdout, "auth", "re")).toEqual(["remove", "refresh", "reset", "rename", "resume"]);
    expect(complete(stdout, "auth", "add", "open")).toEqual(
      expect.arrayContaining(["openai", "openrouter"]) as string[],
    );
    expect(complete(stdout, "auth", "add", "--label", "x", "codex", "--force")).toEqual(["--force-new-login"]);
    expect(complete(stdout, "auth", "import", "he")).toEqual(["hermes"]);
    expect(complete(stdout, "fallback", "add", "codex/gpt-5.5", "--p")).toEqual(["--paid"]);
    expect(complete(stdout, "ask", "add", "--js")).toEqual(["--json"]);
    // What would take a key on the command line is not offered.
    expect(complete(stdout, "auth", "add", "--api-key")).toEqual(["--api-key-stdin"]);
  });

  it.each(["bash", "zsh", "fish"])("is a script for %s that names every command with its help", async (shell) => {
    const { code, stdout, stderr } = await stage.run(["completion", shell]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const commands = await outlineCommands(createProgram, () => null);
    expect(commands.length).toBeGreaterThan(30);
    for (const { path, summary, options } of commands) {
      expect(stdout, path.join(" ")).toContain(path.join("/"));
      if (shell !== "bash") expect(stdout, path.join(" ")).toContain(summary.replaceAll("'", "'\\''"));
      for (const { flag } of options) expect(stdout).toContain(shell === "fish" ? `-l ${flag.slice(2)}` : flag);
    }
    if (has(shell)) expect(spawnSync(shell, ["-n"], { input: stdout, encoding: "utf8" })).toMatchObject({ status: 0 });
  });

  it("says which shells it knows", async () => {
    const { code, stderr } = await stage.run(["completion", "tcsh"]);
    expect(code).toBe(2);
    expect(stderr).toContain("completion knows bash, zsh, fish");
  });
});

describe("every command", () => {
  it("has a help with a summary, and every command that reads takes --json", async () => {
    const reads = [
      "auth list",
      "auth status",
      "models",
      "fallback list",
      "routes",
      "usage",
      "doctor",
      "why",
      "config check",
      "config path",
      "chat",
      "ask",
      "explain",
    ];
    const commands = await outlineCommands(createProgram, () => null);
    for (const { path, summary } of commands) if (path.length > 0) expect(summary, path.join(" ")).not.toBe("");
    for (const { path } of commands) {
      let text = "";
      let command = await createProgram(path);
      for (const name of path) command = command.commands.find((one) => one.name() === name) ?? command;
      command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
      // Those of the store are shown by its group.
      if (path[0] !== "store") expect(text, path.join(" ")).toContain("Examples:\n  $ ");
    }
    const named = new Map(commands.map(({ path, options }) => [path.join(" "), options.map(({ flag }) => flag)]));
    for (const name of reads) expect(named.get(name), name).toContain("--json");
  });
});
