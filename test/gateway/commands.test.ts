import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { bundledCli } from "../bundled-cli.ts";

const program = bundledCli;

/** An installation of its own, with one provider: a Chat Completions server whose key is in the environment. */
class Home implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly folder: string = mkdtempSync(join(tmpdir(), "understudy-serve-"));
  readonly bin: string = join(this.folder, "bin");
  readonly env: Record<string, string>;

  constructor(simulator: Simulator) {
    this.simulator = simulator;
    mkdirSync(this.bin);
    const config = {
      routes: { coding: ["local/qwen3"] },
      providers: { local: { protocol: "chat-completions", baseUrl: simulator.baseUrls.chat, apiKeyEnv: "LOCAL_KEY" } },
    };
    writeFileSync(join(this.folder, "config.yaml"), JSON.stringify(config));
    this.env = {
      PATH: `${this.bin}${delimiter}${process.env["PATH"] ?? ""}`,
      UNDERSTUDY_HOME: this.folder,
      LOCAL_KEY: simulator.chat.keys.add("l"),
    };
  }

  start(...args: string[]): Started {
    return new Started(
      spawn(process.execPath, [program, ...args], { env: this.env, stdio: ["ignore", "pipe", "pipe"] }),
    );
  }

  /** A program of that name on the PATH, written in JavaScript. */
  install(name: string, script: string): void {
    writeFileSync(join(this.bin, name), `#!${process.execPath}\n${script}`);
    chmodSync(join(this.bin, name), 0o755);
  }

  get clientKey(): string {
    return readFileSync(join(this.folder, "client.key"), "utf8").trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.simulator.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

class Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | string>;
  out = "";
  err = "";
  readonly #watchers = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.child = child;
    const watch = (): void => this.#watchers.forEach((look) => look());
    child.stdout?.on("data", (chunk: Buffer) => ((this.out += chunk.toString()), watch()));
    child.stderr?.on("data", (chunk: Buffer) => ((this.err += chunk.toString()), watch()));
    this.ended = new Promise((end) => child.on("close", (code, signal) => (end(code ?? signal ?? "?"), watch())));
  }

  until(condition: () => boolean): Promise<void> {
    return new Promise((done) => {
      const look = (): void => {
        if (condition()) done();
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Where the gateway listens, from its first line. */
  async url(): Promise<string> {
    await this.until(() => this.out.includes("\n"));
    return (JSON.parse(this.out.split("\n")[0] ?? "") as { url: string }).url;
  }
}

async function openHome(): Promise<Home> {
  return new Home(await startSimulator());
}

async function ask(home: Home, url: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${home.clientKey}` },
    body: JSON.stringify({ model: "coding", stream: true, messages: [{ role: "user", content: "hello" }] }),
  });
}

describe("understudy serve", () => {
  it("prints the two lines that a client needs, and keeps the key out of them", async () => {
    await using home = await openHome();
    const serving = home.start("serve", "--port", "0");
    await serving.until(() => serving.out.split("\n").length > 2);
    expect(serving.out).toMatch(/^base URL {2}http:\/\/127\.0\.0\.1:\d+\/v1 .*\nkey {7}in .*client\.key/);
    expect(serving.out).not.toContain(home.clientKey);
    expect(statSync(join(home.folder, "client.key")).mode & 0o777).toBe(0o600);
    const printing = home.start("serve", "--print-key");
    expect([await printing.ended, printing.out]).toEqual([0, `${home.clientKey}\n`]);
    serving.child.kill("SIGINT");
    expect(await serving.ended).toBe(0);
    expect(readdirSync(home.folder)).not.toContain("gateway.json");
  });

  it("SIGTERM lets a turn finish and is no failure", async () => {
    await using home = await openHome();
    const { chat } = home.simulator;
    chat.script("stall-mid-text");
    const serving = home.start("serve", "--port", "0", "--json");
    const answer = await ask(home, await serving.url());
    serving.child.kill("SIGTERM");
    await serving.until(() => serving.err.includes("1 turns under way"));
    home.simulator.release();
    expect(await answer.text()).toContain("[DONE]");
    expect(await serving.ended).toBe(0);
    expect(serving.out).toContain('"outcome":"answered"');
  });

  it("a second signal ends it at once", async () => {
    await using home = await openHome();
    const { chat } = home.simulator;
    chat.script("stall-mid-text");
    const serving = home.start("serve", "--port", "0", "--json");
    const answer = await ask(home, await serving.url());
    serving.child.kill("SIGTERM");
    await serving.until(() => serving.err.includes("under way"));
    serving.child.kill("SIGTERM");
    expect(await serving.ended).toBe(143);
    await expect(answer.text()).rejects.toThrow("terminated");
  });

  it("names the port that is taken", async () => {
    await using home = await openHome();
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    const { port } = other.address() as { port: number };
    const serving = home.start("serve", "--port", String(port));
    expect([await serving.ended, serving.err]).toEqual([2, expect.stringContaining(`port ${port} is taken`)]);
    const workers = home.start("serve", "--workers", "2", "--port", String(port));
    expect([await workers.ended, workers.err]).toEqual([2, expect.stringContaining(`port ${port} is taken`)]);
    other.close();
  });

  it("several workers share one port, and all of them end", async () => {
    await using home = await openHome();
    const serving = home.start("serve", "--port", "0", "--json", "--workers", "2");
    const url = await serving.url();
    for (let i = 0; i < 4; i += 1) expect((await ask(home, url)).status).toBe(200);
    serving.child.kill("SIGTERM");
    expect(await serving.ended).toBe(0);
    await expect(ask(home, url)).rejects.toThrow("fetch failed");
  });

  it.runIf(process.platform === "linux")(
    "several workers: one whose replacement can't start leaves the others",
    async () => {
      await using home = await openHome();
      const serving = home.start("serve", "--port", "0", "--json", "--workers", "2");
      const url = await serving.url();
      const pid = serving.child.pid ?? 0;
      const workers = (): string[] =>
        readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean);
      expect((await ask(home, url)).status).toBe(200);
      // Until the second serves as well, which nobody tells.
      await sleep(1_000);
      writeFileSync(join(home.folder, "config.yaml"), "routes: 1");
      process.kill(Number(workers()[0]), "SIGKILL");
      await serving.until(() => serving.err.includes("could not start (2); left without it: 1"));
      expect(serving.err).toMatch(/worker \d+ ended \(SIGKILL\); another takes its place/);
      for (let i = 0; i < 4; i += 1) expect((await ask(home, url)).status).toBe(200);
      serving.child.kill("SIGTERM");
      expect(await serving.ended).toBe(0);
    },
  );

  it("several workers say once what is missing", async () => {
    await using home = await openHome();
    home.env["UNDERSTUDY_HOME"] = join(home.folder, "empty");
    const serving = home.start("serve", "--port", "0", "--json", "--workers", "2");
    await serving.until(() => serving.err.includes("No route"));
    serving.child.kill("SIGTERM");
    expect(await serving.ended).toBe(0);
    expect(serving.err.match(/^No (account|route) is/gm)).toEqual(["No account is", "No route is"]);
  });

  it("several workers end when they are told while some of them still start", async () => {
    await using home = await openHome();
    for (let i = 0; i < 8; i += 1) {
      const serving = home.start("serve", "--port", "0", "--json", "--workers", "3");
      await serving.url();
      serving.child.kill("SIGTERM");
      expect(await serving.ended).toBe(0);
    }
  });

  it("several workers end when they are told before there are any", async () => {
    await using home = await openHome();
    const endings = Array.from({ length: 16 }, async (_, i) => {
      const serving = home.start("serve", "--port", "0", "--json", "--workers", "2");
      await sleep(i * 15);
      serving.child.kill("SIGTERM");
      return serving.ended;
    });
    // Node itself ends by the signal as long as nothing of ours listens to it.
    for (const ending of await Promise.all(endings)) expect(["SIGTERM", 0]).toContain(ending);
  });
});

describe("understudy run", () => {
  const claude = `
    const { ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: key, ANTHROPIC_MODEL: model, ANTHROPIC_API_KEY: other } = process.env;
    const body = JSON.stringify({ model, max_tokens: 99, messages: [{ role: "user", content: process.argv.slice(2).join("|") }] });
    fetch(url + "/v1/messages", { method: "POST", headers: { authorization: "Bearer " + key }, body })
      .then((answer) => answer.json())
      .then(({ content }) => { console.log(content[0].text, other === undefined, url); process.exit(7); });`;

  it("starts the client with a gateway of its own, and ends as it ends", async () => {
    await using home = await openHome();
    home.env["ANTHROPIC_API_KEY"] = "sk-ant-mine";
    home.install("claude", claude);
    const running = home.start("run", "claude", "-p", "hello", "--model", "x");
    expect([await running.ended, running.err]).toEqual([7, ""]);
    expect(running.out).toMatch(/^The simulator heard: -p\|hello\|--model\|x true http:\/\/127\.0\.0\.1:\d+\n$/);
  });

  it("uses the gateway that runs", async () => {
    await using home = await openHome();
    home.install("claude", claude);
    const serving = home.start("serve", "--port", "0", "--json");
    const url = await serving.url();
    const running = home.start("run", "claude", "hi");
    expect([await running.ended, running.out]).toEqual([7, `The simulator heard: hi true ${url}\n`]);
    serving.child.kill("SIGTERM");
    await serving.ended;
  });

  it("hands on what ends it", async () => {
    await using home = await openHome();
    home.install(
      "codex",
      `process.on("SIGTERM", () => process.exit(23)); console.log("ready"); setInterval(() => {}, 1000);`,
    );
    const running = home.start("run", "codex");
    await running.until(() => running.out.includes("ready"));
    running.child.kill("SIGTERM");
    expect(await running.ended).toBe(23);
  });

  it("tells how to install a client that is not there, and which there are", async () => {
    await using home = await openHome();
    home.env["PATH"] = home.bin;
    const missing = home.start("run", "opencode");
    expect([await missing.ended, missing.err]).toEqual([2, expect.stringContaining("npm install -g opencode-ai")]);
    const unknown = home.start("run", "emacs");
    expect([await unknown.ended, unknown.err]).toEqual([2, expect.stringContaining("codex, claude, opencode")]);
  });

  it.each([
    ["codex", 'wire_api = "responses"'],
    ["claude", "export ANTHROPIC_BASE_URL=http://127.0.0.1:4141"],
    ["opencode", '"npm": "@ai-sdk/openai-compatible"'],
  ])("--print %s says what to put where, without the key", async (client, line) => {
    await using home = await openHome();
    const key = home.start("serve", "--print-key");
    await key.ended;
    const printing = home.start("run", "--print", client);
    expect([await printing.ended, printing.out]).toEqual([0, expect.stringContaining(line)]);
    expect(printing.out).toContain("understudy serve --print-key");
    expect(printing.out).not.toContain(home.clientKey);
  });
});
