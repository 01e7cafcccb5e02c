import { increase } from "./figures.ts";
import { personsStore, signIn } from "./populate.ts";
import { outside } from "./scheduler.ts";
import type { World } from "./world.ts";

/** Whoever owns the logins: signs in anew when told to, resets, pauses and forgets to unpause. */
export class Person {
  readonly #world: World;
  #isOver = false;

  constructor(world: World) {
    this.#world = world;
  }

  begin(): void {
    const { scheduler, chance, profile } = this.#world;
    scheduler.after(chance.script.span(profile.restlessMs, profile.restlessMs * 10), outside, () => {
      if (this.#isOver) return;
      if (this.#world.storeTrouble.current === null && chance.script.happens(this.#world.temper.person)) this.#act();
      this.begin();
    });
  }

  end(): void {
    this.#isOver = true;
    this.#world.close();
    this.unpauseAll();
  }

  /** Clears every cooldown by hand, and lets everybody play again. */
  resetAll(): void {
    personsStore(this.#world).clearCooldowns({});
    this.unpauseAll();
    this.#world.disturbed();
  }

  unpauseAll(): void {
    const store = personsStore(this.#world);
    for (const { id, paused } of store.listCredentials()) if (paused) store.updateCredential(id, { paused: false });
  }

  #act(): void {
    const world = this.#world;
    const { script } = world.chance;
    const store = personsStore(world);
    const credentials = store.listCredentials();
    const one = script.pick(credentials);
    switch (script.weighed({ renew: 5, reset: 1, pause: 1, unpause: 2 })) {
      case "renew":
        this.#renewLost();
        break;
      case "reset":
        increase(world.figures.counts, "resets by hand");
        store.clearCooldowns(script.happens(0.5) ? { provider: one.provider, credentialId: one.id } : {});
        world.trace?.tell(null, "a person resets cooldowns");
        world.disturbed();
        break;
      case "pause":
        store.updateCredential(one.id, { paused: true });
        world.disturbed({ credentialId: one.id });
        break;
      case "unpause":
        this.unpauseAll();
        break;
    }
  }

  #renewLost(): void {
    const world = this.#world;
    for (const { credential } of world.disk.content.rows) {
      if (credential.kind !== "oauth" || credential.relogin === null) continue;
      const issuer = world.issuers.get(credential.grant.issuer);
      if (issuer === undefined) continue;
      world.logins.accountFor(credential.id);
      signIn(world, issuer, credential.provider, credential.account, false);
      increase(world.figures.counts, "sign-ins anew");
      world.trace?.tell(null, `a person signs in anew: ${credential.id}`);
    }
  }
}
