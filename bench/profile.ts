/**
 * Where a gateway's time goes, by folder: `node bench/profile.ts --only json-2k`. It runs from its sources, so that each function is told by its
 * file. What the figures mean is in bench/README.md under Profiles.
 *
 *   --perf           by Linux's perf in place of V8's profiler: with the system's part, and without what waits for the core
 *   --only NAME      one work of the benchmark (run.ts --list names them); may be given several times; json-2k
 *   --program P      main.ts of other sources; src/cli/main.ts
 *   --target T       in the gateway's place what Node itself allows (bare), or the least that the work takes (least)
 *   --seconds N      how long it is looked at, after it was warmed up for as long; 8
 *   --json           one line of JSON for each work
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { firstLine, spawnPinned } from "./native.ts";
import { perfNodeOptions, sampleByPerf } from "./perf-samples.ts";
import { openStage, runSlice } from "./side-by-side.ts";
import { plainEnv, startLeast, startUnderstudy, type Target, target } from "./targets.ts";
import { type Work, works } from "./works.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: ["json-2k"] },
    program: { type: "string", default: join(import.meta.dirname, "../src/cli/main.ts") },
    target: { type: "string", default: "understudy" },
    seconds: { type: "string", default: "8" },
    perf: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

/** A part of a CPU profile as V8 writes it. Times in µs of one clock. */
interface CpuProfile {
  readonly endTime: number;
  readonly startTime: number;
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const socketWrites = /^(?:write(?:v|Buffer|Latin1String|Utf8String|AsciiString)|shutdown)$/;
const lookedAtMs = Number(options.seconds) * 1_000;
if (!(lookedAtMs > 0)) {
  console.error(`--seconds is a number above 0, not ${options.seconds}`);
  process.exit(2);
}
for (const name of options.only) {
  const work = works.find((one) => one.name === name);
  if (work === undefined) {
    console.error(`there is no work ${name}: run.ts --list names them`);
    process.exit(2);
  }
  const { cpuUs, groups } = await (options.perf ? profileByPerf(work) : profile(work));
  const rows = [...groups].sort(([, a], [, b]) => b - a);
  if (options.json) console.log(JSON.stringify({ work: name, cpuUs, groups: Object.fromEntries(rows) }));
  else {
    console.log(`\n${name}: ${cpuUs.toFixed(1)} µs of CPU per answer`);
    for (const [group, share] of rows) {
      console.log(`${(share * cpuUs).toFixed(1).padStart(8)} µs ${(share * 100).toFixed(1).padStart(5)} %  ${group}`);
    }
  }
}

interface Profile {
  /** Per answer. */
  readonly cpuUs: number;
  /** Which share of the samples fell into which group. */
  readonly groups: ReadonlyMap<string, number>;
}

async function profile(work: Work): Promise<Profile> {
  const folder = mkdtempSync(join(tmpdir(), "bench-profile-"));
  const stage = await openStage([work]);
  const nodeOptions = ["--cpu-prof", `--cpu-prof-dir=${folder}`, "--cpu-prof-interval=500"];
  let gateway: Target | null = null;
  try {
    const { port } = stage.upstream;
    gateway = await start(port, work, nodeOptions);
    await runSlice(stage, gateway, work, { ms: lookedAtMs, warmMs: 0 });
    const beganAt = performance.now();
    const { load, cpuNs } = await runSlice(stage, gateway, work, { ms: lookedAtMs, warmMs: 0 });
    const endedAt = performance.now();
    await gateway.stop();
    const window = { forUs: (endedAt - beganAt) * 1_000, beforeEndUs: (performance.now() - endedAt) * 1_000 };
    const [file] = readdirSync(folder);
    if (file === undefined) throw new Error("the gateway's process left no profile");
    const written = JSON.parse(readFileSync(join(folder, file), "utf8")) as CpuProfile;
    return { cpuUs: cpuNs / load.total / 1_000, groups: sharesOf(written, window) };
  } finally {
    // Once more does nothing.
    await gateway?.stop();
    stage.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same by `perf`. What is asked by the clock is warmed up as fast as it goes: it looks only when it is told to. */
async function profileByPerf(work: Work): Promise<Profile> {
  const stage = await openStage([work]);
  let gateway: Target | null = null;
  try {
    gateway = await start(stage.upstream.port, work, perfNodeOptions);
    const { pid } = gateway;
    const { rate, ...unclocked } = work;
    await runSlice(stage, gateway, unclocked, { ms: lookedAtMs, warmMs: 0 });
    if (rate !== undefined) await runSlice(stage, gateway, work, { ms: 2_000, warmMs: 0 });
    let cpuUs = Number.NaN;
    const groups = await sampleByPerf(pid ?? 0, async () => {
      if (gateway === null) return;
      const { load, cpuNs } = await runSlice(stage, gateway, work, { ms: lookedAtMs, warmMs: 0 });
      cpuUs = cpuNs / load.total / 1_000;
    });
    return { cpuUs, groups };
  } finally {
    await gateway?.stop();
    stage.stop();
  }
}

function start(port: number, work: Work, nodeOptions: readonly string[]): Promise<Target> {
  const program = resolve(options.program);
  if (options.target === "bare") return startBare(port, nodeOptions);
  if (options.target === "least") return startLeast(port, [work.name], { program, nodeOptions });
  return startUnderstudy(port, [work.name], { program, nodeOptions });
}

/**
 * Shares of the samples in a time that began and ended before the process did, by their number, without those in which it waited: others have had the
 * core between two of them.
 */
function sharesOf(
  { startTime, endTime, nodes, samples, timeDeltas }: CpuProfile,
  { forUs, beforeEndUs }: { readonly forUs: number; readonly beforeEndUs: number },
): Map<string, number> {
  const groupOf = new Map(nodes.map(({ id, callFrame }) => [id, groupNamed(callFrame.functionName, callFrame.url)]));
  const counts = new Map<string, number>();
  let at = startTime;
  let all = 0;
  for (const [i, id] of samples.entries()) {
    at += timeDeltas[i] ?? 0;
    const group = groupOf.get(id);
    const isWithin = at >= endTime - beforeEndUs - forUs && at <= endTime - beforeEndUs;
    if (!isWithin || group === undefined || group === null) continue;
    counts.set(group, (counts.get(group) ?? 0) + 1);
    all += 1;
  }
  return new Map([...counts].map(([group, count]) => [group, count / all]));
}

/** Null: nothing ran, or the process was ending. */
function groupNamed(name: string, url: string): string | null {
  if (name === "(idle)" || name === "(root)" || name === "reallyExit") return null;
  if (name === "(garbage collector)") return "V8: collecting";
  if (name === "(program)") return "Node and the system, below JavaScript";
  if (url.startsWith("wasm:")) return "src/protocols";
  if (url === "") return socketWrites.test(name) ? "writes to sockets" : "V8's and Node's functions called by it";
  if (/^node:(?:_http_|http)/.test(url) || url.includes("http/incoming")) return "node:http";
  if (url.startsWith("node:")) return "node: sockets, streams, timers, promises";
  const source = /\/(src\/[^/]+|bench\/[^/]+|node_modules\/(?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  return source ?? url;
}

async function startBare(upstreamPort: number, nodeOptions: readonly string[]): Promise<Target> {
  const key = "uk-benchmark-client-key-0123456789";
  const ending = 'data:text/javascript,process.on("SIGTERM",()=>process.exit())';
  const args = [...nodeOptions, "--import", ending, join(import.meta.dirname, "bare.ts"), `${upstreamPort}`, key];
  const child = spawnPinned(process.execPath, args, plainEnv());
  return target("bare", Number(await firstLine(child)), child, null);
}
