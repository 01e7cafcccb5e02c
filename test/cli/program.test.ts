import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { afterAll, describe, expect, it } from "vitest";
import { createProgram } from "../../src/cli/program.ts";
import { type CliStage, openCliStage } from "./rig.ts";

const stage: CliStage = await openCliStage();
afterAll(() => stage[Symbol.asyncDispose]());

describe("the program", () => {
  it("prints its version, its help and its exit codes on standard output", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(await stage.run(["--version"])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: "" });
    const help = await stage.run(["--help"]);
    expect(help).toMatchObject({ code: 0, stderr: "" });
    expect(help.stdout).toContain("understudy auth add codex");
    expect(help.stdout).toContain("Exit codes:");
  });

  it("ends wrong usage with 2, prose on standard error, and what is near", async () => {
    const { code, stdout, stderr } = await stage.run(["auth", "lst"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("understudy: unknown command 'lst'");
    expect(stderr).toContain("Did you mean list?");
  });

  it("never repeats a key that was typed as an option", async () => {
    const { code, stdout, stderr } = await stage.run(["ask", "--apikey=sk-proj-AAAABBBBCCCC1234", "hello"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).not.toContain("AAAABBBB");
  });

  it("says so when Node is too old, before anything is loaded that needs a newer one", async () => {
    const old = "data:text/javascript,Object.defineProperty(process,'version',{value:'v20.20.0'})";
    const { code, stdout, stderr } = await stage.run(["auth", "list"], { nodeArgs: ["--import", old] });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toBe("understudy needs Node 22.19.0 or newer, and this is v20.20.0.\n");
  });

  it("keeps quiet about Node's own SQLite being experimental, and about nothing else", async () => {
    // As soon as the program reads a file.
    const warnings =
      "data:text/javascript,import fs from 'node:fs';const read=fs.readFileSync;fs.readFileSync=(...args)=>{if(!String(args[0]).endsWith('package.json'))return read(...args);fs.readFileSync=read;process.emitWarning('SQLite is an experimental feature and might change at any time','ExperimentalWarning');process.emitWarning('another thing');return read(...args)}";
    const { stderr } = await stage.run(["--help"], { nodeArgs: ["--import", warnings] });
    expect(stderr).toContain("another thing");
    expect(stderr).not.toContain("SQLite");
  });
});

describe("commands named to people", () => {
  it("all exist, with the options they are named with", async () => {
    const named = namedCommands();
    expect(named.length).toBeGreaterThan(10);
    const missing: string[] = [];
    for (const words of named) if (!(await exists(words))) missing.push(words.join(" "));
    expect(missing).toEqual([]);
  });

  it("answer to --help as processes", async () => {
    for (const command of [
      ["auth", "add"],
      ["auth", "reset"],
      ["config", "check"],
    ]) {
      const { code, stdout } = await stage.run([...command, "--help"]);
      expect(code, command.join(" ")).toBe(0);
      expect(stdout).toContain(`Usage: understudy ${command.join(" ")}`);
    }
  });
});

/** Every `understudy …` in the sources and in the README, as words; what a template puts in counts as an operand. */
function namedCommands(): string[][] {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => join("src", file));
  const found = new Map<string, string[]>();
  for (const file of [...files, "README.md"]) {
    for (const [, words = ""] of readFileSync(file, "utf8").matchAll(
      /(?:\bnpx |\$ |["'`(]|run |\| |; |: )understudy((?: (?!needs)(?:--?[a-z][\w-]*|[a-z]+))+)/g,
    )) {
      const list = words.trim().split(" ");
      found.set(list.join(" "), list);
    }
  }
  return [...found.values()];
}

/**
 * True when the words lead to a command that has the long options among them. What stands behind a command that has no further
 * ones is operands, or the rest of a sentence.
 */
async function exists(words: readonly string[]): Promise<boolean> {
  const program = await createProgram(words);
  let command: Command = program;
  for (const word of words) {
    if (word.startsWith("--")) {
      if (word !== "--help" && !command.options.some(({ long }) => word === long)) return false;
      continue;
    }
    const child = command.commands.find((one) => one.name() === word);
    if (child !== undefined) command = child;
    else if (command.commands.length > 0) return false;
  }
  return command !== program;
}
