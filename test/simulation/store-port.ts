import type { Cooldown } from "../../src/core/cooldown.ts";
import type { ReloginMark } from "../../src/credentials/credential.ts";
import type { ClaimRequest, ClaimResult, Store } from "../../src/credentials/store.ts";
import { increase } from "./figures.ts";
import type { Lane } from "./lane.ts";
import { outside, type Peril } from "./scheduler.ts";
import type { SimProcess } from "./sim-process.ts";
import type { SyncStore } from "./store-model/model-store.ts";
import { storeError } from "./store-trouble.ts";

type Method = keyof SyncStore;

const reading: ReadonlySet<Method> = new Set(["listCredentials", "getCredential", "listCooldowns", "listTurns"]);
const refreshing: ReadonlySet<Method> = new Set([
  "claimRefresh",
  "settleAnswered",
  "settleRefused",
  "releaseClaim",
  "settleUnknown",
]);

/** One call as it reached the store. */
export interface StoreCall {
  readonly process: SimProcess;
  readonly lane: Lane | null;
  readonly method: Method;
  readonly args: readonly unknown[];
  /** Unix ms, the true time at which the process made it. */
  readonly madeAt: number;
}

/**
 * The store as one process (and, for the calls of turns, one lane of it) reaches it: a call travels, happens as a whole, and its
 * result travels back. The process may die or freeze before and after; a call that did not travel never happened.
 */
export function createStorePort(process: SimProcess, lane: Lane | null): Store {
  const { world } = process;
  const { scheduler, chance } = world;
  const store = world.plant?.store?.(process.store.sync, process) ?? process.store.sync;

  function call<K extends Method>(method: K, ...args: Parameters<Store[K]>): ReturnType<Store[K]> {
    const calling: StoreCall = { process, lane, method, args, madeAt: scheduler.now };
    if (method === "settleRefused") world.spending.judged(process, args[0] as string, args[1] as ReloginMark);
    if (method === "putCooldown") lane?.turn?.blames(args[0] as Cooldown);
    const peril: Peril = refreshing.has(method) ? "risky" : "calm";
    const promise = new Promise((resolve, reject) => {
      // A statement on its way to a server arrives though its sender dies.
      const carrier = world.hasStoreServer && chance.schedule.happens(0.5) ? outside : process;
      const hop = world.storeDelayMs;
      scheduler.after(
        chance.schedule.whole(0, hop),
        carrier,
        () => {
          let settle: () => void;
          try {
            const result = perform(calling, () => runInStore(method, args));
            settle = () => resolve(result);
          } catch (error) {
            settle = () => reject(error);
          }
          // A read's answer may be old when it arrives; most arrive at once.
          if (reading.has(method) && chance.schedule.happens(0.7) && !process.dead && !process.frozen) settle();
          else scheduler.after(chance.schedule.whole(0, hop), process, settle, peril);
        },
        peril,
      );
    });
    return promise as ReturnType<Store[K]>;
  }

  function runInStore(method: Method, args: readonly unknown[]): unknown {
    if (method === "claimRefresh" && world.hasStoreServer) return claimByServerTime(args[0] as ClaimRequest);
    return (store[method] as (...args: readonly unknown[]) => unknown)(...args);
  }

  /** A database server counts by its own clock: how long a claim stands does not depend on anybody's machine. */
  function claimByServerTime(request: ClaimRequest): ClaimResult {
    const ahead = Math.round(scheduler.now) - request.now;
    const result = store.claimRefresh({ ...request, now: request.now + ahead, deadline: request.deadline + ahead });
    return result.outcome === "held" ? { ...result, until: result.until - ahead } : result;
  }

  function perform(calling: StoreCall, run: () => unknown): unknown {
    const { method } = calling;
    const fault = world.storeTrouble.meet(process, !reading.has(method));
    const before = world.disk.durable;
    if (fault !== null) {
      process.refusedAt = scheduler.now;
      world.disturbed();
      increase(world.figures.counts, `store: ${fault}`);
      world.trace?.tell(process, `store.${method} meets ${fault}`);
      if (fault !== "lost-acknowledgement") {
        if (!reading.has(method)) world.plant?.onRefusedWrite?.(world);
        world.durability.writeFailed(calling, before);
        throw storeError(fault);
      }
    }
    const standing = world.disk.content;
    const result = run();
    world.trace?.storeCall(calling, result);
    world.watchStore(calling, result, standing);
    if (fault !== null) throw storeError(fault);
    return result;
  }

  const port: Store = {
    listCredentials: (provider) => call("listCredentials", provider),
    getCredential: (id) => call("getCredential", id),
    addApiKey: (input) => call("addApiKey", input),
    saveLogin: (input) => call("saveLogin", input),
    updateCredential: (id, change) => call("updateCredential", id, change),
    removeCredential: (id) => call("removeCredential", id),
    claimRefresh: (request) => call("claimRefresh", request),
    settleAnswered: (id, generation, grant, account) => call("settleAnswered", id, generation, grant, account),
    settleRefused: (id, mark) => call("settleRefused", id, mark),
    releaseClaim: (id, generation, owner) => call("releaseClaim", id, generation, owner),
    settleUnknown: (id, generation, owner, since) => call("settleUnknown", id, generation, owner, since),
    listCooldowns: (provider) => call("listCooldowns", provider),
    putCooldown: (cooldown) => call("putCooldown", cooldown),
    clearCooldowns: (filter) => call("clearCooldowns", filter),
    listTurns: (limit) => call("listTurns", limit),
    // These two are put off by the real stores too: they wait for nothing.
    recordUse: (id, at) => putOff(() => process.store.sync.recordUse(id, at)),
    appendTurn: (turn) => putOff(() => process.store.sync.appendTurn(turn)),
    close: () => Promise.resolve(),
  };
  return world.plant?.port?.(port, process) ?? port;

  function putOff(run: () => void): Promise<void> {
    run();
    process.flushLater();
    return Promise.resolve();
  }
}
