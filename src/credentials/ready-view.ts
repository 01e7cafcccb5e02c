import { type Cooldown, healsByItself, longestBelievedEndMs } from "../core/cooldown.ts";
import { createDueTimes } from "../core/due-times.ts";
import { type Compare, type Tree, treeOf, withItem, withoutItem } from "../core/ordered-tree.ts";
import { type Credential, needsRelogin, type OAuthCredential } from "./credential.ts";
import { whyBlocked } from "./pool.ts";
import { refreshDueAt, mandatoryWindowMs } from "./token-window.ts";

const nobody: readonly OAuthCredential[] = [];

/** A credential with what is held against it; for every model. */
export interface Standing {
  readonly credential: Credential;
  readonly cooldowns: readonly Cooldown[];
}

/**
 * Who of a pool is ready for one model, in order, kept while credentials, cooldowns and the time change.
 *
 * Everything that the time alone changes has a threshold: before it, one verdict holds, and from it on, another. A credential is looked at
 * again when the next of its thresholds has come, and everybody is when the clock was set back beyond one that had passed.
 */
export class ReadyView {
  readonly #model: string;
  readonly #compare: Compare<Credential>;
  readonly #find: (id: string) => Standing | null;
  #tree: Tree<Credential> = null;
  /** The ready ones as they stand in the tree. */
  #placed = new Map<string, Credential>();
  /** When who is to be looked at again. */
  readonly #next = createDueTimes();
  /** When who recovers by itself. */
  readonly #recoveries = createDueTimes();
  /** When the token of whom that cools down is to be refreshed. */
  readonly #tending = createDueTimes();
  /** The latest threshold that has passed, in Unix ms: the clock must not be before it. */
  #passed = Number.NEGATIVE_INFINITY;

  /** `find` tells how a credential stands now. */
  constructor(model: string, compare: Compare<Credential>, find: (id: string) => Standing | null) {
    this.#model = model;
    this.#compare = compare;
    this.#find = find;
  }

  /** The ready ones, in order. They may stand there as they were: ask `find` for what they are. */
  get tree(): Tree<Credential> {
    return this.#tree;
  }

  find(id: string): Credential | null {
    return this.#find(id)?.credential ?? null;
  }

  isReady(id: string): boolean {
    return this.#placed.has(id);
  }

  /** Unix ms at which the first of the others recovers by itself; null when none will. */
  get nearestRecovery(): number | null {
    return this.#recoveries.first()?.at ?? null;
  }

  /** Logins that cool down and whose token is to be refreshed by `now`. */
  loginsToTend(now: number): readonly OAuthCredential[] {
    const first = this.#tending.first();
    if (first === null || first.at > now) return nobody;
    return this.#tending.dueAt(now).flatMap((id) => {
      const credential = this.#find(id)?.credential;
      return credential?.kind === "oauth" ? [credential] : [];
    });
  }

  /** Judges all of them anew, at once. */
  fill(pool: Iterable<Standing>, now: number): void {
    this.#passed = Number.NEGATIVE_INFINITY;
    this.#placed.clear();
    const ready: Credential[] = [];
    for (const standing of pool) {
      if (!this.#judge(standing, now)) continue;
      ready.push(standing.credential);
      this.#placed.set(standing.credential.id, standing.credential);
    }
    this.#tree = treeOf(ready.sort(this.#compare));
  }

  /** Judges one anew: it, or what is held against it, has changed, or a threshold of it has passed. */
  look(id: string, now: number): void {
    const standing = this.#find(id);
    const placed = this.#placed.get(id);
    if (standing === null || !this.#judge(standing, now)) {
      if (standing === null) for (const times of [this.#next, this.#recoveries, this.#tending]) times.set(id, null);
      if (placed === undefined) return;
      this.#placed.delete(id);
      this.#tree = withoutItem(this.#tree, placed, this.#compare);
      return;
    }
    const { credential } = standing;
    if (placed !== undefined && this.#compare(placed, credential) === 0) return;
    if (placed !== undefined) this.#tree = withoutItem(this.#tree, placed, this.#compare);
    this.#placed.set(id, credential);
    this.#tree = withItem(this.#tree, credential, this.#compare);
  }

  /** Lets the time be `now`. `everybody`: in case that all must be looked at again. */
  passTo(now: number, everybody: () => Iterable<Standing>): void {
    if (now < this.#passed) return this.fill(everybody(), now);
    for (let due = this.#next.first(); due !== null && due.at <= now; due = this.#next.first()) this.look(due.id, now);
  }

  /** True when it is ready. Notes when to look again. */
  #judge({ credential, cooldowns }: Standing, now: number): boolean {
    const { id } = credential;
    const blocked = whyBlocked(credential, cooldowns, this.#model, now);
    const cooling = blocked?.why === "cooling" ? blocked.cooldown : null;
    this.#next.set(id, this.#nextThreshold(credential, cooldowns, now));
    this.#recoveries.set(id, cooling !== null && healsByItself(cooling.reason) ? cooling.until : null);
    this.#tending.set(id, cooling === null ? null : tendAt(credential));
    return blocked === null;
  }

  #nextThreshold(credential: Credential, cooldowns: readonly Cooldown[], now: number): number | null {
    let next: number | null = null;
    const note = (threshold: number): void => {
      if (threshold > now) next = next === null ? threshold : Math.min(next, threshold);
      else this.#passed = Math.max(this.#passed, threshold);
    };
    for (const { model, until } of cooldowns) {
      if (model !== "" && model !== this.#model) continue;
      note(until);
      note(until - longestBelievedEndMs);
    }
    if (credential.kind === "oauth" && needsRelogin(credential) && credential.grant.expiresAt !== null) {
      note(credential.grant.expiresAt - mandatoryWindowMs);
    }
    return next;
  }
}

/** When the token of a login that nobody uses now is to be refreshed, in Unix ms; null when that can't be. */
function tendAt(credential: Credential): number | null {
  if (credential.kind !== "oauth" || credential.unknownOutcome !== null || needsRelogin(credential)) return null;
  return credential.grant.refreshToken === null ? null : refreshDueAt(credential.grant);
}
