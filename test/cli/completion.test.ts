import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

/** What fish would offer after this line. */
function completeInFish(script: string, line: string): string[] {
  const run = spawnSync("fish", ["-N", "-c", 'source $argv[1]; complete -C "$argv[2]"', script, line], {
    encoding: "utf8",
  });
  expect(run.stderr).toBe("");
  return run.stdout.split("\n").flatMap((offer) => (offer === "" ? [] : [offer.split("\t")[0] ?? ""]));
}

/**
 * What zsh would offer after this line: a shell on a terminal of its own (zsh/zpty), in which the Tab key is pressed and `compadd`
 * notes what it is given. `setup` makes the completion known.
 */
function completeInZsh(folder: string, setup: string, line: string): string[] {
  writeFileSync(
    join(folder, "inner.zsh"),
    `PROMPT=
autoload -Uz compinit
${setup}
bindkey '^I' complete-word
compadd() {
  if [[ \${@[1,(i)(-|--)]} != *-(O|A|D)\\ * ]]; then
    typeset -a hits
    builtin compadd -A hits "$@"
    (( $#hits )) && print -rl -- $hits >> ${join(folder, "offered")}
  fi
  builtin compadd "$@"
}
comppostfuncs=(exit)
print ready
`,
  );
  rmSync(join(folder, "offered"), { force: true });
  const outer = `zmodload zsh/zpty && zpty z zsh -f -i && zpty -w z "source ${join(folder, "inner.zsh")}" && zpty -r -m z seen '*ready*' && zpty -w -n z "$1"$'\t'
while zpty -r z seen; do :; done`;
  spawnSync("zsh", ["-f", "-c", outer, "zsh", line], { encoding: "utf8", timeout: 20_000 });
  const offered = existsSync(join(folder, "offered")) ? readFileSync(join(folder, "offered"), "utf8") : "";
  return [...new Set(offered.split("\n"))].filter((word) => word !== "").sort();
}

/** The same of all shells. */
const offers: readonly (readonly [line: string, offered: readonly string[]])[] = [
  ["understudy mod", ["model", "models"]],
  ["understudy auth re", ["refresh", "remove", "rename", "reset", "resume"]],
  ["understudy auth add --label x codex --force", ["--force-new-login"]],
  ["understudy auth import he", ["hermes"]],
];

describe("completion", () => {
  it.runIf(has("fish"))("offers commands, options and known arguments in fish", async () => {
    const script = join(stage.home, "understudy.fish");
    writeFileSync(script, (await stage.run(["completion", "fish"])).stdout);
    for (const [line, offered] of offers) expect(completeInFish(script, line).sort(), line).toEqual(offered);
  });

  it.runIf(has("zsh"))("offers them in zsh, sourced and from a folder of $fpath", async () => {
    writeFileSync(join(stage.home, "_understudy"), (await stage.run(["completion", "zsh"])).stdout);
    const sourced = `compinit -D -u; source ${join(stage.home, "_understudy")}`;
    for (const [line, offered] of offers) {
      expect(completeInZsh(stage.home, sourced, line), line).toEqual(offered);
    }
    const found = `fpath=(${stage.home} $fpath); compinit -D -u`;
    expect(completeInZsh(stage.home, found, "understudy mod")).toEqual(["model", "models"]);
  });

  it.skipIf(has("zsh") && has("fish"))("was not tried in zsh or fish: one of them is not installed here", () => {
    console.warn(`not installed, so not tried: ${["zsh", "fish"].filter((shell) => !has(shell)).join(", ")}`);
  });

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
    const file = join(stage.home, `completion.${shell}`);
    writeFileSync(file, stdout);
    if (has(shell))
      expect(spawnSync(shell, ["-n", file], { encoding: "utf8" })).toMatchObject({ status: 0, stderr: "" });
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
