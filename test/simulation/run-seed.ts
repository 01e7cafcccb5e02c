import type { Figures } from "./figures.ts";
import { lastWord } from "./last-word.ts";
import { Mayhem } from "./mayhem.ts";
import { Person } from "./person.ts";
import { populate } from "./populate.ts";
import { World, type WorldOptions } from "./world.ts";

/** Virtual ms in which every turn under way must end once nothing goes wrong any more. */
const longestTurnMs = 12 * 60 * 60_000;

/**
 * Lives through one world: its turns with everything that goes wrong meanwhile; then peace, in which every turn must end; then
 * the last word, in which every login that can be used must be used. Stops at the first violation.
 */
export async function runSeed(options: WorldOptions): Promise<Figures> {
  const world = new World(options);
  const { scheduler, figures } = world;
  const begun = scheduler.now;
  populate(world);
  options.plant?.prepare?.(world);
  const mayhem = new Mayhem(world, options.interruption ?? null);
  const person = new Person(world);
  mayhem.begin();
  person.begin();
  await scheduler.run(() => world.isBroken || world.turnsLeft === 0);
  if (!world.isBroken) {
    mayhem.end();
    person.end();
    world.trace?.tell(null, "peace");
    const deadline = scheduler.now + longestTurnMs;
    const lanes = (): boolean => world.processes.every((process) => process.lanes.every((lane) => lane.isDone));
    await scheduler.run(() => world.isBroken || lanes() || scheduler.now > deadline);
    if (!world.isBroken && !lanes()) {
      const stuck = world.processes.flatMap((process) => process.lanes).find((lane) => !lane.isDone);
      world.violate("liveness", `${stuck?.process.name} ${stuck?.turn?.id} does not end`);
    }
  }
  if (!world.isBroken) await lastWord(world, person);
  figures.seeds = 1;
  figures.steps = scheduler.steps;
  figures.simulatedMs = scheduler.now - begun;
  return figures;
}
