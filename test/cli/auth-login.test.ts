import { spawnSync } from "node:child_process";
import { renderUnicodeCompact } from "uqr";
import { afterEach, describe, expect, it } from "vitest";
import type { CredentialView } from "../../src/cli/credential-view.ts";
import { type CliStage, openCliStage, type Running, threeTargets } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

const hasScript = spawnSync("script", ["--version"]).status === 0;

/** The person at the issuer's page: approves the code that the command shows. */
async function approve(running: Running, account: string): Promise<void> {
  const { codexIssuer } = stage.simulator;
  await codexIssuer.until(() => codexIssuer.pendingUserCodes.length > 0);
  const [userCode = ""] = codexIssuer.pendingUserCodes;
  await running.until(new RegExp(userCode));
  codexIssuer.approveDevice(userCode, account);
}

async function open(): Promise<void> {
  stage = await openCliStage(threeTargets);
  stage.simulator.codexIssuer.settings.pollInterval = "1";
}

async function signIn(account: string, ...args: string[]): Promise<string> {
  const running = stage.start(["auth", "add", "codex", ...args]);
  running.child.stdin.end();
  await approve(running, account);
  const ended = stage.expectNoSecret(await running.ended);
  expect(ended).toMatchObject({ code: 0, stdout: "" });
  return ended.stderr;
}

