import { Secret } from "../../src/core/secret.ts";
import type { Target } from "../../src/core/target.ts";
import type { Account } from "../../src/credentials/credential.ts";
import type { NewGrant } from "../../src/credentials/store.ts";
import { Issuer } from "./issuer.ts";
import { drawPolicy } from "./profile.ts";
import { createModelStore, type SyncStore } from "./store-model/model-store.ts";
import type { World } from "./world.ts";

/** The store as a person's own commands reach it: no weather over it, and nobody watching. */
export function personsStore(world: World): SyncStore {
  const clock = { now: () => Math.round(world.scheduler.now), sleep: () => Promise.reject(new Error("nobody sleeps")) };
  return createModelStore({ disk: world.disk, clock, journalLimit: 20 }).sync;
}

/** Sets up issuers, logins, keys, routes and processes as the profile says. */
export function populate(world: World): void {
  const { script } = world.chance;
  const store = personsStore(world);
  for (const { provider, size } of world.profile.pools) {
    const isLogin = world.findProvider(provider)?.signIn.kind === "codex";
    if (isLogin) {
      const issuer = new Issuer(
        `https://auth-${provider}.sim`,
        world.profile.policy ?? drawPolicy(script),
        world.register,
        world.chance.wire,
      );
      world.issuers.set(issuer.origin, issuer);
      for (let n = 1; n <= size; n++) signIn(world, issuer, provider, accountOf(`${provider}-${n}`), true);
    } else {
      for (let n = 1; n <= size; n++) {
        const label = `${provider}-${n}`;
        const secret = new Secret(`key-${label}`);
        const at = world.scheduler.now;
        const { id } = store.addApiKey({ provider, label, source: { from: "stored", secret }, at });
        world.own(secret.reveal(), id);
      }
    }
  }
  for (let n = 1; n <= world.profile.routes; n++) {
    const targets = Array.from({ length: script.whole(1, 3) }, () => drawTarget(world));
    world.routes.push({ name: `route-${n}`, targets, strict: script.happens(0.1) });
  }
  for (let n = 0; n < world.profile.processes; n++) {
    const machine = world.machines[n % world.machines.length];
    if (machine !== undefined) world.start(`p${n + 1}`, machine, world.profile.lanes);
  }
}

function drawTarget(world: World): Target {
  const { script } = world.chance;
  const { credential } = script.pick(world.disk.content.rows);
  const target = { provider: credential.provider, model: script.pick(["m1", "m2"]) };
  return script.happens(0.1) ? { ...target, credential: credential.id } : target;
}

function accountOf(name: string): Account {
  return { id: `acct-${name}`, userId: `user-${name}`, email: name, plan: "plus" };
}

/** A person signs in, for the first time or anew. `isAged`: some of the access token's life is over. */
export function signIn(world: World, issuer: Issuer, provider: string, account: Account, isAged: boolean): void {
  const now = Math.round(world.scheduler.now);
  const livesMs = isAged ? world.chance.script.whole(0, issuer.policy.lifeMs) : issuer.policy.lifeMs;
  const { refreshToken, accessToken, expiresAt } = issuer.signIn(account, now, livesMs);
  const grant: NewGrant = {
    accessToken: new Secret(accessToken),
    refreshToken: new Secret(refreshToken),
    idToken: null,
    expiresAt,
    obtainedAt: now,
    issuer: issuer.origin,
  };
  const label = account.email ?? provider;
  const { credential } = personsStore(world).saveLogin({ provider, label, account, grant, at: now });
  world.own(account.id ?? "", credential.id);
  world.disturbed({ credentialId: credential.id });
}
