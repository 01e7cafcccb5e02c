import { afterEach, describe, expect, it } from "vitest";
import { type CliStage, openCliStage, threeTargets } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

const key = "sk-canary-0123456789abcdef";
const rest = (id: string, more: Record<string, unknown> = {}) =>
  stage.withWorkspace(({ store }) =>
    store.putCooldown({
      provider: "codex",
      credentialId: id,
      model: "",
      until: Date.now() + 3_600_000,
      reason: "quota",
      message: "used up",
      since: Date.now(),
      failures: 1,
      stated: true,
      ...more,
    }),
  );

describe("auth status", () => {
  const status = async (...args: string[]) => {
    const { code, stdout, stderr } = await stage.run(["auth", "status", ...args]);
    return { code, first: stdout.split("\n")[0], stdout, stderr };
  };

  it("ends with 2 while a person must sign in, 0 when somebody is ready, 1 when waiting helps; and calls nobody", async () => {
    stage = await openCliStage(threeTargets);
    const nobody = await status();
    expect(nobody).toMatchObject({ code: 2, first: "nobody is ready; a person must act" });
    expect(nobody.stdout).toContain("run understudy auth add codex\n");

    const { account, credential } = await stage.addCodexLogin("ann");
    expect(await status()).toMatchObject({ code: 0, first: "ready" });
    await rest(credential.id);
    expect(await status()).toMatchObject({ code: 1, first: "nobody is ready now; waiting helps" });
    expect(await status("codex")).toMatchObject({ code: 1 });
    await stage.run(["auth", "reset"]);
    // Only the model of the route rests: the login itself is ready, the route is not.
    await rest(credential.id, { model: "gpt-5.5" });
    expect(await status()).toMatchObject({ code: 1 });
    expect(await status("codex")).toMatchObject({ code: 0 });
    expect(await status("--route", "codex/gpt-5.4")).toMatchObject({ code: 0 });
    await stage.run(["auth", "reset"]);
    await stage.run(["auth", "pause", "codex", "1"]);
    expect(await status()).toMatchObject({ code: 1 });
    await stage.run(["auth", "resume", "codex", "1"]);
    expect(stage.simulator.requests).toEqual([]);

    stage.simulator.codexIssuer.revokeLogins(account);
    await stage.run(["ask", "hello"]);
    const before = stage.simulator.requests.length;
    const dead = await status("--json");
    expect(dead.code).toBe(2);
    expect(JSON.parse(dead.stdout)).toMatchObject({
      state: "sign_in",
      exitCode: 2,
      command: "understudy auth add codex --force-new-login",
      providers: [
        { id: "codex", state: "sign_in", credentials: [{ label: "ann", state: "relogin_required" }] },
        {},
        {},
      ],
    });

    // Somebody else is ready: a turn is answered, though one login has to be mended.
    await stage.addCodexLogin("ben");
    expect(await status("codex")).toMatchObject({ code: 0 });
    const every = await status("codex", "--every");
    expect(every.code).toBe(2);
    expect(every.stdout).toContain("run understudy auth add codex --force-new-login");
    expect(stage.simulator.requests).toHaveLength(before);
  });

  it("counts keys of the environment, and makes no store where there is none", async () => {
    stage = await openCliStage();
    expect(await status()).toMatchObject({ code: 2 });
    stage.setEnv({ OPENAI_API_KEY: key });
    expect(await status("openai")).toMatchObject({ code: 0 });
    expect(await status("opnai")).toMatchObject({ code: 2, stdout: "" });
    expect(await status("openai", "--route", "x")).toMatchObject({ code: 2, stdout: "" });
  });
});

describe("auth logout", () => {
  it("ends logins here and at their provider, and is content when there is none", async () => {
    stage = await openCliStage();
    for (const name of ["ann", "ben", "eve"]) await stage.addCodexLogin(name);
    const { codexIssuer } = stage.simulator;
    const one = await stage.run(["auth", "logout", "codex", "BEN"]);
    expect(one).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "Signed out of codex · ben; the provider has ended the login.\n",
    });
    expect(codexIssuer.liveRefreshTokens("ben")).toEqual([]);
    expect(await stage.run(["auth", "logout", "codex", "ben"])).toMatchObject({
      code: 0,
      stderr: "Nobody of that name is signed in to codex: nothing had to be done.\n",
    });
    codexIssuer.script("server-error", { at: "revoke" });
    const rest = await stage.run(["auth", "logout"]);
    expect(rest.stderr).toContain("codex · ann; the provider could not be told, the login ends there by itself.");
    expect(rest.stderr).toContain("codex · eve; the provider has ended the login.");
    expect(await stage.withWorkspace(({ store }) => store.listCredentials())).toEqual([]);
    for (const args of [[], ["codex"], ["--all"]]) {
      expect((await stage.run(["auth", "logout", ...args])).code).toBe(0);
    }
    expect(codexIssuer.counters.revocations).toBe(3);
  });

  it("leaves keys alone, and asks for a name when several providers are signed in to", async () => {
    stage = await openCliStage();
    await stage.run(["auth", "add", "openai", "--api-key-stdin", "--label", "work"], { input: key });
    const refused = await stage.run(["auth", "logout", "openai", "work"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/openai · work is a key, not a login\nRun understudy auth remove openai \w+/);
    expect((await stage.run(["auth", "logout", "openai"])).stderr).toContain("Nobody is signed in to openai");
    await stage.addCodexLogin("ann");
    await stage.run(["auth", "logout", "--all"]);
    expect(await stage.withWorkspace(({ store }) => store.listCredentials())).toMatchObject([{ label: "work" }]);
  });
});

