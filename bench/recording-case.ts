import { dirname, join } from "node:path";
import { median, quantile } from "./numbers.ts";
import type { OwnCase } from "./own-cases.ts";
import { wholeAnswer } from "./payloads.ts";
import { openStage, runSlice, type Stage } from "./side-by-side.ts";
import { startUnderstudy, type UnderstudyTarget } from "./targets.ts";
import type { Sample, Work } from "./works.ts";

const work: Work = {
  name: "json",
  title: "JSON 2 KB, 32 at once",
  requestBytes: 2_048,
  deltas: 0,
  pacedUs: 0,
  connections: 32,
  metrics: [],
};

/** What is on, in the order in which `library-gateway.ts` goes through them. */
const modes = ["whole", "no journal", "neither", "neither", "no journal", "whole"] as const;

/** One gateway with its journal and its metrics on and off, in turns; see `library-gateway.ts`. */
export const recording: OwnCase = {
  name: "recording",
  title: "JSON 2 KB, 32 at once: a gateway with its journal and metrics over the same without, paired",
  async run({ program, quick }) {
    const costs: Costs = { both: [], journal: [], speed: [] };
    for (let set = 0; set < (quick ? 1 : 2); set++) await measureSet(program, quick ? 20 : 50, costs);
    return [
      { what: "journal and metrics, more CPU per answer", value: median(costs.both), unit: "%", goal: { most: 5 } },
      { what: "– the lower quarter of the rounds", value: quantile(costs.both, 0.25), unit: "%" },
      { what: "– the upper quarter", value: quantile(costs.both, 0.75), unit: "%" },
      { what: "the journal alone, more CPU per answer", value: median(costs.journal), unit: "%" },
      { what: "without both, more answers/s", value: median(costs.speed), unit: "%" },
    ];
  },
};

/** Of two modes in the same round, the first over the second, in percent more. */
interface Costs {
  readonly both: number[];
  readonly journal: number[];
  readonly speed: number[];
}

/** Measures a new gateway, in slices that are short, since neighbours change within seconds. */
async function measureSet(program: string, rounds: number, costs: Costs): Promise<void> {
  const stage = await openStage([], (folder) => [{ name: "json", ...wholeAnswer(folder, "json") }]);
  try {
    const serveInstead = [join(import.meta.dirname, "library-gateway.ts"), dirname(dirname(program))];
    const gateway = await startUnderstudy(stage.upstream.port, ["json"], { program, serveInstead });
    try {
      await measure(stage, gateway, rounds, costs);
    } finally {
      await gateway.stop();
    }
  } finally {
    stage.stop();
  }
}

async function measure(stage: Stage, gateway: UnderstudyTarget, rounds: number, costs: Costs): Promise<void> {
  const until = Date.now() + 10_000;
  for (let done = 0; done < 30_000 && Date.now() < until; ) {
    done += (await runSlice(stage, gateway, work, { ms: 500, warmMs: 0 })).load.total;
  }
  for (let round = 0; round < rounds; round++) {
    const samples = new Map<string, Sample[]>(modes.map((mode) => [mode, []]));
    for (const mode of modes) {
      samples.get(mode)?.push(await runSlice(stage, gateway, work, { ms: 300, warmMs: 40 }));
      if (gateway.pid !== null) process.kill(gateway.pid, "SIGURG");
    }
    const cost = (mode: string): number => sumOf(samples.get(mode), "cpuNs") / sumOf(samples.get(mode), "total");
    const answers = (mode: string): number => sumOf(samples.get(mode), "total");
    costs.both.push(percent(cost("whole") / cost("neither")));
    costs.journal.push(percent(cost("whole") / cost("no journal")));
    costs.speed.push(percent(answers("neither") / answers("whole")));
  }
}

function sumOf(samples: readonly Sample[] = [], what: "cpuNs" | "total"): number {
  return samples.reduce((sum, { cpuNs, load }) => sum + (what === "cpuNs" ? cpuNs : load.total), 0);
}

/** How much more than one. */
function percent(ratio: number): number {
  return (ratio - 1) * 100;
}
