import type { Clock } from "./core/clock.ts";
import { UnderstudyError } from "./core/error.ts";
import { findKeyOrigin, keyFrom, keyPlaces, openStoreTools, type StorePlace, storeKeys } from "./open-store.ts";
import { isOwnerDead } from "./platform/process-identity.ts";
import { type CopyCounts, copyStore } from "./stores/copy-store.ts";
import { migratePostgresStore } from "./stores/postgres/open.ts";
import { rekeyStore, rekeyWithFile } from "./stores/rekey.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Makes the tables of a store or brings them up to date. Gives the PostgreSQL versions before and after; null for a file. */
export async function migrateStore(place: StorePlace, env: Env): Promise<{ from: number; to: number } | null> {
  if (place.kind === "postgres") return migratePostgresStore({ address: place.address, key: storeKeys(place, env) });
  // Opening a file brings it up to date.
  await (await openStoreTools(place, { env, create: true })).close();
  return null;
}

/** Brings everything of one store into another: see `copyStore`. */
export async function copyBetween(
  from: StorePlace,
  to: StorePlace,
  options: { readonly env: Env; readonly clock: Clock; readonly merge: boolean },
): Promise<CopyCounts> {
  if (from.name === to.name) throw new UnderstudyError("usage", `${from.name} can't be copied into itself`);
  const source = await openStoreTools(from, { env: options.env, create: false });
  try {
    const target = await openStoreTools(to, { env: options.env, create: true });
    try {
      return await copyStore(source, target, { merge: options.merge, clock: options.clock, isDead: isOwnerDead });
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}

/** How a store was given another key: the key file holds it now, or `UNDERSTUDY_NEW_KEY` does (and may have before). */
export type Rekeyed =
  | { readonly key: "file"; readonly path: string }
  | { readonly key: "variable"; readonly changed: boolean };

/**
 * Gives a store the key in `UNDERSTUDY_NEW_KEY`. Without that variable a store whose key is in a file gets one drawn by chance. Killed at any moment it loses nothing: whoever has the old and the new key can open the store.
 */
export async function rekey(place: StorePlace, env: Env): Promise<Rekeyed> {
  const open = () => openStoreTools(place, { env, create: false });
  const next = env["UNDERSTUDY_NEW_KEY"]?.trim() ?? "";
  if (next === "") {
    const origin = findKeyOrigin(place, env);
    if (origin.from !== "file") {
      throw new UnderstudyError(
        "usage",
        `the key of this store comes from ${origin.name}, so the new one must be given too: UNDERSTUDY_NEW_KEY="$(openssl rand -base64 32)"`,
      );
    }
    await rekeyWithFile(origin.path, open, keyPlaces(env));
    return { key: "file", path: origin.path };
  }
  const tools = await open();
  try {
    return { key: "variable", changed: await rekeyStore(tools, keyFrom(next, "UNDERSTUDY_NEW_KEY")) };
  } finally {
    await tools.close();
  }
}
