import type { Clock } from "../core/clock.ts";
import type { Cooldown } from "../core/cooldown.ts";
import type { Credential } from "../credentials/credential.ts";
import type { Store, StoreHint } from "../credentials/store.ts";
import { createWriteBehind } from "./write-behind.ts";

/** A store that turns can read while it is away. */
export interface LastKnownStore extends Store {
  /** Since when the store has been away (Unix ms) and what it said; null while it answers. */
  readonly outage: { readonly since: number; readonly error: unknown } | null;
}

/**
 * Keeps turns going while the store behind it can't be reached.
 *
 * - Credentials and cooldowns are read from the store each time; only while it is away the last answers count, together with what
 *   this process has seen and done since.
 * - A cooldown that can't be written is kept, counts in this process at once, and is written when the store is back (by rule R5 it
 *   shortens none). That is the one write which resolves before it is durable.
 * - Everything else fails as the store fails. A claim on a refresh token is never made up.
 *
 * `isOutage` tells errors after which to go on from errors that a person must see. Rejects if the store can't be read now.
 */
export async function createLastKnownStore(
  store: Store,
  { clock, isOutage }: { readonly clock: Clock; readonly isOutage: (error: unknown) => boolean },
): Promise<LastKnownStore> {
  const credentials = new Map<string, Credential>();
  const cooldowns = new Map<string, Cooldown>();
  /** Cooldowns that the store does not have yet. */
  const unwritten = new Map<string, Cooldown>();
  let outage: LastKnownStore["outage"] = null;
  // By itself too: the next call, or word that the server is back, may be long in coming.
  const behind = createWriteBehind(() => unwritten.size, writeCooldowns);
  let timer: NodeJS.Timeout | undefined;

  /** `work` on the store, or while it is away `known`. */
  async function orKnown<T>(work: () => Promise<T>, known: (error: unknown) => T): Promise<T> {
    try {
      const result = await work();
      outage = null;
      if (unwritten.size > 0) writeNow();
      return result;
    } catch (error) {
      if (!isOutage(error)) throw error;
      outage ??= { since: clock.now(), error };
      return known(error);
    }
  }

  async function writeCooldowns(): Promise<void> {
    for (const [key, cooldown] of Array.from(unwritten)) {
      await store.putCooldown(cooldown);
      if (unwritten.get(key) === cooldown) unwritten.delete(key);
    }
  }

  function writeNow(): void {
    behind.flush().catch(() => behind.touch());
  }

  function learnCredential(credential: Credential): void {
    const known = credentials.get(credential.id);
    // An answer that was under way while a token was refreshed is older than what is known.
    if (
      known?.kind === "oauth" &&
      credential.kind === "oauth" &&
      known.grant.generation > credential.grant.generation
    ) {
      return;
    }
    credentials.set(credential.id, credential);
  }

  /** Each with what is not written yet; that which is in no answer is gone. */
  function withUnwritten(read: readonly Cooldown[], provider: string | undefined): Cooldown[] {
    const all = new Map(read.map((cooldown) => [keyOf(cooldown), cooldown]));
    for (const [key, cooldown] of unwritten) {
      if (isOf(cooldown, provider)) all.set(key, later(all.get(key), cooldown));
    }
    return [...all.values()];
  }

  function clearKnown(filter: Parameters<Store["clearCooldowns"]>[0]): void {
    for (const known of [cooldowns, unwritten]) {
      for (const [key, cooldown] of known) if (matches(cooldown, filter)) known.delete(key);
    }
  }

  const self: LastKnownStore = {
    ...store,
    get outage() {
      return outage;
    },

    listCredentials: (provider) =>
      orKnown(
        async () => {
          const read = await store.listCredentials(provider);
          const ids = new Set(read.map(({ id }) => id));
          for (const one of credentials.values())
            if (isOf(one, provider) && !ids.has(one.id)) credentials.delete(one.id);
          for (const one of read) learnCredential(one);
          return read;
        },
        () => [...credentials.values()].filter((one) => isOf(one, provider)).sort(byPlace),
      ),

    getCredential: (id) =>
      orKnown(
        async () => {
          const read = await store.getCredential(id);
          if (read === null) credentials.delete(id);
          else learnCredential(read);
          return read;
        },
        () => credentials.get(id) ?? null,
      ),

    listCooldowns: (provider) =>
      orKnown(
        async () => {
          const read = withUnwritten(await store.listCooldowns(provider), provider);
          for (const [key, one] of cooldowns) if (isOf(one, provider)) cooldowns.delete(key);
          for (const one of read) cooldowns.set(keyOf(one), one);
          return read;
        },
        () => [...cooldowns.values()].filter((one) => isOf(one, provider)),
      ),

    async putCooldown(cooldown) {
      const key = keyOf(cooldown);
      cooldowns.set(key, later(cooldowns.get(key), cooldown));
      await orKnown(
        () => store.putCooldown(cooldown),
        () => {
          unwritten.set(key, later(unwritten.get(key), cooldown));
          behind.touch();
        },
      );
    },

    async clearCooldowns(filter) {
      // Known ones too, even if the store fails: in this process they are over.
      clearKnown(filter);
      return orKnown(
        () => store.clearCooldowns(filter),
        (error) => {
          throw error;
        },
      );
    },

    async recordUse(id, at) {
      await store.recordUse(id, at);
      const known = credentials.get(id);
      if (known === undefined) return;
      credentials.set(id, { ...known, uses: known.uses + 1, lastUsedAt: Math.max(known.lastUsedAt, at) });
    },

    async settleAnswered(id, generation, grant, account) {
      const settled = await store.settleAnswered(id, generation, grant, account);
      const known = credentials.get(id);
      // The store may go away before anybody has read what was just written.
      if (settled && known?.kind === "oauth" && known.grant.generation === generation) {
        const next = { ...grant, generation: generation + 1 };
        const before = known.unknownOutcome === null ? {} : { unknownBefore: known.unknownOutcome };
        credentials.set(id, { ...known, ...before, grant: next, relogin: null, unknownOutcome: null });
      }
      return settled;
    },

    async close() {
      clearTimeout(timer);
      stopListening?.();
      // What can't be written now is lost with this process: a cooldown is learned again.
      await behind.stop().catch(() => {});
      await store.close();
    },
  };

  /** What is known should be what was last true before the store goes away, not what was last asked for. */
  function readSoon(hint: StoreHint): void {
    if (hint === "reconnected") writeNow();
    timer ??= setTimeout(() => {
      timer = undefined;
      void readAll().catch(() => {});
    }, hintPauseMs).unref();
  }

  async function readAll(): Promise<void> {
    await Promise.all([self.listCredentials(), self.listCooldowns()]);
  }

  for (const one of await store.listCredentials()) learnCredential(one);
  for (const one of await store.listCooldowns()) cooldowns.set(keyOf(one), one);
  const stopListening = store.subscribe?.(readSoon);
  return self;
}

/** Hints come in bursts; they are followed at most this often, in ms. */
const hintPauseMs = 1_000;

function keyOf({ provider, credentialId, model }: Cooldown): string {
  return JSON.stringify([provider, credentialId, model]);
}

/** Rule R5: of two for the same key the one that ends later, with the higher count. */
function later(one: Cooldown | undefined, other: Cooldown): Cooldown {
  if (one === undefined) return other;
  return { ...(other.until > one.until ? other : one), failures: Math.max(one.failures, other.failures) };
}

function matches(cooldown: Cooldown, filter: Parameters<Store["clearCooldowns"]>[0]): boolean {
  return (
    isOf(cooldown, filter.provider) &&
    (filter.credentialId === undefined || cooldown.credentialId === filter.credentialId) &&
    (filter.model === undefined || cooldown.model === filter.model) &&
    (filter.setBefore === undefined || cooldown.since < filter.setBefore)
  );
}

function isOf(one: { readonly provider: string }, provider: string | undefined): boolean {
  return provider === undefined || one.provider === provider;
}

function byPlace(a: Credential, b: Credential): number {
  return a.priority - b.priority || (a.id < b.id ? -1 : 1);
}
