import { UnderstudyError } from "../core/error.ts";
import { createSealer, keyBytes, type Sealer, SealError } from "./seal.ts";

/**
 * Where the keys of a store come from: one key, or a function that gives those it may have been sealed with, the preferred
 * one first. It is asked again when the store turns out to be sealed anew (`rekey`), so that a process that is running
 * need not be started again.
 */
export type StoreKeys = Uint8Array | (() => Promise<readonly Uint8Array[]>);

/**
 * The keys of one store. While a store is being given a new key, a process may hold both: it seals with the one that the
 * store's key check was sealed with, and opens with any.
 */
export interface KeyRing extends Sealer {
  /** The key check that `adopt` accepted last; null before. */
  readonly check: Uint8Array | null;
  /** A new key check, sealed with the key that seals. */
  newCheck(): Uint8Array;
  /** From now on seals with the key that opens `check`. False, and nothing has changed, when none of the keys does. */
  adopt(check: Uint8Array): boolean;
  /** Asks for the keys again. What was opened with an old one still opens. */
  reload(): Promise<void>;
}

/**
 * Remembers that a key opened a key check, for whoever only looks: to see it again would need all of `node:crypto`. May forget at any
 * time; must know nothing of a key that has changed since.
 */
export interface KeyMemory {
  knows(check: Uint8Array): boolean;
  note(check: Uint8Array): void;
}

/** The row of the table `meta` that holds the key check: a value sealed with the store's key. */
export const keyCheck = { id: "meta", field: "key_check", text: "understudy" } as const;

/** Throws `config_invalid` for a key of another length. */
export async function createKeyRing(keys: StoreKeys): Promise<KeyRing> {
  const read = async (): Promise<Sealer[]> =>
    (typeof keys === "function" ? await keys() : [keys]).map((key) => {
      if (key.length === keyBytes) return createSealer(key);
      throw new UnderstudyError(
        "config_invalid",
        `the key of the store must have ${keyBytes} bytes, not ${key.length}`,
      );
    });
  let sealers = await read();
  const [first] = sealers;
  if (first === undefined) throw new UnderstudyError("config_invalid", "the store was given no key");
  let current = first;
  let check: Uint8Array | null = null;

  return {
    get check() {
      return check;
    },
    newCheck: () => current.seal(keyCheck.text, keyCheck.id, keyCheck.field),
    adopt(sealed) {
      const fitting = [current, ...sealers].find((sealer) => opensCheck(sealer, sealed));
      if (fitting === undefined) return false;
      [current, check] = [fitting, sealed];
      return true;
    },
    async reload() {
      sealers = [...(await read()), current];
    },
    seal: (text, id, field) => current.seal(text, id, field),
    open(sealed, id, field) {
      try {
        return current.open(sealed, id, field);
      } catch (error) {
        const other = sealers.find((sealer) => sealer !== current && opens(sealer, sealed, id, field));
        if (other === undefined) throw error;
        return other.open(sealed, id, field);
      }
    },
  };
}

/** True when `check` is the one that was adopted: nobody has given the store another key since. */
export function isCurrent(ring: KeyRing, check: Uint8Array | undefined): boolean {
  return check !== undefined && ring.check !== null && Buffer.compare(ring.check, check) === 0;
}

/** Thrown in a transaction that would seal with a key the store no longer has. `followKey` looks for the new one. */
export function keyChangedError(place: string): UnderstudyError {
  return new UnderstudyError(
    "store_unavailable",
    `the store ${place} was given another key while this process had it open. Nothing in it was changed. Start this process again with the new key.`,
    {},
    { cause: new SealError("the key check is another one") },
  );
}

/** Thrown at opening when none of the keys fits. */
export function keyMismatchError(place: string, advice: string): UnderstudyError {
  return new UnderstudyError(
    "store_unavailable",
    `the key doesn't fit the store ${place}: it was sealed with another one. Nothing in it was changed. ${advice}.`,
    {},
    { cause: new SealError("no key opens the key check") },
  );
}

/** True when `check` was sealed with the key of `sealer`. */
export function opensCheck(sealer: Sealer, check: Uint8Array): boolean {
  return opens(sealer, check, keyCheck.id, keyCheck.field);
}

function opens(sealer: Sealer, sealed: Uint8Array, id: string, field: string): boolean {
  try {
    sealer.open(sealed, id, field);
    return true;
  } catch (error) {
    if (error instanceof SealError) return false;
    throw error;
  }
}
