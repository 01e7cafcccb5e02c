import { beforeEach, describe, expect, it } from "vitest";
import type { Failure, Reason } from "../../src/core/failure.ts";
import type { OAuthCredential } from "../../src/credentials/credential.ts";
import { assessPool } from "../../src/credentials/pool.ts";
import type { Store } from "../../src/credentials/store.ts";
import { planCooldown } from "../../src/turn/bench.ts";
import { sampleGrant, saveSampleLogin, start } from "../contract/store-samples.ts";
import { Disk } from "../simulation/store-model/disk.ts";
import { openModelStore } from "../simulation/store-model/model-store.ts";

// What the simulation found: a turn that was suspended between the verdict on a login and its cooldown.

const hour = 3_600_000;
const model = "gpt-5.5";

let store: Store;

beforeEach(() => {
  const clock = { now: () => start, sleep: () => Promise.reject(new Error("nobody sleeps here")) };
  store = openModelStore({ disk: new Disk(), clock, journalLimit: 5 });
});

function failure(reason: Reason): Failure {
  return { reason, scope: "credential", next: "next_credential", reloginRequired: false, message: "", row: "test" };
}

/** A turn that began at `triedAt` with the login of then writes its cooldown only at `now`. */
async function bench(login: OAuthCredential, reason: Reason, triedAt: number, now: number): Promise<void> {
  const candidate = { target: { provider: login.provider, model }, credential: login };
  const cooldown = await planCooldown(store, candidate, failure(reason), now, triedAt);
  if (cooldown === null) throw new Error("no cooldown was planned");
  await store.putCooldown(cooldown);
}

async function usable(now: number): Promise<string[]> {
  const state = assessPool(await store.listCredentials("codex"), await store.listCooldowns("codex"), model, now);
  return state.usable.map(({ id }) => id);
}

async function renew(at: number): Promise<void> {
  const grant = sampleGrant("2", { obtainedAt: at, expiresAt: at + 24 * hour });
  await saveSampleLogin(store, { grant, at });
}

describe("a login that was renewed while a turn was suspended", () => {
  it.each(["relogin_required", "auth"] as const)("is not benched by that turn's %s", async (reason) => {
    const old = await saveSampleLogin(store);
    await renew(start + hour);
    await bench(old, reason, start + 60_000, start + 2 * hour);
    expect(await usable(start + 2 * hour + 1)).toEqual([old.id]);
  });

  it("is benched all the same by its used-up quota: the plan is the account's", async () => {
    const old = await saveSampleLogin(store);
    await renew(start + hour);
    await bench(old, "quota", start + 60_000, start + 2 * hour);
    expect(await usable(start + 2 * hour + 1)).toEqual([]);
  });

  it("is benched by a verdict on itself", async () => {
    await saveSampleLogin(store);
    await renew(start + hour);
    const [renewed] = await store.listCredentials("codex");
    if (renewed?.kind !== "oauth") throw new Error("the login is gone");
    await bench(renewed, "relogin_required", start + 2 * hour, start + 2 * hour + 5);
    expect(await usable(start + 3 * hour)).toEqual([]);
  });
});
