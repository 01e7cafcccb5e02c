import type { Clock } from "../../../src/core/clock.ts";
import { UnderstudyError } from "../../../src/core/error.ts";
import type { TurnRecord } from "../../../src/core/events.ts";
import type { Credential } from "../../../src/credentials/credential.ts";
import type { Store } from "../../../src/credentials/store.ts";
import { createCooldownPart } from "./cooldown-part.ts";
import { createCredentialPart } from "./credential-part.ts";
import { type Disk, findRow, withRow } from "./disk.ts";
import { createRefreshPart } from "./refresh-part.ts";

/** The methods of the port without their waiting: each happens as a whole, at once. */
export type SyncStore = {
  readonly [K in Exclude<keyof Store, "close" | "subscribe" | "readPool" | "listCooldownsOf">]: (
    ...args: Parameters<Store[K]>
  ) => Awaited<ReturnType<Store[K]>>;
};

export interface ModelStoreOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Turns that the journal keeps. */
  readonly journalLimit: number;
}

/** One process's hold on the disk: what it has not written yet is its own. */
export interface ModelStore {
  readonly sync: SyncStore;
  /** Writes what was put off. It is seen by everybody then, but not safe from a power cut. */
  flush(): void;
  readonly hasUnwritten: boolean;
}

/** A model of the store behind the port: the same semantics as the real ones, in memory. */
export function createModelStore({ disk, clock, journalLimit }: ModelStoreOptions): ModelStore {
  const uses = new Map<string, { count: number; lastUsedAt: number }>();
  let turns: TurnRecord[] = [];

  function overlay<T extends Credential>(credential: T): T {
    const use = uses.get(credential.id);
    if (use === undefined) return credential;
    return {
      ...credential,
      uses: credential.uses + use.count,
      lastUsedAt: Math.max(credential.lastUsedAt, use.lastUsedAt),
    };
  }

  const sync: SyncStore = {
    ...createCredentialPart(disk, overlay, (id) => uses.delete(id)),
    ...createRefreshPart(disk),
    ...createCooldownPart(disk, clock),
    recordUse(id, at) {
      const { count = 0, lastUsedAt = 0 } = uses.get(id) ?? {};
      uses.set(id, { count: count + 1, lastUsedAt: Math.max(lastUsedAt, Math.round(at)) });
    },
    appendTurn(turn) {
      turns.push(turn);
    },
    listTurns(limit) {
      const all = [...disk.content.turns, ...turns].slice(-journalLimit).reverse();
      return all.slice(0, Math.max(0, limit));
    },
  };

  return {
    sync,
    flush() {
      let { content } = disk;
      for (const id of uses.keys()) {
        const row = findRow(content, id);
        if (row !== undefined) content = withRow(content, { ...row, credential: overlay(row.credential) });
      }
      disk.write({ ...content, turns: [...content.turns, ...turns].slice(-journalLimit) }, false);
      uses.clear();
      turns = [];
    },
    get hasUnwritten() {
      return uses.size + turns.length > 0;
    },
  };
}

/** The model behind the port as it is, for the contract suite. */
export function openModelStore(options: ModelStoreOptions): Store {
  const model = createModelStore(options);
  let closed = false;

  function call<K extends keyof SyncStore>(name: K): Store[K] {
    const method = model.sync[name] as (...args: unknown[]) => unknown;
    const port = async (...args: unknown[]): Promise<unknown> => {
      if (closed) throw new UnderstudyError("store_unavailable", "the store has been closed");
      return method(...args);
    };
    return port as Store[K];
  }

  return {
    listCredentials: call("listCredentials"),
    getCredential: call("getCredential"),
    addApiKey: call("addApiKey"),
    saveLogin: call("saveLogin"),
    updateCredential: call("updateCredential"),
    removeCredential: call("removeCredential"),
    recordUse: call("recordUse"),
    claimRefresh: call("claimRefresh"),
    settleAnswered: call("settleAnswered"),
    settleRefused: call("settleRefused"),
    releaseClaim: call("releaseClaim"),
    settleUnknown: call("settleUnknown"),
    listCooldowns: call("listCooldowns"),
    putCooldown: call("putCooldown"),
    clearCooldowns: call("clearCooldowns"),
    appendTurn: call("appendTurn"),
    listTurns: call("listTurns"),
    async close() {
      if (!closed) model.flush();
      closed = true;
    },
  };
}
