/**
 * Measures how long the command line takes beyond what Node itself needs: each command in turn with a bare `node -e 0`, in pairs, the
 * order changing from pair to pair, and the median of the differences. On a machine that is busy with other things the time on the clock says
 * little; so where the system tells it (Linux) the processor time is measured as well: the mean over all pairs, of all threads.
 *
 *   node scripts/measure-start.ts [--pairs 25] [--cli dist/cli/main.js] [--json]
 *
 * The installation it measures has a configuration of three routes, two keys and a Codex login in its store; `empty` has nothing at all.
 * Ends with 1 when a median is above its goal.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
  /** Mean processor time, all threads together; null where the system does not tell. */
  readonly bareCpuMs: number | null;
  readonly overCpuMs: number | null;
  readonly goalMs: number;
}

interface Took {
  readonly ms: number;
  readonly cpuMs: number;
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
  const bares: Took[] = [];
  const others: Took[] = [];
  for (let i = 0; i < pairs; i++) {
    const first = time(i % 2 === 0 ? bare : ours, home);
    const second = time(i % 2 === 0 ? ours : bare, home);
    bares.push(i % 2 === 0 ? first : second);
    others.push(i % 2 === 0 ? second : first);
  }
  const differences = others.map(({ ms }, i) => ms - (bares[i]?.ms ?? Number.NaN));
  const bareCpuMs = meanCpu(bares);
  const cpuMs = meanCpu(others);
  return {
    name,
    bareMs: quantile(
      bares.map(({ ms }) => ms),
      0.5,
    ),
    bareCpuMs,
    overCpuMs: bareCpuMs === null || cpuMs === null ? null : Math.round((cpuMs - bareCpuMs) * 10) / 10,
    overMs: quantile(differences, 0.5),
    lowMs: quantile(differences, 0.25),
    highMs: quantile(differences, 0.75),
    goalMs,
  };
}

function time(args: readonly string[], home: string): Took {
  // With NODE_EXTRA_CA_CERTS Node reads certificates at start: that is not ours to measure.
  const env = { PATH: process.env["PATH"], HOME: home, UNDERSTUDY_HOME: home, TMPDIR: folder };
  const cpuBefore = childrenCpuMs();
  const startedAt = performance.now();
  const { error, status } = spawnSync(process.execPath, args, { env, stdio: "ignore" });
  const ms = performance.now() - startedAt;
  if (error !== undefined) throw error;
  // `auth status` says by its exit code who is ready.
  if (status === null || status > 2) throw new Error(`${args.join(" ")} ended with ${String(status)}`);
  return { ms, cpuMs: childrenCpuMs() - cpuBefore };
}

/** The processor time of all children that have ended, in ms; NaN where there is no /proc. Counted in hundredths of a second. */
function childrenCpuMs(): number {
  try {
    const text = readFileSync("/proc/self/stat", "utf8");
    // proc_pid_stat(5): fields 16 and 17, the first two being a number and a name in parentheses.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[13]) + Number(fields[14])) * 10;
  } catch {
    return Number.NaN;
  }
}

function meanCpu(all: readonly Took[]): number | null {
  const mean = all.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / all.length;
  return Number.isNaN(mean) ? null : Math.round(mean * 10) / 10;
}

function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.floor((sorted.length - 1) * part)] ?? Number.NaN) * 10) / 10;
}

function print(figures: readonly Figures[]): void {
  console.log(
    `over a bare node -e 0, Node ${process.version}, ${values.pairs} pairs each; medians (middle half), in ms`,
  );
  for (const { name, bareMs, overMs, lowMs, highMs, bareCpuMs, overCpuMs, goalMs } of figures) {
    const verdict = overMs <= goalMs ? "ok" : "TOO SLOW";
    const cpu = overCpuMs === null ? "" : `; processor time +${overCpuMs}, bare ${String(bareCpuMs)}`;
    console.log(
      `  ${name.padEnd(30)} +${overMs} (${lowMs} to ${highMs}), bare ${bareMs}, goal +${goalMs}: ${verdict}${cpu}`,
    );
  }
  const isBusy = figures.some(({ bareMs, bareCpuMs }) => bareCpuMs !== null && bareMs > 1.5 * bareCpuMs);
  if (isBusy)
    console.log("This machine is busy: a bare Node waits longer than it works. The processor times say more.");
}
