import { setTimeout as sleep } from "node:timers/promises";
import { runLoad } from "./native.ts";
import { median } from "./numbers.ts";
import { type OwnCase, withGateway, workOf, warm } from "./own-case.ts";
import { streamAnswer, wholeAnswer } from "./payloads.ts";
import { openFiles, residentBytes } from "./process-cost.ts";
import { checkLoad, runSlice, type Stage } from "./side-by-side.ts";
import type { Target } from "./targets.ts";

export const aborts: OwnCase = {
  name: "aborts",
  title: "256 clients that leave 5 ms after the first byte, again and again",
  run: (context) =>
    withGateway(
      context,
      (folder) => [
        { name: "paced", ...streamAnswer(folder, "paced", 200, 10_000) },
        { name: "json", ...wholeAnswer(folder, "json") },
      ],
      async (stage, gateway) => {
        const json = workOf("json", 32, 0);
        await warm(stage, gateway, json, 10_000, 5_000);
        /** Sockets and files that are no connection to the provider. */
        const openNow = async (): Promise<number> => {
          await sleep(500);
          return openFiles(gateway.pid ?? 0) - (await stage.upstream.stats()).open;
        };
        const before = await openNow();
        let left = 0;
        const givenUpMs: number[] = [];
        const ratios: number[] = [];
        for (let round = 0; round < (context.quick ? 3 : 7); round++) {
          const healthy = await runSlice(stage, gateway, json, { ms: 1_500, warmMs: 0 });
          const crowd = { connections: 256, ms: 3_000, warmMs: 0, abortUs: 5_000 };
          const load = await runLoad({ ...asking(stage, gateway, "paced"), ...crowd });
          checkLoad("aborts", { ...load, total: load.aborts });
          left += load.aborts;
          givenUpMs.push(Math.max(0, ((await untilGivenUp(stage)) - load.closedAtNs) / 1e6));
          const after = await runSlice(stage, gateway, json, { ms: 1_500, warmMs: 0 });
          ratios.push(after.load.requests / healthy.load.requests);
        }
        // After the first, code is compiled anew that never went this way.
        const [first = Number.NaN, ...later] = ratios;
        return [
          { what: "streams that were left", value: left, unit: "" },
          {
            what: "last client gone until the provider's last answer was given up, the longest of all rounds",
            value: Math.max(...givenUpMs),
            unit: "ms",
            goal: { most: 100, raised: 50 },
          },
          { what: "– the median", value: median(givenUpMs), unit: "ms" },
          {
            what: "answers/s right afterwards, of those before",
            value: median(later),
            unit: "×",
            goal: { least: 0.5, raised: 0.8 },
          },
          { what: "– in the round with the fewest", value: Math.min(...later), unit: "×" },
          { what: "– after the first crowd of all, which is in neither", value: first, unit: "×" },
          { what: "sockets left over", value: (await openNow()) - before, unit: "", goal: { most: 0 } },
        ];
      },
    ),
};

/** Requests of 2 KB for a stream of the model `name`, and what it holds. */
function asking(stage: Stage, gateway: Target, name: string) {
  const { port, path, headers } = gateway;
  const body = stage.bodyFile(gateway.modelName(name), 2_048, true);
  return { port, path, headers, body, expect: stage.answers.get(name)?.expect ?? "" };
}

/** When the provider's last answer was given up, in ns of its clock. Throws when one never is. */
async function untilGivenUp(stage: Stage): Promise<number> {
  for (let tries = 0; tries < 300; tries++) {
    const { answering, lastAbortNs } = await stage.upstream.stats();
    if (answering === 0) return lastAbortNs;
    await sleep(10);
  }
  throw new Error("answers of the provider were never given up");
}

export const openStreams: OwnCase = {
  name: "open-streams",
  title: "1,000 streams open at once, an event each 250 ms",
  run: (context) =>
    withGateway(
      context,
      (folder) => [
        { name: "slow", ...streamAnswer(folder, "slow", context.quick ? 16 : 40, 250_000) },
        { name: "warm", ...streamAnswer(folder, "warm", 40) },
      ],
      async (stage, gateway) => {
        const pid = gateway.pid ?? 0;
        const run = (ms: number) =>
          runLoad({
            ...asking(stage, gateway, "slow"),
            connections: 1_000,
            ms,
            warmMs: 0,
            graceMs: 30_000,
          });
        // What compiling takes is no part of what a stream takes.
        await warm(stage, gateway, workOf("warm", 32, 40), 20_000, 10_000);
        await sleep(2_000);
        const warmed = residentBytes(pid);
        // The first thousand make the process as large as it gets; events of the second are the ones that count.
        checkLoad("open-streams", await run(1));
        const running = run(context.quick ? 1_000 : 5_000);
        await sleep(1_500);
        await gateway.probe();
        const most = residentBytes(pid);
        await sleep(context.quick ? 2_000 : 5_000);
        const { loopP50Ms, loopP99Ms, loopMaxMs } = await gateway.probe();
        checkLoad("open-streams", await running);
        return [
          { what: "delay of the event loop, p99", value: loopP99Ms, unit: "ms", goal: { most: 20, raised: 4 } },
          { what: "delay of the event loop, p50", value: loopP50Ms, unit: "ms" },
          { what: "delay of the event loop, most", value: loopMaxMs, unit: "ms" },
          { what: "resident memory with 1,000 streams", value: most / 2 ** 20, unit: "MB" },
          {
            what: "per stream, beyond what 32 at once had made of the process",
            value: (most - warmed) / 1_000 / 1_024,
            unit: "KB",
            goal: { most: 60, raised: 45 },
          },
        ];
      },
    ),
};
