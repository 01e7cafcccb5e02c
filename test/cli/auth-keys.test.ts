import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { CredentialView } from "../../src/cli/credential-view.ts";
import { builtInProviders } from "../../src/providers/registry.ts";
import { type CliStage, openCliStage, threeTargets } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

const hasScript = spawnSync("script", ["--version"]).status === 0;
const key = "sk-canary-0123456789abcdef";
const otherKey = "sk-canary-fedcba9876543210";

async function open(): Promise<void> {
  stage = await openCliStage();
  stage.canaries.push(key, otherKey);
}

interface Listed {
  readonly id: string;
  readonly credentials: readonly CredentialView[];
  readonly ignored: readonly { name: string; reason: string }[];
  readonly command: string;
}

async function list(...args: string[]): Promise<Listed[]> {
  const { code, stdout } = await stage.run(["auth", "list", "--json", ...args]);
  expect(code).toBe(0);
  return (JSON.parse(stdout) as { providers: Listed[] }).providers;
}

describe("auth add, for a key", () => {
  it("takes the first line of standard input, once per key, and keeps it sealed", async () => {
    await open();
    const add = (text: string, ...args: string[]) =>
      stage.run(["auth", "add", "openai", "--api-key-stdin", ...args], { input: text });
    expect(await add(`${key}\nsecond line\n`)).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "Added openai · key-1, number 1 of its pool.\n",
    });
    expect((await add(`  ${key}  \r\n`)).stderr).toBe("openai has this key already, as key-1: nothing was changed.\n");
    expect((await add(key, "--label", "work")).stderr).toContain("as key-1: it is called work now.");
    expect((await add(otherKey)).stderr).toBe("Added openai · key-1, number 2 of its pool.\n");
    const [openai] = await list("openai");
    expect(
      openai?.credentials.map(({ index, label, source, state, next }) => [index, label, source, state, next]),
    ).toEqual([
      [1, "work", "stored", "ready", true],
      [2, "key-1", "stored", "ready", false],
    ]);
    for (const file of readdirSync(stage.home).filter((name) => name.startsWith("understudy."))) {
      expect(readFileSync(join(stage.home, file)).includes(key), file).toBe(false);
    }
  });

  it("takes a reference without storing what is behind it", async () => {
    await open();
    writeFileSync(join(stage.home, "key.txt"), `${key}\n`);
    stage.setEnv({ WORK_KEY: otherKey, OPENAI_API_KEY: key });
    const from = (source: string) => stage.run(["auth", "add", "openai", "--from", source]);
    expect((await from("env:WORK_KEY")).stderr).toContain(
      "Added openai · $WORK_KEY, number 1 of its pool; the key itself stays",
    );
    expect((await from(`file:${join(stage.home, "key.txt")}`)).stderr).toContain("Added openai · key.txt");
    expect((await from("command:echo $WORK_KEY")).stderr).toContain("Added openai · echo");
    expect((await from("env:OPENAI_API_KEY")).stderr).toBe(
      "openai uses $OPENAI_API_KEY already, as it is: nothing has to be added.\n",
    );
    expect((await from("env:WORK_KEY")).stderr).toContain("has this key already");
    const [openai] = await list("openai");
    expect(openai?.credentials.map(({ source, sourceName }) => [source, sourceName])).toEqual([
      ["env", "WORK_KEY"],
      ["file", join(stage.home, "key.txt")],
      ["command", "echo $WORK_KEY"],
      ["env", "OPENAI_API_KEY"],
    ]);
  });

  it("refuses what is no key, what the provider does not want used, and a source that gives none", async () => {
    await open();
    const cases: readonly [args: string[], input: string, said: RegExp][] = [
      [["openai", "--api-key-stdin"], "your_api_key\n", /a placeholder, not a key/],
      [["openai", "--api-key-stdin"], "", /no key was given/],
      [["openai", "--api-key-stdin"], "two words\n", /it holds blanks/],
      [["claude", "--api-key-stdin"], "sk-ant-oat01-abcdefgh\n", /is for Claude Code and claude\.ai only/],
      [["openai", "--from", "env:NOT_THERE"], "", /NOT_THERE is not set/],
      [["openai", "--from", key], "", /names the place of a key, not the key itself/],
      [["openai"], "", /no terminal to ask for the key on.*--api-key-stdin.*--from env:NAME/],
      [["openai", key], "", /a key does not belong on the command line/],
      [["openai", "--api-key", key], "", /a key does not belong on the command line/],
      [["openai", "--label", key], "", /the label looks like a key/],
    ];
    for (const [args, input, said] of cases) {
      const { code, stdout, stderr } = await stage.run(["auth", "add", ...args], { input });
      expect({ code, stdout }, args[0]).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(said);
    }
    expect(await stage.withWorkspace(({ store }) => store.listCredentials())).toEqual([]);
  });

  it("says what is near an unknown provider, and why one is left out", async () => {
    await open();
    const near = await stage.run(["auth", "add", "antropic"]);
    expect(near).toMatchObject({ code: 2, stdout: "" });
    expect(near.stderr).toContain('no provider is called "antropic": did you mean "anthropic"?');
    expect((await stage.run(["auth", "add", "github-copilot"])).stderr).toContain(
      "copilot can't be used: its key is a GitHub token",
    );
    expect((await stage.run(["auth", "add", "ollama"])).stderr).toContain("Ollama asks for no key");
  });

  it("says that a server is no longer asked without a key, and refuses one for a service that takes none", async () => {
    await open();
    const add = (provider: string, input: string) => stage.run(["auth", "add", provider, "--api-key-stdin"], { input });
    expect((await add("ollama", "local-key-0123456789")).stderr).toContain("always asked with a key");
    expect((await add("ollama", "local-key-9876543210")).stderr).not.toContain("always asked with a key");
    expect((await add("opencode-free", "local-key-0123456789")).stderr).toContain("are asked without one");
    const kept = await stage.withWorkspace(({ store }) => store.listCredentials());
    expect(kept.map(({ provider }) => provider)).toEqual(["ollama", "ollama"]);
  });

  it.runIf(hasScript)("asks for the key on a terminal without showing it, and keeps nothing after Ctrl-C", async () => {
    await open();
    const giveUp = stage.startOnTerminal(["auth", "add", "openai"]);
    await giveUp.until(/API key of OpenAI/);
    giveUp.child.stdin.write(`${key}\u0003`);
    const cancelled = stage.expectNoSecret(await giveUp.ended);
    expect(cancelled.code).toBe(130);
    expect(cancelled.stdout).toContain("cancelled; nothing was changed");
    expect(await stage.withWorkspace(({ store }) => store.listCredentials())).toEqual([]);

    const add = stage.startOnTerminal(["auth", "add", "openai"]);
    await add.until(/API key of OpenAI/);
    add.child.stdin.write("changeme\r");
    await add.until(/a placeholder, not a key/);
    add.child.stdin.write("\u007f".repeat(8));
    add.child.stdin.write(`${key}\r`);
    const added = stage.expectNoSecret(await add.ended);
    expect(added.code).toBe(0);
    expect(added.stdout).toContain("Added openai · key-1");
    const [stored] = await stage.withWorkspace(({ store }) => store.listCredentials("openai"));
    expect(stored?.kind === "api_key" && stored.source.from === "stored" && stored.source.secret.reveal()).toBe(key);
  });
});

