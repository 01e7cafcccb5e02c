import type { PostgresAddress } from "./address.ts";
import { type CallLimits, type Client, createClient, type Driver, type Sql, type TransactionSql } from "./driver.ts";
import { callTimeoutError, closedError, isConnectionLoss, storeError } from "./errors.ts";
import { createGate, type Gate } from "./gate.ts";

/**
 * The store's connections as its parts use them. Every call ends within the limit of a call, whatever server and network do,
 * and during an outage at once. No transaction is open for longer than a few round trips.
 */
export interface Connection {
  readonly address: PostgresAddress;
  readonly limits: CallLimits;
  readonly driver: Driver;
  readonly gate: Gate;
  /** Runs one statement, or a few that need no transaction. Rejects with `store_unavailable` when it can't be done, or may not have been done. */
  readonly run: <T>(work: (sql: Sql) => Promise<T>) => Promise<T>;
  /** Runs a few statements in one transaction. If `work` throws, nothing has happened. */
  readonly transact: <T>(work: (sql: TransactionSql) => Promise<T>) => Promise<T>;
  /** From now on every call rejects with this error. */
  readonly refuse: (error: Error) => void;
  /** Waits for what is under way, then closes the connections. */
  readonly close: () => Promise<void>;
}

/** Connections for single statements. Few, since several processes share a server; statements queue on them. */
const poolSize = 4;

export function createConnection(driver: Driver, address: PostgresAddress, limits: CallLimits): Connection {
  const pool = createClient(driver, { address, limits, max: poolSize, idleS: 300 });
  // Transactions have a connection of their own and go one after the other: they are rare and short.
  const single = createClient(driver, { address, limits, max: 1, idleS: 10 });
  const gate = createGate();
  const underWay = new Set<Promise<unknown>>();
  let lastTransaction: Promise<unknown> = Promise.resolve();
  let refusal: Error | null = null;
  let closing: Promise<void> | null = null;

  async function call<T>(client: Client, work: () => Promise<T>, after: Promise<unknown> | null): Promise<T> {
    if (closing !== null) throw closedError(address.name);
    await after;
    if (refusal !== null) throw refusal;
    try {
      gate.enter();
    } catch (error) {
      throw storeError(address.name, error);
    }
    try {
      const result = await limited(work(), limits.callMs, client.cut);
      gate.passed();
      return result;
    } catch (error) {
      if (isConnectionLoss(error)) gate.lost(error);
      else gate.passed();
      throw storeError(address.name, error);
    }
  }

  function track<T>(promise: Promise<T>): Promise<T> {
    underWay.add(promise);
    const forget = (): void => {
      underWay.delete(promise);
    };
    promise.then(forget, forget);
    return promise;
  }

  return {
    address,
    limits,
    driver,
    gate,
    run: (work) => track(call(pool, () => work(pool.sql), null)),
    transact(work) {
      const begin = () => single.sql.begin(work) as Promise<Awaited<ReturnType<typeof work>>>;
      const done = track(call(single, begin, lastTransaction));
      lastTransaction = done.catch(() => {});
      return done;
    },
    refuse(error) {
      refusal = error;
    },
    close() {
      closing ??= Promise.allSettled(underWay).then(async () => {
        await Promise.all([pool.end(), single.end()]);
      });
      return closing;
    },
  };
}

/** `work`, or a rejection after `ms`; then `cut` ends what is still under way. */
export async function limited<T>(work: Promise<T>, ms: number, cut: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(callTimeoutError(ms));
      cut();
    }, ms);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
    // If the limit came first, nobody else hears of it.
    work.catch(() => {});
  }
}
