import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it } from "vitest";
import { isUnderstudyError, type UnderstudyError } from "../../src/core/error.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { sampleAccount, sampleClaim, sampleGrant, sampleTurn, saveSampleLogin } from "../contract/store-samples.ts";
import { type ChildResult, finish, linesOf, startProgram } from "./child.ts";
import { useFolder } from "./folder.ts";
import { testKey } from "./test-key.ts";

const folder = useFolder();
let place: string;
let file: string;
beforeEach(() => {
  place = folder();
  file = join(place, "store.db");
});

/** A store with some logins and turns, closed. */
async function makeStore(): Promise<void> {
  const store = await openSqliteStore({ file, key: testKey });
  for (let n = 0; n < 30; n++) await saveSampleLogin(store, { account: sampleAccount({ userId: `user-${n}` }) });
  await store.appendTurn(sampleTurn("t1"));
  await store.close();
}

/** Of a missing file as of an empty one: SQLite makes an empty log to look at a store. */
const hashOf = (path: string): string =>
  createHash("sha256")
    .update(existsSync(path) ? readFileSync(path) : "")
    .digest("hex");

/** Opens the store, which must be refused and left as it was, byte for byte. */
async function refused(key: Uint8Array = testKey): Promise<UnderstudyError> {
  const before = [hashOf(file), hashOf(`${file}-wal`)];
  const error = await openSqliteStore({ file, key }).then(
    async (store) => {
      await store.close();
      return new Error("the store was opened");
    },
    (error: unknown) => error,
  );
  expect([hashOf(file), hashOf(`${file}-wal`)]).toEqual(before);
  if (!isUnderstudyError(error)) throw error;
  expect(error.message).toContain(file);
  return error;
}

