import type { CooldownRow } from "./cooldown-row.ts";
import type { CredentialRow } from "./credential-row.ts";
import type { KeyRing } from "./key-ring.ts";

/** A turn of the journal. */
export interface TurnRow {
  readonly id: string;
  /** JSON of a `TurnRecord`. */
  readonly record: string;
}

/** Everything in a store, as it stands in its tables: secrets are sealed. */
export interface StoreTables {
  readonly credentials: readonly CredentialRow[];
  readonly cooldowns: readonly CooldownRow[];
  /** The oldest first. */
  readonly turns: readonly TurnRow[];
}

/** What takes the place of whole tables. Those that are left out stay as they are. */
export interface NewTables extends Partial<StoreTables> {
  /** A key check sealed with the key that everything is sealed with from now on. */
  readonly keyCheck?: Uint8Array;
}

/** A whole store in the hands of `copyStore` or `rekeyStore`, while other processes may have it open. */
export interface StoreTools {
  /** The store as messages name it. */
  readonly place: string;
  readonly ring: KeyRing;
  /** Everything at one moment. */
  readonly read: () => Promise<StoreTables>;
  /**
   * In one transaction, in which nobody else writes: reads everything, asks `change` what shall stand there, and writes that. If
   * `change` throws or this process is killed, nothing has happened.
   */
  readonly rewrite: (change: (tables: StoreTables) => NewTables) => Promise<void>;
  readonly close: () => Promise<void>;
}
