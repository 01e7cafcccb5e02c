import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { isUnderstudyError } from "../../src/core/error.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Store } from "../../src/credentials/store.ts";
import { createSealer } from "../../src/stores/seal.ts";
import { journalModeFor } from "../../src/stores/sqlite/journal-mode.ts";
import { openSqliteStore, type SqliteStoreOptions } from "../../src/stores/sqlite/open.ts";
import { migrate, migrations, readVersion } from "../../src/stores/sqlite/schema.ts";
import {
  readOAuth,
  sampleAccount,
  sampleCooldown,
  sampleGrant,
  sampleTurn,
  saveSampleLogin,
  start,
} from "../contract/store-samples.ts";
import { useFolder } from "./folder.ts";
import { testKey } from "./test-key.ts";

const folder = useFolder();
const opened: Store[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
});

async function open(file: string, options: Partial<SqliteStoreOptions> = {}): Promise<Store> {
  const store = await openSqliteStore({ file, key: testKey, ...options });
  opened.push(store);
  return store;
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("the file of a store", () => {
  it("is for its owner alone, with its folder and companions", async () => {
    const file = join(folder(), "a", "b", "store.db");
    const before = process.umask(0);
    try {
      const store = await open(file);
      await saveSampleLogin(store);
    } finally {
      process.umask(before);
    }
    expect(readdirSync(join(file, "..")).sort()).toEqual(["store.db", "store.db-shm", "store.db-wal"]);
    for (const name of readdirSync(join(file, ".."))) expect(modeOf(join(file, "..", name))).toBe(0o600);
    expect(modeOf(join(file, ".."))).toBe(0o700);
    expect(modeOf(join(file, "..", ".."))).toBe(0o700);
  });

  it("is closed to others when it was open to them, and its folder is left alone", async () => {
    const place = folder();
    const file = join(place, "store.db");
    await (await open(file)).close();
    chmodSync(file, 0o664);
    chmodSync(place, 0o755);
    await open(file);
    expect(modeOf(file)).toBe(0o600);
    expect(modeOf(place)).toBe(0o755);
  });

  it("closes to others the log that a crash left", async () => {
    const [living, file] = [join(folder(), "store.db"), join(folder(), "store.db")];
    await saveSampleLogin(await open(living));
    for (const suffix of ["", "-wal"]) {
      copyFileSync(living + suffix, file + suffix);
      chmodSync(file + suffix, 0o644);
    }
    await open(file);
    expect(modeOf(`${file}-wal`)).toBe(0o600);
  });

  it("appears under its name with its tables in it, once, though several make it at the same time", async () => {
    const file = join(folder(), "store.db");
    const stores = await Promise.all([open(file), open(file), open(file)]);
    const { id } = await saveSampleLogin(stores[0]);
    for (const store of stores) expect(await store.getCredential(id)).toMatchObject({ id });
    expect(readdirSync(folder()).filter((name) => !/^store\.db(-wal|-shm)?$/.test(name))).toEqual([]);
  });

  it("is one file again after closing", async () => {
    const file = join(folder(), "store.db");
    await (await open(file)).close();
    expect(readdirSync(join(file, ".."))).toEqual(["store.db"]);
  });

  it.each(["wal", "delete"] as const)(
    "holds no secret in the clear, in no file beside it, with %s",
    async (journalMode) => {
      const place = folder();
      const store = await open(join(place, "store.db"), { journalMode });
      const { id } = await saveSampleLogin(store, { grant: sampleGrant("needle-1") });
      await store.settleAnswered(id, 1, sampleGrant("needle-2"), null);
      const source = { from: "stored", secret: new Secret("sk-needle") } as const;
      await store.addApiKey({ provider: "openai", label: "team", source, at: start });
      const contentOf = (): string =>
        readdirSync(place)
          .map((name) => readFileSync(join(place, name), "latin1"))
          .join("");
      expect(contentOf()).toContain("ann@example.com");
      expect(contentOf()).not.toContain("needle");
      await store.close();
      expect(contentOf()).toContain("ann@example.com");
      expect(contentOf()).not.toContain("needle");
    },
  );

  it("belongs to another user: it is refused", { skip: process.getuid?.() !== 0 }, async () => {
    const file = join(folder(), "store.db");
    await (await open(file)).close();
    chownSync(file, 65_534, 65_534);
    await expect(open(file)).rejects.toThrow(/store\.db belongs to another user \(uid 65534/);
  });

  it("needs a rollback journal on network file systems, also when their number comes signed", () => {
    expect([0x6969, 0x517b, 0xff534d42 | 0, 0xfe534d42, 0x01021997].map(journalModeFor)).toEqual(
      Array.from({ length: 5 }, () => "delete"),
    );
    expect([0xef53, 0x01021994, 0x9123683e, 0x65735546].map(journalModeFor)).toEqual(
      Array.from({ length: 4 }, () => "wal"),
    );
  });

  it("changes from one journal to the other and keeps its content", async () => {
    const file = join(folder(), "store.db");
    const { id } = await saveSampleLogin(await open(file, { journalMode: "wal" }));
    await opened[0]?.close();
    const store = await open(file, { journalMode: "delete" });
    expect((await readOAuth(store, id)).label).toBe("work");
    expect(existsSync(`${file}-wal`)).toBe(false);
  });
});

it("stores no more turns than its limit", async () => {
  const file = join(folder(), "store.db");
  const store = await open(file, { journal: { maxTurns: 3 } });
  for (const id of ["1", "2", "3"]) await store.appendTurn(sampleTurn(id));
  await store.close();
  const again = await open(file, { journal: { maxTurns: 3 } });
  for (const id of ["4", "5"]) await again.appendTurn(sampleTurn(id));
  await again.close();
  const reopened = await open(file, { journal: { maxTurns: 100 } });
  expect((await reopened.listTurns(100)).map((turn) => turn.id)).toEqual(["5", "4", "3"]);
});

it.each([{ maxTurns: 3 }, { maxAgeMs: 1 }])(
  "loses a damaged row of the journal, and nothing else with it: %o",
  async (journal) => {
    const file = join(folder(), "store.db");
    const store = await open(file);
    const { id } = await saveSampleLogin(store);
    for (const name of ["1", "2", "3"]) await store.appendTurn(sampleTurn(name));
    await store.close();
    const database = new DatabaseSync(file);
    database.exec("UPDATE turns SET records = substr(records, 1, 50)");
    database.close();
    const again = await open(file, { journal });
    expect(await again.listTurns(100)).toEqual([]);
    await again.recordUse(id, start);
    await again.appendTurn({ ...sampleTurn("4"), endedAt: Date.now() + 60_000 });
    await again.close();
    const reopened = await open(file, { journal });
    expect((await reopened.listTurns(100)).map((turn) => turn.id)).toEqual(["4"]);
    expect((await readOAuth(reopened, id)).uses).toBe(1);
  },
);

it("forgets turns that are too old, with the next one that is written", async () => {
  const file = join(folder(), "store.db");
  const store = await open(file);
  const { endedAt } = sampleTurn("1");
  await store.appendTurn(sampleTurn("1"));
  await store.appendTurn({ ...sampleTurn("2"), endedAt: endedAt + 1 });
  await store.close();
  const journal = { maxAgeMs: 1_000 };
  const clock = { ...systemClock, now: () => endedAt + 1 + journal.maxAgeMs };
  const later = await open(file, { journal, clock });
  await later.appendTurn({ ...sampleTurn("3"), endedAt: clock.now() });
  await later.close();
  const reopened = await open(file, { journal, clock });
  expect((await reopened.listTurns(100)).map((turn) => turn.id)).toEqual(["3", "2"]);
});

it("forgets turns that are too old, also behind one that seems to be of the future", async () => {
  const file = join(folder(), "store.db");
  const store = await open(file);
  const { endedAt } = sampleTurn("1");
  for (const [id, at] of [
    ["ahead", 9_000],
    ["old", 0],
    ["new", 2_000],
  ] as const) {
    await store.appendTurn({ ...sampleTurn(id), endedAt: endedAt + at });
  }
  await store.close();
  const journal = { maxAgeMs: 1_000 };
  const clock = { ...systemClock, now: () => endedAt + 2_500 };
  const later = await open(file, { journal, clock });
  await later.appendTurn({ ...sampleTurn("newest"), endedAt: clock.now() });
  await later.close();
  const reopened = await open(file);
  expect((await reopened.listTurns(100)).map((turn) => turn.id)).toEqual(["newest", "new", "ahead"]);
});

it("forgets a little with each writing when the limit was lowered, and never the newest", async () => {
  const file = join(folder(), "store.db");
  const store = await open(file);
  for (let i = 1; i <= 1_000; i += 1) await store.appendTurn(sampleTurn(String(i)));
  await store.close();
  const counts: number[] = [];
  for (const id of ["a", "b", "c"]) {
    const lowered = await open(file, { journal: { maxTurns: 10 } });
    await lowered.appendTurn(sampleTurn(id));
    await lowered.close();
    const looking = await open(file, { journal: { maxTurns: 10_000 } });
    const turns = await looking.listTurns(10_000);
    await looking.close();
    expect(turns[0]?.id).toBe(id);
    counts.push(turns.length);
  }
  expect(counts).toEqual([800, 600, 400]);
});

describe("the options of a store", () => {
  it.each([
    ["a short key", { key: new Uint8Array(16) }, /32 bytes, not 16/],
    ["a journal of nothing", { journal: { maxTurns: 0 } }, /maxTurns .* not 0/],
    ["half a turn", { journal: { maxTurns: 1.5 } }, /maxTurns .* not 1.5/],
    ["a journal of no time", { journal: { maxAgeMs: 0 } }, /maxAgeMs .* not 0/],
  ])("refuses %s and makes no file", async (_, options, text) => {
    const place = folder();
    const opening = open(join(place, "store.db"), options);
    await expect(opening).rejects.toSatisfy((error) => isUnderstudyError(error, "config_invalid"));
    await expect(opening).rejects.toThrow(text);
    expect(readdirSync(place)).toEqual([]);
  });
});

describe("the settings of a connection", () => {
  afterEach(() => vi.restoreAllMocks());

  it.each(["wal", "delete"] as const)("make every commit durable and block nobody, with %s", async (journalMode) => {
    const execute = vi.spyOn(DatabaseSync.prototype, "exec");
    const store = await open(join(folder(), "store.db"), { journalMode });
    await saveSampleLogin(store);
    const database = execute.mock.contexts.at(-1);
    if (!(database instanceof DatabaseSync)) throw new Error("nothing was executed");
    const setting = (name: string): unknown => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0];
    const [extra, on] = [3, 1];
    expect(setting("journal_mode")).toBe(journalMode);
    expect(setting("busy_timeout")).toBe(0);
    expect(setting("foreign_keys")).toBe(on);
    expect(setting("fullfsync")).toBe(on);
    expect(setting("synchronous")).toBe(extra);
    // Writing behind needs no sync of its own, and must not leave that behind.
    await store.appendTurn(sampleTurn("t1"));
    await expect.poll(() => execute.mock.calls.flat(), { timeout: 15_000 }).toContain("PRAGMA synchronous = NORMAL");
    expect(setting("synchronous")).toBe(extra);
  });
});

describe("two connections to one store", () => {
  it("see each other's changes at once, uses and turns after a close", async () => {
    const file = join(folder(), "store.db");
    const [first, second] = [await open(file), await open(file)];
    const { id } = await saveSampleLogin(first);
    expect(await first.listCredentials()).toEqual(await second.listCredentials());
    await second.updateCredential(id, { label: "home" });
    expect((await first.listCredentials("codex"))[0]?.label).toBe("home");
    await second.settleAnswered(id, 1, sampleGrant("2"), null);
    expect((await readOAuth(first, id)).grant.accessToken.reveal()).toBe("access-2");
    await second.putCooldown(sampleCooldown({ until: Date.now() + 60_000 }));
    expect(await first.listCooldowns()).toHaveLength(1);

    await first.recordUse(id, start + 1);
    await second.recordUse(id, start + 2);
    await second.appendTurn(sampleTurn("t1"));
    expect((await first.listCredentials())[0]).toMatchObject({ uses: 1 });
    await second.close();
    expect((await first.listCredentials())[0]).toMatchObject({ uses: 2, lastUsedAt: start + 2 });
    expect(await first.listTurns(1)).toEqual([sampleTurn("t1")]);
    await second.close();
    expect(await second.removeCredential(id).catch((error: unknown) => isUnderstudyError(error))).toBe(true);
    expect(await first.removeCredential(id)).toBe(true);
    expect(await first.listCredentials()).toEqual([]);
  });

  it("writes uses and turns by itself after a moment", async () => {
    const file = join(folder(), "store.db");
    const [first, second] = [await open(file), await open(file)];
    const { id } = await saveSampleLogin(first);
    await first.recordUse(id, start);
    await first.appendTurn(sampleTurn("t1"));
    await expect.poll(async () => (await second.getCredential(id))?.uses, { timeout: 15_000 }).toBe(1);
    expect(await second.listTurns(9)).toEqual([sampleTurn("t1")]);
    expect(await first.getCredential(id)).toMatchObject({ uses: 1 });
    expect(await first.listTurns(9)).toEqual([sampleTurn("t1")]);
  });
});

describe("a store that another process has locked", () => {
  it("waits for it without blocking anybody, in the order of the calls", async () => {
    const file = join(folder(), "store.db");
    const store = await open(file);
    const { id } = await saveSampleLogin(store);
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const renaming = ["one", "two", "three"].map((label) => store.updateCredential(id, { label }));
    // The event loop goes round and readers read while the writers wait.
    expect((await store.getCredential(id))?.label).toBe("work");
    await new Promise((resolve) => setImmediate(resolve));
    other.exec("ROLLBACK");
    other.close();
    expect((await Promise.all(renaming)).map((credential) => credential?.label)).toEqual(["one", "two", "three"]);
    expect((await store.getCredential(id))?.label).toBe("three");
  });

  it("does not close under a write that waits", async () => {
    const file = join(folder(), "store.db");
    const store = await open(file);
    const { id } = await saveSampleLogin(store);
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const renaming = store.updateCredential(id, { label: "home" });
    const closing = store.close();
    await new Promise((resolve) => setImmediate(resolve));
    other.exec("ROLLBACK");
    other.close();
    expect((await renaming)?.label).toBe("home");
    await closing;
    expect(readdirSync(join(file, ".."))).toEqual(["store.db"]);
  });

  it("gives up after the limit, changes nothing, and works again afterwards", async () => {
    const file = join(folder(), "store.db");
    const store = await open(file, { lockWaitMs: 60 });
    const { id } = await saveSampleLogin(store);
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    const renaming = store.updateCredential(id, { label: "home" });
    await expect(renaming).rejects.toSatisfy((error) => isUnderstudyError(error, "store_unavailable"));
    await expect(renaming).rejects.toThrow(/store\.db can't be used: another process keeps it locked/);
    await store.recordUse(id, start);
    await store.appendTurn(sampleTurn("t1"));
    other.exec("ROLLBACK");
    other.close();
    expect(await store.getCredential(id)).toMatchObject({ label: "work", uses: 1 });
    expect((await store.updateCredential(id, { label: "home" }))?.label).toBe("home");
  });

  it("keeps in memory what it could not write behind, and closes with an error if it never can", async () => {
    const file = join(folder(), "store.db");
    const store = await open(file, { lockWaitMs: 20 });
    const other = new DatabaseSync(file);
    other.exec("BEGIN IMMEDIATE");
    await store.appendTurn(sampleTurn("t1"));
    expect(await store.listTurns(1)).toEqual([sampleTurn("t1")]);
    await expect(store.close()).rejects.toSatisfy((error) => isUnderstudyError(error, "store_unavailable"));
    opened.length = 0;
    other.close();
  });
});

describe("the tables of a store", () => {
  it("are brought forward by the steps that are missing, and only those", async () => {
    const file = join(folder(), "store.db");
    const { id } = await saveSampleLogin(await open(file));
    await opened[0]?.close();
    const database = new DatabaseSync(file);
    const steps = [...migrations, "ALTER TABLE credential ADD COLUMN note TEXT", "UPDATE credential SET note = 'new'"];
    migrate(database, createSealer(testKey), steps);
    expect(readVersion(database)).toBe(steps.length);
    migrate(database, createSealer(testKey), steps);
    expect(database.prepare("SELECT id, note FROM credential").all()).toEqual([{ id, note: "new" }]);
    database.close();
  });

  it("keep their journal when they come from a version that gave each turn a row of its own", async () => {
    const file = join(folder(), "store.db");
    const database = new DatabaseSync(file);
    migrate(database, createSealer(testKey), migrations.slice(0, 1));
    const insert = database.prepare("INSERT INTO turn (seq, id, record) VALUES (?, ?, ?)");
    for (const n of [3, 4, 9]) insert.run(n, `t${n}`, JSON.stringify(sampleTurn(`t${n}`)));
    database.close();
    const store = await open(file, { journal: { maxTurns: 3 } });
    expect(await store.listTurns(10)).toEqual([sampleTurn("t9"), sampleTurn("t4"), sampleTurn("t3")]);
    await store.appendTurn(sampleTurn("t10"));
    await store.close();
    const again = await open(file);
    expect((await again.listTurns(10)).map(({ id }) => id)).toEqual(["t10", "t9", "t4"]);
  });

  it("are not written by a process that runs an older version than the one that changed them", async () => {
    const file = join(folder(), "store.db");
    const store = await open(file);
    const { id } = await saveSampleLogin(store);
    const newer = new DatabaseSync(file);
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    const claiming = store.settleAnswered(id, 1, sampleGrant("2"), null);
    await expect(claiming).rejects.toSatisfy((error) => isUnderstudyError(error, "store_newer"));
    expect((await readOAuth(store, id)).grant.generation).toBe(1);
  });

  it("give up no secret that was copied to another row, and say which credential was altered", async () => {
    const file = join(folder(), "store.db");
    const store = await open(file);
    const first = await saveSampleLogin(store);
    const second = await saveSampleLogin(store, { account: sampleAccount({ userId: "user-2" }), label: "home" });
    const thief = new DatabaseSync(file);
    thief
      .prepare("UPDATE credential SET access_token = (SELECT access_token FROM credential WHERE id = ?) WHERE id = ?")
      .run(first.id, second.id);
    thief.close();
    const listing = store.listCredentials();
    await expect(listing).rejects.toSatisfy((error) => isUnderstudyError(error, "store_unavailable"));
    await expect(listing).rejects.toThrow(new RegExp(`codex "home" \\(${second.id}\\).*altered`));
    expect((await readOAuth(store, first.id)).grant.accessToken.reveal()).toBe("access-1");
    expect(await store.removeCredential(second.id)).toBe(true);
    expect(await store.listCredentials()).toHaveLength(1);
  });
});

it("makes no folder or file where a file is in the way", async () => {
  const place = folder();
  writeFileSync(join(place, "file"), "mine");
  mkdirSync(join(place, "folder"));
  await expect(open(join(place, "file", "store.db"))).rejects.toThrow(/a part of the path is a file/);
  await expect(open(join(place, "folder"))).rejects.toThrow(/is a folder, not a file/);
  expect(readFileSync(join(place, "file"), "utf8")).toBe("mine");
  expect(readdirSync(join(place, "folder"))).toEqual([]);
});
