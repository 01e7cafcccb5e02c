import type { Cooldown } from "../core/cooldown.ts";
import { type Soon, soon } from "../core/soon.ts";
import type { Store } from "../credentials/store.ts";
import type { TurnLog } from "./turn-log.ts";

/** The store as one turn uses it: its trouble is told, and costs no turn that could be answered. */
export class ForgivingStore {
  readonly #store: Store;
  readonly #log: TurnLog;
  /** Rests that are not written yet. */
  #rests: Cooldown[] | null = null;
  /** Null when nothing is being written. */
  #writing: Promise<void> | null = null;

  constructor(store: Store, log: TurnLog) {
    this.#store = store;
    this.#log = log;
  }

  /** True while rests wait to be written. */
  get hasRests(): boolean {
    return this.#rests !== null;
  }

  /** Somebody is to rest: written by the next `settled`. */
  rest(cooldown: Cooldown): void {
    (this.#rests ??= []).push(cooldown);
  }

  /**
   * Resolves when the rests of this turn are written. Where the turn goes on to somebody else, nobody waits for that: the next
   * request goes out first (docs/decisions/019-rests-behind-the-next-request.md). Before the turn waits, weighs the next failure or ends, they stand.
   */
  settled(): Soon<void> {
    const rests = this.#rests;
    if (rests === null) return this.#writing ?? undefined;
    this.#rests = null;
    const writing = rests.map((rest) => this.write((store) => store.putCooldown(rest)));
    this.#writing = Promise.all([this.#writing, ...writing]).then(nothing);
    return this.#writing;
  }

  /** Leaves the turn with `otherwise` when the store can't be read. */
  read<T>(reading: (store: Store) => Soon<T>, otherwise: T): Soon<T> {
    try {
      const read = reading(this.#store);
      if (!(read instanceof Promise)) return read;
      return read.catch((error: unknown) => {
        this.#tell(error);
        return otherwise;
      });
    } catch (error) {
      this.#tell(error);
      return otherwise;
    }
  }

  write(writing: (store: Store) => Soon<unknown>): Soon<void> {
    return soon(this.read(writing, undefined), nothing);
  }

  #tell(error: unknown): void {
    this.#log.tell({ type: "store-unavailable", message: error instanceof Error ? error.message : String(error) });
  }
}

const nothing = (): void => {};
