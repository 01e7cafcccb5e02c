/**
 * Ten minutes at 80 % of capacity, while everything goes wrong that goes wrong at providers: `npm run soak`.
 *
 *   --minutes N     how long; default 10
 *   --share N       of its capacity, in percent; default 80
 *   --json          the result as JSON on standard output
 *   --keep          writes the result to bench/results/
 *   --profile PATH  a folder that gets a CPU profile of the gateway
 *
 * JSON and streams, by routes over three providers: keys, logins, and a spare one. Every fault has a clock of its own (`soak-faults.ts`).
 * Many credentials rest at a time, but some of `spare` never do: every turn has a usable candidate. So every turn has to be answered, byte
 * for byte.
 *
 * In rounds of a minute: for ten seconds 200 clients of each kind ask again as soon as they are answered, with all these faults: that is what the
 * gateway takes at this moment. A share of it then comes by the clock. Ends with 1 where a turn failed although, by the journal, somebody could
 * have answered; where one could not be sent; where a fault never came; or where a refresh token was spent twice.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { startSimulator } from "../src/simulator/simulator.ts";
import { describeMachine } from "./machine.ts";
import { startUpstream } from "./native.ts";
import { median } from "./numbers.ts";
import { type Answer, streamAnswer, wholeAnswer, write } from "./payloads.ts";
import { residentBytes } from "./process-cost.ts";
import { FailedTurns } from "./soak-failed-turns.ts";
import { type Fault, soakFaults } from "./soak-faults.ts";
import { soakInstallation, soakRoutes } from "./soak-installation.ts";
import { createSoakLoad, type Loads, measure } from "./soak-load.ts";
import {
  type Kind,
  kinds,
  type Measured,
  printResult,
  type Rates,
  type Round,
  type SoakResult,
  wrongsOf,
} from "./soak-result.ts";
import { directTarget, startUnderstudy } from "./targets.ts";

const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    share: { type: "string", default: "80" },
    json: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    profile: { type: "string" },
  },
});
const totalMs = Number(options.minutes) * 60_000;
const share = Number(options.share) / 100;
if (!(totalMs > 0) || !(share > 0)) throw new Error("--minutes and --share are numbers above 0");

const warmMs = Math.min(20_000, totalMs / 6);
const cleanMs = Math.min(10_000, totalMs / 12);
/** A round: what the gateway takes is measured for a sixth of it, and then a share of that is asked for. */
const roundMs = Math.min(60_000, totalMs / 2);
const measuringMs = roundMs / 6;

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
      const profile = options.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${resolve(options.profile)}`];
      const gateway = await startUnderstudy(upstream.port, [], {
        program: resolve(import.meta.dirname, "../dist/cli/main.js"),
        installation: soakInstallation(upstream.port, issuer),
        nodeOptions: profile,
      });
      try {
        const failed = new FailedTurns(gateway, soakRoutes);
        const load = createSoakLoad(folder, clean, (one) => failed.add(one));
        tell("warming up");
        const warm = await load.run(gateway, "", warmMs);
        tell("how much it takes with nothing wrong");
        const best = await measure(load, "-clean", cleanMs, gateway, upstream);
        const likely = ratesOf(best.measured, share);
        const direct = await load.run(directTarget(upstream.port), "-clean", cleanMs, likely);
        await upstream.reset();
        const begun = Date.now();
        const sizes: number[] = [];
        const sampler = setInterval(() => sizes.push(residentBytes(gateway.pid ?? 0) / 2 ** 20), totalMs / 200);
        const rounds: Round[] = [];
        const all: Loads[] = [warm, best.loads];
        while (Date.now() - begun < totalMs - roundMs / 2) {
          const most = await measure(load, "", measuringMs, gateway, upstream);
          const rates = ratesOf(most.measured, share);
          tell(
            `${rates.json} JSON and ${rates.sse} streams per second, after ${seconds(Date.now() - begun)} of ${seconds(totalMs)}`,
          );
          const { loads, measured } = await measure(load, "", roundMs - measuringMs, gateway, upstream, rates);
          all.push(most.loads, loads);
          rounds.push({ capacity: most.measured, rates, run: measured, ...countsOf(loads) });
        }
        clearInterval(sampler);
        const lastedS = (Date.now() - begun) / 1_000;
        // What is still being refreshed may end.
        await sleep(500);
        const { dealt, requests } = await upstream.stats();
        const unsent = rounds.reduce((sum, round) => sum + round.unsent, 0);
        return conclude({
          startedAt: new Date(begun),
          options,
          machine: describeMachine(),
          seconds: lastedS,
          clean: best.measured,
          rounds,
          failedTurns: all.reduce((sum, loads) => sum + errorsOf(loads), 0) - unsent,
          failures: await failed.all(),
          attempts: requests,
          comments: all.reduce((sum, { sse }) => sum + sse.comments, 0),
          directLatencyUs: { json: direct.json.latencyUs, sse: direct.sse.latencyUs },
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

function ratesOf({ rates }: Measured, share: number): Rates {
  const of = (kind: Kind): number => Math.max(1, Math.round(rates[kind] * share));
  return { json: of("json"), sse: of("sse") };
}

function countsOf({ json, sse }: Loads): Pick<Round, "turns" | "unsent" | "mostWaiting" | "latencyUs"> {
  return {
    turns: json.total + sse.total,
    unsent: json.unsent + sse.unsent,
    mostWaiting: Math.max(json.mostWaiting, sse.mostWaiting),
    latencyUs: { json: json.latencyUs, sse: sse.latencyUs },
  };
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}

function errorsOf({ json, sse }: Loads): number {
  return json.errors + sse.errors;
}

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

/** The middle of one tenth of `sizes`, counted from 1. */
function tenth(sizes: readonly number[], which: number): number {
  return median(sizes.slice(Math.floor((sizes.length * (which - 1)) / 10), Math.ceil((sizes.length * which) / 10)));
}

/** Says what there is to say. True when nothing is wrong. */
function conclude(result: SoakResult): boolean {
  if (options.json) console.log(JSON.stringify(result));
  else printResult(result);
  if (options.keep) {
    const at = result.startedAt.toISOString().slice(0, 16).replaceAll(":", "");
    const text = `${JSON.stringify(result, null, 1)}\n`;
    tell(`written to ${write(join(import.meta.dirname, "results"), `soak-${at}.json`, text)}`);
  }
  const wrongs = wrongsOf(result);
  for (const wrong of wrongs) tell(`WRONG: ${wrong}`);
  tell(wrongs.length === 0 ? "PASSED" : "FAILED");
  return wrongs.length === 0;
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
