import { UnderstudyError } from "../core/error.ts";
import type { Soon } from "../core/soon.ts";
import type { Store } from "../credentials/store.ts";
import { isCurrent, type KeyRing, keyChangedError } from "./key-ring.ts";
import { SealError } from "./seal.ts";

/**
 * The store, which goes on when it is given another key while it is open: a call that meets a value or a key check of the new
 * key asks `ring` for its keys again and is made once more. Without the new key it rejects with `store_unavailable`.
 * `place` is the store as errors name it.
 */
export function followKey(store: Store, ring: KeyRing, place: string, readKeyCheck: () => Promise<Uint8Array>): Store {
  async function follow<T>(work: () => Promise<T>): Promise<T> {
    const before = ring.check;
    try {
      return await work();
    } catch (error) {
      return again(error, before, work);
    }
  }

  /** The same for what is mostly given at once. */
  function followSoon<T>(work: () => Soon<T>): Soon<T> {
    const before = ring.check;
    const given = work();
    return given instanceof Promise ? given.catch((error: unknown) => again(error, before, work)) : given;
  }

  async function again<T>(error: unknown, before: KeyRing["check"], work: () => Soon<T>): Promise<T> {
    if (!isAboutKey(error)) throw error;
    // Somebody else may have looked for the new key while this call was under way.
    if (ring.check === before && !(await renew())) throw error;
    return work();
  }

  /** True when the store has another key than before, and we have it. */
  async function renew(): Promise<boolean> {
    const check = await readKeyCheck();
    if (isCurrent(ring, check)) return false;
    await ring.reload();
    if (!ring.adopt(check)) throw keyChangedError(place);
    return true;
  }

  const readPool = store.readPool?.bind(store);
  const listCooldownsOf = store.listCooldownsOf?.bind(store);
  return {
    ...store,
    ...(readPool === undefined ? {} : { readPool: (provider, tells) => followSoon(() => readPool(provider, tells)) }),
    ...(listCooldownsOf === undefined
      ? {}
      : { listCooldownsOf: (provider, id) => followSoon(() => listCooldownsOf(provider, id)) }),
    listCredentials: (provider) => follow(() => store.listCredentials(provider)),
    getCredential: (id) => follow(() => store.getCredential(id)),
    addApiKey: (input) => follow(() => store.addApiKey(input)),
    saveLogin: (input) => follow(() => store.saveLogin(input)),
    updateCredential: (id, change) => follow(() => store.updateCredential(id, change)),
    removeCredential: (id) => follow(() => store.removeCredential(id)),
    claimRefresh: (request) => follow(() => store.claimRefresh(request)),
    settleAnswered: (id, generation, grant, account) =>
      follow(() => store.settleAnswered(id, generation, grant, account)),
    settleRefused: (id, mark) => follow(() => store.settleRefused(id, mark)),
    releaseClaim: (id, generation, owner) => follow(() => store.releaseClaim(id, generation, owner)),
    settleUnknown: (id, generation, owner, since) => follow(() => store.settleUnknown(id, generation, owner, since)),
    putCooldown: (cooldown) => follow(() => store.putCooldown(cooldown)),
    clearCooldowns: (filter) => follow(() => store.clearCooldowns(filter)),
  };
}

function isAboutKey(error: unknown): boolean {
  return error instanceof UnderstudyError && error.cause instanceof SealError;
}
