import type { Chance } from "./chance.ts";

/** Whoever a step belongs to. A dead actor's steps never run; a frozen one's wait. */
export interface Actor {
  readonly name: string;
  readonly dead: boolean;
  readonly frozen: boolean;
}

/** The world outside the processes: requests on the wire, the weather. It neither dies nor freezes. */
export const outside: Actor = { name: "world", dead: false, frozen: false };

/** How dangerous the moment before a step is for its process: the places where a crash hurts most are tried most. */
export type Peril = "calm" | "risky";

/** Something that will happen: an answer arrives, a sleeper wakes, a statement reaches the store. */
export class Step {
  readonly at: number;
  readonly tie: number;
  readonly actor: Actor;
  readonly peril: Peril;
  readonly run: () => void;
  cancelled = false;

  constructor(at: number, tie: number, actor: Actor, peril: Peril, run: () => void) {
    this.at = at;
    this.tie = tie;
    this.actor = actor;
    this.peril = peril;
    this.run = run;
  }

  cancel(): void {
    this.cancelled = true;
  }
}

/**
 * Virtual time. Everything that the core awaits is a step here; the seeded chance decides the order of steps that are due
 * at the same time. Between two steps everything that is ready runs to its end, so that a step meets a world at rest.
 */
export class Scheduler {
  /** Unix ms, the true time. */
  now: number;
  steps = 0;
  /** Called before each step; may kill or freeze the actor. */
  beforeStep: ((step: Step) => void) | null = null;
  readonly #chance: Chance;
  readonly #parked = new Map<Actor, Step[]>();
  #heap: Step[] = [];

  constructor(chance: Chance, start: number) {
    this.#chance = chance;
    this.now = start;
  }

  after(delayMs: number, actor: Actor, run: () => void, peril: Peril = "calm"): Step {
    const step = new Step(this.now + Math.max(0, delayMs), this.#chance.next(), actor, peril, run);
    this.#push(step);
    return step;
  }

  /** What came for an actor while it was frozen happens now, in a new order. */
  thaw(actor: Actor): void {
    const parked = this.#parked.get(actor) ?? [];
    this.#parked.delete(actor);
    for (const step of parked) {
      if (!step.cancelled) this.#push(new Moved(step, Math.max(step.at, this.now), this.#chance.next()));
    }
  }

  /** Runs steps until `isOver`, or until nothing is left to happen. */
  async run(isOver: () => boolean): Promise<void> {
    for (;;) {
      await everythingReady();
      if (isOver()) return;
      const step = this.#pop();
      if (step === null) return;
      if (step.cancelled || step.actor.dead) continue;
      if (!step.actor.frozen) this.beforeStep?.(step);
      if (step.cancelled || step.actor.dead) continue;
      if (step.actor.frozen) {
        this.#park(step);
        continue;
      }
      this.now = Math.max(this.now, step.at);
      this.steps += 1;
      step.run();
    }
  }

  #park(step: Step): void {
    const parked = this.#parked.get(step.actor);
    if (parked === undefined) this.#parked.set(step.actor, [step]);
    else parked.push(step);
  }

  #push(step: Step): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(step);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || !isEarlier(step, parent)) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = step;
  }

  #pop(): Step | null {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return null;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      let child = heap[below];
      if (child === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && isEarlier(right, child)) {
        below += 1;
        child = right;
      }
      if (!isEarlier(child, last)) break;
      heap[at] = child;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

/** A step that waited for its actor. Cancelling the original cancels it. */
class Moved extends Step {
  constructor(original: Step, at: number, tie: number) {
    super(at, tie, original.actor, original.peril, () => {
      if (!original.cancelled) original.run();
    });
  }
}

function isEarlier(a: Step, b: Step): boolean {
  return a.at < b.at || (a.at === b.at && a.tie < b.tie);
}

/** Node runs its next ticks when no promise has anything left to do. */
function everythingReady(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
