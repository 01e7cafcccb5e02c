/**
 * JavaScript, so that the process does not have to load what strips types.
 *
 * Loaded into the gateway before itself (`node --import bench/probe.mjs …`). On SIGUSR2 it writes the memory and, every second time,
 * the delays of the event loop since the last time to the file named by BENCH_PROBE_FILE.
 */
import { renameSync, writeFileSync } from "node:fs";
import { monitorEventLoopDelay } from "node:perf_hooks";

const file = process.env.BENCH_PROBE_FILE ?? "";
// Its timer wakes the process up, so it runs only between two questions.
const delay = monitorEventLoopDelay({ resolution: 5 });
let watching = false;

process.on("SIGUSR2", () => {
  // The histogram counts from timer to timer, so the resolution itself is not a delay.
  const ms = (ns) => Math.max(0, ns / 1e6 - 5);
  const told = {
    loopP50Ms: ms(delay.percentile(50)),
    loopP99Ms: ms(delay.percentile(99)),
    loopMaxMs: ms(delay.max),
    memory: process.memoryUsage(),
  };
  delay.disable();
  delay.reset();
  watching = !watching;
  if (watching) delay.enable();
  writeFileSync(`${file}.new`, JSON.stringify(told));
  renameSync(`${file}.new`, file);
});
