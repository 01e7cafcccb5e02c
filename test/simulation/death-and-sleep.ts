import { increase } from "./figures.ts";
import type { Machine } from "./machine.ts";
import { outside } from "./scheduler.ts";
import type { SimProcess } from "./sim-process.ts";
import type { World } from "./world.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** What can happen to processes and machines: they die and start anew, freeze and thaw, and lose their sense of time. */
export class DeathAndSleep {
  readonly #world: World;
  #isOver = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** Everybody wakes or starts anew, and stays. */
  end(): void {
    this.#isOver = true;
    for (const process of this.#world.processes) {
      if (process.dead) this.#restart(process);
      else if (process.frozen) this.#thaw(process);
    }
  }

  crash(process: SimProcess): void {
    if (process.dead) return;
    this.#kill(process);
    const { scheduler, chance } = this.#world;
    scheduler.after(chance.script.span(100, 2 * minute), outside, () => {
      if (!this.#isOver && this.#world.processes.includes(process)) this.#restart(process);
    });
  }

  #kill(process: SimProcess): void {
    const world = this.#world;
    process.dead = true;
    increase(world.figures.counts, "crashes");
    for (const lane of process.lanes) if (lane.turn !== null) increase(world.figures.outcomes, "died with its process");
    world.disturbed();
    world.trace?.tell(process, "dies");
  }

  #restart(process: SimProcess): void {
    const started = this.#world.start(process.name, process.machine, process.lanes.length);
    this.#world.trace?.tell(started, "starts anew");
  }

  /** Everything on the machine dies. A store in a file loses what was not synced. */
  powerCut(machine: Machine): void {
    const world = this.#world;
    machine.boot += 1;
    increase(world.figures.counts, "power cuts");
    world.trace?.tell(null, `${machine.name} loses power`);
    const here = world.processes.filter((process) => process.machine === machine && !process.dead);
    for (const process of here) this.#kill(process);
    if (!world.hasStoreServer || world.chance.script.happens(0.3)) world.disk.loseMemory();
    for (const process of world.processes.filter((one) => one.machine === machine)) {
      world.scheduler.after(world.chance.script.span(second, 5 * minute), outside, () => {
        if (!this.#isOver && process.dead && world.processes.includes(process)) this.#restart(process);
      });
    }
  }

  freeze(process: SimProcess): void {
    if (process.dead || process.frozen) return;
    process.frozen = true;
    increase(this.#world.figures.counts, "freezes");
    this.#world.trace?.tell(process, "freezes");
    const { scheduler, chance } = this.#world;
    scheduler.after(chance.script.span(500, 10 * minute), outside, () => {
      if (!process.dead && process.frozen) this.#thaw(process);
    });
  }

  #thaw(process: SimProcess): void {
    const world = this.#world;
    process.frozen = false;
    process.thawedAt = world.scheduler.now;
    world.scheduler.thaw(process);
    world.trace?.tell(process, "thaws");
  }

  /** A laptop is closed: everything on it freezes, for hours perhaps. */
  sleep(machine: Machine): void {
    const world = this.#world;
    const here = world.processes.filter((process) => process.machine === machine && !process.dead && !process.frozen);
    for (const process of here) process.frozen = true;
    increase(world.figures.counts, "machines asleep");
    world.trace?.tell(null, `${machine.name} falls asleep`);
    world.scheduler.after(world.chance.script.span(minute, 2 * hour), outside, () => {
      for (const process of here) if (!process.dead && process.frozen) this.#thaw(process);
    });
  }

  moveClock(machine: Machine): void {
    const { script } = this.#world.chance;
    const offset = script.happens(0.4) ? 0 : script.pick([-1, 1]) * script.span(second, 3 * hour);
    machine.setOffset(offset);
    increase(this.#world.figures.counts, "clock jumps");
    this.#world.disturbed({ machine: machine.name });
    this.#world.trace?.tell(null, `the clock of ${machine.name} is off by ${offset} ms now`);
  }
}