describe("auth list", () => {
  it("writes nothing where there is nothing yet, and shows every provider with --all", async () => {
    await open();
    const empty = await stage.run(["auth", "list"], { env: { OPENAI_API_KEY: key } });
    expect(empty).toMatchObject({ code: 0, stdout: "" });
    expect(empty.stderr).toContain("No login and no key yet.");
    expect(empty.stderr).toContain("used by no route: $OPENAI_API_KEY");
    const all = await list("--all");
    expect(all.map(({ id }) => id)).toEqual(builtInProviders.map(({ id }) => id));
    expect(all.every(({ id, command }) => command === `understudy auth add ${id}`)).toBe(true);
    expect(existsSync(join(stage.home, "understudy.db"))).toBe(false);
    expect(existsSync(join(stage.home, "understudy.key"))).toBe(false);
    expect(stage.simulator.requests).toEqual([]);
  });

  it("shows the keys that routes use from the environment, and those that are not used", async () => {
    await open();
    stage.writeConfig(threeTargets(stage.simulator));
    stage.setEnv({ ANTHROPIC_API_KEY: key, CLAUDE_CODE_OAUTH_TOKEN: "sk-ant-oat01-0123456789" });
    stage.canaries.push("sk-ant-oat01-0123456789");
    const shown = await stage.run(["auth", "list"]);
    expect(shown.stdout).toContain("codex  OpenAI Codex: no login; understudy auth add codex\n");
    expect(shown.stdout).toMatch(
      /anthropic {2}Anthropic\n {2}1 {2}\$ANTHROPIC_API_KEY {2}key in the environment {2}ready <- next\n/,
    );
    expect(shown.stdout).toContain("$CLAUDE_CODE_OAUTH_TOKEN is not used: a token of a Claude plan");
    expect(shown.stdout).toContain("local  local: no key; set LOCAL_KEY, or understudy auth add local\n");
    const routes = await stage.run(["routes", "--json"]);
    expect(JSON.parse(routes.stdout)).toMatchObject({
      routes: [{ name: "coding", default: true, targets: [{ usable: false }, { usable: true }, { usable: false }] }],
    });
  });
});

