import type { Scheduler } from "./scheduler.ts";

/** A machine with a clock of its own, which may be wrong and may jump. */
export class Machine {
  readonly name: string;
  /** Changes with each start of the machine: a pid means nothing after it. */
  boot = 1;
  /** Unix ms, the true time of the last jump of its clock; 0 if there was none. */
  jumpedAt = 0;
  #offsetMs: number;
  readonly #scheduler: Scheduler;

  constructor(name: string, scheduler: Scheduler, offsetMs: number) {
    this.name = name;
    this.#scheduler = scheduler;
    this.#offsetMs = offsetMs;
  }

  /** Unix ms, as this machine believes. */
  now(): number {
    return Math.round(this.#scheduler.now + this.#offsetMs);
  }

  /** How far its clock is ahead of the true time, in ms. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  setOffset(offsetMs: number): void {
    this.#offsetMs = offsetMs;
    this.jumpedAt = this.#scheduler.now;
  }
}
