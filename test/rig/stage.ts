import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { ConfigInput } from "../../src/config/schema.ts";
import type { TurnEvent } from "../../src/core/events.ts";
import { Secret } from "../../src/core/secret.ts";
import type { OAuthCredential } from "../../src/credentials/credential.ts";
import { resolveRoute } from "../../src/config/resolve-route.ts";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { type TurnInput, toTurnRequest } from "../../src/turn/turn-input.ts";
import { type Answer, startTurn } from "../../src/turn/turn.ts";
import { openWorkspace, type Workspace, type WorkspaceOptions } from "../../src/workspace.ts";

/** The scripted providers and one installation that uses them, in a folder of its own. Real sockets, real clock, real store. */
export class TestStage implements AsyncDisposable {
  readonly simulator: Simulator;
  readonly folder: string;
  readonly config: ConfigInput;
  workspace: Workspace;
  /** Every event of every turn since the last `turn()` call began. */
  events: TurnEvent[] = [];
  readonly #options: WorkspaceOptions;

  constructor(simulator: Simulator, folder: string, workspace: Workspace, options: WorkspaceOptions) {
    this.simulator = simulator;
    this.folder = folder;
    this.workspace = workspace;
    this.config = options.config ?? {};
    this.#options = options;
  }

  /** A Codex login of a new account, straight into the store. `expiresInS` may be negative. */
  async addCodexLogin(name: string, options: { expiresInS?: number } = {}): Promise<OAuthCredential> {
    const { codexIssuer } = this.simulator;
    const account = codexIssuer.addAccount({ email: `${name}@example.com`, name });
    const tokens = codexIssuer.issueTokens(account, options);
    const now = Date.now();
    const { credential } = await this.workspace.store.saveLogin({
      provider: "codex",
      label: name,
      account: { id: account.accountId, userId: account.userId, email: account.email, plan: account.plan },
      grant: {
        accessToken: new Secret(tokens.accessToken),
        refreshToken: new Secret(tokens.refreshToken),
        idToken: new Secret(tokens.idToken),
        expiresAt: now + (options.expiresInS ?? 3_600) * 1_000,
        obtainedAt: now,
        issuer: codexIssuer.origin,
      },
      at: now,
    });
    return credential;
  }

  /** An API key that the backend knows under `name`, straight into the store under the same label. */
  async addKey(provider: "openai" | "anthropic" | "local", name: string): Promise<void> {
    const backend = { openai: this.simulator.openai, anthropic: this.simulator.messages, local: this.simulator.chat }[
      provider
    ];
    const secret = new Secret(backend.keys.add(name));
    await this.workspace.store.addApiKey({ provider, label: name, source: { from: "stored", secret }, at: Date.now() });
  }

  /** Runs a turn to its end. */
  turn(input: TurnInput, route?: string, signal?: AbortSignal): Promise<Answer> {
    this.events = [];
    return startTurn(this.workspace.runtime, toTurnRequest(input), {
      route: resolveRoute(this.workspace.config, route),
      onEvent: (event) => this.events.push(event),
      ...(signal === undefined ? {} : { signal }),
    }).answer;
  }

  /** `label reason` for each failed attempt, then `label ok`. */
  get story(): string[] {
    return this.events.flatMap((event) => {
      if (event.type === "attempt-failed") return [`${event.candidate.credential.label} ${event.failure.reason}`];
      return event.type === "committed" ? [`${event.candidate.credential.label} ok`] : [];
    });
  }

  /** Closes the installation and opens it again, as a new process would. */
  async restart(): Promise<void> {
    await this.workspace.close();
    this.workspace = await openWorkspace(this.#options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.workspace.close();
    expect(this.simulator.unplanned).toEqual([]);
    await this.simulator.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export interface StageOptions {
  readonly routes?: ConfigInput["routes"];
  readonly providers?: ConfigInput["providers"];
  readonly pools?: ConfigInput["pools"];
  readonly limits?: ConfigInput["limits"];
  readonly prices?: ConfigInput["prices"];
  readonly env?: Readonly<Record<string, string>>;
  /** Default: a file in the stage's folder. */
  readonly store?: string;
}

/** Opens a stage. Its route `coding` is codex, then anthropic, then local. */
export async function openStage(options: StageOptions = {}): Promise<TestStage> {
  const simulator = await startSimulator();
  const folder = mkdtempSync(join(tmpdir(), "understudy-test-"));
  const { baseUrls } = simulator;
  const config: ConfigInput = {
    routes: { coding: ["codex/gpt-5.5", "anthropic/claude-opus-4-8", "local/qwen3"], ...options.routes },
    providers: {
      codex: { baseUrl: baseUrls.codex, issuer: baseUrls.codexIssuer },
      openai: { baseUrl: baseUrls.openai },
      anthropic: { baseUrl: baseUrls.messages },
      local: { protocol: "chat-completions", baseUrl: baseUrls.chat, apiKeyEnv: "LOCAL_KEY" },
      ...options.providers,
    },
    ...(options.pools === undefined ? {} : { pools: options.pools }),
    limits: { maxWaitMs: 0, ...options.limits },
    ...(options.prices === undefined ? {} : { prices: options.prices }),
    ...(options.store === undefined ? {} : { store: options.store }),
  };
  // Chance is switched off: a back-off takes no time.
  const setup: WorkspaceOptions = { config, env: { UNDERSTUDY_HOME: folder, ...options.env }, random: () => 0 };
  return new TestStage(simulator, folder, await openWorkspace(setup), setup);
}
