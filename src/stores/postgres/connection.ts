import type { PostgresAddress } from "./address.ts";
import { type CallLimits, type Client, createClient, type Driver, type Sql } from "./driver.ts";
import { callTimeoutError, closedError, connectionLostError, isConnectionLoss, storeError } from "./errors.ts";
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
  readonly transact: <T>(work: (sql: Sql) => Promise<T>) => Promise<T>;
  /** From now on every call rejects with this error. */
  readonly refuse: (error: Error) => void;
  /** Waits for what is under way, then closes the connections. */
  readonly close: () => Promise<void>;
}

/** Connections for single statements. Few, since several processes share a server; statements queue on them. */
const poolSize = 4;

export function createConnection(driver: Driver, address: PostgresAddress, limits: CallLimits): Connection {
  const openPool = (): Client => createClient(driver, { address, limits, max: poolSize, idleS: 300 });
  let pool = openPool();
  const gate = createGate();
  const underWay = new Set<Promise<unknown>>();
  let lastTransaction: Promise<unknown> = Promise.resolve();
  let refusal: Error | null = null;
  let closing: Promise<void> | null = null;

  /**
   * A pool that has lost a connection is followed by a new one: what the driver has left unsent when several connections end in
   * the same moment stays with it, and the next connection would wait behind that in vain.
   */
  function inPool<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    const used = pool;
    const lost = (): void => {
      if (used !== pool) return;
      pool = openPool();
      void used.end();
    };
    return call(() => work(used.sql), used.cut, lost);
  }

  async function call<T>(work: () => Promise<T>, cut: () => void, lost = () => {}): Promise<T> {
    if (refusal !== null) throw refusal;
    try {
      gate.enter();
    } catch (error) {
      throw storeError(address.name, error);
    }
    try {
      const result = await limited(work(), limits.callMs, cut);
      gate.passed();
      return result;
    } catch (error) {
      if (isConnectionLoss(error)) {
        gate.lost(error);
        lost();
      } else gate.passed();
      throw storeError(address.name, error);
    }
  }

  /**
   * A transaction has a connection of its own, since it is rare and short. The driver's `begin` sends a ROLLBACK over a connection
   * that is gone, which ends the process (https://github.com/porsager/postgres/issues/1208). Here nothing is sent any more
   * once it is lost: on another connection the rest would run outside of the transaction.
   */
  async function inTransaction<T>(client: Client, isLost: () => boolean, work: (sql: Sql) => Promise<T>): Promise<T> {
    const check = (): void => {
      if (isLost()) throw connectionLostError();
    };
    const sql = new Proxy(client.sql, {
      apply(target, self, given) {
        check();
        return Reflect.apply(target, self, given) as unknown;
      },
      get(target, name) {
        check();
        return Reflect.get(target, name) as unknown;
      },
    });
    await sql.unsafe("BEGIN");
    try {
      const result = await work(sql);
      await sql.unsafe("COMMIT");
      return result;
    } catch (error) {
      if (!isLost()) await client.sql.unsafe("ROLLBACK").catch(client.cut);
      throw error;
    }
  }

  async function transact<T>(work: (sql: Sql) => Promise<T>, after: Promise<unknown>): Promise<T> {
    await after;
    let lost = false;
    const client = createClient(driver, { address, limits, max: 1, idleS: null, onClose: () => (lost = true) });
    try {
      return await call(() => inTransaction(client, () => lost, work), client.cut);
    } finally {
      void client.end();
    }
  }

  function track<T>(work: () => Promise<T>): Promise<T> {
    if (closing !== null) return Promise.reject(closedError(address.name));
    const promise = work();
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
    run: (work) => track(() => inPool(work)),
    // One after the other, so that a process has one connection for them at most.
    transact(work) {
      const done = track(() => transact(work, lastTransaction));
      lastTransaction = done.catch(() => {});
      return done;
    },
    refuse(error) {
      refusal = error;
    },
    close() {
      closing ??= Promise.allSettled(underWay).then(() => pool.end());
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
