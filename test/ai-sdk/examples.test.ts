import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";

const root = resolve(import.meta.dirname, "../..");
const run = promisify(execFile);

interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs an example as a program of its own: keys from the environment, two providers on the route. */
async function runExample(simulator: Simulator, name: string, ...args: string[]): Promise<Output> {
  const folder = mkdtempSync(join(tmpdir(), "understudy-example-"));
  writeFileSync(
    join(folder, "config.yaml"),
    "routes: { coding: [anthropic/claude-opus-4-8, openai/gpt-5.5] }\nlimits: { maxWaitMs: 0 }\n",
  );
  try {
    const hook = join(root, "test/ai-sdk/resolve-package.ts");
    const { stdout, stderr } = await run(process.execPath, ["--import", hook, join(root, "examples", name), ...args], {
      env: {
        PATH: process.env["PATH"],
        HOME: folder,
        UNDERSTUDY_HOME: folder,
        ...simulator.env,
        ANTHROPIC_API_KEY: simulator.messages.keys.add("k"),
        OPENAI_API_KEY: simulator.openai.keys.add("o"),
      },
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Output;
    return { code, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe("examples/ai-sdk.ts", () => {
  it("runs its tool, goes over to another provider between two steps, and says who served", async () => {
    await using simulator = await startSimulator();
    simulator.messages.script({ toolCalls: [{ name: "weather", input: { city: "Paris" } }] });
    simulator.messages.setBehaviour("*", "quota-exhausted");
    const { code, stdout, stderr } = await runExample(simulator, "ai-sdk.ts", "hello");
    expect(stderr.split("\n").filter((line) => line !== "")).toEqual([
      expect.stringMatching(/^anthropic · .+ failed \(quota\): now openai$/),
      "step 1: anthropic/claude-opus-4-8",
      "step 2: openai/gpt-5.5",
    ]);
    expect([code, stdout]).toEqual([0, "The simulator heard: hello"]);
  });

  it("says why nobody could answer, and fails", async () => {
    await using simulator = await startSimulator();
    simulator.messages.setBehaviour("*", "quota-exhausted");
    simulator.openai.setBehaviour("*", "billing");
    const { code, stdout, stderr } = await runExample(simulator, "ai-sdk.ts", "hello");
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain("nobody on route coding could answer");
  });
});

describe("examples/ai-sdk-own-providers.ts", () => {
  it("both of the AI SDK's providers are served by the route", async () => {
    await using simulator = await startSimulator();
    simulator.messages.setBehaviour("*", "quota-exhausted");
    const { code, stdout, stderr } = await runExample(simulator, "ai-sdk-own-providers.ts", "hello");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.trimEnd().split("\n")).toEqual([
      expect.stringMatching(/^The simulator heard: hello openai\/gpt-5\.5\//),
      expect.stringMatching(/^The simulator heard: hello openai\/gpt-5\.5\//),
    ]);
  });
});

describe("the guide for the AI SDK", () => {
  const guide = readFileSync(join(root, "docs/guides/ai-sdk.md"), "utf8");
  const blocks = Array.from(guide.matchAll(/^```ts\n([\s\S]*?)^```$/gm), (match) => match[1]);

  it("shows the examples as they are run here", () => {
    const examples = ["ai-sdk.ts", "ai-sdk-own-providers.ts"].map((name) =>
      readFileSync(join(root, "examples", name), "utf8"),
    );
    expect(blocks).toEqual(examples);
  });
});
