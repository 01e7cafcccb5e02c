import { orderCredentials } from "../core/select.ts";
import type { Route, Target } from "../core/target.ts";
import { assessPool, type Blocked, recoversAt } from "../credentials/pool.ts";
import type { Credential, OAuthCredential } from "../credentials/credential.ts";
import { Line } from "./line.ts";
import type { TurnRuntime } from "./runtime.ts";

/** A target that can't be used at all now, or a credential of it that can't. */
export type BlockedCandidate =
  | { readonly target: Target; readonly why: "no_provider" }
  | { readonly target: Target; readonly why: "no_credential" }
  | { readonly target: Target; readonly why: "blocked"; readonly blocked: Blocked };

/** The candidates of a route as they stand now. */
export interface Candidates {
  readonly line: Line;
  readonly blocked: readonly BlockedCandidate[];
  /** Unix ms at which the first blocked one recovers by itself; null when none will. */
  readonly nearestRecovery: number | null;
}

/**
 * Lists the candidates of a route: for each target in order the usable credentials of its pool, best first. A strict route has
 * only its primary. Reads the store, spends nothing.
 *
 * Best first is the order of the pool's strategy, with the preferred credential at its head; but those that carry as many turns as the pool's
 * `concurrency` allows come after all others of their target. Nobody is left out for it: a saturated credential is still asked before the
 * next target (rule R11), and when it is the only one (rule R2).
 */
export async function listCandidates(
  runtime: TurnRuntime,
  route: Route,
  preferredCredentialId?: string,
): Promise<Candidates> {
  const { store, clock, random } = runtime;
  const now = clock.now();
  const blocked: BlockedCandidate[] = [];
  const groups: { target: Target; credentials: Credential[] }[] = [];
  const cooldowns = await store.listCooldowns();
  /** Who stands in the line with which model: a target may be named twice, once for one login and once for all. */
  const standing = new Set<string>();

  for (const target of route.strict ? route.targets.slice(0, 1) : route.targets) {
    if (runtime.findProvider(target.provider) === null) {
      blocked.push({ target, why: "no_provider" });
      continue;
    }
    const members = await listCredentials(runtime, target);
    if (members.length === 0) blocked.push({ target, why: "no_credential" });
    const pool = assessPool(members, cooldowns, target.model, now);
    for (const one of pool.blocked) blocked.push({ target, why: "blocked", blocked: one });
    const strategy = runtime.strategyOf(target.provider);
    const usable = pool.usable.filter(({ id }) => !standing.has(`${id}\n${target.model}`));
    for (const { id } of usable) standing.add(`${id}\n${target.model}`);
    const ordered = orderCredentials(usable, strategy, random, preferredCredentialId);
    groups.push({ target, credentials: saturatedLast(runtime, target.provider, ordered) });
  }

  const recoveries = blocked.flatMap((one) => (one.why === "blocked" ? (recoversAt(one.blocked) ?? []) : []));
  return {
    line: new Line(groups),
    blocked,
    nearestRecovery: recoveries.length === 0 ? null : Math.min(...recoveries),
  };
}

/** The logins that nobody uses now because they cool down. */
export function coolingLogins({ blocked }: Candidates): OAuthCredential[] {
  return blocked.flatMap((one) => {
    if (one.why !== "blocked" || one.blocked.why !== "cooling") return [];
    const { credential } = one.blocked;
    return credential.kind === "oauth" ? [credential] : [];
  });
}

function saturatedLast(runtime: TurnRuntime, provider: string, ordered: Credential[]): Credential[] {
  const { load } = runtime;
  const limit = runtime.concurrencyOf?.(provider) ?? Number.POSITIVE_INFINITY;
  const isSaturated = ({ id }: Credential): boolean => load !== undefined && load.of(id) >= limit;
  if (!ordered.some(isSaturated)) return ordered;
  return [...ordered.filter((one) => !isSaturated(one)), ...ordered.filter(isSaturated)];
}

/** A target's pool: stored credentials, then those of the environment; only the pinned one if it names one. */
async function listCredentials(runtime: TurnRuntime, target: Target): Promise<Credential[]> {
  const stored = await runtime.store.listCredentials(target.provider);
  const all = [...stored, ...runtime.environmentCredentials(target.provider)];
  const { credential } = target;
  return credential === undefined ? all : all.filter((one) => one.id === credential || one.label === credential);
}
