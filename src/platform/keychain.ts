import type * as Keyring from "@napi-rs/keyring";

/** Text under a name, in the keychain of this system's user. */
export interface SystemKeychain {
  readonly read: (name: string) => Promise<string | null>;
  readonly write: (name: string, secret: string) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
}

/** What everything of ours is called there. */
const service = "understudy";

/** How long a keychain may take, in ms. `known`: a person may have to unlock it. */
const limits = { new: 2_000, known: 30_000 } as const;

type Entry = InstanceType<typeof Keyring.AsyncEntry>;
type Loaded = Pick<typeof Keyring, "AsyncEntry">;

/**
 * The keychain of this system: macOS Keychain, Windows Credential Manager, the Secret Service of a Linux desktop. Null when it does not
 * answer a question within the limit, or the optional package `@napi-rs/keyring` is missing. Never the Linux kernel's keyring, which
 * forgets everything when the machine is restarted.
 */
export async function openKeychain(
  purpose: "new" | "known",
  load: () => Promise<Loaded> = () => import("@napi-rs/keyring"),
  limitMs: number = limits[purpose],
): Promise<SystemKeychain | null> {
  try {
    const { AsyncEntry } = await load();
    const entry = (name: string): Entry => new AsyncEntry(service, name, { linux: { store: "secret-service" } });
    const keychain: SystemKeychain = {
      read: (name) => within(limitMs, (signal) => entry(name).getPassword(signal)).then((secret) => secret ?? null),
      write: (name, secret) => within(limitMs, (signal) => entry(name).setPassword(secret, signal)),
      remove: (name) => within(limitMs, (signal) => entry(name).deleteCredential(signal)).then(() => {}),
    };
    await keychain.read("probe");
    return keychain;
  } catch {
    return null;
  }
}

async function within<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const limit = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`it did not answer within ${limitMs / 1_000} s`));
      limit.abort();
    }, limitMs);
  });
  const working = work(limit.signal);
  // If the limit came first, nobody else hears of it.
  working.catch(() => {});
  try {
    return await Promise.race([working, late]);
  } finally {
    clearTimeout(timer);
  }
}