describe("auth remove, reset, rename, pause", () => {
  it("find a credential by id, label or number, and never a key of the environment", async () => {
    await open();
    stage.setEnv({ OPENAI_API_KEY: key });
    await stage.withWorkspace(async ({ store }) => {
      for (const label of ["one", "2", "three"]) {
        await store.addApiKey({ provider: "openai", label, source: { from: "env", name: `KEY_${label}` }, at: 1 });
      }
      const [first] = await store.listCredentials("openai");
      await store.putCooldown({
        provider: "openai",
        credentialId: first?.id ?? "",
        model: "",
        until: Date.now() + 3_600_000,
        reason: "quota",
        message: "used up",
        since: Date.now(),
        failures: 1,
        stated: true,
      });
    });
    expect((await stage.run(["auth", "pause", "openai", "three"])).stderr).toContain(
      "until understudy auth resume openai three",
    );
    const [paused] = await list("openai");
    expect(paused?.credentials.map(({ label, state, reason }) => [label, state, reason])).toEqual([
      ["one", "cooling", "quota"],
      ["2", "ready", null],
      ["three", "paused", null],
      ["$OPENAI_API_KEY", "ready", null],
    ]);
    expect(await stage.run(["auth", "reset", "openai", "1"])).toMatchObject({
      code: 0,
      stderr: "Ended 1 rest and 0 pauses.\n",
    });
    expect(await stage.run(["auth", "reset"])).toMatchObject({ code: 0, stderr: "Ended 0 rests and 1 pause.\n" });
    // A label beats a number.
    expect((await stage.run(["auth", "rename", "openai", "2", "two"])).stderr).toBe("openai · 2 is called two now.\n");
    expect((await stage.run(["auth", "remove", "openai", "1"])).stderr).toContain("Removed openai · one.");
    const lives = await stage.run(["auth", "remove", "openai", "$openai_api_key"]);
    expect(lives.code).toBe(2);
    expect(lives.stderr).toContain("it lives in the environment variable OPENAI_API_KEY");
    expect(lives.stderr).toContain("unset OPENAI_API_KEY");
    const unknown = await stage.run(["auth", "remove", "openai", "nine"]);
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('openai has no credential "nine": it has 1 two, 2 three, 3 $OPENAI_API_KEY');
    expect((await stage.run(["auth", "remove", "openai"])).stderr).toContain(
      "say which credential of openai: it has 1 two",
    );
  });
});
