import { existsSync } from "node:fs";
import { dirname, isAbsolute, resolve } from "node:path";
import type { Clock } from "./core/clock.ts";
import { isUnderstudyError, UnderstudyError } from "./core/error.ts";
import type { Store } from "./credentials/store.ts";
import type { UnderstudyHome } from "./platform/home.ts";
import { createKeyMemory } from "./key-memory.ts";
import { type CacheFiles, noCacheFiles } from "./platform/cache-files.ts";
import { readKeySource } from "./platform/read-key-source.ts";
import type { JournalLimits } from "./stores/journal-limits.ts";
import { type KeyPlaceOptions, readPointer } from "./stores/key-place.ts";
import { isPostgresAddress, parsePostgresAddress } from "./stores/postgres/address.ts";
import { keysOfFile } from "./stores/rekey.ts";
import { parseKey } from "./stores/seal.ts";
import type { StoreTools } from "./stores/store-tools.ts";

export { isDiskInTheWay } from "./stores/sqlite/errors.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where a store is. `name` is for people and holds no password. */
export type StorePlace =
  | { readonly kind: "sqlite"; readonly name: string; readonly file: string; readonly keyFile: string }
  | { readonly kind: "postgres"; readonly name: string; readonly address: string };

/** Where the key of a store comes from: a variable, a command that a variable names, or a file, which may name one in the keychain. */
export type KeyOrigin =
  | { readonly from: "env"; readonly name: string }
  | { readonly from: "command"; readonly name: string; readonly command: string }
  | { readonly from: "file"; readonly path: string };

/**
 * The store that `store` of the configuration names: a `postgres://` address, or a path, which counts from the configuration's folder.
 * Without it: `understudy.db` in the data folder. Throws `config_invalid` for any other address.
 */
export function locateStore(given: string | undefined, home: UnderstudyHome): StorePlace {
  if (given !== undefined && isPostgresAddress(given)) {
    return { kind: "postgres", name: parsePostgresAddress(given).name, address: given };
  }
  if (given !== undefined && /^[a-z]+:\/\//i.test(given)) {
    throw new UnderstudyError(
      "config_invalid",
      `store: ${given.split(":")[0]}:// is no store; give a path or postgres://user@host/database`,
    );
  }
  const file = given === undefined ? home.storeFile : isAbsolute(given) ? given : resolve(home.configDir, given);
  const keyFile = file === home.storeFile ? home.keyFile : resolve(dirname(file), "understudy.key");
  return { kind: "sqlite", name: file, file, keyFile };
}

/**
 * Where the key comes from: `UNDERSTUDY_KEY`, else what `UNDERSTUDY_KEY_COMMAND` prints, else the file beside a SQLite store.
 * Throws `config_invalid` for a PostgreSQL store without one: a file on one machine is no key for several.
 */
export function findKeyOrigin(place: StorePlace, env: Env): KeyOrigin {
  if (isSet(env["UNDERSTUDY_KEY"])) return { from: "env", name: "UNDERSTUDY_KEY" };
  const command = env["UNDERSTUDY_KEY_COMMAND"];
  if (isSet(command)) return { from: "command", name: "UNDERSTUDY_KEY_COMMAND", command };
  if (place.kind === "sqlite") return { from: "file", path: place.keyFile };
  throw new UnderstudyError(
    "config_invalid",
    "a PostgreSQL store takes its key from UNDERSTUDY_KEY (32 bytes as base64 or hex) or UNDERSTUDY_KEY_COMMAND, the same on every machine. A new one: openssl rand -base64 32",
  );
}

/**
 * The keys that a store may be sealed with, the usual one first. While a store is being given another key, that one too:
 * `UNDERSTUDY_NEW_KEY`, or the file beside the key file.
 */
export function storeKeys(place: StorePlace, env: Env): () => Promise<readonly Uint8Array[]> {
  const origin = findKeyOrigin(place, env);
  return async () => {
    const next = isSet(env["UNDERSTUDY_NEW_KEY"]) ? [keyFrom(env["UNDERSTUDY_NEW_KEY"], "UNDERSTUDY_NEW_KEY")] : [];
    const exists = place.kind === "sqlite" && existsSync(place.file);
    if (origin.from === "file") {
      return [...(await keysOfFile(origin.path, { ...keyPlaces(env), create: !exists })), ...next];
    }
    return [await readKey(origin, env), ...next];
  };
}

/**
 * Where a key may be kept. The keychain is loaded when it is needed and not before. A folder of one's own (`UNDERSTUDY_HOME`) keeps its
 * key in it, so that it can be moved as a whole; `UNDERSTUDY_KEYCHAIN=off` keeps a new key out of the keychain everywhere.
 */
