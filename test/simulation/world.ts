import type { Route } from "../../src/core/target.ts";
import type { TransportRequest } from "../../src/core/transport.ts";
import type { OAuthCredential } from "../../src/credentials/credential.ts";
import type { ClaimRequest, ClaimResult } from "../../src/credentials/store.ts";
import type { Cooldown } from "../../src/core/cooldown.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { Chance } from "./chance.ts";
import { Figures, type Invariant } from "./figures.ts";
import { type Family, type Issuer, TokenRegister } from "./issuer.ts";
import { Lane } from "./lane.ts";
import { Machine } from "./machine.ts";
import { serveModel, simulatedProviders } from "./model-providers.ts";
import type { Interruption } from "./mayhem.ts";
import type { Delivery } from "./network.ts";
import { CooldownWatch } from "./oracles/cooldowns.ts";
import { DurabilityWatch } from "./oracles/durability.ts";
import { LoginWatch } from "./oracles/logins.ts";
import { SpendingWatch } from "./oracles/spending.ts";
import type { Plant } from "./plant.ts";
import { drawProfile, type Profile } from "./profile.ts";
import { Scheduler } from "./scheduler.ts";
import { SimProcess } from "./sim-process.ts";
import { type Content, Disk } from "./store-model/disk.ts";
import type { StoreCall } from "./store-port.ts";
import { StoreTrouble } from "./store-trouble.ts";
import { serveToken } from "./token-endpoint.ts";
import { Trace } from "./trace.ts";
import { type Covered, Weather } from "./weather.ts";

export interface WorldOptions {
  readonly seed: number;
  /** Turns that its callers ask for. */
  readonly turns: number;
  /** A bug that is planted on purpose. */
  readonly plant?: Plant;
  /** Where the story is printed; nowhere by default. */
  readonly print?: (line: string) => void;
  /** One stop besides what the seed decides. */
  readonly interruption?: Interruption;
  /** Settles what the seed would draw. */
  readonly profile?: (drawn: Profile) => Profile;
}

/** The true time at which every world begins, Unix ms. */
const beginning = Date.UTC(2026, 6, 1, 12);

/** What a part of the world was disturbed: null stands for all of it. */
type Disturbance = { readonly step: number; readonly where: Partial<Covered> | null };

/**
 * One small world, made from one seed: machines with processes on them, one store, issuers and providers. It knows the truth
 * about everything, and the watches compare what the core does with it.
 */
export class World {
  readonly profile: Profile;
  readonly chance: { readonly schedule: Chance; readonly script: Chance; readonly wire: Chance; readonly core: Chance };
  readonly scheduler: Scheduler;
  readonly figures = new Figures();
  readonly trace: Trace | null;
  readonly plant: Plant | null;
  readonly disk = new Disk();
  readonly register = new TokenRegister();
  readonly weather: Weather;
  readonly storeTrouble: StoreTrouble;
  readonly issuers = new Map<string, Issuer>();
  readonly machines: readonly Machine[];
  processes: SimProcess[] = [];
  routes: Route[] = [];
  readonly spending: SpendingWatch;
  readonly logins: LoginWatch;
  readonly durability: DurabilityWatch;
  readonly cooldowns: CooldownWatch;
  /** Credential ids by account id and by API key. */
  readonly #owners = new Map<string, string>();
  readonly #revokedKeys = new Set<string>();
  readonly #everyProcess = new Map<string, SimProcess>();
  readonly #disturbances: Disturbance[] = [];
  #turnsLeft: number;
  #turnsMade = 0;
  #attempts = 0;
  #pids = 0;

  constructor({ seed, turns, plant, print, profile }: WorldOptions) {
    const chance = new Chance(seed);
    this.chance = { schedule: chance.fork(), script: chance.fork(), wire: chance.fork(), core: chance.fork() };
    const drawn = drawProfile(chance);
    this.profile = profile?.(drawn) ?? drawn;
    this.plant = plant ?? null;
    this.#turnsLeft = turns;
    this.scheduler = new Scheduler(this.chance.schedule, beginning);
    this.trace = print === undefined ? null : new Trace(this.scheduler, print);
    this.weather = new Weather(this.chance.wire);
    this.storeTrouble = new StoreTrouble(this.chance.wire);
    this.machines = this.profile.offsetsMs.map((offset, n) => {
      const machine = new Machine(`m${n + 1}`, this.scheduler, 0);
      if (offset !== 0) machine.setOffset(offset);
      return machine;
    });
    this.spending = new SpendingWatch(this);
    this.logins = new LoginWatch(this);
    this.durability = new DurabilityWatch(this);
    this.cooldowns = new CooldownWatch(this);
    this.disk.onDurable = (before, after) => {
      this.durability.durable(before, after);
      this.logins.durable(before, after);
    };
  }

  get temper() {
    return this.profile.temper;
  }
  get hasStoreServer() {
    return this.profile.hasStoreServer;
  }
  get storeDelayMs() {
    return this.profile.storeDelayMs;
  }
  get thinkingMs() {
    return this.profile.thinkingMs;
  }
  get togetherness() {
    return this.profile.togetherness;
  }
  get strategy() {
    return this.profile.strategy;
  }

  readonly findProvider = (id: string): Provider | null => simulatedProviders.find((one) => one.id === id) ?? null;

