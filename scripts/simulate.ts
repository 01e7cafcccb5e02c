/**
 * Runs the core in simulated worlds and checks its rules after every step.
 *
 *   npm run simulate -- --seeds 10000        that many worlds, from seed 1 on
 *   npm run simulate -- --minutes 10         as many as fit
 *   npm run simulate -- --seed 42 --trace    one world, told line by line
 *
 * --from N  the first seed · --turns N  turns in each world (100) · --plant NAME  with a bug planted on purpose
 * --million  until there are 1,000,000 turns · --keep FILE  keeps the figures there, and goes on from them the next time
 *
 * Ends with 1 at the first violation, and names the one command that replays it.
 */
import { parseArgs } from "node:util";
import { Figures } from "../test/simulation/figures.ts";
import type { Plant } from "../test/simulation/plant.ts";
import { plants } from "../test/simulation/plants.ts";
import { reportFigures } from "../test/simulation/report.ts";
import { readKeptRun, writeKeptRun } from "../test/simulation/kept-run.ts";
import { runSeed } from "../test/simulation/run-seed.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    seed: { type: "string" },
    from: { type: "string", default: "1" },
    turns: { type: "string", default: "100" },
    minutes: { type: "string" },
    plant: { type: "string" },
    million: { type: "boolean", default: false },
    keep: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});

const turns = wholeNumber("turns", values.turns);
const kept = values.keep === undefined ? null : readKeptRun(values.keep, turns);
const first = kept?.next ?? wholeNumber("seed", values.seed ?? values.from);
const turnsWanted = values.million ? 1_000_000 : Infinity;
const minutes = values.minutes === undefined ? null : wholeNumber("minutes", values.minutes);
const isOpenEnded = minutes !== null || values.million;
const count = values.seed !== undefined ? 1 : isOpenEnded ? Infinity : wholeNumber("seeds", values.seeds);
const plant = values.plant === undefined ? null : findPlant(values.plant);

const total = kept?.figures ?? new Figures();
const begun = performance.now();
const seconds = (): number => (kept?.seconds ?? 0) + (performance.now() - begun) / 1_000;
let told = seconds();

for (let seed = first; total.turns < turnsWanted; seed++) {
  const figures = await runSeed({
    seed,
    turns,
    ...(plant === null ? {} : { plant }),
    ...(values.trace ? { print: (line: string) => console.log(line) } : {}),
  });
  total.add(figures);
  if (figures.violations.length > 0) {
    printFigures();
    for (const { invariant, step, text } of figures.violations) {
      console.log(`\nseed ${seed}, step ${step}: ${invariant} is broken: ${text}`);
    }
    const planted = values.plant === undefined ? "" : ` --plant ${values.plant}`;
    console.log(`\nreplay it:  node scripts/simulate.ts --seed ${seed} --turns ${turns}${planted} --trace`);
    process.exit(1);
  }
  if (seconds() - told >= 10) {
    told = seconds();
    keep(seed + 1);
    console.log(`seed ${seed}: ${total.turns} turns, ${(total.turns / told).toFixed(0)} turns/s, no violation`);
  }
  const isTimeOver = minutes !== null && seconds() >= minutes * 60;
  if (isTimeOver || total.turns >= turnsWanted || seed === first + count - 1) {
    keep(seed + 1);
    break;
  }
}
printFigures();
console.log("\nno violation");

function keep(next: number): void {
  if (values.keep !== undefined)
    writeKeptRun(values.keep, { next, turnsEach: turns, seconds: seconds(), figures: total });
}

function printFigures(): void {
  console.log(`\n${reportFigures(total, seconds()).join("\n")}`);
}

function findPlant(name: string): Plant {
  const found = Object.entries(plants).find(([known]) => known === name)?.[1];
  if (found !== undefined) return found;
  throw new Error(`there is no plant ${name}; there are ${Object.keys(plants).join(", ")}`);
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new Error(`--${name} must be a whole number from 1 on, not ${text}`);
}
