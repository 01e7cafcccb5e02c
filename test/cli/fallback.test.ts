import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type CliStage, openCliStage } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

const hasScript = spawnSync("script", ["--version"]).status === 0;

const config = `# mine, with care
routes:
  coding: [codex/gpt-5.5, anthropic/claude-sonnet-5]   # by day
  night:
    - xai/grok-5      # cheap
    # costs money
    - { target: openai/gpt-5.5, paid: true }
`;

async function open(text: string = config): Promise<void> {
  stage = await openCliStage();
  stage.writeConfig(text);
}

const file = () => join(stage.home, "config.yaml");
const written = () => readFileSync(file(), "utf8");

describe("fallback", () => {
  it("lists the primary and who takes over, for people and programs", async () => {
    await open();
    expect(await stage.run(["fallback", "list"])).toMatchObject({
      code: 0,
      stdout: "coding\n  primary  codex/gpt-5.5\n  1        anthropic/claude-sonnet-5\n",
    });
    const { stdout } = await stage.run(["fallback", "list", "--route", "night", "--json"]);
    expect(JSON.parse(stdout)).toEqual({
      route: "night",
      strict: false,
      primary: { target: "xai/grok-5", provider: "xai", model: "grok-5", credential: null, paid: false },
      fallbacks: [{ target: "openai/gpt-5.5", provider: "openai", model: "gpt-5.5", credential: null, paid: true }],
    });
  });

  it("adds, moves, removes and clears, and leaves all else in the file as it was", async () => {
    await open();
    chmodSync(file(), 0o640);
    const run = async (...args: string[]) => {
      const ended = await stage.run(["fallback", ...args]);
      expect(ended, ended.stderr).toMatchObject({ code: 0, stdout: "" });
      return ended.stderr;
    };
    expect(await run("add", "grok/grok-5")).toBe("coding: xai/grok-5 is fallback 2 now.\n");
    expect(await run("add", "openai/gpt-5.5", "--at", "1", "--paid")).toBe(
      "coding: openai/gpt-5.5 is fallback 1 now.\n",
    );
    expect(written()).toBe(
      config.replace(
        "[codex/gpt-5.5, anthropic/claude-sonnet-5]",
        "[codex/gpt-5.5, { target: openai/gpt-5.5, paid: true }, anthropic/claude-sonnet-5, xai/grok-5]",
      ),
    );
    expect(await run("move", "grok/grok-5", "1")).toBe("coding: xai/grok-5 is fallback 1 now.\n");
    expect(await run("remove", "2")).toBe("coding: openai/gpt-5.5 (paid) is taken out.\n");
    expect(await run("remove", "claude/claude-sonnet-5")).toContain("anthropic/claude-sonnet-5 is taken out");
    expect(await run("clear", "--route", "night")).toBe("night: only xai/grok-5 is left.\n");
    expect(await run("clear", "--route", "night")).toBe("Nothing had to be changed.\n");
    expect(written()).toBe(`# mine, with care
routes:
  coding: [codex/gpt-5.5, xai/grok-5]   # by day
  night:
    - xai/grok-5      # cheap
`);
    expect(statSync(file()).mode & 0o777).toBe(0o640);
    expect(readdirSync(stage.home).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("writes through a link", async () => {
    await open();
    writeFileSync(join(stage.home, "real.yaml"), config);
    spawnSync("rm", [file()]);
    symlinkSync("real.yaml", file());
    expect((await stage.run(["fallback", "clear"])).code).toBe(0);
    expect(readFileSync(join(stage.home, "real.yaml"), "utf8")).toContain("coding: [codex/gpt-5.5]   # by day");
  });

  it.each<[string[], RegExp]>([
    [["add", "codx/gpt-5.5"], /no provider is called "codx": did you mean "codex"/],
    [["add", "gpt-5.5"], /a target is written provider\/model/],
    [["add", "codex/gpt-5.5"], /each target once in a route/],
    [["add", "xai/grok-5", "--at", "3"], /a number from 1 to 2/],
    [["remove", "2"], /coding has no such fallback: it has 1 anthropic\/claude-sonnet-5/],
    [["remove", "codex/gpt-5.5"], /is the primary of coding; understudy model sets another one/],
    [["move", "1", "0"], /a number from 1 to 1/],
    [["list", "--route", "codex/gpt-5.4"], /no route of the configuration: say --route with one of coding, night/],
    [["list", "--route", "codng"], /did you mean "coding"/],
    [["add"], /missing required argument 'target'/],
    [["nope"], /unknown command|no command/],
  ])("%j changes nothing and says what there is", async (args, said) => {
    await open();
    const ended = await stage.run(["fallback", ...args]);
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr).toMatch(said);
    expect(written()).toBe(config);
  });

  it("names the command that makes a route where there is none", async () => {
    await open("# nothing yet\n");
    const ended = await stage.run(["fallback", "add", "codex/gpt-5.5"]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("Run understudy model\n");
    expect(written()).toBe("# nothing yet\n");
  });

  it("lists an empty chain with the command that adds to it, and takes nothing out of it", async () => {
    await open("routes: { main: [codex/gpt-5.5] }\n");
    const listed = await stage.run(["fallback", "list"]);
    expect(listed).toMatchObject({ code: 0, stdout: "main\n  primary  codex/gpt-5.5\n" });
    expect(listed.stderr).toContain("main has no fallback: understudy fallback add PROVIDER/MODEL adds one");
    const removed = await stage.run(["fallback", "remove", "1"]);
    expect(removed).toMatchObject({ code: 2, stdout: "" });
    expect(removed.stderr).toContain("main has no such fallback: it has none");
  });

  it("leaves the file alone when it can't be written", async () => {
    await open();
    if (process.getuid?.() === 0) return;
    chmodSync(stage.home, 0o500);
    const ended = await stage.run(["fallback", "clear"]);
    chmodSync(stage.home, 0o700);
    expect(ended).toMatchObject({ code: 2 });
    expect(ended.stderr).toContain("can't be written (EACCES)");
    expect(written()).toBe(config);
  });
});

describe("config edit", () => {
  it("says what to do without a terminal", async () => {
    await open();
    const ended = await stage.run(["config", "edit"]);
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(ended.stderr).toContain(`change ${file()} by hand`);
  });

  it.runIf(hasScript)("writes what is in order, and nothing that is not", async () => {
    await open();
    stage.setEnv({ EDITOR: "sed -i s/coding/daily/" });
    const renamed = await stage.startOnTerminal(["config", "edit"]).ended;
    expect(renamed.code).toBe(0);
    expect(renamed.stdout).toContain("config.yaml is written.");
    expect(written()).toBe(config.replace("coding", "daily"));

    // Wrong, then mended by the same editor.
    writeFileSync(
      join(stage.home, "ed"),
      `if grep -q codx "$1"; then sed -i s/codx/codex/ "$1"; else sed -i s/codex/codx/ "$1"; fi`,
    );
    stage.setEnv({ EDITOR: `sh ${join(stage.home, "ed")}` });
    const wrong = stage.startOnTerminal(["config", "edit"]);
    await wrong.until(/Edit it again/);
    expect(wrong.stdout).toMatch(/config\.yaml:3:\d+: routes\.daily\[0\]: "codx\/gpt-5\.5"/);
    wrong.child.stdin.write("\u001b[B\r");
    expect((await wrong.ended).stdout).toContain("Nothing was changed.");
    const again = stage.startOnTerminal(["config", "edit"]);
    await again.until(/Edit it again/);
    again.child.stdin.write("\r");
    expect((await again.ended).stdout).toContain("Nothing was changed.");

    // Ctrl-C where it asks.
    const giveUp = stage.startOnTerminal(["config", "edit"]);
    await giveUp.until(/Edit it again/);
    giveUp.child.stdin.write("\u0003");
    expect((await giveUp.ended).code).toBe(130);
    expect(written()).toBe(config.replace("coding", "daily"));

    stage.setEnv({ EDITOR: "false" });
    expect((await stage.startOnTerminal(["config", "edit"]).ended).stdout).toContain(
      "ended with 1: nothing was changed",
    );
    expect(existsSync(file())).toBe(true);

    // Somebody else wrote meanwhile: theirs stands, and what the person wrote is not thrown away.
    writeFileSync(join(stage.home, "ed"), `echo "# mine" >> "$1"; echo "# theirs" >> "${file()}"`);
    stage.setEnv({ EDITOR: `sh ${join(stage.home, "ed")}` });
    const late = await stage.startOnTerminal(["config", "edit"]).ended;
    expect(late.code).toBe(2);
    expect(written()).toMatch(/# theirs\n$/);
    const [, kept = ""] = /kept in (\S+)/.exec(late.stdout) ?? [];
    expect(readFileSync(kept, "utf8")).toMatch(/# mine\n$/);
    rmSync(dirname(kept), { recursive: true });
  });
});
