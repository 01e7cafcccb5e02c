import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import type { OAuthCredential } from "../../src/credentials/credential.ts";
import { createTokenKeeper, type TokenKeeper } from "../../src/credentials/keeper.ts";
import type { RefreshOutcome } from "../../src/credentials/refresh-outcome.ts";
import type { Store } from "../../src/credentials/store.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { openStage } from "../rig/stage.ts";
import { useFolder } from "../stores/folder.ts";
import { VirtualClock } from "../virtual-clock.ts";

const second = 1_000;
const minute = 60 * second;
const folder = useFolder();

let store: Store;
let clock: VirtualClock;
let keeper: TokenKeeper;
/** Labels of the logins whose refresh token was spent, in order. */
let spent: string[];
/** Answers to come; then each login gets a new pair. */
let answers: RefreshOutcome[];

beforeEach(async () => {
  clock = new VirtualClock();
  store = await openSqliteStore({ file: join(folder(), "s.db"), key: randomBytes(32), clock });
  onTestFinished(() => store.close());
  [spent, answers] = [[], []];
  keeper = createTokenKeeper({
    store,
    clock,
    random: () => 0,
    owner: "me",
    isDead: () => false,
    spend(credential) {
      spent.push(credential.label);
      return Promise.resolve(answers.shift() ?? newPair(credential));
    },
  });
});

function newPair({ grant, label }: OAuthCredential): RefreshOutcome {
  const next = `${label}-${grant.generation + 1}`;
  const [accessToken, refreshToken] = [new Secret(`access-${next}`), new Secret(`refresh-${next}`)];
  const times = { expiresAt: clock.now() + 60 * minute, obtainedAt: clock.now() };
  return { kind: "answered", account: null, grant: { ...grant, accessToken, refreshToken, ...times } };
}

function slowDown(seconds: number): RefreshOutcome {
  const retryAt = clock.now() + seconds * second;
  return { kind: "deferred", code: "rate_limited", message: "slow down", status: 429, retryAt };
}

/** Logins whose access tokens end in `livesMs`. */
async function logins(count: number, livesMs: number, issuer = "http://issuer"): Promise<OAuthCredential[]> {
  const added: OAuthCredential[] = [];
  for (let n = 1; n <= count; n++) {
    const label = `${new URL(issuer).hostname}-${n}`;
    const { credential } = await store.saveLogin({
      provider: "codex",
      label,
      account: { id: label, userId: label, email: null, plan: null },
      grant: {
        accessToken: new Secret(`access-${label}`),
        refreshToken: new Secret(`refresh-${label}`),
        idToken: null,
        expiresAt: clock.now() + livesMs,
        obtainedAt: clock.now(),
        issuer,
      },
      at: clock.now(),
    });
    added.push(credential);
  }
  return added;
}

/** A turn with each of them, and what was begun in the background. */
async function useAll(all: readonly OAuthCredential[]): Promise<boolean[]> {
  const results: boolean[] = [];
  for (const { id } of all) {
    const now = await store.getCredential(id);
    if (now?.kind !== "oauth") throw new Error("the login is gone");
    results.push((await keeper.makeGood(now)).ok);
  }
  await keeper.idle();
  return results;
}

describe("accounts of one client id that near their end together", () => {
  it("are refreshed one after the other while nobody waits, and all in time", async () => {
    const all = await logins(5, 4 * minute);
    expect(await useAll(all)).toEqual([true, true, true, true, true]);
    expect(spent).toEqual(["issuer-1"]);
    await useAll(all);
    expect(spent).toEqual(["issuer-1"]);
    for (let n = 2; n <= 5; n++) {
      await clock.advance(2 * second);
      await useAll(all);
      expect(spent).toHaveLength(n);
    }
    expect(new Set(spent).size).toBe(5);
  });

  it("don't stand back when somebody waits for each of them", async () => {
    expect(await useAll(await logins(3, -1))).toEqual([true, true, true]);
    expect(spent).toHaveLength(3);
  });

  it("don't stand back for those of another token endpoint", async () => {
    await useAll([...(await logins(2, 4 * minute)), ...(await logins(2, 4 * minute, "http://elsewhere"))]);
    expect(spent).toEqual(["issuer-1", "elsewhere-1"]);
  });

  it("go on standing back no longer than a moment when the clock is set back", async () => {
    const all = await logins(2, 4 * minute);
    await useAll(all);
    clock.jump(-60 * minute);
    const later = all.map((one) => ({ ...one, grant: { ...one.grant, expiresAt: clock.now() + 4 * minute } }));
    keeper.tend(later.slice(1));
    await keeper.idle();
    expect(spent).toEqual(["issuer-1", "issuer-2"]);
  });
});

