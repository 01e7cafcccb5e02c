import type { Transport } from "../../src/core/transport.ts";
import type { SimProcess } from "./sim-process.ts";
import type { SyncStore } from "./store-model/model-store.ts";
import type { World } from "./world.ts";

/** A bug, planted on purpose between the core and the world. */
export interface Plant {
  readonly store?: (store: SyncStore, process: SimProcess) => SyncStore;
  readonly transport?: (transport: Transport, process: SimProcess) => Transport;
  /** Called when the store refuses a write, before it does. */
  readonly onRefusedWrite?: (world: World) => void;
}
