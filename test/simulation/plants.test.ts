import { describe, expect, it } from "vitest";
import { invariants } from "./figures.ts";
import type { Plant } from "./plant.ts";
import { type PlantName, plants } from "./plants.ts";
import type { Profile } from "./profile.ts";
import { runSeed } from "./run-seed.ts";

/** A planted bug must be found within this many worlds of 100 turns. */
const withinSeeds = 100;

const restless = (drawn: Profile): Profile => ({ ...drawn, restlessMs: Math.min(drawn.restlessMs, 20_000) });

/** Streams of the dialects that the bug is made for, and providers that have little else to do than to break them. */
const brokenStreams = (drawn: Profile): Profile => ({
  ...drawn,
  restlessMs: 3_000,
  temper: { ...drawn.temper, crashes: 0, freezes: 0, store: 0, issuers: 0, providers: 1 },
  pools: [
    { provider: "anthropic", size: 2 },
    { provider: "east", size: 2 },
  ],
});

/** Many turns of many processes that meet the same limits at the same time. */
const crowd = (drawn: Profile): Profile => ({
  ...brokenStreams(drawn),
  processes: 8,
  lanes: 3,
  thinkingMs: [1, 3_000],
  storeDelayMs: 50,
});

/** Worlds in which the bug shows itself sooner than in those that a seed draws. */
const worlds: Readonly<Partial<Record<PlantName, (drawn: Profile) => Profile>>> = {
  "glued-answers": brokenStreams,
  "hidden-cut": brokenStreams,
  "last-cooldown-wins": crowd,
  "full-disk-forgets": (drawn) => ({ ...restless(drawn), temper: { ...drawn.temper, store: 1 } }),
  "everlasting-claim": (drawn) => ({ ...restless(drawn), temper: { ...drawn.temper, crashes: 1 } }),
};

/** The first seed that breaks the rule, or null. A bug may break another rule first: then the next world is looked at. */
async function findBroken(name: PlantName): Promise<number | null> {
  const plant: Plant = plants[name];
  for (let seed = 1; seed <= withinSeeds; seed++) {
    const { violations } = await runSeed({ seed, turns: 100, plant, profile: worlds[name] ?? restless });
    if (violations.some(({ invariant }) => invariant === plant.breaks)) return seed;
  }
  return null;
}

describe("a planted bug is found", () => {
  it.each(Object.entries(plants).map(([name, { breaks, bug }]) => [breaks, bug, name as PlantName] as const))(
    "%s: %s",
    async (_, __, name) => {
      expect(await findBroken(name)).not.toBeNull();
    },
  );

  it("for every rule at least one", () => {
    const broken = new Set(Object.values(plants).map((plant) => plant.breaks));
    expect([...broken].sort()).toEqual(Object.keys(invariants).sort());
  });
});
