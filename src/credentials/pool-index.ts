import { type Cooldown, isCooling } from "../core/cooldown.ts";
import type { Compare, Tree } from "../core/ordered-tree.ts";
import { comparisonOf, type Strategy } from "../core/select.ts";
import { type Credential, isKeyless, type OAuthCredential } from "./credential.ts";
import { groupCooldowns, type PoolChange, type PoolRecord } from "./pool-record.ts";
import { ReadyView, type Standing } from "./ready-view.ts";

/** Who of a pool may serve a model. It goes on with the pool: only the tree that it gives stays as it is. */
export interface ReadyPool {
  /** In the order of the strategy before chance has its say. They may be older than what `find` gives. */
  readonly tree: Tree<Credential>;
  /** A member as it stands now; null when it is not one. */
  find(id: string): Credential | null;
  isReady(id: string): boolean;
  /** Unix ms at which the first of those that are not ready recovers by itself; null when none will. */
  readonly nearestRecovery: number | null;
  /** Logins that nobody uses now, since they cool down, and whose token is to be refreshed by `now`. */
  loginsToTend(now: number): readonly OAuthCredential[];
}

const none: readonly Cooldown[] = [];

/**
 * A pool whose order is kept between turns: what a turn asks costs no more than the logarithm of its size, and a change of one credential
 * no more than that. What it says is what `assessPool` and `orderCredentials` say of the same moment.
 *
 * There is a view for all models of which nothing special is known, and one for each model that credentials are kept from by a cooldown of
 * their own.
 */
export class PoolIndex {
  readonly #strategy: Strategy;
  readonly #compare: Compare<Credential>;
  #record: PoolRecord | null = null;
  /** How many of its changes are known here. */
  #count = 0;
  /** What no store knows, as it was told last, and those of it that are members. */
  #told: readonly Credential[] | null = null;
  #unstored: readonly Credential[] = [];
  #hadStored = false;
  readonly #members = new Map<string, Credential>();
  #cooldowns = new Map<string, readonly Cooldown[]>();
  /** Models, and the credentials that have a cooldown for just this model. */
  readonly #special = new Map<string, Set<string>>();
  readonly #views = new Map<string, ReadyView>();
  readonly #all = (): Iterable<Standing> => this.#everybody();

  constructor(strategy: Strategy) {
    this.#strategy = strategy;
    this.#compare = comparisonOf(strategy);
  }

  get strategy(): Strategy {
    return this.#strategy;
  }

  get size(): number {
    return this.#members.size;
  }

  /** Lets it be what `record` and the keys that no store knows say now. */
  update(record: PoolRecord, unstored: readonly Credential[], now: number): void {
    const known = this.#record;
    if (known !== record && known !== null && record.follows === known) {
      this.#apply(known.changes, now);
      this.#record = record;
      this.#count = 0;
    }
    if (this.#record === record) this.#apply(record.changes, now);
    else this.#begin(record);
    this.#updateUnstored(unstored, now);
  }

  /** Null when a cooldown that concerns everybody stands in the way: who is let through by it only `assessPool` tells. */
  readyFor(model: string, now: number): ReadyPool | null {
    const shared = this.#cooldowns.get("");
    if (shared?.some((one) => isCooling(one, "", model, now)) === true) return null;
    return this.#viewFor(this.#special.has(model) ? model : "", now);
  }

  #viewFor(model: string, now: number): ReadyView {
    const known = this.#views.get(model);
    if (known !== undefined) {
      known.passTo(now, this.#all);
      return known;
    }
    const view = new ReadyView(model, this.#compare, (id) => this.#standing(id));
    view.fill(this.#everybody(), now);
    this.#views.set(model, view);
    return view;
  }

  #begin(record: PoolRecord): void {
    this.#record = record;
    this.#count = record.changes.length;
    this.#told = null;
    this.#unstored = [];
    this.#members.clear();
    this.#special.clear();
    this.#views.clear();
    this.#cooldowns = groupCooldowns(record.cooldowns);
    for (const credential of record.members) this.#members.set(credential.id, credential);
    for (const change of record.changes) {
      if ("credential" in change) this.#members.set(change.credential.id, change.credential);
      else this.#cooldowns.set(change.credentialId, change.cooldowns);
    }
    for (const [id, cooldowns] of this.#cooldowns) this.#noteSpecial(id, none, cooldowns);
  }

  #apply(changes: readonly PoolChange[], now: number): void {
    for (; this.#count < changes.length; this.#count++) {
      const change = changes[this.#count] as PoolChange;
      if ("credential" in change) this.#setMember(change.credential, now);
      else this.#setCooldowns(change.credentialId, change.cooldowns, now);
    }
  }

  #setMember(credential: Credential, now: number): void {
    this.#members.set(credential.id, credential);
    this.#look(credential.id, now);
  }

  #setCooldowns(id: string, cooldowns: readonly Cooldown[], now: number): void {
    this.#noteSpecial(id, this.#cooldowns.get(id) ?? none, cooldowns);
    if (cooldowns.length === 0) this.#cooldowns.delete(id);
    else this.#cooldowns.set(id, cooldowns);
    this.#look(id, now);
  }

  #look(id: string, now: number): void {
    if (id !== "") for (const view of this.#views.values()) view.look(id, now);
  }

  /** Shared ones are looked at each time. */
  #noteSpecial(id: string, before: readonly Cooldown[], after: readonly Cooldown[]): void {
    if (id === "") return;
    for (const { model } of before) this.#special.get(model)?.delete(id);
    for (const { model } of after) {
      if (model === "") continue;
      const ids = this.#special.get(model);
      if (ids === undefined) this.#special.set(model, new Set([id]));
      else ids.add(id);
    }
    for (const { model } of before) {
      if (this.#special.get(model)?.size !== 0) continue;
      this.#special.delete(model);
      this.#views.delete(model);
    }
  }

  /** There are few of these: they are compared each time. As `poolOf` says, one without a key is no member beside a stored credential. */
  #updateUnstored(told: readonly Credential[], now: number): void {
    const hasStored = this.#members.size > this.#unstored.length;
    if (told === this.#told && hasStored === this.#hadStored) return;
    this.#told = told;
    this.#hadStored = hasStored;
    const unstored = hasStored ? told.filter((one) => !isKeyless(one)) : told;
    if (unstored.length === 0 && this.#unstored.length === 0) return;
    for (const { id } of this.#unstored) {
      if (unstored.some((one) => one.id === id)) continue;
      this.#members.delete(id);
      this.#look(id, now);
    }
    for (const one of unstored) {
      const known = this.#members.get(one.id);
      const isSame = known?.uses === one.uses && known.lastUsedAt === one.lastUsedAt && known.priority === one.priority;
      if (!isSame) this.#setMember(one, now);
    }
    this.#unstored = unstored;
  }

  #standing(id: string): Standing | null {
    const credential = this.#members.get(id);
    return credential === undefined ? null : { credential, cooldowns: this.#cooldowns.get(id) ?? none };
  }

  *#everybody(): Generator<Standing> {
    for (const credential of this.#members.values()) {
      yield { credential, cooldowns: this.#cooldowns.get(credential.id) ?? none };
    }
  }
}
