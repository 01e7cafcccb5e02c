import { describe, expect, it } from "vitest";
import { type Invariant, invariants } from "./figures.ts";
import type { Plant } from "./plant.ts";
import { type PlantName, plants } from "./plants.ts";
import { runSeed } from "./run-seed.ts";

/** How many seeds from which one on show the bug. The same seeds pass without it: they are among those of simulation.test.ts. */
const seeds: Readonly<Record<PlantName, { from: number; within: number }>> = {
  "claims-are-free": { from: 1, within: 20 },
  "eager-replay": { from: 1, within: 20 },
  "short-deadline": { from: 11, within: 20 },
  "forgotten-credential": { from: 1, within: 20 },
  "glued-answers": { from: 1, within: 20 },
  "hidden-cut": { from: 81, within: 20 },
  "wrong-culprit": { from: 1, within: 20 },
  "callers-mistake-benches": { from: 1, within: 20 },
  "last-cooldown-wins": { from: 1, within: 20 },
  "success-clears-all": { from: 11, within: 20 },
  "late-fsync": { from: 1, within: 20 },
  "use-before-settle": { from: 1, within: 20 },
  "full-disk-forgets": { from: 11, within: 20 },
  "forgotten-verdict": { from: 1, within: 20 },
  "old-refresh-token-kept": { from: 1, within: 20 },
  "everlasting-claim": { from: 1, within: 20 },
};

async function firstBroken(
  plant: Plant,
  { from, within }: { from: number; within: number },
): Promise<Invariant | null> {
  for (let seed = from; seed < from + within; seed++) {
    const [violation] = (await runSeed({ seed, turns: 100, plant })).violations;
    if (violation !== undefined) return violation.invariant;
  }
  return null;
}

describe("a planted bug is found", () => {
  it.each(
    Object.entries(plants).map(([name, plant]): [string, Plant, PlantName] => [plant.bug, plant, name as PlantName]),
  )("%s", async (_, plant, name) => {
    expect(await firstBroken(plant, seeds[name])).toBe(plant.breaks);
  });

  it("for every rule at least one", () => {
    const broken = new Set(Object.values(plants).map((plant) => plant.breaks));
    expect([...broken].sort()).toEqual(Object.keys(invariants).sort());
  });
});
