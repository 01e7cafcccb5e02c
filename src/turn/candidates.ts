import { Draw, orderCredentials } from "../core/select.ts";
import type { Soon } from "../core/soon.ts";
import type { Route, Target } from "../core/target.ts";
import { assessPool, type Blocked, recoversAt } from "../credentials/pool.ts";
import { type Credential, type OAuthCredential, poolOf } from "../credentials/credential.ts";
import type { ReadyPool } from "../credentials/pool-index.ts";
import { type PoolRecord, replayRecord } from "../credentials/pool-record.ts";
import { type InOrder, Line } from "./line.ts";
import type { CredentialLoad } from "./load.ts";
import type { OpenPool } from "./pool-book.ts";
import type { TurnRuntime } from "./runtime.ts";

/** A target that can't be used at all now, or a credential of it that can't. */
export type BlockedCandidate =
  | { readonly target: Target; readonly why: "no_provider" }
  | { readonly target: Target; readonly why: "no_credential" }
  | { readonly target: Target; readonly why: "blocked"; readonly blocked: Blocked };

/** The candidates of a route as they stand at one moment. */
export interface Candidates {
  readonly line: Line;
  /** Listed when it is asked for, as it was when the candidates were. */
  readonly blocked: readonly BlockedCandidate[];
  /** Unix ms at which the first blocked one recovers by itself; null when none will. */
  readonly nearestRecovery: number | null;
  /** The logins that nobody uses now because they cool down; where a pool's order is kept, those whose token is to be refreshed. */
  readonly resting: readonly OAuthCredential[];
}

/** What one target brings to the candidates. */
interface Group {
  readonly target: Target;
  readonly credentials: InOrder;
  listBlocked(): readonly BlockedCandidate[];
  readonly nearestRecovery: number | null;
  readonly resting: readonly OAuthCredential[];
}

/**
 * Lists the candidates of a route: for each target in order the usable credentials of its pool, best first. A strict route has
 * only its primary. Reads the store, spends nothing.
 *
 * Best first is the order of the pool's strategy, with the preferred credential at its head; but those that carry as many turns as the pool's
 * `concurrency` allows come after all others of their target. Nobody is left out for it: a saturated credential is still asked before the
 * next target (rule R11), and when it is the only one (rule R2).
 *
 * Where the store keeps records, so is the order of its pools, and only those who are tried are taken from it: the whole pool is gone through
 * for a target that names one credential, for a pool that is named twice, and while something rests for everybody.
 */
export function listCandidates(runtime: TurnRuntime, route: Route, preferredCredentialId?: string): Soon<Candidates> {
  const targets = route.strict ? route.targets.slice(0, 1) : route.targets;
  let groups: readonly Group[] = noGroups;
  for (const target of targets) {
    const group = listGroup(runtime, target, groups, preferredCredentialId);
    if (group instanceof Promise) return listFrom(group, runtime, targets, groups, preferredCredentialId);
    groups = groups.length === 0 ? [group] : [...groups, group];
  }
  return new ListedGroups(groups);
}

const noGroups: readonly Group[] = [];

/** The same from a group on that is not there at once. */
async function listFrom(
  first: Promise<Group>,
  runtime: TurnRuntime,
  targets: readonly Target[],
  before: readonly Group[],
  preferredId: string | undefined,
): Promise<Candidates> {
  const groups = [...before, await first];
  for (const target of targets.slice(groups.length)) {
    groups.push(await listGroup(runtime, target, groups, preferredId));
  }
  return new ListedGroups(groups);
}

const noLogins: readonly OAuthCredential[] = [];

class ListedGroups implements Candidates {
  readonly line: Line;
  readonly nearestRecovery: number | null;
  readonly resting: readonly OAuthCredential[];
  readonly #groups: readonly Group[];
  #blocked: readonly BlockedCandidate[] | null = null;

  constructor(groups: readonly Group[]) {
    let nearest: number | null = null;
    let resting = noLogins;
    for (const group of groups) {
      const own = group.nearestRecovery;
      if (own !== null && (nearest === null || own < nearest)) nearest = own;
      if (group.resting.length > 0) resting = resting.length === 0 ? group.resting : [...resting, ...group.resting];
    }
    this.line = new Line(groups);
    this.nearestRecovery = nearest;
    this.resting = resting;
    this.#groups = groups;
  }

