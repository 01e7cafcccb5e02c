import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type CliStage, openCliStage, threeTargets } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

const hasScript = spawnSync("script", ["--version"]).status === 0;

const asked = (path: RegExp) => stage.simulator.requests.filter((one) => path.test(one.path)).length;
const config = () => readFileSync(join(stage.home, "config.yaml"), "utf8");

async function open(text?: string): Promise<void> {
  stage = await openCliStage(text === undefined ? threeTargets : () => text);
}

/** Makes every cached list as old as that. */
function age(ms: number): void {
  const folder = join(stage.home, "cache");
  for (const name of readdirSync(folder)) {
    const file = join(folder, name);
    const cached = JSON.parse(readFileSync(file, "utf8")) as { at: number };
    writeFileSync(file, JSON.stringify({ ...cached, at: cached.at - ms }));
  }
}

describe("models", () => {
  it("lists what each provider with a login or key has, in each one's own shape", async () => {
    await open();
    await stage.addCodexLogin("ann");
    const { messages, chat } = stage.simulator;
    stage.setEnv({ ANTHROPIC_API_KEY: messages.keys.add("m"), LOCAL_KEY: chat.keys.add("c") });
    const all = await stage.run(["models"]);
    expect(all).toMatchObject({ code: 0, stderr: "" });
    expect(all.stdout).toBe(`codex
codex/gpt-5.5
codex/gpt-5.4
codex/gpt-5.4-mini
codex/gpt-5.3-codex
anthropic
anthropic/claude-haiku-4-5
anthropic/claude-opus-4-8
local
local/llama-4-70b
local/qwen-3-coder
`);
    const json = JSON.parse((await stage.run(["models", "claude", "--json"])).stdout) as unknown;
    expect(json).toMatchObject({
      providers: [
        { id: "anthropic", stale: false, error: null, models: [{ target: "anthropic/claude-haiku-4-5" }, {}] },
      ],
    });
    expect(stage.simulator.unplanned).toEqual([]);
  });

  it("goes by an answer for five minutes, asks again when told to, and falls back on an old one", async () => {
    await open();
    await stage.addCodexLogin("ann");
    const { codex } = stage.simulator;
    const list = async (...args: string[]) => stage.run(["models", "codex", ...args]);
    await list();
    await list();
    expect(asked(/models/)).toBe(1);
    expect(statSync(join(stage.home, "cache")).mode & 0o777).toBe(0o700);
    await list("--refresh");
    expect(asked(/models/)).toBe(2);
    age(300_000);
    codex.models = ["gpt-6"];
    expect((await list()).stdout).toBe("codex/gpt-6\n");
    age(3_600_000);
    await codex.stop();
    const stale = await list();
    expect(stale).toMatchObject({ code: 0, stdout: "codex/gpt-6\n" });
    expect(stale.stderr).toMatch(/codex can't be asked now \(the provider can't be reached.*\); this is from 1 h ago/);
  });

  it("renews a rejected token once, goes on to the next login, and rests nobody", async () => {
    await open();
    const { account } = await stage.addCodexLogin("ann");
    await stage.addCodexLogin("ben");
    stage.simulator.codexIssuer.revokeAccess(account);
    expect((await stage.run(["models", "codex"])).code).toBe(0);
    expect(stage.simulator.codexIssuer.counters.refreshes).toBe(1);
    stage.simulator.codexIssuer.revokeLogins(account);
    const next = await stage.run(["models", "codex", "--refresh"]);
    expect(next).toMatchObject({ code: 0 });
    expect(next.stdout).toContain("codex/gpt-5.5");
    expect(await stage.withWorkspace(({ store }) => store.listCooldowns())).toEqual([]);
  });

  it("says who can't be asked, why, and the command that helps", async () => {
    await open();
    expect(await stage.run(["models"])).toMatchObject({
      code: 2,
      stdout: "",
      stderr: "understudy: no login and no key yet, so nobody can be asked\nRun understudy auth add codex\n",
    });
    expect(await stage.run(["models", "codex"])).toMatchObject({
      code: 3,
      stdout: "",
      stderr: "codex can't be asked: nobody is ready. Run understudy auth add codex\n",
    });
    const refused = await stage.run(["models", "openai"], { env: { OPENAI_API_KEY: "sk-wrong-0123456789" } });
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(
      /openai · \$OPENAI_API_KEY: the provider did not accept the login.*\. Run understudy auth add openai/,
    );
    const { account } = await stage.addCodexLogin("ann");
    stage.simulator.codexIssuer.revokeLogins(account);
    const dead = await stage.run(["models", "codex"]);
    expect(dead.code).toBe(3);
    expect(dead.stderr).toContain("Run understudy auth add codex --force-new-login");
  });
});