describe("a 429 of the token endpoint", () => {
  it("for one login holds its siblings back, those whose token is over too, and until it said", async () => {
    const [first, second_, other] = await logins(3, -1);
    if (first === undefined || second_ === undefined || other === undefined) throw new Error("logins are missing");
    answers.push(slowDown(90));
    const refused = await keeper.makeGood(first);
    expect(!refused.ok && refused.failure).toMatchObject({ reason: "rate_limit", reloginRequired: false });
    const held = await keeper.makeGood(second_);
    expect(!held.ok && held.failure).toMatchObject({ reason: "rate_limit", retryAt: clock.now() + 90 * second });
    await clock.advance(89 * second);
    expect((await keeper.makeGood(other)).ok).toBe(false);
    expect(spent).toEqual(["issuer-1"]);
    await clock.advance(second);
    expect(await useAll([first, second_, other])).toEqual([true, true, true]);
  });

  it("does not keep a sibling's living token from being used", async () => {
    const [over] = await logins(1, -1);
    const [living] = await logins(1, 20 * second, "http://issuer");
    if (over === undefined || living === undefined) throw new Error("logins are missing");
    answers.push(slowDown(60));
    await keeper.makeGood(over);
    expect(await keeper.makeGood(living)).toMatchObject({ ok: true, refreshed: false });
    expect(spent).toHaveLength(1);
  });

  it("says nothing about another token endpoint", async () => {
    const all = [...(await logins(1, -1)), ...(await logins(1, -1, "http://elsewhere"))];
    answers.push(slowDown(60));
    expect(await useAll(all)).toEqual([false, true]);
  });
});

describe("logins that nobody uses now", () => {
  it("are refreshed near their end and after it, one at a time, and left alone before", async () => {
    const fresh = await logins(1, 60 * minute, "http://fresh");
    const near = await logins(1, 4 * minute, "http://near");
    const over = await logins(2, -1, "http://over");
    keeper.tend([...fresh, ...near, ...over]);
    await keeper.idle();
    expect(spent).toEqual(["near-1", "over-1"]);
  });

  it("are left alone when a person has paused them, or only a sign-in helps", async () => {
    const [paused] = await logins(1, -1, "http://paused");
    const [dead] = await logins(1, -1, "http://dead");
    if (paused === undefined || dead === undefined) throw new Error("logins are missing");
    const relogin = { generation: 1, code: "invalid_grant", message: "over", since: 0 };
    keeper.tend([
      { ...paused, paused: true },
      { ...dead, relogin },
    ]);
    await keeper.idle();
    expect(spent).toEqual([]);
  });

  it("are tended by every turn that passes them by: a cooled login comes back with a good token", async () => {
    await using stage = await openStage({ routes: { pool: ["codex/gpt-5.5"] } });
    const cooled = await stage.addCodexLogin("cooled", { expiresInS: -1 });
    await stage.addCodexLogin("warm");
    const now = Date.now();
    await stage.workspace.store.putCooldown({
      provider: "codex",
      credentialId: cooled.id,
      model: "",
      reason: "billing",
      message: "no money",
      since: now,
      until: now + 60 * minute,
      failures: 1,
      stated: true,
    });
    expect((await stage.turn("hello", "pool")).servedBy.credential.label).toBe("warm");
    await stage.workspace.keeper.idle();
    const after = await stage.workspace.store.getCredential(cooled.id);
    expect(after).toMatchObject({ grant: { generation: 2 } });
    expect(await stage.workspace.store.listCooldowns("codex")).toMatchObject([{ reason: "billing" }]);
  });

  it("do not let a turn fail when their early refresh fails", async () => {
    await using stage = await openStage({ routes: { pool: ["codex/gpt-5.5"] } });
    const { id } = await stage.addCodexLogin("early", { expiresInS: 120 });
    stage.simulator.codexIssuer.script("unavailable");
    expect((await stage.turn("hello", "pool")).text).toContain("hello");
    await stage.workspace.keeper.idle();
    expect(stage.story).toEqual(["early ok"]);
    expect(await stage.workspace.store.getCredential(id)).toMatchObject({ grant: { generation: 1 }, relogin: null });
  });
});