  get blocked(): readonly BlockedCandidate[] {
    return (this.#blocked ??= this.#groups.flatMap((group) => group.listBlocked()));
  }
}

/** The logins that are to be kept fresh though nobody uses them now. */
export function coolingLogins({ resting }: Candidates): readonly OAuthCredential[] {
  return resting;
}

/** `before`: the groups of the targets before this one. */
function listGroup(
  runtime: TurnRuntime,
  target: Target,
  before: readonly Group[],
  preferredId: string | undefined,
): Soon<Group> {
  const { provider } = target;
  if (runtime.findProvider(provider) === null) {
    return { target, ...nobody, listBlocked: () => [{ target, why: "no_provider" }] };
  }
  const isSecond = before.length > 0 && standsBefore(before, target);
  if (runtime.pools === undefined || target.credential !== undefined || isSecond) {
    return listWhole(runtime, target, before, isSecond, preferredId);
  }
  const unstored = runtime.environmentCredentials(provider);
  const opened = runtime.pools.open(provider, runtime.strategyOf(provider), unstored, runtime.clock);
  return opened instanceof Promise
    ? opened.then((pool) => listKept(runtime, target, before, unstored, preferredId, pool))
    : listKept(runtime, target, before, unstored, preferredId, opened);
}

/** From the pool whose order is kept, if it is, and nothing rests for everybody. */
function listKept(
  runtime: TurnRuntime,
  target: Target,
  before: readonly Group[],
  unstored: readonly Credential[],
  preferredId: string | undefined,
  pool: OpenPool | null,
): Soon<Group> {
  const now = runtime.clock.now();
  const ready = pool?.index.readyFor(target.model, now) ?? null;
  if (pool === null || ready === null) return listWhole(runtime, target, before, false, preferredId);
  return new KeptGroup(runtime, target, unstored, pool, ready, now, preferredId);
}

/** From everybody in the pool. */
async function listWhole(
  runtime: TurnRuntime,
  target: Target,
  before: readonly Group[],
  isSecond: boolean,
  preferredId: string | undefined,
): Promise<Group> {
  const { store, clock } = runtime;
  const cooldowns = await store.listCooldowns();
  const unstored = runtime.environmentCredentials(target.provider);
  const members = membersFor(target, await store.listCredentials(target.provider), unstored);
  const pool = assessPool(members, cooldowns, target.model, clock.now());
  /** Who stands in the line with this model: a target may be named twice, once for one login and once for all. */
  const standing = isSecond ? standingIn(before, target) : null;
  const usable = standing === null ? pool.usable : pool.usable.filter(({ id }) => !standing.has(id));
  const ordered = orderCredentials(usable, runtime.strategyOf(target.provider), runtime.random, preferredId);
  const recoveries = pool.blocked.flatMap((one) => recoversAt(one) ?? []);
  return {
    target,
    credentials: saturatedLast(runtime, target.provider, ordered),
    listBlocked: () => toBlocked(target, members, pool.blocked),
    nearestRecovery: recoveries.length === 0 ? null : Math.min(...recoveries),
    resting: pool.blocked.flatMap(({ why, credential }) =>
      why === "cooling" && credential.kind === "oauth" ? [credential] : [],
    ),
  };
}

/** Those of a pool whose order is kept, drawn as they are asked for, each as it stands then: nearly every turn needs one. */
class KeptGroup implements Group, InOrder {
  readonly target: Target;
  readonly nearestRecovery: number | null;
  readonly resting: readonly OAuthCredential[];
  readonly #unstored: readonly Credential[];
  readonly #record: PoolRecord;
  /** How many of its changes there were. */
  readonly #changes: number;
  readonly #ready: ReadyPool;
  readonly #now: number;
  readonly #draw: Draw<Credential>;
  readonly #load: CredentialLoad | undefined;
  readonly #limit: number;
  #taken: Credential[] | null = null;
  /** Those who carry as many turns as they may, in order: they come last. */
  #saturated: Credential[] | null = null;
  #saturatedTaken = 0;