describe("model", () => {
  it("sets the primary of a route, keeps the fallbacks and the comments, and makes the first route", async () => {
    await open("# mine\n");
    expect((await stage.run(["model", "openai-codex/gpt-5.5"])).stderr).toBe("main begins with codex/gpt-5.5 now.\n");
    expect(config()).toBe("# mine\nroutes:\n  main: [codex/gpt-5.5]\n");
    stage.writeConfig(`routes:
  main: [{ target: codex/gpt-5.5, credential: work }, anthropic/claude-sonnet-5]   # by day
`);
    expect((await stage.run(["model", "codex/gpt-5.4"])).code).toBe(0);
    expect(config()).toContain("[{ target: codex/gpt-5.4, credential: work }, anthropic/claude-sonnet-5]   # by day");
    const other = await stage.run(["model", "anthropic/claude-sonnet-5"]);
    expect(other.stderr).toBe(
      "main begins with anthropic/claude-sonnet-5 now.\ncodex/gpt-5.4 was its first before. To keep it behind: understudy fallback add codex/gpt-5.4\n",
    );
    expect(config()).toContain("main: [anthropic/claude-sonnet-5]   # by day");
    expect((await stage.run(["model", "claude/claude-sonnet-5"])).stderr).toContain("nothing was changed");
    expect((await stage.run(["model", "codex/gpt-5.5", "--route", "nigt"])).code).toBe(2);
  });

  it("warns of a model that is not listed and writes it all the same, and says what to pass without a terminal", async () => {
    await open("");
    await stage.addCodexLogin("ann");
    const odd = await stage.run(["model", "codex/gpt-5.50"]);
    expect(odd.stderr).toContain('codex does not list gpt-5.50: did you mean "gpt-5.5"');
    expect(config()).toContain("main: [codex/gpt-5.50]");
    const alone = await stage.run(["model"]);
    expect(alone).toMatchObject({ code: 2, stdout: "" });
    expect(alone.stderr).toContain("understudy model codex/gpt-5.5");
    expect((await stage.run(["model", "copilot/x"])).stderr).toContain("copilot can't be used");
  });

  it.runIf(hasScript)("asks for provider and model, signs in on the way, and marks what is in use", async () => {
    await open("");
    const { codexIssuer } = stage.simulator;
    codexIssuer.settings.pollInterval = "1";
    codexIssuer.settings.autoApprove = codexIssuer.addAccount({ email: "ann@example.test", name: "ann" });
    const first = stage.startOnTerminal(["model"]);
    await first.until(/Which provider/);
    first.child.stdin.write("openai codex\r");
    await first.until(/Which model/);
    first.child.stdin.write("5.4\r");
    const chosen = await first.ended;
    expect(chosen.code, chosen.stdout).toBe(0);
    expect(chosen.stdout).toContain("Signed in: codex · ann@example.test");
    expect(config()).toBe("# yaml-language-server: $schema=config.schema.json\nroutes:\n  main: [codex/gpt-5.4]\n");

    // A login that works: use it, sign in again, import, cancel. --force-new-login asks nothing of it.
    const use = stage.startOnTerminal(["model", "codex"]);
    await use.until(/Import the login of the Codex CLI[\s\S]*Cancel/);
    use.child.stdin.write("\r");
    await use.until(/Which model[\s\S]*gpt-5\.4[^\n]*in use/);
    use.child.stdin.write("gpt-7-preview\r");
    expect((await use.ended).stdout).toContain("main begins with codex/gpt-7-preview now.");
    const cancel = stage.startOnTerminal(["model", "codex"]);
    await cancel.until(/Cancel/);
    cancel.child.stdin.write("\u001b[A\r");
    const cancelled = await cancel.ended;
    expect(cancelled.stdout).toContain("Nothing was changed.");
    const force = stage.startOnTerminal(["model", "codex", "--force-new-login"]);
    await force.until(/Signed in again: codex · ann@example\.test[\s\S]*Which model/);
    force.child.stdin.write("\u0003");
    expect((await force.ended).code).toBe(130);
    expect(config()).toContain("gpt-7-preview");

    // Ctrl-C at the first question, and at the key of a provider that needs one.
    for (const [text, question] of [
      ["", /Which provider/],
      ["deepseek\r", /API key of DeepSeek/],
    ] as const) {
      const running = stage.startOnTerminal(["model"]);
      await running.until(/Which provider/);
      running.child.stdin.write(text);
      await running.until(question);
      running.child.stdin.write("\u0003");
      expect((await running.ended).code).toBe(130);
    }
    expect(await stage.withWorkspace(({ store }) => store.listCredentials())).toHaveLength(1);
    expect(config()).toContain("gpt-7-preview");
  });

  it.runIf(hasScript)("asks whether a server of one's own was told to ask for a key", async () => {
    await open("");
    for (const [keys, code] of [
      ["\r", 0],
      ["\u0003", 130],
    ] as const) {
      const running = stage.startOnTerminal(["auth", "add", "ollama"]);
      await running.until(/Ollama asks for no key by itself[\s\S]*Add a key/);
      running.child.stdin.write(keys);
      expect((await running.ended).code).toBe(code);
    }
    expect(await stage.withWorkspace(({ store }) => store.listCredentials())).toEqual([]);
    const add = stage.startOnTerminal(["auth", "add", "ollama"]);
    await add.until(/Add a key/);
    add.child.stdin.write("\u001b[B\r");
    await add.until(/API key of Ollama/);
    add.child.stdin.write("local-key-0123456789\r");
    expect((await add.ended).stdout).toContain("Added ollama · key-1");
  });
});