describe("auth refresh", () => {
  it("makes the next generation now, says until when, and ends with 3 when only a person helps", async () => {
    stage = await openCliStage();
    const { account, credential } = await stage.addCodexLogin("ann");
    await stage.addCodexLogin("ben");
    const { codexIssuer } = stage.simulator;
    const done = await stage.run(["auth", "refresh", "codex", "ann"]);
    expect(done).toMatchObject({ code: 0, stdout: "" });
    expect(done.stderr).toMatch(/codex · ann: a new token, good until (?:\d+ \w+ )?\d\d:\d\d \(in (1 h|59 min)/);
    expect(await stage.withWorkspace(({ store }) => store.getCredential(credential.id))).toMatchObject({
      grant: { generation: 2 },
    });
    codexIssuer.script("rate-limited", { retryAfterS: 90 });
    const limited = await stage.run(["auth", "refresh", "codex", "ann"]);
    expect(limited.code).toBe(1);
    expect(limited.stderr).toMatch(/codex · ann: .*limiting refreshes.*still valid; again from (?:\d+ \w+ )?\d\d:\d\d/);

    codexIssuer.revokeLogins(account);
    const both = await stage.run(["auth", "refresh", "codex"]);
    expect(both.code).toBe(3);
    expect(both.stderr).toContain("codex · ben: a new token");
    expect(both.stderr).toContain("understudy: codex · ann: ");
    expect(both.stderr).toContain("Run understudy auth add codex --force-new-login");
    expect(codexIssuer.counters.reused).toBe(0);
  });

  it("does not risk a token whose last answer was lost while it still lives, unless forced", async () => {
    stage = await openCliStage();
    await stage.addCodexLogin("ann");
    const { codexIssuer } = stage.simulator;
    codexIssuer.script("answer-lost");
    expect((await stage.run(["auth", "refresh", "codex"])).code).toBe(1);
    const careful = await stage.run(["auth", "refresh", "codex"]);
    expect(careful.code).toBe(0);
    expect(careful.stderr).toContain("the answer to its last refresh was lost");
    expect(codexIssuer.counters.refreshes).toBe(1);
    const forced = await stage.run(["auth", "refresh", "codex", "--force"]);
    expect(forced.code).toBe(3);
    expect(forced.stderr).toMatch(/the answer to the refresh of \d\d:\d\d was lost/);
  });

  it("is not for keys", async () => {
    stage = await openCliStage();
    const { code, stderr } = await stage.run(["auth", "refresh", "openai"], { env: { OPENAI_API_KEY: key } });
    expect(code).toBe(2);
    expect(stderr).toContain("openai has no login that could be refreshed");
  });
});

describe("auth priority", () => {
  it("puts a login or key at its place, and says when the order matters little", async () => {
    stage = await openCliStage();
    for (const name of ["ann", "ben", "eve"]) await stage.addCodexLogin(name);
    const labels = async () =>
      (await stage.withWorkspace(({ store }) => store.listCredentials("codex"))).map(({ label }) => label);
    expect((await stage.run(["auth", "priority", "codex", "eve", "first"])).stderr).toBe(
      "codex · eve is number 1 of its pool now.\n",
    );
    expect(await labels()).toEqual(["eve", "ann", "ben"]);
    await stage.run(["auth", "priority", "codex", "1", "2"]);
    expect(await labels()).toEqual(["ann", "eve", "ben"]);
    await stage.run(["auth", "priority", "codex", "ann", "last"]);
    expect(await labels()).toEqual(["eve", "ben", "ann"]);
    stage.writeConfig("pools: { codex: { strategy: round_robin } }\n");
    expect((await stage.run(["auth", "priority", "codex", "ann", "1"])).stderr).toContain("only settles ties");
    const wrong = await stage.run(["auth", "priority", "codex", "ann", "4"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("first, last, or a number from 1 to 3");
    const asked = await stage.run(["ask", "--json", "--route", "codex/gpt-5.5", "hello"]);
    expect(JSON.parse(asked.stdout)).toMatchObject({ servedBy: { provider: "codex" } });
  });
});
