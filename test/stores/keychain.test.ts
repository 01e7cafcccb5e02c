import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { isUnderstudyError } from "../../src/core/error.ts";
import { describeKey, keyPlaces, type StorePlace } from "../../src/open-store.ts";
import { openKeychain } from "../../src/platform/keychain.ts";
import { createKeyFile, readKeyFile } from "../../src/stores/key-file.ts";
import { readKey, readOrCreateKey, readPointer } from "../../src/stores/key-place.ts";
import type { Keychain, OpenKeychain } from "../../src/stores/keychain.ts";
import { keysOfFile, rekeyWithFile } from "../../src/stores/rekey.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { openSqliteTools } from "../../src/stores/sqlite/tools.ts";
import { saveSampleLogin } from "../contract/store-samples.ts";
import { useFolder } from "./folder.ts";

const folder = useFolder();
const isUnavailable = (error: unknown): boolean => isUnderstudyError(error, "store_unavailable");

/** A keychain that does what a test tells it, in place of the system's. */
class ScriptedKeychain implements Keychain {
  readonly secrets = new Map<string, string>();
  /** `absent`: none answers. `locked`: takes everything and gives nothing, as the Secret Service does. `broken`: refuses everything. */
  state: "open" | "absent" | "locked" | "broken" = "open";
  opened: string[] = [];

  readonly open: OpenKeychain = (purpose) => {
    this.opened.push(purpose);
    return Promise.resolve(this.state === "absent" ? null : this);
  };
  #do<T>(work: () => T): Promise<T> {
    return this.state === "broken" ? Promise.reject(new Error("access denied")) : Promise.resolve(work());
  }
  read(name: string): Promise<string | null> {
    return this.#do(() => (this.state === "locked" ? null : (this.secrets.get(name) ?? null)));
  }
  write(name: string, secret: string): Promise<void> {
    return this.#do(() => void this.secrets.set(name, secret));
  }
  remove(name: string): Promise<void> {
    return this.#do(() => void this.secrets.delete(name));
  }
}

let chain: ScriptedKeychain;
let file: string;
beforeEach(() => {
  chain = new ScriptedKeychain();
  file = join(folder(), "understudy.key");
});

const options = () => ({ openKeychain: chain.open, prefersKeychain: true });

describe("a new key", () => {
  it("goes to the keychain that answers, and the key file holds its name alone", async () => {
    const key = await readOrCreateKey(file, options());
    expect(key).toHaveLength(32);
    const [[name, secret] = []] = [...chain.secrets];
    expect(readFileSync(file, "utf8")).toBe(`keychain ${name}\n`);
    expect(Buffer.from(secret ?? "", "base64")).toEqual(Buffer.from(key));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await readOrCreateKey(file, options())).toEqual(key);
    expect(chain.secrets.size).toBe(1);
  });

  it.each(["absent", "locked", "broken"] as const)("goes to the file when the keychain is %s", async (state) => {
    chain.state = state;
    const key = await readOrCreateKey(file, options());
    expect(readKeyFile(file)).toEqual(key);
  });

  it("goes to the file where the keychain is not wanted, and it is not even opened", async () => {
    const key = await readOrCreateKey(file, { ...options(), prefersKeychain: false });
    expect(readKeyFile(file)).toEqual(key);
    expect(chain.opened).toEqual([]);
  });

  it("is the same for two who make it at once, and the keychain keeps that one alone", async () => {
    const keys = await Promise.all([1, 2, 3].map(() => readOrCreateKey(file, options())));
    expect(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size).toBe(1);
    expect([...chain.secrets.keys()]).toEqual([readPointer(file)]);
  });

  it("is not made for a store that is there and has lost its key", async () => {
    await expect(readOrCreateKey(file, { ...options(), create: false })).rejects.toThrow(/key file .* is missing/);
    expect(existsSync(file)).toBe(false);
    expect(chain.secrets.size).toBe(0);
  });
});

