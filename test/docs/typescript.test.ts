import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { root, type Snippet, snippetsIn } from "./read-docs.ts";

const run = promisify(execFile);

/** What a page says around a snippet in words, so that it stands by itself. */
const preludes: Readonly<Record<string, string>> = {
  "README.md": `import Anthropic from "@anthropic-ai/sdk";
import { generateText } from "ai";
import OpenAI from "openai";
const prompt = "hello";
`,
};

/** The AI SDK's guide is examples/, which test/ai-sdk/examples.test.ts runs and compares. */
const runElsewhere = "docs/guides/ai-sdk.md";

let folder: string;
const files = new Map<Snippet, string>();

beforeAll(() => {
  mkdirSync(join(root, ".test-build"), { recursive: true });
  // In the project, so that its packages are found.
  folder = mkdtempSync(join(root, ".test-build/docs-"));
  for (const [i, snippet] of snippetsIn("ts").entries()) {
    const name = `${snippet.page.replaceAll(/\W+/g, "-")}-${i}.ts`;
    const prelude = snippet.text.includes("import OpenAI") ? "" : (preludes[snippet.page] ?? "");
    writeFileSync(join(folder, name), prelude + snippet.text);
    files.set(snippet, name);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the programs in the pages", () => {
  it("are right by their types", async () => {
    const compilerOptions = {
      paths: { understudy: [join(root, "src/index.ts")], "understudy/*": [join(root, "src/*.ts")] },
      noUnusedLocals: false,
    };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: join(root, "tsconfig.json"), compilerOptions, include: ["*.ts"] }),
    );
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { stdout } = await run(process.execPath, [tsc, "-p", folder, "--noEmit"]).catch(
      (error: { stdout: string }) => error,
    );
    const ours = stdout.split("\n").filter((line) => line.includes("docs-"));
    expect(ours).toEqual([]);
    expect(files.size).toBeGreaterThan(4);
  });

  it("run against the scripted providers and end well", async () => {
    await using simulator = await startSimulator();
    const home = mkdtempSync(join(tmpdir(), "understudy-docs-"));
    writeFileSync(
      join(home, "config.yaml"),
      "routes: { coding: [anthropic/claude-opus-4-8, openai/gpt-5.5] }\nlimits: { maxWaitMs: 0 }\n",
    );
    const wanted = [...files].filter(([{ page }]) => page !== runElsewhere).map(([, name]) => join(folder, name));
    const runner = join(folder, "runner.mjs");
    writeFileSync(runner, "for (const file of process.argv.slice(2)) { await import(file); console.log('\\nDONE'); }");
    try {
      const hook = join(root, "test/ai-sdk/resolve-package.ts");
      const { stdout } = await run(process.execPath, ["--import", hook, runner, ...wanted], {
        env: {
          PATH: process.env["PATH"],
          HOME: home,
          UNDERSTUDY_HOME: home,
          ...simulator.env,
          ANTHROPIC_API_KEY: simulator.messages.keys.add("k"),
          OPENAI_API_KEY: simulator.openai.keys.add("o"),
        },
      });
      expect(stdout.match(/^DONE$/gm)?.length).toBe(wanted.length);
      expect(stdout).toContain("The simulator heard: Why is the sky blue?");
      expect(stdout).toContain("The simulator heard: hello openai 1");
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});
