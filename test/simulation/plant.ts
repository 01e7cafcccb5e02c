import type { Transport } from "../../src/core/transport.ts";
import type { Store } from "../../src/credentials/store.ts";
import type { Invariant } from "./figures.ts";
import type { SimProcess } from "./sim-process.ts";
import type { SyncStore } from "./store-model/model-store.ts";
import type { World } from "./world.ts";

/** A bug, planted on purpose between the core and the world, to show that an invariant is alive. */
export interface Plant {
  /** What it breaks. */
  readonly breaks: Invariant;
  /** In one sentence, what is wrong. */
  readonly bug: string;
  readonly prepare?: (world: World) => void;
  /** Inside the store: each call happens in it as a whole. */
  readonly store?: (store: SyncStore, process: SimProcess) => SyncStore;
  /** Between the core and the store. */
  readonly port?: (port: Store, process: SimProcess) => Store;
  readonly transport?: (transport: Transport, process: SimProcess) => Transport;
  /** Called when the store refuses a write, before it does. */
  readonly onRefusedWrite?: (world: World) => void;
}
