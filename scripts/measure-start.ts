/**
 * Measures how long the command line takes beyond what Node itself needs: each command in turn with a bare `node -e 0`, in pairs, the
 * order changing from pair to pair, and the median of the differences. A machine that is busy makes both of a pair slower.
 *
 *   node scripts/measure-start.ts [--pairs 25] [--cli dist/cli/main.js] [--json]
 *
 * The installation it measures has a configuration of three routes, two keys and a Codex login in its store; `empty` has nothing at all.
 * Ends with 1 when a median is above its goal.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Secret } from "../src/core/secret.ts";
import { openWorkspace } from "../src/workspace.ts";

interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly home: "furnished" | "empty";
  /** What it may take longer than a bare Node, in ms. */
  readonly goalMs: number;
}

const cases: readonly Case[] = [
  { name: "--version", args: ["--version"], home: "furnished", goalMs: 15 },
  { name: "auth list", args: ["auth", "list"], home: "furnished", goalMs: 40 },
  { name: "auth status", args: ["auth", "status"], home: "furnished", goalMs: 40 },
  { name: "auth list, nothing there yet", args: ["auth", "list"], home: "empty", goalMs: 40 },
];

interface Figures {
  readonly name: string;
  readonly bareMs: number;
  /** Median of the differences, and the middle half of them. */
  readonly overMs: number;
  readonly lowMs: number;
  readonly highMs: number;
  readonly goalMs: number;
}

const { values } = parseArgs({
  options: {
    pairs: { type: "string", default: "25" },
    cli: { type: "string", default: resolve(import.meta.dirname, "../dist/cli/main.js") },
    json: { type: "boolean", default: false },
  },
});

const cli = resolve(values.cli);
if (!existsSync(cli)) {
  console.error(`There is no ${cli}: run npm run build first, or name another with --cli.`);
  process.exit(2);
}
const folder = mkdtempSync(join(tmpdir(), "understudy-start-"));
try {
  const homes = { furnished: join(folder, "furnished"), empty: join(folder, "empty") };
  await furnish(homes.furnished);
  mkdirSync(homes.empty);
  const figures = cases.map((one) => measure(one, homes[one.home], Number(values.pairs)));
  if (values.json)
    console.log(JSON.stringify({ node: process.version, pairs: Number(values.pairs), figures }, null, 2));
  else print(figures);
  process.exitCode = figures.every(({ overMs, goalMs }) => overMs <= goalMs) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function furnish(home: string): Promise<void> {
  mkdirSync(home);
  writeFileSync(
    join(home, "config.yaml"),
    `routes:
  coding: [codex/gpt-5.5, anthropic/claude-sonnet-5, local/qwen3]
  quick: [openai/gpt-5.5-mini, openrouter/qwen/qwen3]
  careful: { targets: [anthropic/claude-opus-5], strict: true }
pools:
  codex: { strategy: round_robin }
providers:
  local: { protocol: chat-completions, baseUrl: http://127.0.0.1:8000/v1, apiKeyEnv: LOCAL_KEY }
`,
  );
  const workspace = await openWorkspace({ env: { UNDERSTUDY_HOME: home } });
  const { store } = workspace;
  const at = Date.now();
  for (const provider of ["openai", "anthropic"]) {
    const source = { from: "stored", secret: new Secret(`sk-scripted-${provider}-0123456789`) } as const;
    await store.addApiKey({ provider, label: "work", source, at });
  }
  await store.saveLogin({
    provider: "codex",
    label: "ann@example.test",
    account: { id: "account", userId: "user", email: "ann@example.test", plan: "plus" },
    grant: {
      accessToken: new Secret("scripted-access-token"),
      refreshToken: new Secret("scripted-refresh-token"),
      idToken: null,
      expiresAt: at + 3_600_000,
      obtainedAt: at,
      issuer: "https://auth.openai.com",
    },
    at,
  });
  await workspace.close();
}

function measure({ name, args, goalMs }: Case, home: string, pairs: number): Figures {
  const ours = [cli, ...args];
  const bare = ["-e", "0"];
  // The first ones fill the file system's cache and the compile cache.
  for (let i = 0; i < 3; i++) time(ours, home);
  time(bare, home);
  const bares: number[] = [];
  const differences: number[] = [];
  for (let i = 0; i < pairs; i++) {
    const first = time(i % 2 === 0 ? bare : ours, home);
    const second = time(i % 2 === 0 ? ours : bare, home);
    const [bareMs, oursMs] = i % 2 === 0 ? [first, second] : [second, first];
    bares.push(bareMs);
    differences.push(oursMs - bareMs);
  }
  return {
    name,
    bareMs: quantile(bares, 0.5),
    overMs: quantile(differences, 0.5),
    lowMs: quantile(differences, 0.25),
    highMs: quantile(differences, 0.75),
    goalMs,
  };
}

function time(args: readonly string[], home: string): number {
  // With NODE_EXTRA_CA_CERTS Node reads certificates at start: that is not ours to measure.
  const env = { PATH: process.env["PATH"], HOME: home, UNDERSTUDY_HOME: home, TMPDIR: folder };
  const startedAt = performance.now();
  const { error, status } = spawnSync(process.execPath, args, { env, stdio: "ignore" });
  const tookMs = performance.now() - startedAt;
  if (error !== undefined) throw error;
  // `auth status` says by its exit code who is ready.
  if (status === null || status > 2) throw new Error(`${args.join(" ")} ended with ${String(status)}`);
  return tookMs;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN) * 10) / 10;
}

function print(figures: readonly Figures[]): void {
  console.log(
    `over a bare node -e 0, Node ${process.version}, ${values.pairs} pairs each; medians (middle half), in ms`,
  );
  for (const { name, bareMs, overMs, lowMs, highMs, goalMs } of figures) {
    const verdict = overMs <= goalMs ? "ok" : "TOO SLOW";
    console.log(`  ${name.padEnd(30)} +${overMs} (${lowMs} to ${highMs}), bare ${bareMs}, goal +${goalMs}: ${verdict}`);
  }
}
