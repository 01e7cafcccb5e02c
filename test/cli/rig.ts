import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import type { OAuthCredential } from "../../src/credentials/credential.ts";
import type { SimulatedAccount } from "../../src/simulator/issuer/account.ts";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { openWorkspace, type Workspace } from "../../src/workspace.ts";
import { bundledCli } from "../bundled-cli.ts";

const main = bundledCli;

/** Most of a run is loading modules, and most of that is stripping their types: done once for all runs. */
const compileCache = join(tmpdir(), "understudy-test-compile-cache");

/** How a run of the program ended. */
export interface Ended {
  readonly code: number | null;
  /** Set when it died of a signal that it did not handle. */
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Standard input; it ends after it. Default: empty. */
  readonly input?: string;
  /** Added to the environment; undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** For Node itself, before the program. */
  readonly nodeArgs?: readonly string[];
  /** A command that runs the words after it, and so the program. */
  readonly through?: readonly string[];
}

/** The program while it runs. */
export class Running {
  stdout = "";
  stderr = "";
  readonly child: ChildProcessWithoutNullStreams;
  readonly ended: Promise<Ended>;
  #changed: () => void = () => {};

  constructor(child: ChildProcessWithoutNullStreams) {
    this.child = child;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
      this.#changed();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#changed();
    });
    // It may end before it has read its input.
    child.stdin.on("error", () => {});
    this.ended = new Promise((resolve, reject) => {
      child.on("error", reject).on("close", (code, signal) => {
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
        this.#changed();
      });
    });
  }

  /** Resolves as soon as the output holds `pattern`; rejects when the program ends without it. */
  async until(pattern: RegExp): Promise<void> {
    let over = false;
    void this.ended.then(() => (over = true));
    while (!pattern.test(this.stdout + this.stderr)) {
      if (over) throw new Error(`it ended without ${String(pattern)}:\n${this.stdout}\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

/** An installation in a folder of its own, scripted providers, and the program as a process. */
export class CliStage implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly home: string;
  /** Must not turn up in any output: see `run`. */
  readonly canaries: string[] = [];
  readonly #started = new Set<Running>();
  #env: Readonly<Record<string, string | undefined>>;

  constructor(simulator: Simulator, home: string) {
    this.simulator = simulator;
    this.home = home;
    const { PATH } = process.env;
    this.#env = {
      PATH,
      HOME: home,
      UNDERSTUDY_HOME: home,
      TZ: "UTC",
      NODE_COMPILE_CACHE: compileCache,
      ...simulator.env,
    };
  }

  /** Sets variables for all runs from now on. */
  setEnv(env: Readonly<Record<string, string | undefined>>): void {
    this.#env = { ...this.#env, ...env };
  }

  start(args: readonly string[], options: RunOptions = {}): Running {
    const env = Object.fromEntries(
      Object.entries({ ...this.#env, ...options.env }).filter(([, value]) => value !== undefined),
    );
    const words = [...(options.through ?? []), process.execPath, ...(options.nodeArgs ?? []), main, ...args];
    return this.#running(spawn(words[0] ?? "", words.slice(1), { env, stdio: "pipe" }));
  }

  /** Runs the program to its end. Fails when its output holds a secret (rule R8). */
  async run(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const running = this.start(args, options);
    running.child.stdin.end(options.input ?? "");
    return this.expectNoSecret(await running.ended);
  }

  /**
   * The same on a terminal of its own (script(1) of util-linux). What it prints to either stream comes as `stdout`; its exit
   * code is script's.
   */
  #running(child: ChildProcessWithoutNullStreams): Running {
    const running = new Running(child);
    this.#started.add(running);
    void running.ended.then(
      () => this.#started.delete(running),
      () => this.#started.delete(running),
    );
    return running;
  }

  startOnTerminal(args: readonly string[]): Running {
    const command = [process.execPath, main, ...args].map((word) => `'${word}'`).join(" ");
    const env = { ...this.#env, TERM: "xterm", NO_COLOR: "1" } as NodeJS.ProcessEnv;
    // Without a size it would be no columns wide.
    const sized = `stty cols 120 rows 40; exec ${command}`;
    return this.#running(spawn("script", ["-qec", sized, "/dev/null"], { env, stdio: "pipe" }));
  }

  expectNoSecret(ended: Ended): Ended {
    const output = ended.stdout + ended.stderr;
    for (const secret of [...this.simulator.secrets, ...this.canaries]) {
      // The code that a person types is a secret to logs, and meant to be read here.
      if (secret.length < 12) continue;
      expect(output.includes(secret), `the output holds a secret: ${secret}`).toBe(false);
    }
    return ended;
  }

  writeConfig(text: string): void {
    writeFileSync(join(this.home, "config.yaml"), text);
  }

  /** Opens the installation in this process, for what a test prepares or looks at. */
  async withWorkspace<T>(work: (workspace: Workspace) => Promise<T>): Promise<T> {
    const workspace = await openWorkspace({ env: this.#env });
    try {
      return await work(workspace);
    } finally {
      await workspace.close();
    }
  }

  /** A Codex login of a new account, straight into the store. */
  async addCodexLogin(name: string): Promise<{ account: SimulatedAccount; credential: OAuthCredential }> {
    const { codexIssuer } = this.simulator;
    const account = codexIssuer.addAccount({ email: `${name}@example.test`, name });
    const tokens = codexIssuer.issueTokens(account);
    const now = Date.now();
    const { credential } = await this.withWorkspace(({ store }) =>
      store.saveLogin({
        provider: "codex",
        label: name,
        account: { id: account.accountId, userId: account.userId, email: account.email, plan: account.plan },
        grant: {
          accessToken: new Secret(tokens.accessToken),
          refreshToken: new Secret(tokens.refreshToken),
          idToken: new Secret(tokens.idToken),
          expiresAt: tokens.expiresAt,
          obtainedAt: now,
          issuer: codexIssuer.origin,
        },
        at: now,
      }),
    );
    return { account, credential };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A test that failed may have left one waiting, on a port that the next one needs.
    for (const { child } of this.#started) child.kill();
    await this.simulator.close();
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** Route `coding`: codex, then anthropic, then a local server. Nobody waits for a recovery. */
export const threeTargets = (simulator: Simulator): string => `
routes:
  coding: [codex/gpt-5.5, anthropic/claude-sonnet-5, local/qwen3]
providers:
  local: { protocol: chat-completions, baseUrl: "${simulator.baseUrls.chat}", apiKeyEnv: LOCAL_KEY }
limits: { maxWaitMs: 0 }
`;

export async function openCliStage(config?: (simulator: Simulator) => string): Promise<CliStage> {
  const stage = new CliStage(await startSimulator(), mkdtempSync(join(tmpdir(), "understudy-cli-")));
  if (config !== undefined) stage.writeConfig(config(stage.simulator));
  return stage;
}
