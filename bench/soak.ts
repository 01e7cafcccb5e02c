/**
 * Ten minutes at 80 % of capacity, while everything goes wrong that goes wrong at providers: `npm run soak`.
 *
 *   --minutes N   how long; default 10
 *   --share N     of its capacity, in percent; default 80
 *   --json        the result as JSON on standard output
 *   --keep        writes the result to bench/results/
 *
 * JSON and streams, as many as 16 clients of each get, by routes over three providers: keys, logins, and a spare one. Every fault has a clock of its own
 * (`soak-faults.ts`). Many credentials rest at a time, but some of `spare` never do: every turn has a usable candidate. So every turn has to
 * be answered, byte for byte. Ends with 1 where one was not, where a fault never came, or where a refresh token was spent twice.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { Secret } from "../src/core/secret.ts";
import type { ScriptedIssuer } from "../src/simulator/issuer/scripted-issuer.ts";
import { startSimulator } from "../src/simulator/simulator.ts";
import { describeMachine } from "./machine.ts";
import { type LoadResult, runLoad, startUpstream } from "./native.ts";
import { median, show } from "./numbers.ts";
import { type Answer, requestBody, streamAnswer, wholeAnswer, write } from "./payloads.ts";
import { residentBytes } from "./process-cost.ts";
import { type Fault, soakFaults } from "./soak-faults.ts";
import { addKeys, directTarget, type Installation, startUnderstudy, type Target } from "./targets.ts";

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    share: { type: "string", default: "80" },
    json: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});
const totalMs = Number(options.minutes) * 60_000;
const share = Number(options.share) / 100;
if (!(totalMs > 0) || !(share > 0)) throw new Error("--minutes and --share are numbers above 0");

/** Longest silence, in ms: long for a busy machine, short enough to be waited for. */
const silenceMs = 5_000;
const warmMs = Math.min(10_000, totalMs / 6);
const measureMs = Math.min(10_000, totalMs / 12);

const kinds = ["json", "sse"] as const;
type Kind = (typeof kinds)[number];

/** Routes by what is asked for. Nothing goes wrong with the clean ones: they measure the capacity, and the direct way. */
const routes: Readonly<Record<string, readonly string[]>> = {
  json: ["keys/json", "spare/json-spare"],
  sse: ["codex/sse", "keys/sse-second", "spare/sse-spare"],
  "json-clean": ["keys/json-clean"],
  "sse-clean": ["codex/sse-clean"],
};

const faults = soakFaults(totalMs);
/** By the model at which they happen. */
const faultsAt: Readonly<Record<string, readonly Fault[]>> = {
  json: faults.json,
  sse: faults.sse,
  "sse-second": faults["sse-second"],
  "json-spare": faults.spare,
  "sse-spare": faults.spare,
};

process.exit((await soak()) ? 0 : 1);

