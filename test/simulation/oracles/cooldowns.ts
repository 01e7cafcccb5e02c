import type { Cooldown } from "../../../src/core/cooldown.ts";
import { increase } from "../figures.ts";
import type { Content } from "../store-model/disk.ts";
import { keyOf } from "../store-model/cooldown-part.ts";
import type { StoreCall } from "../store-port.ts";
import type { World } from "../world.ts";

/** Watches over R5: what may shorten a cooldown, and what may not. */
export class CooldownWatch {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** After any call: `before` is what stood in the store. */
  changed(call: StoreCall, before: Content, after: Content): void {
    if (before.cooldowns === after.cooldowns) return;
    const now = call.process.machine.now();
    for (const one of before.cooldowns) {
      if (one.until <= now) continue;
      this.#world.figures.check("R5");
      const left = after.cooldowns.find((other) => keyOf(other) === keyOf(one));
      if (left !== undefined && left.until >= one.until) continue;
      const objection = this.#objection(call, one);
      if (objection === null) continue;
      const what = `${call.process.name} shortens the cooldown of ${keyOf(one)} by ${call.method}`;
      if (this.#world.hasOddClocks) increase(this.#world.figures.excused, "R5: clocks that disagree");
      else this.#world.violate("R5", `${what}: ${objection}`);
    }
  }

  /** Null when this call may clear this cooldown. */
  #objection({ lane, method, args }: StoreCall, one: Cooldown): string | null {
    switch (method) {
      case "saveLogin":
      case "removeCredential":
        return null;
      case "settleAnswered": {
        const isAboutLogin = one.reason === "auth" || one.reason === "relogin_required";
        return args[0] === one.credentialId && isAboutLogin ? null : "a new generation clears only its own login's";
      }
      case "clearCooldowns": {
        const served = lane?.turn?.served;
        if (served === undefined || served === null) return "nobody was answered";
        const isTheirs =
          served.provider === one.provider &&
          (one.credentialId === "" || one.credentialId === served.credentialId) &&
          (one.model === "" || one.model === served.model);
        if (!isTheirs) return "somebody else was answered";
        return one.since > served.at ? "its failure came after the call that was answered had begun" : null;
      }
      default:
        return "a failure came later";
    }
  }
}