describe("a file that is no store that can be read", () => {
  it.each([
    ["nothing, as of a store that was cut off", ""],
    ["a letter", "x"],
    ["a few letters", "hello"],
    ["a long text", "To be, or not to be. ".repeat(1_000)],
    ["zeros", "\0".repeat(16_384)],
    ["a header alone", "SQLite format 3\0"],
  ])("is refused and left alone: %s", async (_, content) => {
    writeFileSync(file, content);
    const error = await refused();
    expect(error).toMatchObject({ code: "store_unavailable" });
    expect(error.message).toMatch(/not a store|damaged/);
    expect(error.message).toMatch(/Nothing in it was changed\. Keep it aside \(rename it/);
  });

  it("is refused and left alone: a store cut off at any page", async () => {
    await makeStore();
    const whole = readFileSync(file);
    expect(whole.length).toBeGreaterThan(5 * 4_096);
    for (const length of [1, 100, 512, 4_095, ...pages(whole.length)]) {
      writeFileSync(file, whole.subarray(0, length));
      expect(await refused()).toMatchObject({ code: "store_unavailable" });
    }
  });

  it("is refused and left alone: a store whose pages were overwritten", async () => {
    await makeStore();
    const whole = readFileSync(file);
    const table = pageOf("credential");
    writeFileSync(file, whole.fill(0xa5, (table - 1) * 4_096, table * 4_096));
    const error = await refused();
    expect(error).toMatchObject({ code: "store_unavailable" });
    expect(error.message).toContain("it is damaged");
  });

  it("is refused and left alone: another program's database", async () => {
    const other = new DatabaseSync(file);
    other.exec("CREATE TABLE bookmark (url TEXT)");
    other.close();
    const error = await refused();
    expect(error).toMatchObject({ code: "store_unavailable" });
    expect(error.message).toContain("a database of another program");
  });

  it("is refused and left alone: a store of a newer version", async () => {
    await makeStore();
    const newer = new DatabaseSync(file);
    newer.exec("PRAGMA user_version = 7");
    newer.close();
    const error = await refused();
    expect(error).toMatchObject({ code: "store_newer" });
    expect(error.message).toMatch(/newer version.*Install/);
  });

  it("is refused and left alone: a store that another key has sealed", async () => {
    await makeStore();
    const error = await refused(new Uint8Array(32));
    expect(error).toMatchObject({ code: "store_unavailable" });
    expect(error.message).toMatch(/the key doesn't fit .* Nothing in it was changed/);
  });

  it("is left alone with what a crash left in its log, and read in full with the right key", async () => {
    const crashed = join(place, "crashed.db");
    const store = await openSqliteStore({ file: crashed, key: testKey });
    const { id } = await saveSampleLogin(store);
    copyFileSync(crashed, file);
    copyFileSync(`${crashed}-wal`, `${file}-wal`);
    await store.close();
    expect((await refused(new Uint8Array(32))).message).toContain("the key doesn't fit");
    const recovered = await openSqliteStore({ file, key: testKey });
    expect(await recovered.getCredential(id)).not.toBeNull();
    await recovered.close();
  });
});

describe("a place that can't be written", () => {
  // For root every place can be written, so the program runs as somebody else then.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null;

  async function openElsewhere(path: string): Promise<unknown> {
    for (const made of [place, path, join(path, "..")]) {
      if (nobody !== null && existsSync(made)) chownSync(made, nobody.uid, nobody.gid);
    }
    const before = hashOf(file);
    const [line = ""] = linesOf(await finish(startProgram("open-store", [path], nobody ?? {})));
    expect(hashOf(file)).toBe(before);
    return JSON.parse(line);
  }

  it("is told apart: a read-only file", async () => {
    await makeStore();
    chmodSync(file, 0o400);
    expect(await openElsewhere(file)).toEqual({
      opened: false,
      code: "store_unavailable",
      message: `the store ${file} can't be written: this user has no permission. Change the permissions, or name another path.`,
    });
    chmodSync(file, 0o600);
    expect(await openElsewhere(file)).toEqual({ opened: true, credentials: 30 });
  });

  it("is told apart: a read-only folder", async () => {
    await makeStore();
    chmodSync(place, 0o500);
    expect(await openElsewhere(file)).toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining(`the folder ${place} can't be written`),
    });
    expect(await openElsewhere(join(place, "new.db"))).toMatchObject({
      code: "store_unavailable",
      message: expect.stringMatching(/the store .*new\.db can't be made: this user has no permission/),
    });
    expect(await openElsewhere(join(place, "new", "new.db"))).toMatchObject({
      code: "store_unavailable",
      message: expect.stringMatching(/the folder .*new can't be made: this user has no permission/),
    });
    chmodSync(place, 0o700);
  });
});

describe("a full disk", () => {
  const fillStore = fileURLToPath(new URL("programs/fill-store.ts", import.meta.url));

  function run(command: string, args: readonly string[]): Promise<ChildResult> {
    return finish(spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] }));
  }

  it("refuses the write and loses nothing that was there: the limit on file sizes", async () => {
    const result = await run("bash", ["-c", `ulimit -f 400; exec "$0" "$@"`, process.execPath, fillStore, file]);
    const told = JSON.parse(linesOf(result).join(""));
    expect(told).toMatchObject({ code: "store_unavailable", read: told.labels });
    expect(told.message).toMatch(/the disk refused a read or a write .*Nothing in it was changed/);
    expect(told.labels.length).toBeGreaterThan(9);
    const store = await openSqliteStore({ file, key: testKey });
    expect((await store.listCredentials()).map((credential) => credential.label)).toEqual(told.labels);
    await store.close();
  });

  it("refuses the write and loses nothing that was there: no space left", { skip: !canMount() }, async () => {
    const [small, copy] = [join(place, "small"), join(place, "copy")];
    mkdirSync(small);
    mkdirSync(copy);
    const inside = `mount -t tmpfs -o size=1m none ${small} && "$0" "$@" && cp ${small}/* ${copy}`;
    const filling = [process.execPath, fillStore, join(small, "store.db")];
    const result = await run("unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", inside, ...filling]);
    const told = JSON.parse(linesOf(result).join(""));
    expect(told).toMatchObject({ code: "store_unavailable", read: told.labels });
    expect(told.message).toMatch(/the disk is full .*Nothing in it was changed\. Free some space/);
    expect(told.labels.length).toBeGreaterThan(9);
    const store = await openSqliteStore({ file: join(copy, "store.db"), key: testKey });
    expect((await store.listCredentials()).map((credential) => credential.label)).toEqual(told.labels);
    await store.close();
  });
});