  constructor(
    runtime: TurnRuntime,
    target: Target,
    unstored: readonly Credential[],
    { index, record }: OpenPool,
    ready: ReadyPool,
    now: number,
    preferredId: string | undefined,
  ) {
    this.target = target;
    this.nearestRecovery = ready.nearestRecovery;
    this.resting = ready.loginsToTend(now);
    this.#unstored = unstored;
    this.#record = record;
    this.#changes = record.changes.length;
    this.#ready = ready;
    this.#now = now;
    const preferred =
      preferredId !== undefined && ready.isReady(preferredId) ? (ready.find(preferredId) ?? undefined) : undefined;
    this.#draw = new Draw(ready.tree, index.strategy, runtime.random, preferred);
    this.#load = runtime.load;
    this.#limit = concurrencyLimit(runtime, target.provider);
  }

  get credentials(): InOrder {
    return this;
  }

  at(index: number): Credential | undefined {
    const taken = this.#taken;
    if (taken !== null && index < taken.length) return taken[index];
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      if (this.#taken === null) this.#taken = [next];
      else this.#taken.push(next);
      if (index < this.#taken.length) return next;
    }
    return undefined;
  }

  listBlocked(): readonly BlockedCandidate[] {
    const { members, cooldowns } = replayRecord(this.#record, this.#changes);
    const all = poolOf(members, this.#unstored);
    return toBlocked(this.target, all, assessPool(all, cooldowns, this.target.model, this.#now).blocked);
  }

  #next(): Credential | undefined {
    for (let one = this.#draw.next(); one !== undefined; one = this.#draw.next()) {
      if (!this.#isSaturated(one)) return this.#ready.find(one.id) ?? one;
      if (this.#saturated === null) this.#saturated = [one];
      else this.#saturated.push(one);
    }
    const last = this.#saturated?.[this.#saturatedTaken];
    if (last === undefined) return undefined;
    this.#saturatedTaken += 1;
    return this.#ready.find(last.id) ?? last;
  }

  #isSaturated({ id }: Credential): boolean {
    return this.#load !== undefined && this.#load.of(id) >= this.#limit;
  }
}

const nobody = { credentials: [], nearestRecovery: null, resting: [] } as const;

function toBlocked(
  target: Target,
  members: readonly Credential[],
  blocked: readonly Blocked[],
): readonly BlockedCandidate[] {
  if (members.length === 0) return [{ target, why: "no_credential" }];
  return blocked.map((one) => ({ target, why: "blocked", blocked: one }));
}

/** True when one of the targets before has the same provider and model. */
function standsBefore(before: readonly Group[], { provider, model }: Target): boolean {
  for (const { target } of before) if (target.provider === provider && target.model === model) return true;
  return false;
}

function standingIn(groups: readonly Group[], { provider, model }: Target): Set<string> {
  const standing = new Set<string>();
  for (const { target, credentials } of groups) {
    if (target.provider !== provider || target.model !== model) continue;
    for (let i = 0, one = credentials.at(0); one !== undefined; one = credentials.at(++i)) standing.add(one.id);
  }
  return standing;
}

function saturatedLast(runtime: TurnRuntime, provider: string, ordered: Credential[]): Credential[] {
  const limit = concurrencyLimit(runtime, provider);
  const isSaturated = ({ id }: Credential): boolean => (runtime.load?.of(id) ?? 0) >= limit;
  if (!ordered.some(isSaturated)) return ordered;
  return [...ordered.filter((one) => !isSaturated(one)), ...ordered.filter(isSaturated)];
}

/** Infinite when nobody can be saturated. */
function concurrencyLimit({ load, concurrencyOf }: TurnRuntime, provider: string): number {
  return load === undefined ? Number.POSITIVE_INFINITY : (concurrencyOf?.(provider) ?? Number.POSITIVE_INFINITY);
}

/**
 * Those that a target is for: its provider's pool, or only the one that it names. Who names the access without a key gets it, though
 * others are stored.
 */
function membersFor(
  { credential }: Target,
  stored: readonly Credential[],
  unstored: readonly Credential[],
): readonly Credential[] {
  if (credential === undefined) return poolOf(stored, unstored);
  return [...stored, ...unstored].filter((one) => one.id === credential || one.label === credential);
}
