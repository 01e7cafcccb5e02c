import type { Clock } from "../core/clock.ts";
import { ordersByUse, type Strategy } from "../core/select.ts";
import type { Soon } from "../core/soon.ts";
import type { Credential } from "../credentials/credential.ts";
import { PoolIndex } from "../credentials/pool-index.ts";
import type { PoolRecord } from "../credentials/pool-record.ts";
import type { Store } from "../credentials/store.ts";

/** A pool as it stands now, and the record that tells how it came to it. */
export interface OpenPool {
  readonly index: PoolIndex;
  readonly record: PoolRecord;
}

/** The pools of a store, in the order of their strategy, kept from turn to turn. */
export interface PoolBook {
  /** Null when the store keeps no records. */
  readonly open: (
    provider: string,
    strategy: Strategy,
    unstored: readonly Credential[],
    clock: Clock,
  ) => Soon<OpenPool | null>;
}

export function createPoolBook(store: Store): PoolBook {
  const pools = new Map<string, OpenPool>();

  function opened(
    provider: string,
    strategy: Strategy,
    unstored: readonly Credential[],
    now: number,
    record: PoolRecord,
  ): OpenPool {
    let pool = pools.get(provider);
    if (pool?.record !== record || pool.index.strategy !== strategy) {
      pool = { index: pool?.index.strategy === strategy ? pool.index : new PoolIndex(strategy), record };
      pools.set(provider, pool);
    }
    pool.index.update(record, unstored, now);
    return pool;
  }

  return {
    open(provider, strategy, unstored, clock) {
      const record = store.readPool?.(provider, ordersByUse(strategy));
      if (record === undefined) return null;
      return record instanceof Promise
        ? record.then((read) => opened(provider, strategy, unstored, clock.now(), read))
        : opened(provider, strategy, unstored, clock.now(), record);
    },
  };
}
