import type { Clock } from "../core/clock.ts";
import type { Strategy } from "../core/select.ts";
import type { Credential } from "../credentials/credential.ts";
import { PoolIndex } from "../credentials/pool-index.ts";
import type { PoolRecord } from "../credentials/pool-record.ts";
import type { Store } from "../credentials/store.ts";

/** The pools of a store, in the order of their strategy, kept from turn to turn. */
export interface PoolBook {
  /** The pool as it stands now, and the record that tells how it came to it; null when the store keeps no records. */
  readonly open: (
    provider: string,
    strategy: Strategy,
    unstored: readonly Credential[],
    clock: Clock,
  ) => Promise<{ readonly index: PoolIndex; readonly record: PoolRecord } | null>;
}

export function createPoolBook(store: Store): PoolBook {
  const indexes = new Map<string, PoolIndex>();
  return {
    async open(provider, strategy, unstored, clock) {
      const record = await store.readPool?.(provider);
      if (record === undefined) return null;
      let index = indexes.get(provider);
      if (index?.strategy !== strategy) {
        index = new PoolIndex(strategy);
        indexes.set(provider, index);
      }
      index.update(record, unstored, clock.now());
      return { index, record };
    },
  };
}
