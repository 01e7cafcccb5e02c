import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Secret } from "../../src/core/secret.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { openWorkspace } from "../../src/workspace.ts";

/** What one process tells of its turns. Times in ms. */
export interface ExpiryReport {
  readonly turnsMs: readonly number[];
  /** How long each turn waited for a token. */
  readonly waitsMs: readonly number[];
  readonly failures: readonly string[];
}

export interface ExpiryOptions {
  readonly processes: number;
  /** Over all processes, at once. */
  readonly turns: number;
  /** How long the issuer takes for its answer, in ms. */
  readonly latencyMs: number;
}

export interface ExpiryResult {
  readonly answered: number;
  readonly failures: readonly string[];
  /** Refreshes that reached the issuer. */
  readonly redemptions: number;
  readonly presentedTwice: number;
  /** With a token that is over when the turns begin, ascending. */
  readonly waitsMs: readonly number[];
  readonly turnsMs: readonly number[];
  /** Of the same turns with a token that lives, ascending. */
  readonly usualMs: readonly number[];
}

const program = fileURLToPath(new URL("expiry-worker.ts", import.meta.url));

/** Many turns in several processes that share one login, begun at the moment when its access token is over. */
export async function runExpiry({ processes, turns, latencyMs }: ExpiryOptions): Promise<ExpiryResult> {
  const simulator = await startSimulator();
  const folder = mkdtempSync(join(tmpdir(), "understudy-expiry-"));
  const { codexIssuer, baseUrls } = simulator;
  // Most of a start is stripping types: done once for all of them.
  const cache = join(tmpdir(), "understudy-test-compile-cache");
  const env = { ...process.env, NODE_COMPILE_CACHE: cache, UNDERSTUDY_HOME: folder };
  const config = {
    routes: { only: ["codex/gpt-5.5"] },
    providers: { codex: { baseUrl: baseUrls.codex, issuer: baseUrls.codexIssuer } },
  };
  const workspace = await openWorkspace({ config, env });
  const children: ChildProcess[] = [];
  try {
    const account = codexIssuer.addAccount({ email: "ada@example.test" });
    const signIn = async (livesS: number): Promise<void> => {
      const tokens = codexIssuer.issueTokens(account, { expiresInS: Math.max(livesS, 1) });
      await workspace.store.saveLogin({
        provider: "codex",
        label: "ada",
        account: { id: account.accountId, userId: account.userId, email: account.email, plan: account.plan },
        grant: {
          accessToken: new Secret(tokens.accessToken),
          refreshToken: new Secret(tokens.refreshToken),
          idToken: null,
          expiresAt: Date.now() + livesS * 1_000,
          obtainedAt: Date.now(),
          issuer: codexIssuer.origin,
        },
        at: Date.now(),
      });
    };
    await signIn(3_600);
    const workers = Array.from({ length: processes }, () => {
      const child = spawn(process.execPath, [program, JSON.stringify(config)], {
        env,
        stdio: ["pipe", "pipe", "inherit"],
      });
      children.push(child);
      return talkTo(child);
    });
    const everybody = async (each: number): Promise<ExpiryReport> => {
      const reports = await Promise.all(workers.map((run) => run(each)));
      return {
        turnsMs: reports.flatMap((one) => one.turnsMs).sort((a, b) => a - b),
        waitsMs: reports.flatMap((one) => one.waitsMs).sort((a, b) => a - b),
        failures: reports.flatMap((one) => one.failures),
      };
    };
    const each = Math.ceil(turns / processes);
    // Once to be warm, once to know how long the turns take by themselves.
    await everybody(Math.ceil(each / 4));
    const usual = await everybody(each);
    await signIn(-1);
    codexIssuer.script("slow");
    const released = answerAfter(latencyMs, codexIssuer);
    const over = await everybody(each);
    await released;
    return {
      answered: over.turnsMs.length,
      failures: [...usual.failures, ...over.failures],
      redemptions: codexIssuer.counters.refreshes,
      presentedTwice: codexIssuer.presentedTwice,
      waitsMs: over.waitsMs,
      turnsMs: over.turnsMs,
      usualMs: usual.turnsMs,
    };
  } finally {
    for (const child of children) {
      const ended = once(child, "close");
      child.stdin?.end();
      await ended;
    }
    await workspace.close();
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The value below which `share` of the ascending values lie; 0 of none. */
export function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * share))] ?? 0;
}

function talkTo(child: ChildProcess): (turns: number) => Promise<ExpiryReport> {
  if (child.stdout === null) throw new Error("a worker has no output");
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return async (turns) => {
    child.stdin?.write(`${turns}\n`);
    const { value, done } = await lines.next();
    if (done === true) throw new Error("a worker ended before it told");
    return JSON.parse(value) as ExpiryReport;
  };
}

/** Lets the answer to the first refresh go so long after it arrived. */
async function answerAfter(
  latencyMs: number,
  issuer: { readonly counters: { readonly refreshes: number }; release(): void },
): Promise<void> {
  while (issuer.counters.refreshes === 0) await sleep(1);
  await sleep(latencyMs);
  issuer.release();
}
