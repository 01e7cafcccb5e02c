import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { delimiter, join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type CliStage, openCliStage, type Running, threeTargets } from "./rig.ts";

/** OpenAI lets its client be called back on two ports only, so these tests really listen there. */
const ports = [1455, 1457];
const hasScript = spawnSync("script", ["--version"]).status === 0;

let stage: CliStage;
const busy: Server[] = [];
afterEach(async () => {
  await Promise.all(busy.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  await stage[Symbol.asyncDispose]();
});

async function open(): Promise<void> {
  stage = await openCliStage(threeTargets);
  const { codexIssuer } = stage.simulator;
  codexIssuer.settings.pollInterval = "1";
  codexIssuer.addAccount({ email: "ann@example.test", name: "ann" });
  codexIssuer.addAccount({ email: "ben@example.test", name: "ben" });
}

async function occupy(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.on("error", reject).listen(port, "127.0.0.1", resolve));
  busy.push(server);
}

/** The address that the command shows. */
async function shownAddress(running: Running): Promise<string> {
  await running.until(/oauth\/authorize\?[^\s]+\s/);
  return /https?:\/\/\S+\/oauth\/authorize\?\S+/.exec(running.stdout + running.stderr)?.[0] ?? "";
}

/** Where the sign-in page sends the browser. */
async function callbackOf(address: string): Promise<string> {
  const response = await fetch(address, { redirect: "manual" });
  return response.headers.get("location") ?? "";
}

const stored = () => stage.withWorkspace(({ store }) => store.listCredentials());

describe("auth add codex --browser", () => {
  it("waits for the browser, checks the state first, and shows there how it ended", async () => {
    await open();
    const { codexIssuer } = stage.simulator;
    const running = stage.start(["auth", "add", "codex", "--browser", "--label", "work"]);
    running.child.stdin.end();
    const address = await shownAddress(running);
    expect(new URL(address).searchParams.get("redirect_uri")).toBe("http://127.0.0.1:1455/auth/callback");
    const callback = await callbackOf(address);

    // Not ours: nothing of it is used, and the waiting goes on.
    const foreign = await fetch(callback.replace(/state=[^&]+/, "state=somebody-elses"));
    expect(foreign.status).toBe(400);
    expect(await foreign.text()).toContain("Another sign-in");
    expect(codexIssuer.counters.exchanges).toBe(0);

    // A browser may ask twice.
    const pages = await Promise.all([fetch(callback), fetch(callback)]);
    for (const page of pages) expect(page.status).toBe(200);
    expect(await pages[0]?.text()).toContain("OpenAI Codex · work");
    const ended = stage.expectNoSecret(await running.ended);
    expect(ended).toMatchObject({ code: 0, stdout: "" });
    expect(ended.stderr).toContain("Signed in: codex · work (ann@example.test, plus plan).");
    expect(codexIssuer.counters.exchanges).toBe(1);
    expect(await stored()).toMatchObject([{ label: "work", account: { email: "ann@example.test" } }]);
    await expect(fetch(callback)).rejects.toThrow("fetch failed");
    expect(stage.simulator.unplanned).toEqual([]);
  });

  it("takes the last address of another machine's browser on its input, and refuses what is none", async () => {
    await open();
    const running = stage.start(["auth", "add", "codex", "--browser"], { env: { SSH_CONNECTION: "1 2 3 4" } });
    const callback = await callbackOf(await shownAddress(running));
    running.child.stdin.write("hello\n");
    await running.until(/That is not the address/);
    running.child.stdin.write(`${new URL(callback).searchParams.get("code") ?? ""}\n`);
    running.child.stdin.write(`${callback.replace(/state=[^&]+/, "state=other")}\n`);
    await running.until(/belongs to another sign-in/);
    expect(stage.simulator.codexIssuer.counters.exchanges).toBe(0);
    running.child.stdin.write(`  ${callback}\n`);
    const ended = stage.expectNoSecret(await running.ended);
    expect(ended.code).toBe(0);
    expect(ended.stderr).toContain("Signed in: codex · ann@example.test (plus plan).");
  });

  it("stores nothing when the person says no, the issuer is down, or it ends with Ctrl-C", async () => {
    await open();
    const { codexIssuer } = stage.simulator;
    codexIssuer.script("denied", { at: "authorize" });
    const declined = stage.start(["auth", "add", "codex", "--browser"]);
    const page = await fetch(await shownAddress(declined));
    expect(page.status).toBe(400);
    expect(await page.text()).toContain("Not signed in");
    const said = await declined.ended;
    expect(said).toMatchObject({ code: 1, stdout: "" });
    expect(said.stderr).toContain("OpenAI Codex: the sign-in was declined: The person declined.");
    expect(said.stderr).toContain("Run understudy auth add codex\n");

    codexIssuer.script("unavailable", { at: "token" });
    const down = stage.start(["auth", "add", "codex", "--browser"]);
    await fetch(await shownAddress(down));
    const downEnded = stage.expectNoSecret(await down.ended);
    expect(downEnded.code).toBe(1);
    expect(downEnded.stderr).toMatch(/OpenAI Codex: the sign-in server gave no tokens \(status 503\)/);

    const interrupted = stage.start(["auth", "add", "codex", "--browser"]);
    await shownAddress(interrupted);
    await interrupted.until(/Ctrl-C gives up/);
    interrupted.child.kill("SIGINT");
    expect(await interrupted.ended).toMatchObject({ code: 130, signal: null, stdout: "" });
    expect(await stored()).toEqual([]);
  });

  it("keeps what the issuer has given though Ctrl-C comes in the same moment", async () => {
    await open();
    const { codexIssuer } = stage.simulator;
    codexIssuer.script("slow", { at: "token" });
    const running = stage.start(["auth", "add", "codex", "--browser"]);
    const page = fetch(await shownAddress(running));
    await codexIssuer.until(() => codexIssuer.counters.exchanges === 1);
    running.child.kill("SIGINT");
    codexIssuer.release();
    await page;
    await running.ended;
    expect(running.stderr).toContain("Signed in: codex · ann@example.test");
    expect(await stored()).toMatchObject([{ label: "ann@example.test" }]);
  });

  it("takes 1457 when 1455 is taken, and names who holds both", async () => {
    await open();
    await occupy(1455);
    const second = stage.start(["auth", "add", "codex", "--browser"]);
    const address = await shownAddress(second);
    expect(new URL(address).searchParams.get("redirect_uri")).toBe("http://127.0.0.1:1457/auth/callback");
    await fetch(address);
    expect((await second.ended).code).toBe(0);

    await occupy(1457);
    const none = await stage.run(["auth", "add", "codex", "--browser", "--force-new-login"]);
    expect(none).toMatchObject({ code: 1, stdout: "" });
    const holder = process.platform === "linux" ? `\\S.* \\(pid ${process.pid}\\)` : "another program";
    for (const port of ports) expect(none.stderr).toMatch(new RegExp(`port ${port} is held by ${holder}`));
    expect(none.stderr).toContain("Run understudy auth add codex --device");
  });
});

