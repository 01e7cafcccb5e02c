import type { SimProcess } from "../sim-process.ts";
import type { Content } from "../store-model/disk.ts";
import type { StoreCall } from "../store-port.ts";
import type { World } from "../world.ts";

/** Watches over R6: no token is used that a power cut could still take, and a failed write changes nothing. */
export class DurabilityWatch {
  readonly #world: World;
  readonly #durable = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Whatever the store holds durably now. */
  durable(before: Content, after: Content): void {
    const known = new Set(before.rows);
    for (const row of after.rows) {
      if (known.has(row)) continue;
      const { credential } = row;
      if (credential.kind !== "oauth") continue;
      this.#durable.add(credential.grant.accessToken.reveal());
      if (credential.grant.refreshToken !== null) this.#durable.add(credential.grant.refreshToken.reveal());
    }
  }

  /** A token reached a provider or an issuer. */
  used(token: string, process: SimProcess): void {
    this.#world.figures.check("R6");
    if (!this.#durable.has(token))
      this.#world.violate("R6", `${process.name} uses ${token.slice(0, 40)}, which is not durable`);
  }

  /** The store refused a write. */
  writeFailed({ process, method }: StoreCall, before: Content): void {
    this.#world.figures.check("R6");
    if (this.#world.disk.durable === before) return;
    this.#world.violate("R6", `the ${method} of ${process.name} failed and changed what was stored`);
  }
}
