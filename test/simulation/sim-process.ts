import type { Clock } from "../../src/core/clock.ts";
import { createTokenKeeper, type TokenKeeper } from "../../src/credentials/keeper.ts";
import { createSpendRefreshToken } from "../../src/providers/spend-refresh-token.ts";
import { defaultLimits } from "../../src/turn/limits.ts";
import type { TurnRuntime } from "../../src/turn/runtime.ts";
import type { Lane } from "./lane.ts";
import type { Machine } from "./machine.ts";
import { createTransport } from "./network.ts";
import type { Actor } from "./scheduler.ts";
import { createModelStore, type ModelStore } from "./store-model/model-store.ts";
import { createStorePort } from "./store-port.ts";
import type { World } from "./world.ts";

/** As in `openWorkspace`: the HTTP limit of a refresh, and how long its claim stands, in ms. */
const refreshTimeoutMs = 20_000;
const claimMs = refreshTimeoutMs + 10_000;

/**
 * One process of this package: its own keeper, its own memory, its own hold on the store. When it dies, nothing that
 * it was waiting for comes back to it.
 */
export class SimProcess implements Actor {
  readonly name: string;
  readonly machine: Machine;
  readonly owner: string;
  readonly world: World;
  readonly clock: Clock;
  readonly store: ModelStore;
  readonly keeper: TokenKeeper;
  /** Access tokens that a provider has refused to this process. */
  readonly rejected = new Set<string>();
  /** Until when an issuer has asked this process for patience, by its origin; Unix ms, the true time. */
  readonly askedToWait = new Map<string, number>();
  dead = false;
  frozen = false;
  /** Unix ms, the true time: since when it has not been frozen; 0 if it never was. */
  thawedAt = 0;
  /** Unix ms, the true time of the last call that the store refused; 0 if none. */
  refusedAt = 0;
  lanes: Lane[] = [];
  #turns = 0;
  #flushing = false;

  constructor(world: World, name: string, machine: Machine) {
    this.world = world;
    this.name = name;
    this.machine = machine;
    this.owner = `${machine.name}/${machine.boot}/${name}/${world.nextPid()}`;
    this.clock = createClock(this);
    this.store = createModelStore({ disk: world.disk, clock: this.clock, journalLimit: 20 });
    const spend = createSpendRefreshToken({
      transport: createTransport(this, null),
      clock: this.clock,
      findProvider: world.findProvider,
      timeoutMs: refreshTimeoutMs,
    });
    this.keeper = createTokenKeeper({
      store: createStorePort(this, null),
      clock: this.clock,
      random: world.chance.core.random,
      owner: this.owner,
      isDead: (owner) => world.isKnownDead(owner, this),
      claimMs,
      spend: async (credential) => {
        const spending = world.spending.begins(this, credential);
        const outcome = await spend(credential);
        world.spending.ends(spending, outcome);
        return outcome;
      },
    });
  }

  /** What a turn of `lane` runs on. The keeper is the whole process's. */
  runtimeFor(lane: Lane): TurnRuntime {
    const { world } = this;
    return {
      transport: createTransport(this, lane),
      clock: this.clock,
      random: world.chance.core.random,
      store: createStorePort(this, lane),
      keeper: this.keeper,
      limits: defaultLimits,
      findProvider: world.findProvider,
      strategyOf: () => world.strategy,
      environmentCredentials: () => [],
      readKey: (source) => Promise.resolve(source.from === "stored" ? source.secret : null),
      resolveEndpoint: (provider) => ({ baseUrl: provider.baseUrl ?? "", protocol: provider.protocol }),
      newTurnId: () => {
        this.#turns += 1;
        return `${this.name}-${this.#turns}`;
      },
    };
  }

  /** Writes what was put off a little later, as the real stores do. */
  flushLater(delayMs = 200): void {
    if (this.#flushing || !this.store.hasUnwritten) return;
    this.#flushing = true;
    this.world.scheduler.after(delayMs, this, () => {
      this.#flushing = false;
      if (this.world.storeTrouble.refusesWrites(this)) this.flushLater(5_000);
      else this.store.flush();
    });
  }

  /** True when something has kept it from running since then. */
  wasHeldUpSince(time: number): boolean {
    return this.frozen || this.thawedAt >= time;
  }
}

function createClock(process: SimProcess): Clock {
  const { machine, world } = process;
  return {
    now: () => machine.now(),
    sleep(ms, signal) {
      return new Promise((resolve, reject) => {
        if (signal?.aborted) {
          reject(signal.reason);
          return;
        }
        const step = world.scheduler.after(ms, process, () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        });
        const onAbort = (): void => {
          step.cancel();
          reject(signal?.reason);
        };
        signal?.addEventListener("abort", onAbort, { once: true });
      });
    },
  };
}