describe("a key that is there", () => {
  it("in a file goes on being used, and no keychain is asked", async () => {
    createKeyFile(file);
    const before = readFileSync(file, "utf8");
    await readOrCreateKey(file, options());
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(chain.opened).toEqual([]);
  });

  it.each([
    ["absent", /does not answer.*Unlock it/],
    ["broken", /access denied.*Unlock it/],
    ["locked", /is locked or has lost it/],
  ] as const)("in a keychain that is %s is never replaced: an error says where it is", async (state, words) => {
    await readOrCreateKey(file, options());
    const before = readFileSync(file, "utf8");
    chain.state = state;
    const reading = readOrCreateKey(file, options());
    await expect(reading).rejects.toThrow(words);
    await expect(reading).rejects.toSatisfy(isUnavailable);
    expect(readFileSync(file, "utf8")).toBe(before);
    chain.state = "open";
    expect(await readKey(file, options())).toHaveLength(32);
  });

  it("in a keychain where something else stands by now is no key, and that is left as it is", async () => {
    await readOrCreateKey(file, options());
    chain.secrets.set(readPointer(file) ?? "", "hunter2");
    await expect(readKey(file, options())).rejects.toThrow(/no key/);
    await expect(readKey(file, options())).rejects.not.toThrow(/hunter2/);
    expect([...chain.secrets.values()]).toEqual(["hunter2"]);
  });

  it("is no key to one who does not know keychains: the file is left as it is", () => {
    writeFileSync(file, "keychain 0123456789abcdef\n");
    expect(() => readKeyFile(file)).toThrow(/holds no key/);
  });
});

describe("another key for a store whose key is in the keychain", () => {
  it("goes to the keychain too, and the old one leaves it", async () => {
    const place = join(folder(), "s.db");
    const key = () => keysOfFile(file, options());
    const store = await openSqliteStore({ file: place, key });
    const { id } = await saveSampleLogin(store);
    await store.close();
    const before = readPointer(file);
    await rekeyWithFile(file, () => openSqliteTools({ file: place, key }), options());
    expect(readPointer(file)).not.toBe(before);
    expect([...chain.secrets.keys()]).toEqual([readPointer(file)]);
    const again = await openSqliteStore({ file: place, key });
    expect(await again.getCredential(id)).toMatchObject({ id });
    await again.close();
  });
});

describe("the keychain of the system", () => {
  const hanging = {
    AsyncEntry: class {
      getPassword = (): Promise<never> => new Promise(() => {});
    },
  };

  it("is none without the optional package, and none when it refuses", async () => {
    expect(await openKeychain("new", () => Promise.reject(new Error("not installed")))).toBe(null);
    const refusing = {
      AsyncEntry: class {
        getPassword = () => Promise.reject(new Error("AccessDenied"));
      },
    };
    expect(await openKeychain("new", () => Promise.resolve(refusing as never))).toBe(null);
  });

  it("is none when it does not answer in time: a start never waits for a window that nobody sees", async () => {
    const begun = performance.now();
    expect(await openKeychain("new", () => Promise.resolve(hanging as never), 20)).toBe(null);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(15);
  });

  it("keeps text under the name of this program, and never in the kernel's keyring", async () => {
    const made: unknown[] = [];
    const secrets = new Map<string, string>();
    class AsyncEntry {
      readonly name: string;
      constructor(service: string, name: string, where: unknown) {
        made.push([service, where]);
        this.name = name;
      }
      getPassword = () => Promise.resolve(secrets.get(this.name));
      setPassword = (secret: string) => Promise.resolve(void secrets.set(this.name, secret));
      deleteCredential = () => Promise.resolve(secrets.delete(this.name));
    }
    const system = await openKeychain("known", () => Promise.resolve({ AsyncEntry } as never));
    await system?.write("a", "secret");
    expect(await system?.read("a")).toBe("secret");
    await system?.remove("a");
    expect(await system?.read("a")).toBe(null);
    expect(new Set(made.map((one) => JSON.stringify(one)))).toEqual(
      new Set([JSON.stringify(["understudy", { linux: { store: "secret-service" } }])]),
    );
  });
});

describe("where the key of a store is", () => {
  const place = (): StorePlace => ({ kind: "sqlite", name: "s.db", file: join(folder(), "s.db"), keyFile: file });

  it("is told of each source, and first comes what the environment says", async () => {
    createKeyFile(file);
    const command = "printf x";
    expect(describeKey(place(), {})).toBe(file);
    expect(describeKey(place(), { UNDERSTUDY_KEY_COMMAND: command })).toBe("the command in UNDERSTUDY_KEY_COMMAND");
    expect(describeKey(place(), { UNDERSTUDY_KEY_COMMAND: command, UNDERSTUDY_KEY: "x" })).toBe(
      "the variable UNDERSTUDY_KEY",
    );
    rmSync(file);
    await readOrCreateKey(file, options());
    expect(describeKey(place(), {})).toBe(`this system's keychain (understudy, ${readPointer(file)})`);
  });

  it("is the keychain for a new store by default; a folder of one's own keeps its key, and so does whoever says off", () => {
    expect(keyPlaces({}).prefersKeychain).toBe(true);
    expect(keyPlaces({ UNDERSTUDY_HOME: "/somewhere" }).prefersKeychain).toBe(false);
    expect(keyPlaces({ UNDERSTUDY_KEYCHAIN: "off" }).prefersKeychain).toBe(false);
  });
});
