import { chmodSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type CliStage, openCliStage, threeTargets } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

interface Finding {
  readonly check: string;
  readonly state: string;
  readonly words: string;
  readonly command: string | null;
}

async function doctor(args: string[] = [], nodeArgs: string[] = []) {
  const { code, stdout, stderr } = await stage.run(["doctor", "--json", ...args], { nodeArgs });
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  return { code, ok, stderr, findings, of: (check: string) => findings.filter((one) => one.check === check) };
}

async function open(): Promise<void> {
  stage = await openCliStage(threeTargets);
  const { messages, chat } = stage.simulator;
  stage.setEnv({ ANTHROPIC_API_KEY: messages.keys.add("ant"), LOCAL_KEY: chat.keys.add("local") });
}

/** Makes a process believe that it is that much later. */
const shifted = (ms: number): string[] => [
  "--import",
  `data:text/javascript,const now=Date.now;Date.now=()=>now()+(${ms})`,
];

describe("doctor", () => {
  it("finds nothing broken where nothing is, calls nobody and makes nothing", async () => {
    stage = await openCliStage();
    const fresh = await doctor();
    expect(fresh).toMatchObject({ code: 0, ok: true });
    expect(fresh.of("configuration")).toMatchObject([{ state: "warning", command: "understudy model" }]);
    expect(readdirSync(stage.home)).toEqual([]);
    stage.writeConfig(threeTargets(stage.simulator));
    stage.setEnv({ ANTHROPIC_API_KEY: stage.simulator.messages.keys.add("ant") });
    await stage.addCodexLogin("ann");
    const healthy = await stage.run(["doctor"]);
    expect(healthy).toMatchObject({ code: 0, stderr: "" });
    expect(healthy.stdout).toMatch(/✓ {2}route coding {3}codex\/gpt-5\.5 · ann is ready\n/);
    expect(healthy.stdout).toMatch(/✓ {2}logins {9}the one that is stored is ready\n/);
    expect(healthy.stdout).not.toContain("run ");
    expect(stage.simulator.requests).toEqual([]);
  });

  it("names what is open to others and what was left over, and mends both with --fix", async () => {
    await open();
    await stage.addCodexLogin("ann");
    const old = new Date(Date.now() - 3_600_000);
    mkdirSync(join(stage.home, "cache"));
    const leftover = join(stage.home, "cache", "models-codex.json.4711-0a1b2c3d");
    writeFileSync(leftover, "{");
    utimesSync(leftover, old, old);
    chmodSync(stage.home, 0o755);
    chmodSync(join(stage.home, "understudy.key"), 0o644);
    chmodSync(join(stage.home, "config.yaml"), 0o666);
    const exposed = await doctor();
    expect(exposed).toMatchObject({ code: 1, ok: false });
    const files = exposed.of("files");
    expect(files.filter(({ state }) => state === "broken")).toHaveLength(3);
    for (const { command } of files) expect(command).toBe("understudy doctor --fix");
    expect(files.map(({ words }) => words).join("\n")).toMatch(
      /understudy\.key \(mode 0644\)[\s\S]*where keys are sent[\s\S]*1 left over/,
    );

    const fixed = await doctor(["--fix"]);
    expect(fixed).toMatchObject({ code: 0, ok: true });
    expect(fixed.of("files").every(({ state }) => state === "mended")).toBe(true);
    expect(
      [stage.home, "understudy.key", "config.yaml"].map(
        (name) => statSync(join(stage.home, name === stage.home ? "" : name)).mode & 0o777,
      ),
    ).toEqual([0o700, 0o600, 0o644]);
    expect((await doctor()).of("files")).toMatchObject([{ state: "ok" }]);
  });

  it("says what keeps it from opening: a wrong configuration, a damaged store", async () => {
    await open();
    await stage.withWorkspace(() => Promise.resolve());
    stage.writeConfig("routes: { coding: [codx/m] }\n");
    const wrong = await doctor();
    expect(wrong).toMatchObject({ code: 1 });
    expect(wrong.of("configuration")).toMatchObject([{ state: "broken", command: "understudy config edit" }]);
    expect(wrong.of("configuration")[0]?.words).toContain("config.yaml:1");
    stage.writeConfig(threeTargets(stage.simulator));
    writeFileSync(join(stage.home, "understudy.db"), "no store");
    const damaged = await doctor();
    expect(damaged.code).toBe(1);
    expect(damaged.of("store")[0]?.words).toContain("it is damaged");
  });

  it("names each login that is over, shared or lost its answer, with the one command", async () => {
    await open();
    const { account } = await stage.addCodexLogin("ann");
    const { credential } = await stage.addCodexLogin("ben");
    stage.simulator.codexIssuer.revokeLogins(account);
    await stage.run(["ask", "--route", "codex/gpt-5.5", "hello"]);
    mkdirSync(join(stage.home, ".codex"));
    const tokens = { refresh_token: credential.grant.refreshToken?.reveal(), access_token: "x" };
    writeFileSync(join(stage.home, ".codex", "auth.json"), JSON.stringify({ tokens }));
    const ill = await doctor();
    expect(ill).toMatchObject({ code: 3, ok: false });
    const again = "understudy auth add codex --force-new-login";
    expect(ill.of("codex · ann")).toMatchObject([{ state: "broken", command: again }]);
    expect(ill.of("codex · ann")[0]?.words).toMatch(/^sign in again: .*, since \d\d:\d\d/);
    expect(ill.of("codex · ben")).toMatchObject([{ state: "warning", command: again }]);
    expect(ill.of("codex · ben")[0]?.words).toContain("shares its single-use refresh token with the Codex CLI");

    await stage.run(["auth", "pause", "codex", "ben"]);
    const paused = await doctor();
    expect(paused.of("route coding")).toMatchObject([{ state: "warning" }]);
    expect(paused.of("route coding")[0]?.words).toContain("anthropic/claude-sonnet-5 takes over");
    stage.setEnv({
      ANTHROPIC_API_KEY: undefined,
      LOCAL_KEY: undefined,
      CLAUDE_CODE_OAUTH_TOKEN: "sk-ant-oat01-0123456789",
    });
    const alone = await doctor();
    expect(alone.of("route coding")).toMatchObject([{ state: "broken" }]);
    expect(alone.of("anthropic")[0]?.words).toContain("$CLAUDE_CODE_OAUTH_TOKEN is not used");
    expect(stage.simulator.codexIssuer.counters.refreshes).toBe(1);
  });

  it("tries every login and key with --probe, calls no model, and tells a wrong clock", async () => {
    await open();
    await stage.addCodexLogin("ann");
    stage.setEnv({ LOCAL_KEY: "sk-wrong-0123456789" });
    const probed = await doctor(["--probe"]);
    expect(probed.code).toBe(3);
    expect(probed.of("codex · ann")).toMatchObject([{ state: "ok" }]);
    expect(probed.of("anthropic · $ANTHROPIC_API_KEY")).toMatchObject([{ state: "ok" }]);
    expect(probed.of("local · $LOCAL_KEY")).toMatchObject([{ state: "broken", command: "understudy auth add local" }]);
    expect(probed.of("clock")).toMatchObject([{ state: "ok" }]);
    expect(stage.simulator.requests.every(({ method, path }) => method === "GET" && path.endsWith("/models"))).toBe(
      true,
    );
    expect(await stage.withWorkspace(({ store }) => store.listCooldowns())).toEqual([]);
    for (const [ms, words] of [
      [600_000, /clock is (10|9) min ahead of/],
      [-600_000, /clock is (10|11|9) min behind/],
    ] as const) {
      const off = await doctor(["--probe"], shifted(ms));
      expect(off.of("clock")[0]).toMatchObject({ state: "broken" });
      expect(off.of("clock")[0]?.words).toMatch(words);
    }
  });

  it.runIf(process.platform === "linux")("names who holds the gateway's port", async () => {
    stage = await openCliStage();
    const holder = createServer();
    const taken = await new Promise<boolean>((resolve) => {
      holder.once("error", () => resolve(false)).listen(4141, "127.0.0.1", () => resolve(true));
    });
    const { of } = await doctor();
    await new Promise((resolve) => (taken ? holder.close(resolve) : resolve(null)));
    expect(of("gateway")).toMatchObject([{ state: "warning", command: "understudy serve --port 0" }]);
    if (taken) expect(of("gateway")[0]?.words).toMatch(new RegExp(`port 4141 is held by .* \\(pid ${process.pid}\\)`));
  });
});

describe("a clock that is ten minutes off", () => {
  it.each([600_000, -600_000])("by %i ms keeps nobody from signing in, asking and refreshing", async (ms) => {
    stage = await openCliStage(threeTargets);
    const { codexIssuer } = stage.simulator;
    codexIssuer.settings.pollInterval = "1";
    codexIssuer.settings.autoApprove = codexIssuer.addAccount({ email: "ann@example.test", name: "ann" });
    const run = (...args: string[]) => stage.run(args, { nodeArgs: shifted(ms) });
    expect((await run("auth", "add", "codex")).stderr).toContain("Signed in: codex · ann@example.test");
    expect((await run("ask", "hello")).code).toBe(0);
    expect((await run("auth", "refresh", "codex")).code).toBe(0);
    expect((await run("auth", "status")).code).toBe(0);
    expect(codexIssuer.counters.reused).toBe(0);
  });
});