export function keyPlaces(env: Env): Pick<KeyPlaceOptions, "openKeychain" | "prefersKeychain"> {
  return {
    openKeychain: async (purpose) => (await import("./platform/keychain.ts")).openKeychain(purpose),
    prefersKeychain: !isSet(env["UNDERSTUDY_HOME"]) && env["UNDERSTUDY_KEYCHAIN"]?.trim().toLowerCase() !== "off",
  };
}

/** Where the key of a store is, in words for a person. Throws `config_invalid` when it comes from nowhere. */
export function describeKey(place: StorePlace, env: Env): string {
  const origin = findKeyOrigin(place, env);
  if (origin.from === "env") return `the variable ${origin.name}`;
  if (origin.from === "command") return `the command in ${origin.name}`;
  const name = readPointer(origin.path);
  return name === null ? origin.path : `this system's keychain (understudy, ${name})`;
}

/** The key that `origin` gives now. Throws `config_invalid`. */
async function readKey(origin: Exclude<KeyOrigin, { from: "file" }>, env: Env): Promise<Uint8Array> {
  if (origin.from === "env") return keyFrom(env[origin.name] ?? "", origin.name);
  try {
    const secret = await readKeySource({ from: "command", command: origin.command }, { env });
    return keyFrom(secret?.reveal() ?? "", `what ${origin.name} prints`);
  } catch (error) {
    if (!isUnderstudyError(error, "credential_unknown")) throw error;
    throw new UnderstudyError("config_invalid", `${origin.name}: ${error.message}`, {}, { cause: error });
  }
}

/** `text` as a key. Throws `config_invalid` that names `what` and repeats nothing of it. */
export function keyFrom(text: string, what: string): Uint8Array {
  const key = parseKey(text);
  if (key === null) throw new UnderstudyError("config_invalid", `${what} must hold 32 bytes as base64 or hex`);
  return key;
}

/**
 * Opens the store for turns, and loads no more than the kind of store that it is. `readOnly`: for whoever only looks;
 * what it may keep for the next time goes into `cache`. What is known of a PostgreSQL store keeps them going while it is away.
 */
export async function openStore(
  place: StorePlace,
  {
    clock,
    env,
    journal = {},
    readOnly = false,
    cache = noCacheFiles,
  }: { clock: Clock; env: Env; journal?: Partial<JournalLimits>; readOnly?: boolean; cache?: CacheFiles },
): Promise<Store> {
  const key = storeKeys(place, env);
  if (place.kind === "sqlite") {
    const { openSqliteStore } = await import("./stores/sqlite/open.ts");
    // A key from elsewhere may be another one each time.
    const origin = readOnly && !isSet(env["UNDERSTUDY_NEW_KEY"]) ? findKeyOrigin(place, env) : null;
    const keyMemory = origin?.from === "file" ? createKeyMemory(cache, origin.path) : null;
    return openSqliteStore({
      file: place.file,
      key,
      clock,
      journal,
      readOnly,
      ...(keyMemory === null ? {} : { keyMemory }),
    });
  }
  const [{ openPostgresStore }, { isOutage }, { createLastKnownStore }] = await Promise.all([
    import("./stores/postgres/open.ts"),
    import("./stores/postgres/errors.ts"),
    import("./stores/last-known-store.ts"),
  ]);
  const store = await openPostgresStore({ address: place.address, key, clock, journal });
  try {
    return await createLastKnownStore(store, { clock, isOutage });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/**
 * Opens the store for tools. `create`: makes what is missing of it. Throws `usage` when it is missing and may not be made. The key
 * file beside a SQLite store counts also when the key at hand is for another store, as it is when one is copied into the other.
 */
export async function openStoreTools(
  place: StorePlace,
  { env, create }: { env: Env; create: boolean },
): Promise<StoreTools> {
  if (place.kind === "postgres") {
    const { openPostgresTools } = await import("./stores/postgres/tools.ts");
    return openPostgresTools({ address: place.address, key: storeKeys(place, env), makeTables: create });
  }
  if (!create && !existsSync(place.file)) throw new UnderstudyError("usage", `there is no store ${place.file}`);
  const keys = storeKeys(place, env);
  const beside = async () => {
    const usual = await keys();
    return existsSync(place.keyFile) ? [...usual, ...(await keysOfFile(place.keyFile, keyPlaces(env)))] : usual;
  };
  const { openSqliteTools } = await import("./stores/sqlite/tools.ts");
  return openSqliteTools({ file: place.file, key: beside });
}

function isSet(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== "";
}
