import { DeathAndSleep } from "./death-and-sleep.ts";
import type { Issuer } from "./issuer.ts";
import { type IssuerFault, issuerFaults } from "./issuer-faults.ts";
import { outside, type Step } from "./scheduler.ts";
import { SimProcess } from "./sim-process.ts";
import type { StoreFault } from "./store-trouble.ts";
import { type ModelFaultName, modelFaults } from "./wire/model-faults.ts";
import type { World } from "./world.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** One process is stopped just before one step, besides what the seed decides. */
export interface Interruption {
  readonly step: number;
  readonly how: "crash" | "freeze" | "power-cut";
}

/** Everything that goes wrong by itself: the seed decides what, whom and when. */
export class Mayhem {
  readonly #world: World;
  readonly #bodies: DeathAndSleep;
  readonly #interruption: Interruption | null;
  #isOver = false;

  constructor(world: World, interruption: Interruption | null) {
    this.#world = world;
    this.#bodies = new DeathAndSleep(world);
    this.#interruption = interruption;
  }

  begin(): void {
    this.#world.scheduler.beforeStep = (step) => this.#beforeStep(step);
    this.#next();
  }

  /** Nothing goes wrong any more, and what went wrong is mended. */
  end(): void {
    this.#isOver = true;
    const world = this.#world;
    world.scheduler.beforeStep = null;
    world.weather.clear();
    world.storeTrouble.current = null;
    for (const issuer of world.issuers.values()) issuer.trouble = null;
    for (const machine of world.machines) if (machine.offsetMs !== 0) machine.setOffset(0);
    this.#bodies.end();
  }

  #next(): void {
    const { scheduler, chance, profile } = this.#world;
    scheduler.after(chance.script.span(profile.restlessMs / 8, profile.restlessMs * 4), outside, () => {
      if (this.#isOver) return;
      this.#something();
      this.#next();
    });
  }

  /** The moments that hurt most: while a claim, a token or its settling is on its way. */
  #beforeStep(step: Step): void {
    const { actor, peril } = step;
    if (!(actor instanceof SimProcess)) return;
    const { temper, chance, scheduler } = this.#world;
    if (this.#interruption?.step === scheduler.steps + 1) return this.#interrupt(actor, this.#interruption.how);
    const risk = peril === "risky" ? 0.06 : 0.0003;
    if (peril === "risky" && chance.script.happens(0.03 * temper.store)) this.#troubleStore();
    if (chance.script.happens(risk * temper.crashes)) this.#bodies.crash(actor);
    else if (chance.script.happens(risk * temper.freezes)) this.#bodies.freeze(actor);
  }

