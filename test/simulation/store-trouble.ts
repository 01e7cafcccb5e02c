import { UnderstudyError } from "../../src/core/error.ts";
import type { Chance } from "./chance.ts";
import type { SimProcess } from "./sim-process.ts";

/**
 * What can be wrong with a store: the disk is full, a write comes back with a failed fsync, neither reads nor writes work, or (a
 * database server) the acknowledgement of a write that was made is lost.
 */
export type StoreFault = "disk-full" | "failed-fsync" | "unreachable" | "lost-acknowledgement";

/** The weather over the store, for all or for one machine. */
export class StoreTrouble {
  current: { readonly fault: StoreFault; readonly probability: number; readonly machine: string | null } | null = null;
  readonly #chance: Chance;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** The fault that this call meets, or null. */
  meet(process: SimProcess, writes: boolean): StoreFault | null {
    const { current } = this;
    if (current === null || (current.machine !== null && current.machine !== process.machine.name)) return null;
    if (!writes && current.fault !== "unreachable") return null;
    return this.#chance.happens(current.probability) ? current.fault : null;
  }

  refusesWrites(process: SimProcess): boolean {
    const fault = this.meet(process, true);
    return fault !== null && fault !== "lost-acknowledgement";
  }
}

export function storeError(fault: StoreFault): UnderstudyError {
  return new UnderstudyError("store_unavailable", `the store can't be used: ${fault}`);
}
