import { isUnderstudyError, UnderstudyError } from "../../core/error.ts";

/** What an error means for a person: the cause, and what to do about it. */
interface Meaning {
  readonly cause: string;
  readonly advice: string;
}

const away: Meaning = {
  cause: "the server can't be reached",
  advice: "See whether it runs and whether this machine may connect to it, then try again",
};

const lost: Meaning = {
  cause: "the connection was lost; a write that was under way may have happened or not",
  advice: "Try again",
};

const distrusted: Meaning = {
  cause: "the server's certificate is not accepted",
  advice:
    "Name its authority's certificate in NODE_EXTRA_CA_CERTS; sslmode=require in the address goes without a check",
};

const busy: Meaning = {
  cause: "another process holds a lock on it",
  advice: "Try again; if it stays so, see pg_stat_activity for the session that holds it",
};

const full: Meaning = {
  cause: "the server has no room left",
  advice: "Free disk space or memory there and try again",
};

const noTables: Meaning = {
  cause: "it has no tables yet",
  advice: "Run understudy store migrate",
};

/**
 * By SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html), by its class of two characters, or by the
 * driver's or Node's own code.
 */
const meanings: Readonly<Record<string, Meaning>> = {
  "28": {
    cause: "the server refuses this user",
    advice: "Check user and password in the address of the store, or PGUSER and PGPASSWORD",
  },
  "3D000": { cause: "there is no such database", advice: "Make it (createdb), then run understudy store migrate" },
  "3F000": noTables,
  "42P01": noTables,
  "42703": { cause: "its tables are of another version", advice: "Run understudy store migrate" },
  "42501": {
    cause: "this user lacks a right",
    advice: "Let the owner of the tables run understudy store migrate, or grant the right",
  },
  "25006": {
    cause: "the server takes no writes",
    advice: "It may be a standby: name the primary in the address of the store",
  },
  "53": full,
  "53300": {
    cause: "the server has no connection left to give",
    advice: "Raise its max_connections, or let fewer processes share it",
  },
  "55P03": busy,
  "57014": busy,
  "40": busy,
  "25P03": lost,
  "57P01": lost,
  "57P02": lost,
  "57P03": { cause: "the server is starting or stopping", advice: "Try again in a moment" },
  "08": lost,
  CONNECTION_CLOSED: lost,
  CONNECTION_DESTROYED: lost,
  CONNECTION_ENDED: lost,
  CONNECT_TIMEOUT: away,
  CALL_TIMEOUT: lost,
  ECONNREFUSED: away,
  ECONNRESET: lost,
  EPIPE: lost,
  ETIMEDOUT: away,
  EHOSTUNREACH: away,
  ENETUNREACH: away,
  ENOTFOUND: away,
  EAI_AGAIN: away,
  ENOENT: away,
};

/** Codes after which the next statement needs another connection, or the server needs a moment. */
const losses: ReadonlySet<Meaning> = new Set([away, lost, distrusted]);

/** The code of an error of the server, the driver or Node; empty for any other. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** True when the connection was lost or there was none, so that it is not known whether the statement was done. */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error);
  const meaning = meaningOf(code);
  return (meaning !== undefined && losses.has(meaning)) || code === "57P03" || code === "53300";
}

/**
 * True for an error of the store after which a turn may well go on from what is known: the server is away, busy, full, a standby, or
 * serves a newer version by now. False for a wrong key, a damaged secret, missing tables, a closed store.
 */
export function isOutage(error: unknown): boolean {
  if (isUnderstudyError(error, "store_newer")) return true;
  if (!isUnderstudyError(error, "store_unavailable")) return false;
  return isConnectionLoss(error.cause) || /^(?:40|53|55P03|57|58|25006)/.test(codeOf(error.cause));
}

/** No answer within the limit of a call. */
export function callTimeoutError(callMs: number): Error {
  return Object.assign(new Error(`no answer within ${callMs} ms`), { code: "CALL_TIMEOUT" });
}

/**
 * Any error of a statement as what the port promises: `store_unavailable` with place, cause and advice. A broken constraint
 * (class 23) is a bug and stays what it is, as does every error that is neither the server's nor the network's.
 */
export function storeError(name: string, error: unknown): unknown {
  const code = codeOf(error);
  if (error instanceof UnderstudyError || code === "" || code.startsWith("23")) return error;
  const isServers = /^[0-9A-Z]{5}$/.test(code);
  const meaning = meaningOf(code);
  if (meaning === undefined && !isServers) return error;
  const { cause, advice } = meaning ?? {
    cause: `PostgreSQL reports a fault (${code})`,
    advice: "See the server's log, and try again",
  };
  const detail = error instanceof Error ? error.message : "";
  return new UnderstudyError(
    "store_unavailable",
    `the store ${name} can't be used: ${cause} (${detail}). ${advice}.`,
    {},
    { cause: error },
  );
}

/** The connection was lost between two statements of a transaction. */
export function connectionLostError(): Error {
  return Object.assign(new Error("the connection was closed"), { code: "CONNECTION_CLOSED" });
}

/** A call after `close`. */
export function closedError(name: string): UnderstudyError {
  return new UnderstudyError("store_unavailable", `the store ${name} has been closed. Open it again.`);
}

function meaningOf(code: string): Meaning | undefined {
  // https://nodejs.org/api/tls.html#x509-certificate-error-codes
  if (/^(?:CERT_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|ERR_TLS_)/.test(code)) return distrusted;
  return meanings[code] ?? (/^[0-9A-Z]{5}$/.test(code) ? meanings[code.slice(0, 2)] : undefined);
}
