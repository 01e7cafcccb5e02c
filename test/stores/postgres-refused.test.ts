import { describe, expect, it, onTestFinished } from "vitest";
import { type ErrorCode, UnderstudyError } from "../../src/core/error.ts";
import { isPostgresAddress, parsePostgresAddress } from "../../src/stores/postgres/address.ts";
import { loadDriver } from "../../src/stores/postgres/driver.ts";
import { connect, migratePostgresStore, openPostgresStore } from "../../src/stores/postgres/open.ts";
import { migrate, migrations } from "../../src/stores/postgres/schema.ts";
import { openPostgresTools } from "../../src/stores/postgres/tools.ts";
import { sampleAccount, sampleClaim, sampleGrant, saveSampleLogin } from "../contract/store-samples.ts";
import { describeWithPostgres } from "../rig/postgres.ts";
import { newPostgresPlace, openUntilEnd } from "./postgres-store.ts";
import { testKey } from "./test-key.ts";

async function refused(work: Promise<unknown>, code: ErrorCode): Promise<string> {
  const error = await work.then(
    () => null,
    (error: unknown) => error,
  );
  if (!(error instanceof UnderstudyError)) throw new Error(`not refused: ${String(error)}`, { cause: error });
  expect(error.code).toBe(code);
  return error.message;
}

