import { mkdtempSync, existsSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { modes, type Mode, type Slice } from "./library-gateway.ts";
import { median, medianWithin } from "./numbers.ts";
import type { OwnCase } from "./own-case.ts";
import { wholeAnswer } from "./payloads.ts";
import { openStage, runSlice } from "./side-by-side.ts";
import { startUnderstudy, type UnderstudyTarget } from "./targets.ts";
import type { Work } from "./works.ts";

const work: Work = {
  name: "json",
  title: "JSON 2 KB, 32 at once",
  requestBytes: 2_048,
  deltas: 0,
  pacedUs: 0,
  connections: 32,
  metrics: [],
};

/** One gateway with its journal and its metrics on, off and on five times, in turns; see `library-gateway.ts`. */
export const recording: OwnCase = {
  name: "recording",
  title: "JSON 2 KB, 32 at once: a gateway with its journal and metrics over the same without, paired",
  async run({ program, quick }) {
    const costs: Costs = { once: [], fifth: [], speed: [] };
    const byProcess: number[] = [];
    for (let process = 0; process < (quick ? 1 : 4); process++) {
      const before = costs.fifth.length;
      for (const round of roundsOf(await measure(program, quick ? 40 : 100))) compare(round, costs);
      byProcess.push(median(costs.fifth.slice(before)));
    }
    const [low, high] = medianWithin(costs.once);
    const [fifthLow, fifthHigh] = medianWithin(costs.fifth);
    return [
      { what: "journal and metrics, more CPU per answer", value: median(costs.once), unit: "%", goal: { most: 5 } },
      { what: "– at least, with 95 % certainty", value: low, unit: "%" },
      { what: "– at most, with 95 % certainty", value: high, unit: "%" },
      {
        what: "a fifth of what recording five times costs",
        value: median(costs.fifth),
        unit: "%",
        goal: { most: 5, raised: 4 },
      },
      { what: "– a fifth of it, at least", value: fifthLow, unit: "%" },
      { what: "– a fifth of it, at most", value: fifthHigh, unit: "%" },
      { what: "– in the process with the least", value: Math.min(...byProcess), unit: "%" },
      { what: "– in the process with the most", value: Math.max(...byProcess), unit: "%" },
      { what: "without both, more answers/s", value: median(costs.speed), unit: "%" },
      { what: "rounds of 4,096 turns", value: costs.once.length, unit: "" },
    ];
  },
};

/** Of each round, in percent more. */
interface Costs {
  readonly once: number[];
  readonly fifth: number[];
  readonly speed: number[];
}

/** The slices of a new gateway that is asked for so long, after it was warmed up. */
async function measure(program: string, seconds: number): Promise<readonly Slice[]> {
  const stage = await openStage([], (folder) => [{ name: "json", ...wholeAnswer(folder, "json") }]);
  const folder = mkdtempSync(join(tmpdir(), "bench-recording-"));
  const file = join(folder, "slices.json");
  try {
    const serveInstead = [join(import.meta.dirname, "library-gateway.ts"), dirname(dirname(program)), file];
    const gateway = await startUnderstudy(stage.upstream.port, ["json"], { program, serveInstead });
    try {
      for (let i = 0; i < 3; i++) await runSlice(stage, gateway, work, { ms: 4_000, warmMs: 0 });
      await takeSlices(gateway, file);
      for (let i = 0; i < seconds / 10; i++) await runSlice(stage, gateway, work, { ms: 10_000, warmMs: 0 });
      return await takeSlices(gateway, file);
    } finally {
      await gateway.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
    stage.stop();
  }
}

/** Those since it was asked last. */
async function takeSlices({ pid }: UnderstudyTarget, file: string): Promise<readonly Slice[]> {
  rmSync(file, { force: true });
  if (pid !== null) process.kill(pid, "SIGURG");
  for (let tries = 0; tries < 200 && !existsSync(file); tries++) await sleep(10);
  return JSON.parse(readFileSync(file, "utf8")) as readonly Slice[];
}

/** Those that went once through all modes, each as one. */
function roundsOf(slices: readonly Slice[]): (readonly Slice[])[] {
  const rounds: (readonly Slice[])[] = [];
  const first = slices.findIndex(({ at }) => at === 0);
  for (let from = first; from >= 0 && from + modes.length <= slices.length; from += modes.length) {
    rounds.push(slices.slice(from, from + modes.length));
  }
  return rounds;
}

/** What recording costs over none, in percent, by the second slice of each mode: recorded once, and a fifth of what five times cost. */
function compare(round: readonly Slice[], { once, fifth, speed }: Costs): void {
  const of = (mode: Mode, what: "cpuUs" | "ms"): number => {
    const settled = round.filter(({ at }) => modes[at] === mode && modes[at - 1] === mode);
    return settled.reduce((sum, slice) => sum + slice[what], 0) / settled.length;
  };
  once.push((of("whole", "cpuUs") / of("neither", "cpuUs") - 1) * 100);
  fifth.push((of("fivefold", "cpuUs") / of("neither", "cpuUs") - 1) * 20);
  speed.push((of("whole", "ms") / of("neither", "ms") - 1) * 100);
}
