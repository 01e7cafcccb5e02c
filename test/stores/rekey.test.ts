import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { isUnderstudyError } from "../../src/core/error.ts";
import type { Store } from "../../src/credentials/store.ts";
import { readKeyFile, readOrCreateKeyFile } from "../../src/stores/key-file.ts";
import { migratePostgresStore, openPostgresStore } from "../../src/stores/postgres/open.ts";
import { openPostgresTools } from "../../src/stores/postgres/tools.ts";
import { keysOfFile, nextKeyFile, rekeyStore, rekeyWithFile } from "../../src/stores/rekey.ts";
import { formatKey } from "../../src/stores/seal.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { openSqliteTools } from "../../src/stores/sqlite/tools.ts";
import { readOAuth, sampleAccount, sampleGrant, saveSampleLogin } from "../contract/store-samples.ts";
import { describeWithPostgres } from "../rig/postgres.ts";
import { finish, startProgram } from "./child.ts";
import { useFolder } from "./folder.ts";
import { contentOf, fillPlace } from "./store-content.ts";
import { testKey } from "./test-key.ts";

const folder = useFolder();
const newKey = new Uint8Array(32).fill(9);
const both = () => Promise.resolve([testKey, newKey]);

/** A store in a file with its key file beside it, and how each is opened. */
function filePlace() {
  const place = folder();
  const [file, keyFile] = [join(place, "store.db"), join(place, "key")];
  const key = () => keysOfFile(keyFile);
  const open = async (): Promise<Store> => {
    const store = await openSqliteStore({ file, key });
    onTestFinished(() => store.close());
    return store;
  };
  return { file, keyFile, open, rekey: () => rekeyWithFile(keyFile, () => openSqliteTools({ file, key })) };
}

/** Starts the program, kills it when it has printed `lines` lines, and waits for its end. */
async function killAfter(lines: number, args: readonly string[]): Promise<void> {
  const child = startProgram("rekey-until-killed", args);
  const ended = finish(child);
  let seen = 0;
  if (child.stdout === null) throw new Error("the child has no output");
  const reader = createInterface(child.stdout).on("line", () => ++seen === lines && child.kill("SIGKILL"));
  await once(reader, "close");
  const { signal, stderr } = await ended;
  if (signal !== "SIGKILL") throw new Error(`the program ended by itself: ${stderr}`);
}