describe("the address of a PostgreSQL store", () => {
  it.each([
    ["postgres://ann:secret@db.example:6432/pool", "understudy", "postgres://db.example:6432/pool"],
    [
      "postgresql://db.example/pool?schema=other&sslmode=require",
      "other",
      "postgres://db.example:5432/pool?schema=other",
    ],
    ["POSTGRES://ann@[::1]/pool", "understudy", "postgres://[::1]:5432/pool"],
  ])("is read: %s", (text, schema, name) => {
    expect(isPostgresAddress(text)).toBe(true);
    const address = parsePostgresAddress(text);
    expect(address).toMatchObject({ schema, name });
    expect(address.url).not.toContain("schema");
  });

  it.each([
    ["postgres://ann:secret@one,two:5432/pool", /name one host/],
    ["postgres://ann:secret@host:port/pool", /can't be read/],
    ["postgres://ann:secret@host/pool?schema=Bad-Name", /the schema "Bad-Name" is no plain name/],
    ["postgres://ann:secret@host/pool?search_path=public", /say schema=/],
  ])("is refused without repeating its password: %s", (text, message) => {
    expect(() => parsePostgresAddress(text)).toThrow(message);
    expect(() => parsePostgresAddress(text)).not.toThrow(/secret/);
  });

  it.each(["/var/lib/store.db", "store.db", "mysql://host/db", "C:\\store.db"])("is not meant by %s", (text) => {
    expect(isPostgresAddress(text)).toBe(false);
  });
});

it("says with which line the driver is installed when it is missing", async () => {
  const missing = () => Promise.reject(new Error("Cannot find package 'postgres'"));
  expect(await refused(loadDriver(missing), "config_invalid")).toContain("Run npm install postgres@3.4.9");
});

it("says that nobody answers where the address leads, and repeats no password", async () => {
  const opening = openPostgresStore({ address: "postgres://ann:secret@127.0.0.1:1/pool", key: testKey });
  const message = await refused(opening, "store_unavailable");
  expect(message).toMatch(
    /postgres:\/\/127\.0\.0\.1:1\/pool can't be used: the server can't be reached .*ECONNREFUSED/,
  );
  expect(message).not.toContain("secret");
});

describeWithPostgres("a PostgreSQL store is not opened", (server) => {
  const open = (address: string) => openPostgresStore({ address, key: testKey });

  /** The address with other parts. */
  function changed(address: string, change: (url: URL) => void): string {
    const url = new URL(address);
    change(url);
    return url.href;
  }

  it("without tables; the message names the command that makes them, and none were made", async () => {
    const address = server.newAddress();
    expect(await refused(open(address), "store_unavailable")).toMatch(
      /has no tables yet\. Run understudy store migrate\./,
    );
    expect(await server.query(address, "SELECT to_regclass('credential') AS made")).toEqual([{ made: null }]);
  });

  it("with another key, nor migrated or handed to tools, and it stays as it was", async () => {
    const address = await newPostgresPlace(server);
    const other = new Uint8Array(32);
    const dump = () => server.query(address, "SELECT key, value::text FROM meta ORDER BY key");
    const before = await dump();
    for (const work of [openPostgresStore, migratePostgresStore, openPostgresTools]) {
      const message = await refused(work({ address, key: other }), "store_unavailable");
      expect(message).toMatch(/the key doesn't fit .* UNDERSTUDY_KEY/);
    }
    expect(await dump()).toEqual(before);
  });

  it("when a newer version wrote it, and a process that has it open writes nothing from then on", async () => {
    const address = await newPostgresPlace(server);
    const store = await openUntilEnd(address);
    const { id } = await saveSampleLogin(store);
    await store.claimRefresh(sampleClaim(id));
    await server.query(address, "UPDATE meta SET value = '99' WHERE key = 'version'");
    await server.query(
      address,
      `SELECT pg_notify('understudy_${new URL(address).searchParams.get("schema") ?? ""}', 'version')`,
    );
    expect(await refused(open(address), "store_newer")).toMatch(/version 99, this program knows 1/);
    expect(await refused(migratePostgresStore({ address, key: testKey }), "store_newer")).toContain("version 99");
    const settled = () =>
      store.settleAnswered(id, 1, sampleGrant("2"), null).then(String, (error: UnderstudyError) => error.code);
    await expect
      .poll(() => store.listCooldowns().then(String, (error: UnderstudyError) => error.code))
      .toBe("store_newer");
    expect(await settled()).toBe("store_newer");
  });

  it("when the tables are another program's, which stay as they are", async () => {
    const address = server.newAddress();
    const schema = new URL(address).searchParams.get("schema") ?? "";
    await server.query(address, `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.credential (id INT)`);
    await refused(open(address), "store_unavailable");
    await refused(migratePostgresStore({ address, key: testKey }), "store_unavailable");
    expect(await server.query(address, "SELECT to_regclass('turn') AS made")).toEqual([{ made: null }]);
  });

  it.each([
    ["a wrong password", (url: URL) => void (url.password = "wrong"), /refuses this user .*Check user and password/],
    ["no such database", (url: URL) => void (url.pathname = "/nobody"), /there is no such database .*createdb/],
  ])("with %s", async (_, change, message) => {
    const address = changed(await newPostgresPlace(server), change);
    expect(await refused(open(address), "store_unavailable")).toMatch(message);
  });

  it("but read, where the server takes no writes, and says so", async () => {
    const address = await newPostgresPlace(server);
    const standby = changed(address, (url) => url.searchParams.set("default_transaction_read_only", "on"));
    const store = await openUntilEnd(standby);
    expect(await store.listCredentials()).toEqual([]);
    expect(await refused(saveSampleLogin(store), "store_unavailable")).toMatch(/takes no writes .*name the primary/);
  });

  it.each([{ journal: { maxTurns: 0 } }, { key: new Uint8Array(16) }])("with a wrong option: %o", async (option) => {
    const opening = openPostgresStore({ address: server.newAddress(), key: testKey, ...option });
    await refused(opening, "config_invalid");
  });
});

describeWithPostgres("the tables of a PostgreSQL store", (server) => {
  it("are made once when several do it at the same time, and again without effect", async () => {
    const address = server.newAddress();
    const make = () => migratePostgresStore({ address, key: testKey });
    const versions = await Promise.all([make(), make(), make()]);
    expect(versions.map(({ from }) => from).filter((from) => from === 0)).toHaveLength(1);
    const store = await openUntilEnd(address);
    const { id } = await saveSampleLogin(store);
    expect(await make()).toEqual({ from: 1, to: 1 });
    expect(await store.getCredential(id)).not.toBeNull();
  });

  it("are brought forward by what is new in the list of steps, and no further when a step fails", async () => {
    const address = await newPostgresPlace(server);
    const { id } = await saveSampleLogin(await openUntilEnd(address));
    const { connection, ring } = await connect({ address, key: testKey });
    onTestFinished(() => connection.close());
    const steps = [...migrations, "ALTER TABLE credential ADD COLUMN note TEXT; UPDATE credential SET note = 'new'"];
    await expect(migrate(connection, ring, [...steps, "ALTER TABLE nothing ADD COLUMN x TEXT"])).rejects.toThrow();
    expect(await server.query(address, "SELECT * FROM credential")).not.toMatchObject([{ note: "new" }]);
    expect(await migrate(connection, ring, steps)).toEqual({ from: 1, to: 2 });
    expect(await migrate(connection, ring, steps)).toEqual({ from: 2, to: 2 });
    expect(await server.query(address, "SELECT id, note FROM credential")).toEqual([{ id, note: "new" }]);
  });

  it("give every login a label and a place of its own, though two processes add them at once", async () => {
    const address = await newPostgresPlace(server);
    const stores = [await openUntilEnd(address), await openUntilEnd(address)];
    const added = await Promise.all(
      stores.flatMap((store) =>
        Array.from({ length: 6 }, () => saveSampleLogin(store, { account: sampleAccount({ id: null }) })),
      ),
    );
    expect(new Set(added.map(({ label }) => label)).size).toBe(12);
    expect(new Set(added.map(({ priority }) => priority)).size).toBe(12);
  });

  it("hold no secret that can be read", async () => {
    const address = await newPostgresPlace(server);
    const store = await openUntilEnd(address);
    await saveSampleLogin(store);
    const rows = await server.query(address, "SELECT credential::text AS row FROM credential");
    const all = rows.map((row) => String(row["row"])).join();
    for (const canary of ["access-1", "refresh-1", "id-1"]) {
      expect(all).not.toContain(canary);
      expect(all).not.toContain(Buffer.from(canary).toString("hex"));
    }
  });
});
