import { UnderstudyError } from "../../core/error.ts";

/** Where a PostgreSQL store is. */
export interface PostgresAddress {
  /** For the driver: with user and password, without our own `schema`. Never goes into a message. */
  readonly url: string;
  /** The schema that holds the tables. */
  readonly schema: string;
  /** For people: host, port and database, without user and password. */
  readonly name: string;
}

/** The schema without `?schema=` in the address. Its own, so that our `turn` or `meta` meets nobody else's. */
export const defaultSchema = "understudy";

/** True for what is meant as the address of a PostgreSQL store rather than as a path. */
export function isPostgresAddress(text: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(text);
}

/**
 * Reads `postgres://user:password@host:port/database?schema=…&sslmode=…`. What is missing is taken from the usual variables
 * (`PGHOST`, `PGUSER`, `PGPASSWORD`, …). Throws `config_invalid`; the message repeats no part that may be a password.
 */
export function parsePostgresAddress(text: string): PostgresAddress {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !isPostgresAddress(text)) {
    const several = /^[^?]*@[^/?]*,/.test(text) ? ": name one host" : "";
    throw wrong(`the address can't be read${several}. It looks like postgres://user@host:5432/database`);
  }
  const schema = url.searchParams.get("schema") ?? defaultSchema;
  if (!/^[a-z_][a-z0-9_]{0,46}$/.test(schema)) {
    throw wrong(`the schema "${schema}" is no plain name (small letters, digits, underscores, at most 47)`);
  }
  if (url.searchParams.has("search_path")) throw wrong("say schema=… instead of search_path=…");
  // One dead host of several would be tried for ever.
  if (decodeURIComponent(url.hostname).includes(",")) throw wrong("name one host");
  url.searchParams.delete("schema");
  const host = decodeURIComponent(url.hostname) || process.env["PGHOST"] || "localhost";
  const port = url.port || process.env["PGPORT"] || "5432";
  const database = url.pathname.slice(1);
  const suffix = schema === defaultSchema ? "" : `?schema=${schema}`;
  return { url: url.href, schema, name: `postgres://${host}:${port}/${database}${suffix}` };
}

function wrong(what: string): UnderstudyError {
  return new UnderstudyError("config_invalid", `store: ${what}.`);
}
