import { dirname, join } from "node:path";
import { median } from "./numbers.ts";
import type { OwnCase } from "./own-cases.ts";
import { wholeAnswer } from "./payloads.ts";
import { openStage, runSlice } from "./side-by-side.ts";
import { startUnderstudy } from "./targets.ts";
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

/** Two gateways that differ in nothing else, in turns; see `library-gateway.ts`. */
export const recording: OwnCase = {
  name: "recording",
  title: "JSON 2 KB, 32 at once: a gateway with its journal and metrics over one without, paired",
  async run({ program, quick }) {
    const stage = await openStage([], (folder) => [{ name: "json", ...wholeAnswer(folder, "json") }]);
    const start = (name: "on" | "off") =>
      startUnderstudy(stage.upstream.port, ["json"], {
        name,
        program,
        serveInstead: [join(import.meta.dirname, "library-gateway.ts"), dirname(dirname(program)), name],
      });
    const on = await start("on");
    const off = await start("off");
    try {
      for (const target of [on, off]) {
        const until = Date.now() + (quick ? 4_000 : 15_000);
        for (let done = 0; done < 30_000 && Date.now() < until; ) {
          done += (await runSlice(stage, target, work, { ms: 500, warmMs: 0 })).load.total;
        }
      }
      const cpu: number[] = [];
      const speed: number[] = [];
      for (let round = 0; round < (quick ? 10 : 40); round++) {
        const order = round % 2 === 0 ? [on, off] : [off, on];
        const costs = new Map<string, number>();
        const speeds = new Map<string, number>();
        for (const target of order) {
          const { load, cpuNs } = await runSlice(stage, target, work, { ms: 1_000, warmMs: 100 });
          costs.set(target.name, cpuNs / load.total);
          speeds.set(target.name, load.requests / load.seconds);
        }
        cpu.push(percent((costs.get("on") ?? Number.NaN) / (costs.get("off") ?? Number.NaN)));
        speed.push(percent((speeds.get("off") ?? Number.NaN) / (speeds.get("on") ?? Number.NaN)));
      }
      const spread = (values: readonly number[]) => [Math.min(...values), Math.max(...values)] as const;
      const [least, most] = spread(cpu);
      return [
        { what: "more CPU per answer", value: median(cpu), unit: "%", goal: { most: 5 } },
        { what: "the least of a round", value: least, unit: "%" },
        { what: "the most of a round", value: most, unit: "%" },
        { what: "fewer answers/s", value: median(speed), unit: "%" },
      ];
    } finally {
      await on.stop();
      await off.stop();
      stage.stop();
    }
  },
};

/** How much more than one. */
function percent(ratio: number): number {
  return (ratio - 1) * 100;
}