  /** Some clock is not, or was not, right: times of two machines don't compare. */
  get hasOddClocks(): boolean {
    return this.machines.some((machine) => machine.offsetMs !== 0 || machine.jumpedAt > 0);
  }

  // Processes ----------------------------------------------------------------------------------------------------------

  /** Starts a process on `machine`, with callers if `lanes` says so. */
  start(name: string, machine: Machine, lanes: number): SimProcess {
    const process = new SimProcess(this, name, machine);
    this.processes = [...this.processes.filter((one) => one.name !== name), process];
    this.#everyProcess.set(process.owner, process);
    for (let n = 0; n < lanes; n++) {
      const lane = new Lane(process);
      process.lanes.push(lane);
      lane.running = lane.run().finally(() => {
        lane.isDone = true;
      });
    }
    return process;
  }

  /** The process that calls itself so in its claims, dead or alive. */
  processOwning(owner: string): SimProcess | null {
    return this.#everyProcess.get(owner) ?? null;
  }

  /** What a process can know of another's death. */
  isKnownDead(owner: string, asking: SimProcess): boolean {
    const process = this.processOwning(owner);
    if (process === null || !process.dead) return false;
    return (
      this.profile.tellsDeath ||
      (process.machine === asking.machine && owner.split("/")[1] === String(asking.machine.boot))
    );
  }

  // Turns --------------------------------------------------------------------------------------------------------------

  /** False when enough turns were asked for. */
  takeTurn(): boolean {
    if (this.#turnsLeft <= 0) return false;
    this.#turnsLeft -= 1;
    return true;
  }

  get turnsLeft(): number {
    return this.#turnsLeft;
  }

  /** No more turns. */
  close(): void {
    this.#turnsLeft = 0;
  }

  nextTurnName(): string {
    this.#turnsMade += 1;
    this.figures.turns += 1;
    return `t${this.#turnsMade}`;
  }

  nextPid(): number {
    this.#pids += 1;
    return this.#pids;
  }

  nextAttempt(): number {
    this.#attempts += 1;
    return this.#attempts;
  }

  // The outside --------------------------------------------------------------------------------------------------------

  serve(process: SimProcess, lane: Lane | null, request: TransportRequest): Delivery {
    return lane === null ? serveToken(this, process, request) : serveModel(this, process, lane, request);
  }

  own(secretOrAccount: string, credentialId: string): void {
    this.#owners.set(secretOrAccount, credentialId);
  }

  credentialOf(secret: string): string | null {
    const account = this.register.access.get(secret)?.family.account.id;
    return this.#owners.get(account ?? secret) ?? null;
  }

  isKeyGood(credentialId: string): boolean {
    return !this.#revokedKeys.has(credentialId);
  }

  revokeKey(credentialId: string, isRevoked: boolean): void {
    if (isRevoked) this.#revokedKeys.add(credentialId);
    else this.#revokedKeys.delete(credentialId);
  }

  /** The provider takes this access token now. */
  isAccessGood(token: string): boolean {
    const access = this.register.access.get(token);
    if (access === undefined || access.rejected || this.scheduler.now >= access.livesUntil) return false;
    return access.family.over === null || !access.family.issuer.policy.revokesAccess;
  }

  familyOf(refreshToken: string): Family | null {
    for (const issuer of this.issuers.values()) {
      const family = issuer.familyOf(refreshToken);
      if (family !== null) return family;
    }
    return null;
  }

  wasRefused({ id, grant }: OAuthCredential): boolean {
    return this.spending.wasRefused(id, grant.generation);
  }

  // What is watched ----------------------------------------------------------------------------------------------------

  /** After each call that the store has carried out. */
  watchStore(call: StoreCall, result: unknown, before: Content): void {
    const { method, args, process, lane, madeAt } = call;
    if (method === "claimRefresh") {
      const claim = result as ClaimResult;
      if (claim.outcome === "claimed")
        this.spending.claimed(process, claim.credential, madeAt, (args[0] as ClaimRequest).deadline);
    }
    if (method === "putCooldown") {
      const { provider, credentialId, model } = args[0] as Cooldown;
      this.disturbed({ provider, ...(credentialId && { credentialId }), ...(model && { model }) });
    }
    if (this.disk.content !== before) this.cooldowns.changed(call, before, this.disk.content);
    if (lane === null && method !== "claimRefresh" && method !== "getCredential")
      this.#settled(args[0] as string, method);
  }

  #settled(credentialId: string, method: string): void {
    if (method !== "settleAnswered") this.disturbed({ credentialId });
  }

  /** Something happened after which nobody there counts as undisturbed. */
  disturbed(where: Partial<Covered> | null = null): void {
    this.#disturbances.push({ step: this.scheduler.steps, where });
  }

  wasDisturbed(candidate: Covered, sinceStep: number): boolean {
    for (let at = this.#disturbances.length - 1; at >= 0; at--) {
      const one = this.#disturbances[at];
      if (one === undefined || one.step < sinceStep) return false;
      if (one.where === null) return true;
      const keys = Object.keys(one.where) as (keyof Covered)[];
      if (keys.every((key) => one.where?.[key] === candidate[key])) return true;
    }
    return false;
  }

  violate(invariant: Invariant, text: string): void {
    this.trace?.tell(null, `VIOLATION of ${invariant}: ${text}`);
    this.figures.violations.push({ invariant, text, step: this.scheduler.steps });
  }

  get isBroken(): boolean {
    return this.figures.violations.length > 0;
  }
}
