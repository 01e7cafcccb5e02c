/**
 * JavaScript and CommonJS, so that the process has to load neither what strips types nor what loads modules: it would count as its own.
 *
 * Loaded into the gateway before itself (`node --require bench/probe.cjs …`). On SIGUSR2 it writes the memory and, every second time,
 * the delays of the event loop since the last time to the file named by BENCH_PROBE_FILE.
 */
const { renameSync, writeFileSync } = require("node:fs");

const file = process.env.BENCH_PROBE_FILE ?? "";
// Its timer wakes the process up, so it runs only between two questions.
let delay = null;
let watching = false;

process.on("SIGUSR2", () => {
  delay ??= require("node:perf_hooks").monitorEventLoopDelay({ resolution: 5 });
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