describe("auth add codex", () => {
  it("shows page and code, stores the login, and on a second time replaces it in place", async () => {
    await open();
    const { codexIssuer } = stage.simulator;
    codexIssuer.addAccount({ email: "ann@example.test", name: "ann" });
    codexIssuer.addAccount({ email: "ben@example.test", name: "ben" });
    const first = await signIn("ann");
    expect(first).toContain(`${codexIssuer.origin}/codex/device`);
    expect(first).toContain("Signed in: codex · ann@example.test (plus plan).");
    expect(first).not.toMatch(/[█▀▄]/);

    // A login works: without a terminal nobody can be asked.
    const again = await stage.run(["auth", "add", "openai-codex"]);
    expect(again).toMatchObject({ code: 2, stdout: "" });
    expect(again.stderr).toContain("codex is signed in already: ann@example.test");
    expect(again.stderr).toContain("understudy auth add codex --force-new-login");
    expect(codexIssuer.counters.usercodes).toBe(1);

    const [before] = await stage.withWorkspace(({ store }) => store.listCredentials("codex"));
    expect(await signIn("ann", "--force-new-login", "--no-browser", "--label", "work")).toContain(
      "Signed in again: codex · work (ann@example.test, plus plan).",
    );
    expect(await signIn("ben", "--force-new-login", "--label", "home")).toContain("Signed in: codex · home");
    const after = await stage.withWorkspace(({ store }) => store.listCredentials("codex"));
    expect(after.map(({ id, label }) => [id, label])).toEqual([
      [before?.id, "work"],
      [after[1]?.id, "home"],
    ]);
    expect(codexIssuer.liveRefreshTokens("ann")).toHaveLength(1);

    // Removing one ends it at the issuer and leaves the other alone.
    const removed = await stage.run(["auth", "remove", "codex", "WORK"]);
    expect(removed).toMatchObject({ code: 0, stdout: "" });
    expect(removed.stderr).toContain("Removed codex · work.");
    expect(removed.stderr).toContain("The provider has ended the login.");
    expect(codexIssuer.liveRefreshTokens("ann")).toEqual([]);
    expect(codexIssuer.liveRefreshTokens("ben")).toHaveLength(1);
    expect(stage.simulator.unplanned).toEqual([]);
  });

  it("goes straight to the sign-in when the login there is over, and repairs it", async () => {
    await open();
    const { account } = await stage.addCodexLogin("ann");
    const endLogin = async (): Promise<void> => {
      stage.simulator.codexIssuer.revokeLogins(account);
      expect((await stage.run(["ask", "--route", "codex/gpt-5.5", "hello"])).stderr).toContain("sign in again");
    };
    const states = async (): Promise<string[]> => {
      const { stdout } = await stage.run(["auth", "list", "codex", "--json"]);
      const { providers } = JSON.parse(stdout) as { providers: { credentials: CredentialView[] }[] };
      return (providers[0]?.credentials ?? []).map(({ label, state }) => `${label} ${state}`);
    };
    await endLogin();
    const listed = await stage.run(["auth", "list", "codex"]);
    expect(listed.stdout).toMatch(/ann .* sign in again: .*, since \d\d:\d\d/);
    expect(listed.stdout).toContain("run understudy auth add codex --force-new-login");
    expect(await signIn("ann")).toContain("Signed in again: codex · ann");
    expect(await states()).toEqual(["ann ready"]);

    // Signed in with another account than the one that is over: that one is still named.
    await endLogin();
    await stage.addCodexLogin("ben");
    expect(await signIn("ben", "--force-new-login")).toContain("codex · ann still has to sign in again");
    expect(await states()).toEqual(["ann relogin_required", "ben ready"]);
  });

  it("stores nothing after Ctrl-C, and nothing when the person says no", async () => {
    await open();
    const { codexIssuer } = stage.simulator;
    const waiting = stage.start(["auth", "add", "codex"]);
    await waiting.until(/nothing is stored/);
    waiting.child.kill("SIGINT");
    expect(stage.expectNoSecret(await waiting.ended)).toMatchObject({ code: 130, signal: null, stdout: "" });

    const declined = stage.start(["auth", "add", "codex"]);
    await declined.until(/nothing is stored/);
    for (const code of codexIssuer.pendingUserCodes) codexIssuer.declineDevice(code);
    const ended = await declined.ended;
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("understudy: OpenAI Codex: the sign-in was declined");
    expect(await stage.withWorkspace(({ store }) => store.listCredentials())).toEqual([]);
  });

  it("takes no key, and says who does", async () => {
    await open();
    const { code, stderr } = await stage.run(["auth", "add", "codex", "--api-key-stdin"], {
      input: "sk-whatever-1234\n",
    });
    expect(code).toBe(2);
    expect(stderr).toContain("openai takes one");
  });

  it.runIf(hasScript)("asks on a terminal what to do with a login that works", async () => {
    await open();
    const { credential } = await stage.addCodexLogin("ann");
    const use = stage.startOnTerminal(["auth", "add", "codex"]);
    await use.until(/Cancel/);
    use.child.stdin.write("\r");
    const used = stage.expectNoSecret(await use.ended);
    expect(used.code).toBe(0);
    expect(used.stdout).toContain("OpenAI Codex is signed in already: ann");
    expect(used.stdout).toContain("codex goes on with ann; nothing was changed.");

    const giveUp = stage.startOnTerminal(["auth", "add", "codex"]);
    await giveUp.until(/Cancel/);
    giveUp.child.stdin.write("\u0003");
    expect((await giveUp.ended).code).toBe(130);
    expect(stage.simulator.codexIssuer.counters.usercodes).toBe(0);

    const again = stage.startOnTerminal(["auth", "add", "codex"]);
    await again.until(/Cancel/);
    again.child.stdin.write("\u001b[B\r");
    await approve(again, "ann");
    const renewed = stage.expectNoSecret(await again.ended);
    // Without colours, as the terminal of this test asks.
    const page = renderUnicodeCompact(`${stage.simulator.codexIssuer.origin}/codex/device`, { border: 2 });
    expect(renewed.stdout).toContain(page.replaceAll("\n", "\r\n"));
    expect(renewed.code).toBe(0);
    expect(renewed.stdout).toContain("Signed in again: codex · ann");
    const [stored] = await stage.withWorkspace(({ store }) => store.listCredentials("codex"));
    expect(stored).toMatchObject({ id: credential.id, grant: { generation: 2 } });

    const plain = stage.startOnTerminal(["auth", "add", "codex", "--force-new-login", "--no-qr"]);
    await plain.until(/Waiting; Ctrl-C/);
    plain.child.stdin.write("\u0003");
    expect((await plain.ended).stdout).not.toMatch(/[█▀▄]/);
  });
});
