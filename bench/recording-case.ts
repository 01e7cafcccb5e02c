import { dirname, join } from "node:path";
import { median } from "./numbers.ts";
import type { OwnCase } from "./own-cases.ts";
import { wholeAnswer } from "./payloads.ts";
import { openStage, runSlice } from "./side-by-side.ts";
import { startUnderstudy, type Target } from "./targets.ts";
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

/** By name: what each of the gateways goes without. */
const variants: Readonly<Record<string, readonly string[]>> = {
  whole: [],
  "no journal": ["without-journal"],
  neither: ["without-journal", "without-metrics"],
};

/** Gateways that differ in nothing else, in turns; see `library-gateway.ts`. */
export const recording: OwnCase = {
  name: "recording",
  title: "JSON 2 KB, 32 at once: a gateway with its journal and metrics over one without, paired",
  async run({ program, quick }) {
    const costs: Costs = { both: [], journal: [], speed: [] };
    for (let set = 0; set < (quick ? 1 : 4); set++) await measureSet(program, quick ? 20 : 40, costs);
    return [
      { what: "journal and metrics, more CPU per answer", value: median(costs.both), unit: "%", goal: { most: 5 } },
      { what: "– the least of a round", value: Math.min(...costs.both), unit: "%" },
      { what: "– the most of a round", value: Math.max(...costs.both), unit: "%" },
      { what: "the journal alone, more CPU per answer", value: median(costs.journal), unit: "%" },
      { what: "without both, more answers/s", value: median(costs.speed), unit: "%" },
    ];
  },
};

/** Of two in the same round, the first over the second, in percent more. */
interface Costs {
  readonly both: number[];
  readonly journal: number[];
  readonly speed: number[];
}

/**
 * Measures three new gateways. Two processes of the very same code differ by several percent for as long as they live, by what was compiled when:
 * so a few sets are worth more than many rounds of one. Slices are short, since neighbours change within seconds.
 */
async function measureSet(program: string, rounds: number, costs: Costs): Promise<void> {
  const stage = await openStage([], (folder) => [{ name: "json", ...wholeAnswer(folder, "json") }]);
  const targets: Target[] = [];
  try {
    for (const [name, without] of Object.entries(variants)) {
      const serveInstead = [join(import.meta.dirname, "library-gateway.ts"), dirname(dirname(program)), ...without];
      targets.push(await startUnderstudy(stage.upstream.port, ["json"], { name, program, serveInstead }));
    }
    for (const target of targets) {
      const until = Date.now() + 10_000;
      for (let done = 0; done < 30_000 && Date.now() < until; ) {
        done += (await runSlice(stage, target, work, { ms: 500, warmMs: 0 })).load.total;
      }
    }
    for (let round = 0; round < rounds; round++) {
      const samples = new Map<string, Sample>();
      for (let i = 0; i < targets.length; i++) {
        const target = targets[(i + round) % targets.length];
        if (target !== undefined) {
          samples.set(target.name, await runSlice(stage, target, work, { ms: 300, warmMs: 40 }));
        }
      }
      const cost = (name: string): number => {
        const { load, cpuNs } = samples.get(name) ?? { load: { total: Number.NaN }, cpuNs: Number.NaN };
        return cpuNs / load.total;
      };
      const answers = (name: string): number => samples.get(name)?.load.requests ?? Number.NaN;
      costs.both.push(percent(cost("whole") / cost("neither")));
      costs.journal.push(percent(cost("whole") / cost("no journal")));
      costs.speed.push(percent(answers("neither") / answers("whole")));
    }
  } finally {
    for (const target of targets) await target.stop();
    stage.stop();
  }
}

/** How much more than one. */
function percent(ratio: number): number {
  return (ratio - 1) * 100;
}
