import type { RefreshOutcome } from "../../../src/credentials/refresh-outcome.ts";
import { increase } from "../figures.ts";
import type { Family, Rotation } from "../issuer.ts";
import type { SimProcess } from "../sim-process.ts";
import { type Content, findRow } from "../store-model/disk.ts";
import type { World } from "../world.ts";

/** Watches over the logins: which rotations have been made durable, which families are lost, and why. */
export class LoginWatch {
  readonly #world: World;
  readonly #counted = new Set<Family>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Whatever the store holds durably now. */
  durable(before: Content, after: Content): void {
    const known = new Set(before.rows);
    for (const row of after.rows) {
      if (known.has(row) || row.credential.kind !== "oauth") continue;
      const rotation = this.#world.register.rotations.get(row.credential.grant.refreshToken?.reveal() ?? "");
      if (rotation !== undefined) rotation.durableAt ??= this.#world.scheduler.now;
    }
  }

  /** A process holds an answer. */
  read(outcome: RefreshOutcome): void {
    if (outcome.kind !== "answered") return;
    const rotation = this.#world.register.rotations.get(outcome.grant.refreshToken?.reveal() ?? "");
    if (rotation === undefined) return;
    rotation.delivered = true;
    if (rotation.mishap === "the answer was cut") rotation.mishap = null;
  }

  /** An issuer saw a token that was spent before. */
  reused(family: Family, token: string, process: SimProcess): void {
    this.#count(family, token, process);
  }

  /** The last word on every login that the store holds. */
  account(): void {
    for (const { credential } of this.#world.disk.durable.rows)
      if (credential.kind === "oauth") this.accountFor(credential.id);
  }

  /** Before a person signs in anew: was the old login lost, and was the loss told? */
  accountFor(credentialId: string): void {
    const world = this.#world;
    const credential = findRow(world.disk.durable, credentialId)?.credential;
    if (credential?.kind !== "oauth") return;
    world.figures.check("loss");
    const token = credential.grant.refreshToken?.reveal() ?? "";
    const family = world.familyOf(token);
    if (family === null) return;
    const isCurrent = token === family.current && family.over === null;
    if (!isCurrent && family.over !== "revoked by its issuer") this.#count(family, token, null);
    const isMarked = credential.relogin?.generation === credential.grant.generation;
    // A token that works, but for somebody else, is rightly not used.
    if (isMarked && isCurrent && credential.relogin?.code !== "account_changed") {
      world.violate("loss", `${credentialId} is told to be lost, but its token ${token} works`);
    }
  }

  #count(family: Family, token: string, process: SimProcess | null): void {
    if (this.#counted.has(family)) return;
    this.#counted.add(family);
    const world = this.#world;
    world.figures.check("loss");
    const since = world.register.rotations.get(token)?.at ?? 0;
    const later = [...world.register.rotations.values()].filter((one) => one.family === family && one.at >= since);
    // Within a grace window a token can also be overtaken: by a rotation of the one before it.
    const rotation =
      later.find((one) => one.spent === token && one.refreshToken !== token) ??
      later.find((one) => one.durableAt === null);
    const cause =
      rotation === undefined
        ? null
        : (this.#cause(rotation, process) ?? (rotation.spent === token ? null : this.#overtaken(token)));
    if (cause === null) {
      world.violate(
        "loss",
        `the login of ${family.account.email} is lost without a reason (${token} was spent before)`,
      );
    } else {
      increase(world.figures.lostLogins, cause);
      world.trace?.tell(process, `the login of ${family.account.email} is lost: ${cause}`);
    }
  }

  /**
   * Why two answers came to one token within a grace window, of which the earlier was written and the later counts; null if nothing
   * excuses it. `token` is that of the earlier.
   */
  #overtaken(token: string): string | null {
    const own = this.#world.register.rotations.get(token);
    const process = own === undefined ? null : this.#world.processOwning(own.askedBy);
    if (own === undefined || process?.wasHeldUpSince(own.claimedAt) !== true) return null;
    return "a frozen process was given up, and its late answer was written before that of its successor";
  }

  /** What happened between this rotation and its durable write; null if nothing excuses the loss. */
  #cause(rotation: Rotation, presenter: SimProcess | null): string | null {
    const world = this.#world;
    if (rotation.durableAt !== null) {
      const isLate = presenter?.wasHeldUpSince(rotation.at) === true || (presenter?.refusedAt ?? 0) >= rotation.at;
      if (isLate) return "an owner that was frozen sent a token that was renewed meanwhile";
      const wasGivenUp = world.processOwning(rotation.askedBy)?.wasHeldUpSince(rotation.claimedAt) === true;
      return wasGivenUp ? "a frozen process was given up, and wrote its answer while its successor asked" : null;
    }
    if (rotation.mishap !== null) return rotation.mishap;
    const process = world.processOwning(rotation.askedBy);
    if (process === null || process.dead) return "its process died between rotation and write";
    if (process.wasHeldUpSince(rotation.claimedAt)) return "its process was frozen between claim and write";
    if (process.refusedAt >= rotation.at) return "the store refused the write";
    if (world.machines.some((machine) => machine.jumpedAt >= rotation.claimedAt))
      return "a clock jumped between claim and write";
    return null;
  }
}