describe("a SQLite store with a key file", () => {
  it("is sealed with a new key, in the place of the old one, with everything in it", async () => {
    const { file, keyFile, open, rekey } = filePlace();
    await fillPlace(open);
    const store = await open();
    const before = await contentOf(store);
    const old = readOrCreateKeyFile(keyFile);
    await rekey();
    expect(readKeyFile(keyFile)).not.toEqual(old);
    expect(existsSync(nextKeyFile(keyFile))).toBe(false);
    expect(readdirSync(dirname(keyFile)).filter((name) => name.startsWith("key"))).toEqual(["key"]);
    expect(await contentOf(await open())).toEqual(before);
    await expect(openSqliteStore({ file, key: old })).rejects.toThrow(/the key doesn't fit/);
  });

  it("goes on in a process that has it open: it reads and writes with the new key by itself", async () => {
    const { keyFile, open, rekey } = filePlace();
    const store = await open();
    const { id } = await saveSampleLogin(store);
    await rekey();
    expect(await store.settleAnswered(id, 1, sampleGrant("2"), null)).toBe(true);
    await rekey();
    expect((await readOAuth(store, id)).grant.refreshToken?.reveal()).toBe("refresh-2");
    await rekey();
    await saveSampleLogin(store, { account: sampleAccount({ userId: "user-2" }) });
    // All of it with the newest key alone.
    const other = await openSqliteStore({
      file: join(dirname(keyFile), "store.db"),
      key: readOrCreateKeyFile(keyFile),
    });
    onTestFinished(() => other.close());
    expect(await other.listCredentials()).toHaveLength(2);
  });

  it("goes on in a process that takes turns: the pool that they read is read with the new key", async () => {
    const { open, rekey } = filePlace();
    const store = await open();
    const { id } = await saveSampleLogin(store);
    const record = async () => await store.readPool?.("codex", false);
    expect((await record())?.members).toHaveLength(1);
    await rekey();
    await expect.poll(async () => (await record())?.members.map((one) => one.id)).toEqual([id]);
    await rekey();
    expect(await store.listCooldownsOf?.("codex", id)).toEqual([]);
  });

  it("is left with one of two keys that fit when the process is killed, and the next run ends it", async () => {
    const { file, keyFile, open, rekey } = filePlace();
    await fillPlace(open);
    const store = await open();
    const before = await contentOf(store);
    for (let round = 1; round <= 3; round++) {
      await killAfter(round, [file, keyFile]);
      expect(await contentOf(await open())).toEqual(before);
    }
    await rekey();
    expect(existsSync(nextKeyFile(keyFile))).toBe(false);
    expect(await contentOf(await open())).toEqual(before);
    expect(await contentOf(store)).toEqual(before);
  }, 60_000);

  it("takes the key that a killed run has left beside the file, whether or not the store has it", async () => {
    for (const isSealed of [false, true]) {
      const { file, keyFile, open, rekey } = filePlace();
      const { id } = await saveSampleLogin(await open());
      const next = readOrCreateKeyFile(nextKeyFile(keyFile));
      if (isSealed) {
        const tools = await openSqliteTools({ file, key: () => keysOfFile(keyFile) });
        await rekeyStore(tools, next);
        await tools.close();
      }
      expect((await readOAuth(await open(), id)).grant.generation).toBe(1);
      await rekey();
      expect(readFileSync(keyFile, "utf8").trim()).toBe(formatKey(next));
      expect((await readOAuth(await open(), id)).grant.generation).toBe(1);
    }
  });

  it("stays as it is when one of its secrets does not open", async () => {
    const { file, keyFile, open, rekey } = filePlace();
    const { id } = await saveSampleLogin(await open());
    const tools = await openSqliteTools({ file, key: readOrCreateKeyFile(keyFile) });
    await tools.rewrite(({ credentials }) => ({
      credentials: credentials.map((row) => ({ ...row, id_token: new Uint8Array(60) })),
    }));
    await tools.close();
    const old = readKeyFile(keyFile);
    await expect(rekey()).rejects.toThrow(new RegExp(`codex "work" \\(${id}\\) .* does not open`));
    expect(readKeyFile(keyFile)).toEqual(old);
    expect(await (await open()).removeCredential(id)).toBe(true);
    await rekey();
    expect(readKeyFile(keyFile)).not.toEqual(old);
  });
});

describeWithPostgres("a PostgreSQL store", (server) => {
  async function newPlace(): Promise<string> {
    const address = server.newAddress();
    await migratePostgresStore({ address, key: testKey });
    return address;
  }

  async function open(address: string, key: Parameters<typeof openPostgresStore>[0]["key"]): Promise<Store> {
    const store = await openPostgresStore({ address, key });
    onTestFinished(() => store.close());
    return store;
  }

  async function rekey(address: string, key: Uint8Array): Promise<boolean> {
    const tools = await openPostgresTools({ address, key: both });
    try {
      return await rekeyStore(tools, key);
    } finally {
      await tools.close();
    }
  }

  it("is sealed with a new key while processes that know both go on, whenever they look", async () => {
    const address = await newPlace();
    const store = await open(address, both);
    const { id } = await saveSampleLogin(store);
    let generation = 1;
    const done = { yet: false };
    const writing = (async () => {
      for (; !done.yet; generation++) {
        expect(await store.settleAnswered(id, generation, sampleGrant(String(generation + 1)), null)).toBe(true);
      }
    })();
    for (const key of [newKey, testKey, newKey]) expect(await rekey(address, key)).toBe(true);
    expect(await rekey(address, newKey)).toBe(false);
    done.yet = true;
    await writing;
    // Nothing was sealed with the old key after the store had lost it.
    const { grant } = await readOAuth(await open(address, newKey), id);
    expect(grant.generation).toBe(generation);
    expect(grant.refreshToken?.reveal()).toBe(`refresh-${generation}`);
  });

  it("is neither read nor written by a process that does not know the new key, and says what to do", async () => {
    const address = await newPlace();
    const store = await open(address, testKey);
    const { id } = await saveSampleLogin(store);
    await rekey(address, newKey);
    for (const work of [
      () => store.listCredentials(),
      () => store.settleAnswered(id, 1, sampleGrant("2"), null),
      () => saveSampleLogin(store, { account: sampleAccount({ userId: "user-2" }) }),
    ]) {
      const refused = work();
      await expect(refused).rejects.toSatisfy((error) => isUnderstudyError(error, "store_unavailable"));
      await expect(refused).rejects.toThrow(/another key while this process had it open.*again with the new key/);
    }
    expect((await readOAuth(await open(address, newKey), id)).grant.generation).toBe(1);
  });

  it("is left with one of two keys that fit when the process is killed", async () => {
    const address = await newPlace();
    await fillPlace(() => open(address, testKey));
    const before = await contentOf(await open(address, testKey));
    for (let round = 1; round <= 2; round++) {
      await killAfter(round, [address, formatKey(testKey), formatKey(newKey)]);
      expect(await contentOf(await open(address, both))).toMatchObject(before);
    }
  }, 60_000);
});
