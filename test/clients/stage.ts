import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../../src/core/secret.ts";
import { createGateway, type Gateway } from "../../src/gateway.ts";
import { type Simulator, startSimulator } from "../../src/simulator/simulator.ts";
import { openWorkspace, type Workspace } from "../../src/workspace.ts";

export const clientKey = "uk-a-key-for-the-real-clients";

/** Scripted providers, an installation and its gateway, in a folder of their own, for one run of one client. */
export interface ClientStage extends AsyncDisposable {
  readonly simulator: Simulator;
  readonly workspace: Workspace;
  readonly gateway: Gateway;
  /** An empty home for the client. */
  readonly home: string;
  /** Model calls that reached the gateway and became turns. */
  readonly turns: () => number;
  readonly switches: () => number;
}

/** Route `coding`: two Codex logins, then a key at an Anthropic API, then one at a Chat Completions server. `going-on`: the same, with `continue: text`. */
export async function openClientStage(): Promise<ClientStage> {
  const simulator = await startSimulator();
  const folder = mkdtempSync(join(tmpdir(), "understudy-clients-"));
  const { baseUrls } = simulator;
  const targets = ["codex/gpt-5.5", "anthropic/claude-opus-4-8", "local/qwen3"];
  const workspace = await openWorkspace({
    config: {
      routes: { coding: targets, "going-on": { targets, continue: "text" } },
      providers: {
        codex: { baseUrl: baseUrls.codex, issuer: baseUrls.codexIssuer },
        anthropic: { baseUrl: baseUrls.messages },
        local: { protocol: "chat-completions", baseUrl: baseUrls.chat, apiKeyEnv: "LOCAL_KEY" },
      },
      // Short enough for a run, long enough for a person's patience to be told from a fault.
      limits: { maxWaitMs: 2_000, firstEventMs: 6_000, idleMs: 6_000 },
    },
    env: { UNDERSTUDY_HOME: folder },
  });
  const at = Date.now();
  for (const name of ["ann", "ben"]) {
    const account = simulator.codexIssuer.addAccount({ email: `${name}@example.com`, name });
    const tokens = simulator.codexIssuer.issueTokens(account);
    await workspace.store.saveLogin({
      provider: "codex",
      label: name,
      account: { id: account.accountId, userId: account.userId, email: account.email, plan: account.plan },
      grant: {
        accessToken: new Secret(tokens.accessToken),
        refreshToken: new Secret(tokens.refreshToken),
        idToken: new Secret(tokens.idToken),
        expiresAt: tokens.expiresAt,
        obtainedAt: at,
        issuer: simulator.codexIssuer.origin,
      },
      at,
    });
  }
  for (const [provider, backend] of [
    ["anthropic", simulator.messages],
    ["local", simulator.chat],
  ] as const) {
    const secret = new Secret(backend.keys.add(provider));
    await workspace.store.addApiKey({ provider, label: provider, source: { from: "stored", secret }, at });
  }
  let turns = 0;
  let switches = 0;
  const gateway = await createGateway({
    workspace,
    clientKey,
    port: 0,
    limits: { drainMs: 0, keepAliveMs: 1_500 },
    onEvent(event) {
      if (event.type === "turn-start") turns += 1;
      if (event.type === "switched") switches += 1;
    },
  });
  const home = mkdtempSync(join(tmpdir(), "understudy-client-home-"));
  return {
    simulator,
    workspace,
    gateway,
    home,
    turns: () => turns,
    switches: () => switches,
    async [Symbol.asyncDispose]() {
      simulator.release();
      await gateway.close();
      await workspace.close();
      await simulator.close();
      for (const path of [folder, home]) rmSync(path, { recursive: true, force: true });
    },
  };
}