  #interrupt(process: SimProcess, how: Interruption["how"]): void {
    switch (how) {
      case "crash":
        return this.#bodies.crash(process);
      case "freeze":
        return this.#bodies.freeze(process);
      case "power-cut":
        return this.#bodies.powerCut(process.machine);
    }
  }

  #something(): void {
    const { temper, chance } = this.#world;
    const what = chance.script.weighed({
      nothing: 0.2,
      crash: temper.crashes,
      powerCut: temper.crashes / 4,
      freeze: temper.freezes,
      sleep: temper.freezes / 4,
      clock: temper.clocks,
      store: temper.store,
      provider: temper.providers * 3,
      issuer: temper.issuers * 2,
      revocation: temper.issuers / 4,
      rejection: temper.issuers / 2,
      key: temper.providers / 4,
    });
    switch (what) {
      case "nothing":
        return;
      case "crash":
        return this.#bodies.crash(chance.script.pick(this.#world.processes));
      case "powerCut":
        return this.#bodies.powerCut(chance.script.pick(this.#world.machines));
      case "freeze":
        return this.#bodies.freeze(chance.script.pick(this.#world.processes));
      case "sleep":
        return this.#bodies.sleep(chance.script.pick(this.#world.machines));
      case "clock":
        return this.#bodies.moveClock(chance.script.pick(this.#world.machines));
      case "store":
        return this.#troubleStore();
      case "provider":
        return this.#troubleProvider();
      case "issuer":
        return this.#troubleIssuer();
      case "revocation":
        return this.#revoke();
      case "rejection":
        return this.#reject();
      case "key":
        return this.#revokeKey();
    }
  }

  // The store ----------------------------------------------------------------------------------------------------------

  #troubleStore(): void {
    const world = this.#world;
    const { script } = world.chance;
    const faults: StoreFault[] = ["disk-full", "failed-fsync", "unreachable"];
    if (world.hasStoreServer) faults.push("lost-acknowledgement");
    const trouble = {
      fault: script.pick(faults),
      probability: script.pick([0.1, 0.5, 1]),
      machine: world.hasStoreServer && script.happens(0.5) ? script.pick(world.machines).name : null,
    };
    world.storeTrouble.current = trouble;
    world.disturbed();
    world.trace?.tell(null, `the store has trouble: ${JSON.stringify(trouble)}`);
    world.scheduler.after(script.span(second, 3 * minute), outside, () => {
      if (world.storeTrouble.current !== trouble) return;
      world.storeTrouble.current = null;
      world.trace?.tell(null, "the store is well again");
    });
  }

  // Providers and issuers ----------------------------------------------------------------------------------------------

  #troubleProvider(): void {
    const world = this.#world;
    const { script } = world.chance;
    const rows = world.disk.content.rows;
    if (rows.length === 0) return;
    const { credential } = script.pick(rows);
    const fault = script.pick(Object.keys(modelFaults) as ModelFaultName[]);
    const { scope } = modelFaults[fault];
    // A network's fault may look like one credential's: then the others of its target must still be tried.
    const isOnes =
      scope === "credential" || scope === "credential_model" || (scope === "network" && script.happens(0.3));
    const isModels = scope === "model" || scope === "credential_model";
    const condition = {
      fault,
      provider: credential.provider,
      credentialId: isOnes ? credential.id : null,
      model: isModels ? script.pick(["m1", "m2"]) : null,
      machine: scope === "network" && script.happens(0.5) ? script.pick(world.machines).name : null,
      probability: script.pick([0.2, 0.6, 1, 1]),
      until: world.scheduler.now + script.span(second, hour),
    };
    world.weather.add(condition);
    world.trace?.tell(null, `weather: ${JSON.stringify(condition)}`);
    const { provider, credentialId, model, machine } = condition;
    world.disturbed({
      provider,
      ...(credentialId === null ? {} : { credentialId }),
      ...(model === null ? {} : { model }),
      ...(machine === null ? {} : { machine }),
    });
  }

  #troubleIssuer(): void {
    const world = this.#world;
    const { script } = world.chance;
    const issuer = this.#someIssuer();
    if (issuer === null) return;
    const trouble = {
      fault: script.pick(Object.keys(issuerFaults) as IssuerFault[]),
      probability: script.pick([0.3, 1]),
    };
    issuer.trouble = trouble;
    world.disturbed();
    world.trace?.tell(null, `${issuer.origin} has trouble: ${JSON.stringify(trouble)}`);
    world.scheduler.after(script.span(10 * second, 20 * minute), outside, () => {
      if (issuer.trouble === trouble) issuer.trouble = null;
    });
  }

  #someIssuer(): Issuer | null {
    const issuers = [...this.#world.issuers.values()];
    return issuers.length === 0 ? null : this.#world.chance.script.pick(issuers);
  }

  /** Somebody ends a login at its issuer. */
  #revoke(): void {
    const login = this.#someLogin();
    if (login === null) return;
    const family = this.#world.familyOf(login.grant.refreshToken?.reveal() ?? "");
    if (family === null) return;
    family.issuer.revoke(family);
    this.#world.disturbed({ credentialId: login.id });
    this.#world.trace?.tell(null, `${login.id} is revoked at its issuer`);
  }

  /** A provider stops taking an access token before its time. */
  #reject(): void {
    const login = this.#someLogin();
    const access = login === null ? undefined : this.#world.register.access.get(login.grant.accessToken.reveal());
    if (login === null || access === undefined) return;
    access.rejected = true;
    this.#world.disturbed({ credentialId: login.id });
    this.#world.trace?.tell(null, `the access token of ${login.id} is rejected from now on`);
  }

  #someLogin() {
    const logins = this.#world.disk.content.rows.flatMap(({ credential }) =>
      credential.kind === "oauth" ? [credential] : [],
    );
    return logins.length === 0 ? null : this.#world.chance.script.pick(logins);
  }

  #revokeKey(): void {
    const world = this.#world;
    const keys = world.disk.content.rows.filter(({ credential }) => credential.kind === "api_key");
    if (keys.length === 0) return;
    const { id } = world.chance.script.pick(keys).credential;
    world.revokeKey(id, world.isKeyGood(id));
    world.disturbed({ credentialId: id });
    world.trace?.tell(null, `the key ${id} is ${world.isKeyGood(id) ? "good again" : "revoked"}`);
  }
}
