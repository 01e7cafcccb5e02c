import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type CliStage, openCliStage, threeTargets } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

describe("config", () => {
  it("says where everything is, and that the defaults hold without a file", async () => {
    stage = await openCliStage();
    const file = join(stage.home, "config.yaml");
    expect(await stage.run(["config", "path"])).toMatchObject({ code: 0, stdout: `${file}\n`, stderr: "" });
    const places = await stage.run(["config", "path", "--json"]);
    expect(JSON.parse(places.stdout)).toMatchObject({ configFile: file, storeFile: join(stage.home, "understudy.db") });
    const check = await stage.run(["config", "check"]);
    expect(check).toMatchObject({ code: 0, stdout: "" });
    expect(check.stderr).toContain("the defaults hold, and there are no routes");
  });

  it("is checked with line, key and value, and with 2 when something is wrong", async () => {
    stage = await openCliStage(threeTargets);
    expect((await stage.run(["config", "check"])).stderr).toContain("is in order: 1 route.");
    stage.writeConfig("routes:\n  coding: [codx/gpt-5.5]\nlimits: { idleMs: soon }\n");
    const wrong = await stage.run(["config", "check"]);
    expect(wrong).toMatchObject({ code: 2, stdout: "" });
    expect(wrong.stderr).toMatch(/config\.yaml:3:\d+: limits\.idleMs: "soon"; expected a whole number/);
    const json = await stage.run(["config", "check", "--json"]);
    expect(json.code).toBe(2);
    expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, problems: [{ line: 3, path: "limits.idleMs" }] });
  });
});

describe("what goes wrong elsewhere", () => {
  it("ends with 6 when the store can't be used, and leaves it as it was", async () => {
    stage = await openCliStage();
    await stage.withWorkspace(() => Promise.resolve());
    const file = join(stage.home, "understudy.db");
    writeFileSync(file, "no store at all");
    for (const args of [
      ["auth", "list"],
      ["ask", "--route", "codex/gpt-5.5", "hello"],
    ]) {
      const { code, stdout, stderr } = await stage.run(args);
      expect({ code, stdout }).toEqual({ code: 6, stdout: "" });
      expect(stderr).toContain(`understudy: the store ${file} can't be used: it is damaged`);
    }
    expect(readFileSync(file, "utf8")).toBe("no store at all");
  });

  it("tells a bug of its own in one line without secrets, and its origin with UNDERSTUDY_DEBUG", async () => {
    stage = await openCliStage();
    const secret = "sk-proj-0123456789abcdefghij";
    stage.canaries.push(secret);
    const bug = `data:text/javascript,Date.now=()=>{throw new TypeError('boom ${secret}')}`;
    const run = (env: Record<string, string>) =>
      stage.run(["explain", "--status", "500"], { nodeArgs: ["--import", bug], env });
    const short = await run({});
    expect({ code: short.code, stdout: short.stdout }).toEqual({ code: 1, stdout: "" });
    expect(short.stderr).toBe(
      "understudy: an error of its own: boom [secret]\nUNDERSTUDY_DEBUG=1 shows where it came from.\n",
    );
    const long = await run({ UNDERSTUDY_DEBUG: "1" });
    expect(long.stderr).toMatch(/^TypeError: boom \[secret\]\n {4}at /);
  });

  it("keeps colours off unless a terminal is there, whatever the environment forces", async () => {
    stage = await openCliStage(threeTargets);
    const forced = await stage.run(["routes"], { env: { FORCE_COLOR: "1", CI: "1" } });
    expect(forced.stdout).not.toContain("\u001b");
    expect(forced.stdout).toContain("coding (default)\n  1  codex/gpt-5.5");
  });

  it("takes out of labels and messages what could steer a terminal", async () => {
    stage = await openCliStage();
    await stage.withWorkspace(({ store }) =>
      store.addApiKey({
        provider: "openai",
        label: "a\u001b]0;title\u0007b",
        source: { from: "env", name: "X" },
        at: 1,
      }),
    );
    const { stdout } = await stage.run(["auth", "list"]);
    expect(stdout).toContain("a]0;titleb");
    expect(["\u0007", "\u001b"].some((control) => stdout.includes(control))).toBe(false);
  });
});