/** A browser that opens whatever it is called with, follows it, and keeps the last page. */
function installBrowser(): string {
  const bin = join(stage.home, "bin");
  const page = join(stage.home, "page.html");
  mkdirSync(bin);
  writeFileSync(
    join(bin, "xdg-open"),
    `#!${process.execPath}
fetch(process.argv[2]).then(async (response) => process.getBuiltinModule("node:fs").writeFileSync(${JSON.stringify(page)}, await response.text()));
`,
  );
  chmodSync(join(bin, "xdg-open"), 0o755);
  stage.setEnv({ PATH: `${bin}${delimiter}${process.env["PATH"] ?? ""}` });
  return page;
}

describe.runIf(hasScript)("auth add codex on a terminal", () => {
  it("opens the browser where there is a display", async () => {
    await open();
    const page = installBrowser();
    stage.setEnv({ DISPLAY: ":0" });
    const running = stage.startOnTerminal(["auth", "add", "codex"]);
    const ended = await running.ended;
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain("Your browser opens to sign in to OpenAI Codex.");
    expect(ended.stdout).toContain("Signed in: codex · ann@example.test");
    while (!existsSync(page)) await new Promise((resolve) => setImmediate(resolve));
    expect(readFileSync(page, "utf8")).toContain("Signed in");
    expect(await stored()).toHaveLength(1);
  });

  it.each<[string, Record<string, string>, string[]]>([
    ["over SSH", { DISPLAY: ":0", SSH_TTY: "/dev/pts/1" }, []],
    ["without a display", {}, []],
    ["with --no-browser", { DISPLAY: ":0" }, ["--no-browser"]],
    ["with --device", { DISPLAY: ":0" }, ["--device"]],
  ])("shows a code %s", async (_, env, args) => {
    await open();
    const page = installBrowser();
    stage.setEnv(env);
    const { codexIssuer } = stage.simulator;
    codexIssuer.settings.autoApprove = codexIssuer.account("ben");
    const ended = stage.expectNoSecret(await stage.startOnTerminal(["auth", "add", "codex", ...args]).ended);
    expect(ended.stdout).toContain("and type this code there");
    expect(ended.stdout).toContain("Signed in: codex · ben@example.test");
    expect(existsSync(page)).toBe(false);
  });

  it("shows a code when the browser could not come back, and says why", async () => {
    await open();
    stage.setEnv({ DISPLAY: ":0" });
    for (const port of ports) await occupy(port);
    const { codexIssuer } = stage.simulator;
    codexIssuer.settings.autoApprove = codexIssuer.account("ben");
    const { code, stdout } = await stage.startOnTerminal(["auth", "add", "codex"]).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/port 1455 is held by .*, and port 1457 is held by .*\. So by a code:/);
    expect(stdout).toContain("Signed in: codex · ben@example.test");
  });

  it("takes a pasted address, and gives up at Ctrl-C while it waits for one", async () => {
    await open();
    const giveUp = stage.startOnTerminal(["auth", "add", "codex", "--browser"]);
    await giveUp.until(/Address: /);
    giveUp.child.stdin.write("http://127.0.0.1:1455/auth/call\u0003");
    const cancelled = await giveUp.ended;
    expect(cancelled.code).toBe(130);
    expect(cancelled.stdout).toContain("understudy: cancelled");
    expect(await stored()).toEqual([]);

    const running = stage.startOnTerminal(["auth", "add", "codex", "--browser"]);
    const callback = await callbackOf(await shownAddress(running));
    await running.until(/Address: /);
    running.child.stdin.write(`${callback.replace(/state=[^&]+/, "state=another")}\r`);
    // First what is wrong, then the question again.
    await running.until(/\n.*belongs to another sign-in[^\n]*\n[^]*Address: /);
    running.child.stdin.write(`${callback}\r`);
    expect((await running.ended).code).toBe(0);
    expect(await stored()).toHaveLength(1);
  });
});
