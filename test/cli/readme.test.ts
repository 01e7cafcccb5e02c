import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { type CliStage, openCliStage } from "./rig.ts";

/**
 * The transcripts of the README are what the program prints: each command in its ```console blocks is run, in order, and compared.
 * `UPDATE_README=1` writes what it printed into the README.
 */

const stage: CliStage = await openCliStage();
afterAll(() => stage[Symbol.asyncDispose]());

const { codexIssuer, codex, messages } = stage.simulator;
codexIssuer.settings.pollInterval = "1";
codexIssuer.addAccount({ email: "ann@example.com", name: "ann" });
codex.setBehaviour("*", { text: "Air scatters blue light more than red." });
messages.setBehaviour("*", { text: "Its light comes a long way through the air, and loses the blue on it." });
stage.setEnv({ ANTHROPIC_API_KEY: messages.keys.add("ant") });

const path = "README.md";
const readme = readFileSync(path, "utf8");
const blocks = [...readme.matchAll(/```console\n([^]*?)```/g)].map(([, text = ""]) => text);

/** What happens in the world before a block is played. */
const before: readonly (() => unknown)[] = [
  () => {},
  () => codex.script({ name: "soft-quota", resetsInS: 3 * 3_600 }),
  async () => {
    await stage.withWorkspace(({ store }) => store.clearCooldowns({}));
    codexIssuer.consumeRefreshToken("ann");
    codexIssuer.revokeAccess("ann");
  },
];

async function play(block: string): Promise<string> {
  let printed = "";
  for (const [, line = ""] of block.matchAll(/^\$ (.*)$/gm)) {
    printed += `$ ${line}\n${await run(line)}`;
  }
  return printed;
}

async function run(line: string): Promise<string> {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? "");
  expect(words[0]).toBe("understudy");
  const running = stage.start(words.slice(1));
  running.child.stdin.end();
  if (words[1] === "auth" && words[2] === "add") {
    await running.until(/Waiting; Ctrl-C/);
    for (const code of codexIssuer.pendingUserCodes) codexIssuer.approveDevice(code, "ann");
  }
  const { stdout, stderr } = stage.expectNoSecret(await running.ended);
  return (stderr + stdout).replaceAll(codexIssuer.origin, "https://auth.openai.com");
}

/** Without what is another one each time. */
function masked(text: string): string {
  return text
    .replaceAll(/turn_[0-9a-f]+/g, "turn_ID")
    .replaceAll(/\b[0-9A-Z]{4}-[0-9A-Z]{5}\b/g, "CODE")
    .replaceAll(
      /(?:tomorrow |\d{4}-\d\d-\d\d |\d+ \w{3,4} )?\d\d:\d\d(?: \((?:in \d+ (?:s|min|h)(?: \d+ min)?|\d+ \w+ ago|now)\))?/g,
      "TIME",
    )
    .replaceAll(/\b\d+ ms\b/g, "SPAN");
}

describe("the README", () => {
  it("shows what the program prints", async () => {
    expect(blocks).toHaveLength(before.length);
    let updated = readme;
    for (const [i, block] of blocks.entries()) {
      await before[i]?.();
      const printed = await play(block);
      if (process.env["UPDATE_README"] === "1") updated = updated.replace(block, () => printed);
      else expect(masked(printed)).toBe(masked(block));
    }
    if (updated !== readme) writeFileSync(path, updated);
    expect(stage.simulator.unplanned).toEqual([]);
  });

  it("shows a configuration that is in order", () => {
    const examples = [...readme.matchAll(/```yaml\n([^]*?)```/g)].map(([, text = ""]) => text);
    expect(examples.map((text) => parseConfig(text, path).ok)).toEqual([true]);
  });
});
