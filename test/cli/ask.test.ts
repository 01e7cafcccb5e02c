import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type CliStage, openCliStage, threeTargets } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

/** Codex with one login, Anthropic and a local server with a key each in the environment. */
async function openThree(): Promise<void> {
  stage = await openCliStage(threeTargets);
  const { messages, chat } = stage.simulator;
  stage.setEnv({ ANTHROPIC_API_KEY: messages.keys.add("ant"), LOCAL_KEY: chat.keys.add("local") });
}

/** Linux, with a file system of its own for a process: not in every container. */
const canMount = spawnSync("unshare", ["-rm", "mount", "-t", "tmpfs", "none", "/mnt"]).status === 0;

const codexToAnthropic =
  /^codex\/gpt-5\.5 · work: the plan's limit is reached, until (?:\d+ \w+ )?\d\d:\d\d \(in (?:1 h|59 min)\) -> anthropic\/claude-sonnet-5 · \$ANTHROPIC_API_KEY\n$/;

describe("ask", () => {
  it("does without a store where none can be made, and says so", async () => {
    await openThree();
    // A test may run as root, who can write anywhere; but nobody makes a folder of a link that leads nowhere.
    const home = join(stage.home, "nowhere");
    symlinkSync(join(stage.home, "gone", "and", "gone"), home);
    const args = ["ask", "--route", "anthropic/claude-sonnet-5", "hello"];
    const asked = await stage.run(args, { env: { UNDERSTUDY_HOME: home } });
    expect(asked).toMatchObject({ code: 0, stdout: "The simulator heard: hello\n" });
    expect(asked.stderr).toMatch(/^Without a store, since the folder \S+nowhere can't be made: .+\n$/);
    // What is there and can't be read is no store that is missing.
    writeFileSync(
      join(stage.home, "understudy.db"),
      "no database, but longer than the hundred bytes that the header of one takes".repeat(3),
    );
    expect(await stage.run(args)).toMatchObject({ code: 6, stdout: "" });
  });

  it.skipIf(!canMount)(
    "asks with a key of the environment while a full disk keeps the store from being used",
    async () => {
      await openThree();
      await stage.addCodexLogin("work");
      // A disk of 256 KB for this process alone, with the store on it and no room left.
      const disk = join(stage.home, "disk");
      mkdirSync(disk);
      const script = `mount -t tmpfs -o size=256k none "$0" && cp "$0"/../understudy.* "$0"/../config.yaml "$0" &&
      { dd if=/dev/zero of="$0/rest" bs=1k count=300 2>/dev/null; exec "$@"; }`;
      const ask = (env: Record<string, string | undefined>) =>
        stage.run(["ask", "--route", "anthropic/claude-sonnet-5", "hello"], {
          env: { UNDERSTUDY_HOME: disk, ...env },
          through: ["unshare", "-rm", "sh", "-c", script, disk],
        });
      const asked = await ask({});
      expect(asked).toMatchObject({ code: 0, stdout: "The simulator heard: hello\n" });
      expect(asked.stderr).toMatch(
        /^Without the stored logins and keys, since the store \S+ can't be used: the disk .+\n$/,
      );
      const nobody = await ask({ ANTHROPIC_API_KEY: undefined, LOCAL_KEY: undefined });
      expect(nobody).toMatchObject({ code: 6, stdout: "" });
      expect(nobody.stderr).toMatch(/^understudy: the store \S+ can't be used/);
    },
  );

  it("writes the answer to standard output, and to standard error only who was switched and why", async () => {
    await openThree();
    await stage.addCodexLogin("work");
    const quiet = await stage.run(["ask", "Say", "hello"]);
    expect(quiet).toEqual({ code: 0, signal: null, stdout: "The simulator heard: Say hello\n", stderr: "" });

    stage.simulator.codex.script({ name: "soft-quota", resetsInS: 3_600 });
    const switched = await stage.run(["ask", "Say hello"]);
    expect(switched).toMatchObject({ code: 0, stdout: "The simulator heard: Say hello\n" });
    expect(switched.stderr).toMatch(codexToAnthropic);

    // The next turn of another process begins further down, and says so once.
    const later = await stage.run(["ask", "-"], { input: "from a pipe\n" });
    expect(later).toMatchObject({ code: 0, stdout: "The simulator heard: from a pipe\n" });
    expect(later.stderr.split("\n")).toHaveLength(2);
    expect(later.stderr).toMatch(/^codex\/gpt-5\.5 · work: the plan's limit is reached, until .* -> anthropic/);

    const why = await stage.run(["why"]);
    expect(why.stdout).toMatch(/^turn_\w+ · route coding · .* · answered after/);
    expect(why.stdout).toContain("1. anthropic/claude-sonnet-5 · $ANTHROPIC_API_KEY: answered");
    expect(stage.simulator.unplanned).toEqual([]);
  });

  it("gives one JSON object, and the journal the same story", async () => {
    await openThree();
    const { account } = await stage.addCodexLogin("work");
    stage.simulator.codexIssuer.revokeLogins(account);
    const { code, stdout, stderr } = await stage.run(["ask", "--json", "--route", "coding", "hello"]);
    expect(code).toBe(0);
    const answer = JSON.parse(stdout) as Record<string, unknown> & { turnId: string; events: { type: string }[] };
    expect(answer).toMatchObject({
      answer: "The simulator heard: hello",
      finishReason: "stop",
      servedBy: { provider: "anthropic", model: "claude-sonnet-5", credential: { label: "$ANTHROPIC_API_KEY" } },
      attempts: 3,
      switched: true,
      error: null,
    });
    expect(answer.events.map(({ type }) => type)).toContain("relogin-required");
    expect(stderr).toMatch(/^codex\/gpt-5\.5 · work: sign in again \(.+\) -> anthropic/);
    expect(stderr).toContain("\n  run understudy auth add codex --force-new-login\n");

    const why = await stage.run(["why", answer.turnId.slice(0, 12), "--json"]);
    const record = JSON.parse(why.stdout) as {
      id: string;
      outcome: string;
      attempts: { failure: { reason: string } | null }[];
    };
    expect(record).toMatchObject({ id: answer.turnId, outcome: "answered" });
    expect(record.attempts.map(({ failure }) => failure?.reason ?? null)).toEqual(["auth", "relogin_required", null]);
    const words = await stage.run(["why"]);
    expect(words.stdout).toContain("relogin_required, before any call");
    expect(words.stdout).toContain("run understudy auth add codex --force-new-login");
  });

  it("tells every attempt with --verbose", async () => {
    await openThree();
    await stage.addCodexLogin("work");
    stage.simulator.codex.script("soft-quota");
    const { stderr } = await stage.run(["ask", "--verbose", "hello"]);
    expect(stderr).toContain("1. codex/gpt-5.5 · work\n");
    expect(stderr).toMatch(
      /quota: the plan's limit is reached, until .* \(The usage limit has been reached\) \[[a-z-]+\]/,
    );
    expect(stderr).toContain("2. anthropic/claude-sonnet-5 · $ANTHROPIC_API_KEY\n");
  });

  it("ends with 3 when only a person can help, naming each candidate, its cause and a command", async () => {
    await openThree();
    const { account } = await stage.addCodexLogin("work");
    stage.simulator.codexIssuer.revokeLogins(account);
    stage.setEnv({ ANTHROPIC_API_KEY: undefined, LOCAL_KEY: undefined });
    const { code, stdout, stderr } = await stage.run(["ask", "hello"]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toContain("understudy: nobody on route coding could answer");
    expect(stderr).toMatch(/codex\/gpt-5\.5 · work: sign in again.*run understudy auth add codex --force-new-login/);
    expect(stderr).toMatch(
      /anthropic\/claude-sonnet-5: no credential, and ANTHROPIC_API_KEY is not set.*understudy auth add anthropic/,
    );
  });

  it("ends with 1 when somebody recovers, and says when, also as JSON", async () => {
    await openThree();
    await stage.addCodexLogin("work");
    stage.setEnv({ ANTHROPIC_API_KEY: undefined, LOCAL_KEY: undefined });
    stage.simulator.codex.setBehaviour("*", { name: "quota-exhausted", resetsInS: 7_200 });
    const { code, stdout, stderr } = await stage.run(["ask", "--json", "hello"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/the first recovers at (\d+ \w+ )?\d\d:\d\d/);
    const told = JSON.parse(stdout) as { answer: null; error: { code: string; retryAt: string; reason: string } };
    expect(told).toMatchObject({ answer: null, error: { code: "turn_failed", reason: "quota" } });
    expect(Math.abs(Date.parse(told.error.retryAt) - Date.now() - 7_200_000)).toBeLessThan(60_000);
  });

  it("ends with 4 when the request itself is refused, and asks nobody else", async () => {
    await openThree();
    await stage.addCodexLogin("work");
    stage.simulator.codex.script("content-policy");
    const { code, stdout, stderr } = await stage.run(["ask", "hello"]);
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toContain("the provider refused the content");
    expect(stage.simulator.messages.requests).toEqual([]);
  });

  it("ends with 5 when the answer breaks off, and leaves what came", async () => {
    await openThree();
    await stage.addCodexLogin("work");
    stage.simulator.codex.script({ name: "cut-mid-text", text: "one two three four five six seven eight nine ten" });
    const { code, stdout, stderr } = await stage.run(["ask", "hello"]);
    expect(code).toBe(5);
    expect(stdout).toMatch(/^one two .*\n$/);
    expect(stdout).not.toContain("ten");
    expect(stderr).toContain("the answer broke off");
  });

  it("ends with 130 on Ctrl-C, and with 0 when whoever reads has seen enough", async () => {
    await openThree();
    await stage.addCodexLogin("work");
    stage.simulator.codex.script(
      { name: "stall-mid-text", text: "one two three four five six seven eight" },
      { times: 2 },
    );

    const interrupted = stage.start(["ask", "hello"]);
    await interrupted.until(/one/);
    interrupted.child.kill("SIGINT");
    const ended = stage.expectNoSecret(await interrupted.ended);
    expect(ended).toMatchObject({ code: 130, signal: null });
    expect(ended.stderr).toContain("understudy: cancelled");
    const why = await stage.run(["why", "--json"]);
    expect(JSON.parse(why.stdout)).toMatchObject({ outcome: "cancelled" });

    const piped = stage.start(["ask", "hello"]);
    await piped.until(/one/);
    piped.child.stdout.destroy();
    stage.simulator.release();
    expect(await piped.ended).toMatchObject({ code: 0, signal: null, stderr: "" });
  });

  it("does not wait for a question that nobody types, and names what is near a route", async () => {
    await openThree();
    expect(await stage.run(["ask"])).toMatchObject({ code: 2, stdout: "" });
    const unknown = await stage.run(["ask", "--route", "codng", "hello"]);
    expect(unknown).toMatchObject({ code: 2, stdout: "" });
    expect(unknown.stderr).toContain('did you mean "coding"?');
    stage.writeConfig("routs:\n  coding: [codex/gpt-5.5]\n");
    const broken = await stage.run(["ask", "hello"]);
    expect(broken.code).toBe(2);
    expect(broken.stderr).toMatch(/config\.yaml:1:1: routs: .*did you mean "routes"\?/);
  });
});
