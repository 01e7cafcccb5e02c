import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { commandTable } from "../../src/cli/program.ts";
import { addCommands } from "../../src/cli/command-table.ts";
import { openCliStage, threeTargets } from "../cli/rig.ts";
import { callsIn, documentedCalls } from "./commands.ts";
import { root, snippetsIn } from "./read-docs.ts";

/** What is wrong with a call: an unknown command, option or choice. Null when the program would take it. */
async function problemOf(words: readonly string[]): Promise<string | null> {
  const program = new Command("understudy").option("-v, --version").enablePositionalOptions();
  await addCommands(program, commandTable, words);
  let command = program;
  let rest = [...words];
  for (let word = rest[0]; word !== undefined; word = rest[0]) {
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word));
    if (next === undefined) break;
    command = next;
    rest = rest.slice(1);
  }
  if (command === program)
    return words.length === 0 || /^--?(?:version|help|v|h)$/.test(rest[0] ?? "") ? null : "no such command";
  if (command.commands.length > 0 && rest[0] !== undefined && !rest[0].startsWith("-"))
    return `${command.name()} has no ${rest[0]}`;
  const operands: string[] = [];
  for (let i = 0; i < rest.length; i += 1) {
    const word = rest[i] ?? "";
    // What stands behind a client's name is the client's.
    if (command.name() === "run" && operands.length > 0) break;
    if (!word.startsWith("-") || word === "-") {
      operands.push(word);
      continue;
    }
    const option = command.options.find(({ short, long }) => short === word || long === word);
    if (option === undefined && !["-h", "--help"].includes(word)) return `${command.name()} has no option ${word}`;
    if (option?.required === true) {
      const value = rest[(i += 1)];
      if (value === undefined) return `${word} misses its value`;
      if (option.argChoices !== undefined && !option.argChoices.includes(value)) return `${word} can't be ${value}`;
    }
  }
  const { registeredArguments } = command;
  if (operands.length < registeredArguments.filter(({ required }) => required).length) return "an argument is missing";
  if (!registeredArguments.some(({ variadic }) => variadic) && operands.length > registeredArguments.length) {
    return `too many arguments: ${operands.join(" ")}`;
  }
  return null;
}

describe("the commands in the pages", () => {
  const calls = documentedCalls();

  it("are found wherever they stand", () => {
    const script = [
      'export A=1 KEY="$(understudy serve --print-key)" # understudy never',
      "echo '{\"a|b\": 1}' | npx understudy explain --provider codex && cd x; X=1 understudy why",
      'file=$(npx understudy config path) && cat > "$file"',
      "understudy serve --port 0 \\",
      "  --json | head -1",
    ].join("\n");
    expect(callsIn(script)).toEqual([
      ["serve", "--print-key"],
      ["explain", "--provider", "codex"],
      ["why"],
      ["config", "path"],
      ["serve", "--port", "0", "--json"],
    ]);
    expect(calls.length).toBeGreaterThan(60);
  });

  it("exist, with these options", async () => {
    const problems: string[] = [];
    for (const { at, words } of calls) {
      const problem = await problemOf(words);
      if (problem !== null) problems.push(`${at}: understudy ${words.join(" ")}: ${problem}`);
    }
    expect(problems).toEqual([]);
  });

  it("that do not exist are noticed", async () => {
    const wrong = ["rout", "auth ad codex", "why --jsn", "auth import", "config path extra", "serve --port"];
    const problems = await Promise.all(wrong.map((words) => problemOf(words.split(" "))));
    expect(problems.filter((problem) => problem === null)).toEqual([]);
  });

  it("that only look run as they stand", async () => {
    await using stage = await openCliStage(threeTargets);
    stage.setEnv({ LOCAL_KEY: stage.simulator.chat.keys.add("local") });
    await stage.run(["ask", "--route", "coding", "hello"]);
    const looking =
      /^(?:config (?:check|path)|routes coding --explain|routes --explain|auth list|why|store path|usage --cached)$/;
    const wanted = [...new Set(calls.map(({ words }) => words.join(" ")))].filter((line) => looking.test(line));
    expect(wanted.length).toBeGreaterThan(5);
    const ended = await Promise.all(wanted.map((line) => stage.run(line.split(" "))));
    expect(ended.map(({ code, stderr }, i) => (code === 0 ? null : `${wanted[i]}: ${stderr}`)).filter(Boolean)).toEqual(
      [],
    );
  });
});

describe("the scripts in the pages", () => {
  const scripts = snippetsIn("sh", "bash");

  it("are scripts that a shell can read", () => {
    for (const { at, text } of scripts) {
      expect(() => execFileSync("bash", ["-n"], { input: text, stdio: "pipe" }), at).not.toThrow();
    }
  });

  it("name scripts of package.json that are there", () => {
    const { scripts: known } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      scripts: Record<string, string>;
    };
    for (const { at, text } of scripts) {
      for (const [, name = ""] of text.matchAll(/\bnpm run ([\w:-]+)/g)) expect(Object.keys(known), at).toContain(name);
    }
  });
});
