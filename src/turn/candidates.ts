import { drawInOrder, orderCredentials } from "../core/select.ts";
import type { Route, Target } from "../core/target.ts";
import { assessPool, type Blocked, recoversAt } from "../credentials/pool.ts";
import type { Credential, OAuthCredential } from "../credentials/credential.ts";
import type { PoolIndex } from "../credentials/pool-index.ts";
import { type PoolRecord, replayRecord } from "../credentials/pool-record.ts";
import { type InOrder, Line, taken } from "./line.ts";
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
  readonly blocked: () => readonly BlockedCandidate[];
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
export async function listCandidates(
  runtime: TurnRuntime,
  route: Route,
  preferredCredentialId?: string,
): Promise<Candidates> {
  const targets = route.strict ? route.targets.slice(0, 1) : route.targets;
  const groups: Group[] = [];
  for (const target of targets) groups.push(await listGroup(runtime, target, groups, preferredCredentialId));

  let blocked: readonly BlockedCandidate[] | null = null;
  let nearestRecovery: number | null = null;
  for (const { nearestRecovery: own } of groups) {
    if (own !== null && (nearestRecovery === null || own < nearestRecovery)) nearestRecovery = own;
  }
  const [first] = groups;
  return {
    line: new Line(groups),
    get blocked() {
      return (blocked ??= groups.flatMap((group) => group.blocked()));
    },
    nearestRecovery,
    resting: first !== undefined && groups.length === 1 ? first.resting : groups.flatMap(({ resting }) => resting),
  };
}

/** The logins that are to be kept fresh though nobody uses them now. */
export function coolingLogins({ resting }: Candidates): readonly OAuthCredential[] {
  return resting;
}

/** `before`: the groups of the targets before this one. */
async function listGroup(
  runtime: TurnRuntime,
  target: Target,
  before: readonly Group[],
  preferredId: string | undefined,
): Promise<Group> {
  const { store, clock } = runtime;
  if (runtime.findProvider(target.provider) === null) {
    return { target, ...nobody, blocked: () => [{ target, why: "no_provider" }] };
  }
  const unstored = runtime.environmentCredentials(target.provider);
  const strategy = runtime.strategyOf(target.provider);
  const opened = await runtime.pools?.open(target.provider, strategy, unstored, clock);
  const isSecond = before.some((one) => one.target.provider === target.provider && one.target.model === target.model);
  if (opened !== undefined && opened !== null && target.credential === undefined && !isSecond) {
    const kept = groupFromIndex(runtime, target, unstored, preferredId, opened);
    if (kept !== null) return kept;
  }
  const cooldowns = await store.listCooldowns();
  const members = pinned(target, [...(await store.listCredentials(target.provider)), ...unstored]);
  const pool = assessPool(members, cooldowns, target.model, clock.now());
  /** Who stands in the line with this model: a target may be named twice, once for one login and once for all. */
  const standing = isSecond ? standingIn(before, target) : null;
  const usable = standing === null ? pool.usable : pool.usable.filter(({ id }) => !standing.has(id));
  const ordered = orderCredentials(usable, strategy, runtime.random, preferredId);
  const blocked = toBlocked(target, members, pool.blocked);
  const recoveries = pool.blocked.flatMap((one) => recoversAt(one) ?? []);
  return {
    target,
    credentials: saturatedLast(runtime, target.provider, ordered),
    blocked: () => blocked,
    nearestRecovery: recoveries.length === 0 ? null : Math.min(...recoveries),
    resting: pool.blocked.flatMap(({ why, credential }) =>
      why === "cooling" && credential.kind === "oauth" ? [credential] : [],
    ),
  };
}

/** Null when the pool has to be gone through. */
function groupFromIndex(
  runtime: TurnRuntime,
  target: Target,
  unstored: readonly Credential[],
  preferredId: string | undefined,
  { index, record }: { readonly index: PoolIndex; readonly record: PoolRecord },
): Group | null {
  const now = runtime.clock.now();
  const ready = index.readyFor(target.model, now);
  if (ready === null) return null;
  const { find, nearestRecovery, toTend } = ready;
  const count = record.changes.length;
  const preferred =
    preferredId !== undefined && ready.isReady(preferredId) ? (find(preferredId) ?? undefined) : undefined;
  const drawn = drawInOrder(ready.tree, index.strategy, runtime.random, preferred);
  return {
    target,
    credentials: taken(saturatedAfter(runtime, target.provider, drawn, find)),
    blocked() {
      const { members, cooldowns } = replayRecord(record, count);
      const all = [...members, ...unstored];
      return toBlocked(target, all, assessPool(all, cooldowns, target.model, now).blocked);
    },
    nearestRecovery,
    resting: toTend,
  };
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

function standingIn(groups: readonly Group[], { provider, model }: Target): Set<string> {
  const standing = new Set<string>();
  for (const { target, credentials } of groups) {
    if (target.provider !== provider || target.model !== model) continue;
    for (let i = 0, one = credentials.at(0); one !== undefined; one = credentials.at(++i)) standing.add(one.id);
  }
  return standing;
}

function saturatedLast(runtime: TurnRuntime, provider: string, ordered: Credential[]): Credential[] {
  const isSaturated = saturationOf(runtime, provider);
  if (isSaturated === null || !ordered.some(isSaturated)) return ordered;
  return [...ordered.filter((one) => !isSaturated(one)), ...ordered.filter(isSaturated)];
}

/** The same of those who are drawn one by one, each as it stands now. */
function* saturatedAfter(
  runtime: TurnRuntime,
  provider: string,
  drawn: Iterable<Credential>,
  find: (id: string) => Credential | null,
): Generator<Credential, undefined> {
  const isSaturated = saturationOf(runtime, provider);
  const saturated: Credential[] = [];
  for (const one of drawn) {
    if (isSaturated?.(one) === true) saturated.push(one);
    else yield find(one.id) ?? one;
  }
  for (const one of saturated) yield find(one.id) ?? one;
  return undefined;
}

/** Null when nobody can be saturated. */
function saturationOf(runtime: TurnRuntime, provider: string): ((one: Credential) => boolean) | null {
  const { load } = runtime;
  const limit = runtime.concurrencyOf?.(provider) ?? Number.POSITIVE_INFINITY;
  return load === undefined || limit === Number.POSITIVE_INFINITY ? null : ({ id }) => load.of(id) >= limit;
}

/** Those of the pool that a target is for: stored credentials, then those of the environment; only the pinned one if it names one. */
function pinned({ credential }: Target, all: readonly Credential[]): readonly Credential[] {
  return credential === undefined ? all : all.filter((one) => one.id === credential || one.label === credential);
}