/** True where a user may have a small disk of his own for a moment. */
function canMount(): boolean {
  try {
    const args = ["--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"];
    execFileSync("unshare", args, { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** Every whole number of pages that is less than `length`. */
function pages(length: number): number[] {
  return Array.from({ length: length / 4_096 - 1 }, (_, n) => (n + 1) * 4_096);
}

/** The number of the first page of a table, counted from 1. */
function pageOf(table: string): number {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(table);
  database.close();
  return Number(row?.rootpage);
}

describe("a store that is taken away under a process", () => {
  const moved = async (work: Promise<unknown>): Promise<string> => {
    const error = await work.then(
      () => new Error("it was written"),
      (error: unknown) => error,
    );
    if (!isUnderstudyError(error, "store_unavailable")) throw error;
    return error.message;
  };

  it.each([
    ["moved", () => renameSync(file, `${file}.moved`)],
    ["removed", () => rmSync(file)],
    ["replaced by a copy", () => (copyFileSync(file, `${file}.copy`), renameSync(`${file}.copy`, file))],
  ])("is not written any more when it was %s, and no token is claimed to be spent", async (_, take) => {
    const store = await openSqliteStore({ file, key: testKey });
    const { id } = await saveSampleLogin(store);
    const [claimed, kept] = [sampleClaim(id), existsSync(`${file}-wal`)];
    take();
    const before = hashOf(`${file}-wal`);
    expect(await moved(store.claimRefresh(claimed))).toMatch(/moved, removed or replaced .*Nothing was written/);
    expect(await moved(store.settleAnswered(id, 1, sampleGrant("2"), null))).toContain(file);
    expect([existsSync(`${file}-wal`), hashOf(`${file}-wal`)]).toEqual([kept, before]);
    await store.close();
  });

  it("is used again when it is back where it was", async () => {
    const store = await openSqliteStore({ file, key: testKey });
    const { id } = await saveSampleLogin(store);
    renameSync(file, `${file}.moved`);
    await moved(store.claimRefresh(sampleClaim(id)));
    renameSync(`${file}.moved`, file);
    expect(await store.claimRefresh(sampleClaim(id))).toMatchObject({ outcome: "claimed" });
    await store.close();
  });
});

describe("a store whose last process died", () => {
  it("in the middle of a migration has the tables from before, and is brought forward by the next one", async () => {
    await makeStore();
    const before = new DatabaseSync(file);
    const tables = before.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all();
    before.close();
    const half = [
      "ALTER TABLE credential ADD COLUMN note TEXT",
      "UPDATE credential SET note = 'half'",
      "DROP TABLE turns",
    ];
    const child = startProgram("die-in-transaction", [file, JSON.stringify(half)]);
    expect(await finish(child)).toMatchObject({ signal: "SIGKILL" });
    const store = await openSqliteStore({ file, key: testKey });
    expect(await store.listCredentials()).toHaveLength(30);
    await store.close();
    const after = new DatabaseSync(file);
    expect(after.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").all()).toEqual(tables);
    after.close();
  });

  it("with the write lock in its hands is locked no more", async () => {
    await makeStore();
    const child = startProgram("die-in-transaction", [file]);
    expect(await finish(child)).toMatchObject({ signal: "SIGKILL" });
    const store = await openSqliteStore({ file, key: testKey, lockWaitMs: 0 });
    expect(await saveSampleLogin(store)).toMatchObject({ provider: "codex" });
    await store.close();
  });
});
