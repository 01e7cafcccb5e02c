import { connect, type Socket } from "node:net";
import type postgres from "postgres";
import { UnderstudyError } from "../../core/error.ts";
import type { PostgresAddress } from "./address.ts";

/** A `bigint` column is read as a number: our largest are times in ms. */
export type Sql = postgres.Sql<{ bigint: number }>;
export type Driver = typeof postgres;

const installCommand = "npm install postgres@3.4.9";

/** The driver, which is an optional dependency. Throws `config_invalid` with the line that installs it when it is missing. */
export async function loadDriver(load: () => Promise<{ default: Driver }> = () => import("postgres")): Promise<Driver> {
  try {
    return (await load()).default;
  } catch (error) {
    throw new UnderstudyError(
      "config_invalid",
      `store: a PostgreSQL store needs the package "postgres", which is not installed. Run ${installCommand}`,
      { command: installCommand },
      { cause: error },
    );
  }
}

/** Limits of one call, in ms. */
export interface CallLimits {
  /** From the call to its answer, on this side. */
  readonly callMs: number;
  /** The server's own limits end a statement before this side gives up, so that it is known what became of it. */
  readonly statementMs: number;
  readonly lockMs: number;
  readonly connectMs: number;
}

/** Connecting takes no longer, however patient a call is, in ms. */
const longestConnectMs = 5_000;

/** All limits from the one that people may set. */
export function limitsFor(callMs: number): CallLimits {
  const part = (share: number): number => Math.max(1, Math.round(callMs * share));
  return { callMs, statementMs: part(0.8), lockMs: part(0.6), connectMs: Math.min(part(0.6), longestConnectMs) };
}

export interface ClientOptions {
  readonly address: PostgresAddress;
  readonly limits: CallLimits;
  /** Connections at most. */
  readonly max: number;
  /** Unused connections are closed after so many seconds; null: never. */
  readonly idleS: number | null;
  readonly onClose?: () => void;
  readonly onNotify?: (channel: string, payload: string) => void;
}

export interface Client {
  readonly sql: Sql;
  /** Cuts all its connections at once. What is under way rejects; the next statement connects anew. */
  readonly cut: () => void;
  readonly end: () => Promise<void>;
}

/** Connections whose sessions end nobody's wait later than `limits` says: neither a lock nor a transaction outlasts them. */
export function createClient(driver: Driver, options: ClientOptions): Client {
  const { address, limits, max, idleS } = options;
  const sockets = new Set<Socket>();

  // Not the driver's own sockets: these can be cut when the network swallows what is sent.
  function openSocket({ host, port, path }: { host: string[]; port: number[]; path: string | false }): Socket {
    const socket = path === false ? connect(port[0] ?? 5432, host[0]) : connect(path);
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // The driver checks a certificate against this name.
    return Object.assign(socket, { host: host[0] });
  }

  // Two options that the driver's types leave out.
  const untyped = { socket: openSocket, onnotify: options.onNotify };
  const sql = driver(address.url, {
    ...untyped,
    max,
    ...(idleS === null ? {} : { idle_timeout: idleS }),
    max_lifetime: null,
    connect_timeout: limits.connectMs / 1_000,
    // When to try again is decided by `Gate` and `Presence`.
    backoff: () => 0,
    fetch_types: false,
    onnotice: () => {},
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
    connection: {
      application_name: "understudy",
      search_path: address.schema,
      statement_timeout: limits.statementMs,
      lock_timeout: limits.lockMs,
      idle_in_transaction_session_timeout: limits.statementMs,
      // A commit that was acknowledged is on disk, whatever the server's usual setting is (rule R6).
      synchronous_commit: "on",
      // The session of a machine that lost power ends within a minute.
      tcp_keepalives_idle: 30,
      tcp_keepalives_interval: 10,
      tcp_keepalives_count: 3,
    },
    ...(options.onClose === undefined ? {} : { onclose: options.onClose }),
  });

  return {
    sql,
    cut() {
      for (const socket of sockets) socket.destroy();
    },
    async end() {
      await sql.end({ timeout: limits.connectMs / 1_000 });
      for (const socket of sockets) socket.destroy();
    },
  };
}
