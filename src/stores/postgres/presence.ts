import { randomBytes } from "node:crypto";
import type { StoreHint } from "../../credentials/store.ts";
import { type Connection, limited } from "./connection.ts";
import { type Client, createClient, type Sql } from "./driver.ts";
import { pauseAfter } from "./gate.ts";

/**
 * One connection of this process that is always open. It shows the other processes that this one lives, and hears from
 * them what has changed.
 *
 * It holds an advisory lock of the session, under a number that this process drew: the server frees it the moment the process dies,
 * wherever it ran. A lost connection comes back by itself, at once, then after pauses of up to 2 s, and takes the lock
 * again; so a missing lock is a reason to suspect its owner, and to believe it only after a while (`refresh.ts`).
 */
export interface Presence {
  /** The number of the lock, once the first try to take it is over; null while this process can't show that it lives. */
  readonly lock: () => Promise<number | null>;
  /** Calls `listener` for each hint until the returned function is called. */
  readonly subscribe: (listener: (hint: StoreHint) => void) => () => void;
  readonly close: () => Promise<void>;
}

/** What goes over the channel: a hint, or that the tables have another version now. */
export type Notice = Exclude<StoreHint, "reconnected"> | "version";

/** A silent connection is asked this often whether it still is one, in ms. */
const heartbeatMs = 10_000;

/** Listening begins so long after the first listener came, in ms: a command that is over by then needs no connection for it. */
const listenAfterMs = 300;

/** The channel of a store: channels belong to the database, not to a schema. */
export function channelOf({ address }: Pick<Connection, "address">): string {
  return `understudy_${address.schema}`;
}

/** Connects when the lock is asked for, or somebody listens. `onVersion` is called when the version of the tables may be another one. */
export function createPresence(connection: Connection, onVersion: () => void): Presence {
  const { driver, address, limits, gate } = connection;
  const key = randomBytes(6).readUIntBE(0, 6);
  const listeners = new Set<(hint: StoreHint) => void>();
  let started: Promise<void> | null = null;
  let held = false;
  let closed = false;
  let attempts = 0;
  let losses = 0;
  let startSoon: NodeJS.Timeout | undefined;
  let retry: NodeJS.Timeout | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  let client: Client | null = null;

  function tell(hint: StoreHint): void {
    for (const listener of listeners) listener(hint);
  }

  async function connect(): Promise<void> {
    // A new client each time: what one has left unsent must not go over the next connection.
    void client?.end();
    let lost = false;
    const attempt = ++attempts;
    const { sql, cut } = (client = createClient(driver, {
      address,
      limits,
      max: 1,
      idleS: null,
      onClose() {
        lost = true;
        if (held && attempt === attempts) comeBack();
      },
      onNotify(_, notice) {
        if (notice === "version") onVersion();
        else if (notice === "credentials" || notice === "cooldowns") tell(notice);
      },
    }));
    try {
      // Shared: an older connection of ours, of which the server does not know yet that it is dead, must not keep us out.
      // One query: of two, the second might find itself on another connection.
      const both = `SELECT pg_advisory_lock_shared(${key}); LISTEN "${channelOf(connection)}"`;
      await limited(sql.unsafe(both), limits.callMs, cut);
      if (lost) throw new Error("the connection was lost at once");
      held = true;
      losses = 0;
      gate.passed();
      // What happened before, nobody has heard of.
      if (attempt > 1) {
        onVersion();
        tell("reconnected");
      }
      beat(sql, cut);
    } catch {
      comeBack();
    }
  }

  function comeBack(): void {
    held = false;
    clearTimeout(heartbeat);
    if (closed) return;
    losses++;
    clearTimeout(retry);
    retry = setTimeout(() => void connect(), pauseAfter(losses)).unref();
  }

  function beat(sql: Sql, cut: () => void): void {
    heartbeat = setTimeout(() => {
      limited(sql`SELECT 1`, limits.callMs, cut).then(
        () => {
          if (held) beat(sql, cut);
        },
        // The cut connection closes, and that brings it back.
        () => {},
      );
    }, heartbeatMs).unref();
  }

  function start(): Promise<void> {
    return (started ??= connect());
  }

  return {
    async lock() {
      await start();
      return held ? key : null;
    },
    subscribe(listener) {
      startSoon ??= setTimeout(() => void start(), listenAfterMs).unref();
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
    async close() {
      closed = true;
      held = false;
      clearTimeout(startSoon);
      clearTimeout(retry);
      clearTimeout(heartbeat);
      listeners.clear();
      await started;
      await client?.end();
    },
  };
}
