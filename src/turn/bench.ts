import { type Cooldown, cooldownKey, healsByItself, nextCooldown } from "../core/cooldown.ts";
import type { Decision } from "../core/decide.ts";
import type { Failure } from "../core/failure.ts";
import { type Soon, soon } from "../core/soon.ts";
import { isAboutLogin, isBenchedBy } from "../credentials/pool.ts";
import { groupCooldowns } from "../credentials/pool-record.ts";
import type { Store } from "../credentials/store.ts";
import type { Target } from "../core/target.ts";
import type { ReadyPool } from "../credentials/pool-index.ts";
import type { Line, LineCandidate } from "./line.ts";
import type { TurnRuntime } from "./runtime.ts";

/**
 * The cooldown that this failure would set (rule R4: against exactly whom it concerns; R5: never shorter than what stands),
 * or null when it sets none. `triedAt`: when the attempt began, or when the token that it used was obtained, if that was later; what
 * is held against a login counts from there, so that it ends with the next generation, whenever it is written.
 */
export function planCooldown(
  store: Store,
  { target, credential }: LineCandidate,
  failure: Failure,
  now: number,
  triedAt: number,
): Soon<Cooldown | null> {
  const at = { provider: target.provider, credentialId: credential.id, model: target.model };
  const key = cooldownKey(failure.scope, at);
  if (key === null) return null;
  return soon(cooldownsOf(store, at.provider, key.credentialId), (all) => {
    const standing = all.find((one) => one.credentialId === key.credentialId && one.model === key.model);
    const planned = nextCooldown(failure, at, standing ?? null, now);
    return planned?.since === now && isAboutLogin(planned.reason) ? { ...planned, since: triedAt } : planned;
  });
}

/** True when the planned cooldown is to be written: a try that goes on in place benches nobody, unless the provider named a time. */
export function isBenching(decision: Decision, failure: Failure): boolean {
  switch (decision.action) {
    case "refresh":
    case "repair":
      return false;
    case "retry":
      return failure.retryAt !== undefined;
    case "stop":
    case "give_up":
    case "next_credential":
    case "next_target":
    case "wait":
      return true;
  }
}

/** True when a failure in the middle of an answer says something about the next turn: the credential's, or an overload. */
export function outlastsTurn({ scope, reason }: Failure): boolean {
  return scope === "credential" || scope === "credential_model" || reason === "overloaded";
}

/** A line without those who are not to be asked now. */
interface Shortened {
  readonly line: Line;
  /** When the first of them recovers by itself, in Unix ms; null when none does. */
  readonly recovery: number | null;
}

/** The line without the credentials that other turns have benched meanwhile. */
export function withoutBenched(runtime: TurnRuntime, line: Line, now: number): Soon<Shortened> {
  return soon(readyPools(runtime, line, now), (pools) =>
    pools === null
      ? soon(runtime.store.listCooldowns(), (cooldowns) => withoutListed(cooldowns, line, now))
      : withoutUnready(pools, line),
  );
}

/** Those of whom the order of each pool is kept, by target; null when one of the pools has to be gone through. */
function readyPools(runtime: TurnRuntime, line: Line, now: number): Soon<ReadonlyMap<Target, ReadyPool> | null> {
  const { pools } = runtime;
  if (pools === undefined) return null;
  const { targets } = line;
  const ready = new Map<Target, ReadyPool>();
  const from = (index: number): Soon<ReadonlyMap<Target, ReadyPool> | null> => {
    const target = targets[index];
    if (target === undefined) return ready;
    const { provider, model } = target;
    const unstored = runtime.environmentCredentials(provider);
    return soon(pools.open(provider, runtime.strategyOf(provider), unstored, runtime.clock), (opened) => {
      const pool = opened?.index.readyFor(model, now) ?? null;
      if (pool === null) return null;
      ready.set(target, pool);
      return from(index + 1);
    });
  };
  return from(0);
}

function withoutUnready(pools: ReadonlyMap<Target, ReadyPool>, line: Line): Shortened {
  const isReady = ({ target, credential }: LineCandidate): boolean =>
    pools.get(target)?.isReady(credential.id) === true;
  let recovery: number | null = null;
  for (const { nearestRecovery } of pools.values()) {
    if (nearestRecovery !== null && (recovery === null || nearestRecovery < recovery)) recovery = nearestRecovery;
  }
  // Who is further away than this is looked at when the turn has come there.
  return { line: line.soon.every(isReady) ? line : line.filter(isReady), recovery };
}

function withoutListed(cooldowns: readonly Cooldown[], line: Line, now: number): Shortened {
  const standing = cooldowns.filter((one) => one.until > now && one.credentialId !== "");
  if (standing.length === 0) return { line, recovery: null };
  const benched = groupCooldowns(standing);
  const recoveries: number[] = [];
  const refused = new Set<string>();
  // The current one stays, whoever has benched it.
  for (const { target, credential } of line.all.slice(1)) {
    const own = benched.get(credential.id)?.find((one) => isBenchedBy(one, credential, target.model, now));
    if (own === undefined) continue;
    refused.add(`${credential.id}\n${target.model}`);
    if (healsByItself(own.reason)) recoveries.push(own.until);
  }
  if (refused.size === 0) return { line, recovery: null };
  const left = line.filter(({ target, credential }) => !refused.has(`${credential.id}\n${target.model}`));
  return { line: left, recovery: recoveries.length === 0 ? null : Math.min(...recoveries) };
}

/**
 * A served turn clears what stood against its credential from before its attempt began. The same millisecond counts as before: a
 * model that failed for one credential and answered the next one at once must not rest. Done at once when nothing stands against it.
 */
export function clearAfterSuccess(store: Store, candidate: LineCandidate, startedAt: number): Soon<void> {
  const standing = cooldownsOf(store, candidate.target.provider, candidate.credential.id);
  if (standing instanceof Promise || standing.length > 0) return clearStanding(store, candidate, startedAt, standing);
}

async function clearStanding(
  store: Store,
  { target, credential }: LineCandidate,
  startedAt: number,
  standing: Soon<readonly Cooldown[]>,
): Promise<void> {
  for (const one of await standing) {
    const mine = one.credentialId === "" || one.credentialId === credential.id;
    if (!mine || (one.model !== "" && one.model !== target.model) || one.since > startedAt) continue;
    // Another turn may have failed since the list was read: its cooldown stays.
    const { provider, credentialId, model } = one;
    await store.clearCooldowns({ provider, credentialId, model, setBefore: startedAt + 1 });
  }
}

/** Those that may concern this credential, or with "" everybody; where the store can't tell them apart, the whole provider's. */
function cooldownsOf(store: Store, provider: string, credentialId: string): Soon<readonly Cooldown[]> {
  return store.listCooldownsOf?.(provider, credentialId) ?? store.listCooldowns(provider);
}
