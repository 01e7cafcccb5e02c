import { increase } from "./figures.ts";
import type { Issuer } from "./issuer.ts";
import { type IssuerFault, issuerFaults } from "./issuer-faults.ts";
import type { Machine } from "./machine.ts";
import { outside, type Step } from "./scheduler.ts";
import { SimProcess } from "./sim-process.ts";
import type { StoreFault } from "./store-trouble.ts";
import { type ModelFaultName, modelFaults } from "./wire/model-faults.ts";
import type { World } from "./world.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** Everything that goes wrong by itself: the seed decides what, whom and when. */
export class Mayhem {
  readonly #world: World;
  #isOver = false;

  constructor(world: World) {
    this.#world = world;
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
    for (const process of world.processes) {
      if (process.dead) this.#restart(process);
      else if (process.frozen) this.#thaw(process);
    }
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
    const { temper, chance } = this.#world;
    const risk = peril === "risky" ? 0.06 : 0.0003;
    if (chance.script.happens(risk * temper.crashes)) this.#crash(actor);
    else if (chance.script.happens(risk * temper.freezes)) this.#freeze(actor);
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
        return this.#crash(chance.script.pick(this.#world.processes));
      case "powerCut":
        return this.#powerCut(chance.script.pick(this.#world.machines));
      case "freeze":
        return this.#freeze(chance.script.pick(this.#world.processes));
      case "sleep":
        return this.#sleep(chance.script.pick(this.#world.machines));
      case "clock":
        return this.#moveClock(chance.script.pick(this.#world.machines));
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

  // Processes and machines ---------------------------------------------------------------------------------------------

  #crash(process: SimProcess): void {
    if (process.dead) return;
    this.#kill(process);
    const { scheduler, chance } = this.#world;
    scheduler.after(chance.script.span(100, 2 * minute), outside, () => {
      if (!this.#isOver && this.#world.processes.includes(process)) this.#restart(process);
    });
  }

  #kill(process: SimProcess): void {
    const world = this.#world;
    process.dead = true;
    increase(world.figures.counts, "crashes");
    for (const lane of process.lanes) if (lane.turn !== null) increase(world.figures.outcomes, "died with its process");
    world.disturbed();
    world.trace?.tell(process, "dies");
  }

  #restart(process: SimProcess): void {
    const started = this.#world.start(process.name, process.machine, process.lanes.length);
    this.#world.trace?.tell(started, "starts anew");
  }

  /** Everything on the machine dies. A store in a file loses what was not synced. */
  #powerCut(machine: Machine): void {
    const world = this.#world;
    machine.boot += 1;
    increase(world.figures.counts, "power cuts");
    world.trace?.tell(null, `${machine.name} loses power`);
    const here = world.processes.filter((process) => process.machine === machine && !process.dead);
    for (const process of here) this.#kill(process);
    if (!world.hasStoreServer || world.chance.script.happens(0.3)) world.disk.loseMemory();
    for (const process of world.processes.filter((one) => one.machine === machine)) {
      world.scheduler.after(world.chance.script.span(second, 5 * minute), outside, () => {
        if (!this.#isOver && process.dead && world.processes.includes(process)) this.#restart(process);
      });
    }
  }

  #freeze(process: SimProcess): void {
    if (process.dead || process.frozen) return;
    process.frozen = true;
    increase(this.#world.figures.counts, "freezes");
    this.#world.trace?.tell(process, "freezes");
    const { scheduler, chance } = this.#world;
    scheduler.after(chance.script.span(500, 10 * minute), outside, () => {
      if (!process.dead && process.frozen) this.#thaw(process);
    });
  }

  #thaw(process: SimProcess): void {
    const world = this.#world;
    process.frozen = false;
    process.thawedAt = world.scheduler.now;
    world.scheduler.thaw(process);
    world.trace?.tell(process, "thaws");
  }

  /** A laptop is closed: everything on it freezes, for hours perhaps. */
  #sleep(machine: Machine): void {
    const world = this.#world;
    const here = world.processes.filter((process) => process.machine === machine && !process.dead && !process.frozen);
    for (const process of here) process.frozen = true;
    increase(world.figures.counts, "machines asleep");
    world.trace?.tell(null, `${machine.name} falls asleep`);
    world.scheduler.after(world.chance.script.span(minute, 2 * hour), outside, () => {
      for (const process of here) if (!process.dead && process.frozen) this.#thaw(process);
    });
  }

  #moveClock(machine: Machine): void {
    const { script } = this.#world.chance;
    const offset = script.happens(0.4) ? 0 : script.pick([-1, 1]) * script.span(second, 3 * hour);
    machine.setOffset(offset);
    increase(this.#world.figures.counts, "clock jumps");
    this.#world.disturbed({ machine: machine.name });
    this.#world.trace?.tell(null, `the clock of ${machine.name} is off by ${offset} ms now`);
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
    const isOnes = scope === "credential" || scope === "credential_model";
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
