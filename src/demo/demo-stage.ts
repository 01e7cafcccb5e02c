import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../core/secret.ts";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";
import { openWorkspace, type Workspace } from "../workspace.ts";

/** Scripted providers and an installation of its own that uses them: the demo touches nothing that was there before. */
export interface DemoStage {
  readonly simulator: Simulator;
  readonly workspace: Workspace;
  /** The installation's folder and the issuer, for a command that is run against them. */
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** The two people with a ChatGPT plan. */
export const ann = "ann@example.com";
export const ben = "ben@example.com";

/** Builds the stage: a route `coding` of three targets, two Codex logins, two keys. */
export async function openDemoStage(): Promise<DemoStage> {
  const simulator = await startSimulator();
  const folder = await mkdtemp(join(tmpdir(), "understudy-demo-"));
  const { baseUrls } = simulator;
  const config = {
    routes: { coding: ["codex/gpt-5.5", "anthropic/claude-opus-4-8", "local/qwen-3-coder"] },
    providers: {
      codex: { baseUrl: baseUrls.codex, issuer: baseUrls.codexIssuer },
      anthropic: { baseUrl: baseUrls.messages },
      local: { protocol: "chat-completions", baseUrl: baseUrls.chat },
    },
    limits: { maxWaitMs: 0 },
  } as const;
  await writeFile(join(folder, "config.yaml"), JSON.stringify(config, null, 2));
  const env = { UNDERSTUDY_HOME: folder };
  const workspace = await openWorkspace({ env });
  await addAccounts(simulator, workspace);
  return {
    simulator,
    workspace,
    env,
    async close() {
      await workspace.close();
      await simulator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function addAccounts({ codexIssuer, messages, chat }: Simulator, { store, clock }: Workspace): Promise<void> {
  const at = clock.now();
  codexIssuer.settings.pollInterval = "1";
  for (const email of [ann, ben]) {
    const account = codexIssuer.addAccount({ email });
    const tokens = codexIssuer.issueTokens(account);
    await store.saveLogin({
      provider: "codex",
      label: email,
      account: { id: account.accountId, userId: account.userId, email, plan: account.plan },
      grant: {
        accessToken: new Secret(tokens.accessToken),
        refreshToken: new Secret(tokens.refreshToken),
        idToken: new Secret(tokens.idToken),
        expiresAt: tokens.expiresAt,
        obtainedAt: at,
        issuer: codexIssuer.origin,
      },
      at,
    });
  }
  for (const [provider, label, key] of [
    ["anthropic", "team-key", messages.keys.add("team-key")],
    ["local", "gpu-box", chat.keys.add("gpu-box")],
  ] as const) {
    await store.addApiKey({ provider, label, source: { from: "stored", secret: new Secret(key) }, at });
  }
}