async function soak(): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "bench-soak-"));
  const simulator = await startSimulator();
  const { codexIssuer: issuer } = simulator;
  try {
    const clean = { json: wholeAnswer(folder, "json-clean"), sse: streamAnswer(folder, "sse-clean", 60) };
    const upstream = await startUpstream(write(folder, "answers", answerLines(folder, clean).join("")));
    try {
      const gateway = await startUnderstudy(upstream.port, [], {
        program: resolve(import.meta.dirname, "../dist/cli/main.js"),
        installation: installation(upstream.port, issuer),
      });
      try {
        const ask = (target: Target, kind: Kind, model: string, how: { ms: number; rate?: number }) =>
          runLoad({
            port: target.port,
            path: target.path,
            headers: target.headers,
            body: write(folder, `${model}.request`, requestBody(model, 2_048, kind === "sse")),
            expect: clean[kind].expect,
            // By the clock there are as many as are under way.
            connections: how.rate === undefined ? 16 : 512,
            warmMs: 0,
            graceMs: 60_000,
            ...how,
          });
        const both = async (target: Target, suffix: string, ms: number, rates?: Rates): Promise<Loads> => {
          const [json, sse] = await Promise.all(
            kinds.map((kind) =>
              ask(target, kind, `${kind}${suffix}`, { ms, ...(rates === undefined ? {} : { rate: rates[kind] }) }),
            ),
          );
          if (json === undefined || sse === undefined) throw new Error("there are two kinds");
          return { json, sse };
        };

        tell("how much it can take, of both at once");
        await both(gateway, "-clean", warmMs);
        const most = await both(gateway, "-clean", measureMs);
        const rateOf = ({ requests, seconds }: LoadResult) => Math.max(1, Math.round((requests / seconds) * share));
        const rates: Rates = { json: rateOf(most.json), sse: rateOf(most.sse) };
        const direct = await both(directTarget(upstream.port), "-clean", measureMs, rates);
        await upstream.reset();
        const begun = Date.now();
        tell(`${rates.json} JSON and ${rates.sse} streams per second for ${options.minutes} minutes`);
        const sizes: number[] = [];
        const sampler = setInterval(() => sizes.push(residentBytes(gateway.pid ?? 0) / 2 ** 20), totalMs / 200);
        const loads = await both(gateway, "", totalMs, rates);
        clearInterval(sampler);
        const seconds = (Date.now() - begun) / 1_000;
        // What is still being refreshed may end.
        await sleep(500);
        const { dealt, requests } = await upstream.stats();
        return tellResult({
          startedAt: new Date(begun),
          options,
          machine: describeMachine(),
          seconds,
          rates,
          turns: loads.json.total + loads.sse.total,
          failedTurns: loads.json.errors + loads.sse.errors,
          firstFailure: kinds.map((kind) => `${kind}: ${loads[kind].firstError || "none"}`).join("; "),
          attempts: requests,
          latencyUs: { json: loads.json.latencyUs, sse: loads.sse.latencyUs },
          directLatencyUs: { json: direct.json.latencyUs, sse: direct.sse.latencyUs },
          addedUs: { json: added(loads.json, direct.json), sse: added(loads.sse, direct.sse) },
          residentMb: { secondTenth: tenth(sizes, 2), lastTenth: tenth(sizes, 10) },
          faults: Object.entries(faultsAt).flatMap(([model, list]) =>
            list.map(({ what }, i) => ({ model, what, times: dealt[model]?.[i] ?? 0 })),
          ),
          refreshes: issuer.counters.refreshes,
          refreshTokensSpentTwice: issuer.presentedTwice,
        });
      } finally {
        await gateway.stop();
      }
    } finally {
      upstream.stop();
    }
  } finally {
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Rates = Readonly<Record<Kind, number>>;
type Loads = Readonly<Record<Kind, LoadResult>>;

function answerLines(folder: string, clean: Readonly<Record<Kind, Answer>>): string[] {
  const lines = kinds.map((kind) => `${clean[kind].line}\n`);
  for (const [model, list] of Object.entries(faultsAt)) {
    const [, , file = ""] = clean[model.startsWith("json") ? "json" : "sse"].line.split(" ");
    const words = list.map((fault, i) => {
      return `${fault.everyMs} ${fault.afterwards ?? "keep"} ${fault.write(folder, `${model}-fault-${i}`)}`;
    });
    lines.push(`${model} timed ${file} ${words.join(" ")}\n`);
  }
  return lines;
}

/** Keys at two providers, and logins whose tokens the simulator's issuer makes. */
function installation(upstreamPort: number, issuer: ScriptedIssuer): Installation {
  const baseUrl = `http://127.0.0.1:${upstreamPort}/v1`;
  const provider = { protocol: "responses", baseUrl };
  return {
    config: {
      providers: { keys: provider, spare: provider },
      routes,
      limits: { firstEventMs: silenceMs, idleMs: silenceMs },
    },
    env: { UNDERSTUDY_CODEX_ISSUER: issuer.origin, UNDERSTUDY_CODEX_BASE_URL: baseUrl },
    async fill(workspace) {
      await addKeys(workspace, "keys", 48);
      await addKeys(workspace, "spare", 48);
      for (let i = 0; i < 16; i++) {
        const login = issuer.addAccount({ email: `login-${i}@example.test` });
        const tokens = issuer.issueTokens(login);
        await workspace.store.saveLogin({
          provider: "codex",
          label: login.email,
          account: { id: login.accountId, userId: login.userId, email: login.email, plan: login.plan },
          grant: {
            accessToken: new Secret(tokens.accessToken),
            refreshToken: new Secret(tokens.refreshToken),
            idToken: new Secret(tokens.idToken),
            expiresAt: tokens.expiresAt,
            obtainedAt: Date.now(),
            issuer: issuer.origin,
          },
          at: Date.now(),
        });
      }
    },
  };
}

/** What the gateway adds to the direct way at the same rates, in µs. With faults on, the 99th percentile holds hand-overs and rests. */
function added(load: LoadResult, direct: LoadResult): { readonly p50: number; readonly p99: number } {
  const beyond = (of: "p50" | "p99"): number =>
    (load.latencyUs[of] ?? Number.NaN) - (direct.latencyUs[of] ?? Number.NaN);
  return { p50: beyond("p50"), p99: beyond("p99") };
}

/** The middle of one tenth of `sizes`, counted from 1. */
function tenth(sizes: readonly number[], which: number): number {
  return median(sizes.slice(Math.floor((sizes.length * (which - 1)) / 10), Math.ceil((sizes.length * which) / 10)));
}

interface SoakResult {
  readonly startedAt: Date;
  readonly options: typeof options;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly seconds: number;
  /** Per second. */
  readonly rates: Rates;
  readonly turns: number;
  /** As the client saw them; each had a usable candidate. */
  readonly failedTurns: number;
  readonly firstFailure: string;
  /** Calls of providers. */
  readonly attempts: number;
  readonly latencyUs: Readonly<Record<Kind, LoadResult["latencyUs"]>>;
  readonly directLatencyUs: Readonly<Record<Kind, LoadResult["latencyUs"]>>;
  readonly addedUs: Readonly<Record<Kind, { readonly p50: number; readonly p99: number }>>;
  readonly residentMb: { readonly secondTenth: number; readonly lastTenth: number };
  readonly faults: readonly { readonly model: string; readonly what: string; readonly times: number }[];
  readonly refreshes: number;
  readonly refreshTokensSpentTwice: number;
}

/** True when nothing is wrong. */
function tellResult(result: SoakResult): boolean {
  const { turns, failedTurns, attempts, addedUs, residentMb, refreshes, refreshTokensSpentTwice } = result;
  const never = result.faults.filter(({ times }) => times === 0).map(({ model, what }) => `${model}: ${what}`);
  if (options.json) console.log(JSON.stringify(result));
  else {
    console.table(result.faults);
    console.table({
      turns: show(turns),
      "failed turns that had a usable candidate": show(failedTurns),
      "calls of providers": show(attempts),
      "JSON, added p50 · p99, ms": `${show(addedUs.json.p50 / 1_000)} · ${show(addedUs.json.p99 / 1_000)}`,
      "streams, added p50 · p99, ms": `${show(addedUs.sse.p50 / 1_000)} · ${show(addedUs.sse.p99 / 1_000)}`,
      "resident memory, 2nd · last tenth, MB": `${show(residentMb.secondTenth)} · ${show(residentMb.lastTenth)}`,
      "tokens refreshed": show(refreshes),
      "refresh tokens spent twice": show(refreshTokensSpentTwice),
    });
  }
  if (options.keep) {
    const at = result.startedAt.toISOString().slice(0, 16).replaceAll(":", "");
    tell(
      `written to ${write(join(import.meta.dirname, "results"), `soak-${at}.json`, `${JSON.stringify(result, null, 1)}\n`)}`,
    );
  }
  if (failedTurns > 0) tell(`the first turn that failed: ${result.firstFailure}`);
  if (never.length > 0) tell(`never came: ${never.join("; ")}`);
  return failedTurns === 0 && never.length === 0 && refreshes > 0 && refreshTokensSpentTwice === 0;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
