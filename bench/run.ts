/**
 * The benchmark: `node bench/run.ts`. What it does and how to read it is in bench/README.md.
 *
 *   --only NAME      one case (see --list); may be given several times
 *   --quick          five short rounds: the whole table in less than 8 minutes
 *   --rounds N       rounds of the comparison
 *   --json           the result as JSON on standard output
 *   --understudy P   main.js of the built package; default dist/cli/main.js. NAME=PATH measures another build beside it
 *   --without NAME   leaves a target out
 *   --keep           writes the result to bench/results/
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "./machine.ts";
import type { OwnResult } from "./own-case.ts";
import { ownCases } from "./own-cases.ts";
import { printComparison, printOwn } from "./report.ts";
import { type Compared, compareTargets, openStage, type Pace } from "./side-by-side.ts";
import { startLitellm, startPortkey } from "./peers.ts";
import {
  Absent,
  directTarget,
  startLeast,
  startNginx,
  startReference,
  startUnderstudy,
  type Target,
} from "./targets.ts";
import { works } from "./works.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", multiple: true, default: [] },
    list: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    rounds: { type: "string" },
    json: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
    understudy: { type: "string", multiple: true, default: [] },
    without: { type: "string", multiple: true, default: [] },
  },
});

const tell = (line: string): void => void process.stderr.write(`${line}\n`);

if (options.list) {
  for (const { name, title } of [...works, ...ownCases]) console.log(`${name.padEnd(16)} ${title}`);
  process.exit(0);
}
const known = new Set([...works, ...ownCases].map(({ name }) => name));
for (const name of options.only) {
  if (!known.has(name)) {
    tell(`there is no case ${name}: --list names them`);
    process.exit(2);
  }
}
const isWanted = ({ name }: { name: string }): boolean => options.only.length === 0 || options.only.includes(name);

const pace: Pace = options.quick
  ? { rounds: 5, sliceMs: 1_000, warmMs: 150, warmUpMs: 2_500 }
  : { rounds: 9, sliceMs: 1_200, warmMs: 250, warmUpMs: 8_000 };
const rounds = options.rounds === undefined ? pace.rounds : Number(options.rounds);
const builds = options.understudy.map((text) => {
  const at = text.indexOf("=");
  return at < 0
    ? { name: "understudy", program: resolve(text) }
    : { name: text.slice(0, at), program: resolve(text.slice(at + 1)) };
});
if (builds.length === 0)
  builds.push({ name: "understudy", program: resolve(import.meta.dirname, "../dist/cli/main.js") });

const startedAt = new Date();
const compared = await compare();
const own = await runOwn();
const result = { startedAt, minutes: minutesSince(startedAt), options, machine: describeMachine(), compared, own };

if (options.json) console.log(JSON.stringify(result));
else {
  printComparison(compared, works);
  printOwn(own);
}
if (options.keep) {
  const folder = join(import.meta.dirname, "results");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${startedAt.toISOString().slice(0, 16).replaceAll(":", "")}.json`);
  writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
  tell(`written to ${file}`);
}
process.exit(own.some(({ failed }) => failed !== undefined) ? 1 : 0);

/** The works that all targets do side by side. Rejects at the first wrong answer. */
async function compare(): Promise<Compared[]> {
  const wanted = works.filter(isWanted);
  if (wanted.length === 0) return [];
  const stage = await openStage(wanted);
  const { port } = stage.upstream;
  const targets: Target[] = [];
  try {
    const models = wanted.map(({ name }) => name);
    await add("direct", () => Promise.resolve(directTarget(port)));
    await add("nginx", () => startNginx(port));
    for (const build of builds) await add(build.name, () => startUnderstudy(port, models, build));
    const [build] = builds;
    if (build !== undefined) await add("least", () => startLeast(port, models, build));
    await add("bare", () => startReference("bare", port));
    await add("naive", () => startReference("naive", port));
    await add("portkey", () => startPortkey(port));
    await add("litellm", () => startLitellm(port, models));
    return await compareTargets(stage, targets, wanted, { ...pace, rounds }, tell);
  } finally {
    for (const target of targets) await target.stop();
    stage.stop();
  }

  async function add(name: string, start: () => Promise<Target>): Promise<void> {
    if (options.without.includes(name)) return;
    try {
      targets.push(await start());
    } catch (error) {
      if (!(error instanceof Absent)) throw error;
      tell(`without ${name}: ${error.message}`);
    }
  }
}

/** The cases that are about the gateway alone. */
async function runOwn(): Promise<OwnResult[]> {
  const results: OwnResult[] = [];
  const [build] = builds;
  if (build === undefined) return results;
  for (const one of ownCases.filter(isWanted)) {
    tell(`${one.name}: ${one.title}`);
    try {
      results.push({ name: one.name, title: one.title, rows: await one.run({ ...build, quick: options.quick, tell }) });
    } catch (error) {
      const failed = error instanceof Error ? error.message : String(error);
      tell(`${one.name} failed: ${failed}`);
      results.push({ name: one.name, title: one.title, rows: [], failed });
    }
  }
  return results;
}

function minutesSince(start: Date): number {
  return Math.round((Date.now() - start.getTime()) / 6_000) / 10;
}
