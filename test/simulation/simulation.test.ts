import { describe, expect, it } from "vitest";
import { Figures, type Invariant, invariants } from "./figures.ts";
import { runSeed } from "./run-seed.ts";

/** How to see what went wrong: the one command that replays it. */
function replay(seed: number, turns: number, figures: Figures): string[] {
  return figures.violations.map(
    ({ invariant, text, step }) =>
      `${invariant} at step ${step}: ${text} (node scripts/simulate.ts --seed ${seed} --turns ${turns} --trace)`,
  );
}

describe("sixty worlds in which everything goes wrong that can", () => {
  const total = new Figures();

  it.each(Array.from({ length: 6 }, (_, ten) => ten))("keep every rule: ten from seed %i1 on", async (ten) => {
    for (let seed = ten * 10 + 1; seed <= ten * 10 + 10; seed++) {
      const figures = await runSeed({ seed, turns: 100 });
      expect(replay(seed, 100, figures)).toEqual([]);
      total.add(figures);
    }
  });

  it("have checked every rule, and met what they are there for", () => {
    for (const name of Object.keys(invariants) as Invariant[]) {
      expect(total.checks.get(name), name).toBeGreaterThan(10);
    }
    expect(total.turns).toBeGreaterThan(5_000);
    expect(total.secondSpends.size, "reasons to spend a token again").toBeGreaterThanOrEqual(2);
    expect(total.lostLogins.size, "ways to lose a login").toBeGreaterThanOrEqual(2);
    for (const event of ["crashes", "freezes", "power cuts", "clock jumps", "store: disk-full", "sign-ins anew"]) {
      expect(total.counts.get(event), event).toBeGreaterThan(0);
    }
  });
});

describe("a seed", () => {
  it("tells the same story each time, step by step", async () => {
    const tell = async (): Promise<string[]> => {
      const lines: string[] = [];
      await runSeed({ seed: 7, turns: 40, print: (line) => lines.push(line) });
      return lines;
    };
    const first = await tell();
    expect(first.length).toBeGreaterThan(200);
    expect(await tell()).toEqual(first);
  });

  it("lives the same life whether or not its story is told", async () => {
    const untold = await runSeed({ seed: 8, turns: 40 });
    const told = await runSeed({ seed: 8, turns: 40, print: () => {} });
    expect(told).toEqual(untold);
  });
});
