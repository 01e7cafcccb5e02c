import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Soon } from "../../src/core/soon.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Account, OAuthCredential } from "../../src/credentials/credential.ts";
import { createTokenKeeper, type TokenKeeper, type TokenResult } from "../../src/credentials/keeper.ts";
import type { RefreshOutcome } from "../../src/credentials/refresh-outcome.ts";
import type { Store } from "../../src/credentials/store.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { turnOfEventLoop, VirtualClock } from "../virtual-clock.ts";

const minute = 60_000;
const account: Account = { id: "acct-1", userId: "user-1", email: "a@example.com", plan: "plus" };

let folder: string;
let store: Store;
let clock: VirtualClock;
/** Refresh tokens in the order in which they were spent. */
let spent: string[];
let answers: (RefreshOutcome | Promise<RefreshOutcome>)[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "understudy-keeper-"));
  store = await openSqliteStore({ file: join(folder, "s.db"), key: randomBytes(32) });
  clock = new VirtualClock();
  spent = [];
  answers = [];
});

afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

function keeper(owner = "me", isDead: (owner: string) => boolean = () => false): TokenKeeper {
  return createTokenKeeper({
    store,
    clock,
    random: () => 0.5,
    owner,
    isDead,
    spend: async (credential) => {
      spent.push(credential.grant.refreshToken?.reveal() ?? "none");
      return (await answers.shift()) ?? { kind: "never_sent", message: "no answer was planned" };
    },
  });
}

/** A login whose access token ends in `livesMs`. */
async function login(livesMs: number | null): Promise<OAuthCredential> {
  const { credential } = await store.saveLogin({
    provider: "codex",
    label: "work",
    account,
    grant: {
      accessToken: new Secret("access-1"),
      refreshToken: new Secret("refresh-1"),
      idToken: null,
      expiresAt: livesMs === null ? null : clock.now() + livesMs,
      obtainedAt: clock.now(),
      issuer: "http://issuer",
    },
    at: clock.now(),
  });
  return credential;
}

function newPair(n: number, whose: Account | null = account): RefreshOutcome {
  return {
    kind: "answered",
    account: whose,
    grant: {
      accessToken: new Secret(`access-${n}`),
      refreshToken: new Secret(`refresh-${n}`),
      idToken: null,
      expiresAt: clock.now() + 60 * minute,
      obtainedAt: clock.now(),
      issuer: "http://issuer",
    },
  };
}

function token(result: TokenResult): string {
  return result.ok ? result.credential.grant.accessToken.reveal() : `${result.failure.reason} ${result.failure.code}`;
}

async function stored(): Promise<OAuthCredential> {
  const [credential] = await store.listCredentials("codex");
  if (credential?.kind !== "oauth") throw new Error("the login is gone");
  return credential;
}

/** Lets virtual time pass until `promise` settles. */
async function passing<T>(promise: Soon<T>): Promise<T> {
  const state = { settled: false };
  const done = Promise.resolve(promise).finally(() => {
    state.settled = true;
  });
  done.catch(() => {});
  for (let i = 0; i < 2_000 && !state.settled; i++) {
    await turnOfEventLoop();
    if (clock.nextWakeMs !== null) await clock.advance(Math.max(1, clock.nextWakeMs));
  }
  return done;
}

describe("the two windows", () => {
  it("a token with time left is used as it is", async () => {
    expect(token(await keeper().makeGood(await login(6 * minute)))).toBe("access-1");
    expect(spent).toEqual([]);
  });

  it("near its end the token is still given at once, and refreshed in the background", async () => {
    answers.push(newPair(2));
    const keep = keeper();
    expect(token(await keep.makeGood(await login(4 * minute)))).toBe("access-1");
    await keep.idle();
    expect((await stored()).grant.accessToken.reveal()).toBe("access-2");
    expect((await stored()).grant.generation).toBe(2);
  });

  it("an early refresh that fails is no failure of anybody", async () => {
    answers.push({ kind: "deferred", code: "server_error", message: "503", status: 503 });
    const keep = keeper();
    const credential = await login(4 * minute);
    expect(token(await keep.makeGood(credential))).toBe("access-1");
    await keep.idle();
    expect(token(await keep.makeGood(credential))).toBe("access-1");
    // The back-off holds: no second POST at once.
    expect(spent).toEqual(["refresh-1"]);
  });

  it("an early refresh that is refused for good leaves the living token in use and marks the login", async () => {
    answers.push({ kind: "refused", code: "refresh_token_reused", message: "used elsewhere" });
    const keep = keeper();
    await keep.makeGood(await login(4 * minute));
    await keep.idle();
    const marked = await stored();
    expect(marked.relogin).toMatchObject({ generation: 1, code: "refresh_token_reused" });
    expect(token(await keep.makeGood(marked))).toBe("access-1");
    expect(spent).toEqual(["refresh-1"]);
  });

  it("at its end callers wait for the new token", async () => {
    answers.push(newPair(2));
    expect(token(await keeper().makeGood(await login(20_000)))).toBe("access-2");
  });

  it("in its last seconds a living token is used when the refresh fails for now", async () => {
    answers.push({ kind: "deferred", code: "server_error", message: "503", status: 503 });
    expect(token(await keeper().makeGood(await login(20_000)))).toBe("access-1");
  });

  it("… and when it is refused for good, with the mark on it that tells the person", async () => {
    answers.push({ kind: "refused", code: "refresh_token_reused", message: "used elsewhere" });
    const result = await keeper().makeGood(await login(20_000));
    expect(result).toMatchObject({ ok: true, credential: { relogin: { code: "refresh_token_reused" } } });
  });

  it("a token without a readable end is refreshed after 8 days", async () => {
    answers.push(newPair(2));
    const keep = keeper();
    const credential = await login(null);
    await keep.makeGood(credential);
    expect(spent).toEqual([]);
    clock.jump(8 * 24 * 60 * minute);
    expect(token(await keep.makeGood(credential))).toBe("access-1");
    await keep.idle();
    expect(spent).toEqual(["refresh-1"]);
  });
});

describe("spending once", () => {
  it("a hundred callers at the moment of expiry cost one refresh", async () => {
    answers.push(newPair(2));
    const keep = keeper();
    const credential = await login(0);
    const tokens = await Promise.all(Array.from({ length: 100 }, async () => token(await keep.makeGood(credential))));
    expect(new Set(tokens)).toEqual(new Set(["access-2"]));
    expect(spent).toEqual(["refresh-1"]);
  });

  it("two processes at the moment of expiry cost one refresh, and both get its token", async () => {
    const { promise, resolve } = Promise.withResolvers<RefreshOutcome>();
    answers.push(promise);
    const credential = await login(0);
    const first = keeper("first").makeGood(credential);
    while (spent.length === 0) await turnOfEventLoop();
    const second = keeper("second").makeGood(credential);
    await turnOfEventLoop();
    resolve(newPair(2));
    expect(token(await passing(first))).toBe("access-2");
    expect(token(await passing(second))).toBe("access-2");
    expect(spent).toEqual(["refresh-1"]);
  });

  it("a caller that gives up does not stop a refresh that has begun", async () => {
    const { promise, resolve } = Promise.withResolvers<RefreshOutcome>();
    answers.push(promise);
    const keep = keeper();
    const controller = new AbortController();
    const waiting = keep.makeGood(await login(0), controller.signal);
    while (spent.length === 0) await turnOfEventLoop();
    controller.abort("gone");
    await expect(waiting).rejects.toBe("gone");
    resolve(newPair(2));
    await keep.idle();
    expect((await stored()).grant.accessToken.reveal()).toBe("access-2");
  });

  it("when nobody waits for another process's claim any more, nobody looks at it any more; who comes later does", async () => {
    const { promise, resolve } = Promise.withResolvers<RefreshOutcome>();
    answers.push(promise);
    const credential = await login(0);
    const first = keeper("first").makeGood(credential);
    while (spent.length === 0) await turnOfEventLoop();
    const second = keeper("second");
    const controllers = [new AbortController(), new AbortController()];
    const waiting = controllers.map(({ signal }) => second.makeGood(credential, signal));
    await turnOfEventLoop();
    for (const [index, controller] of controllers.entries()) {
      controller.abort("gone");
      await expect(waiting[index]).rejects.toBe("gone");
    }
    // The clock of this test stands still: a wait that went on would never end.
    await second.idle();
    const later = second.makeGood(credential);
    resolve(newPair(2));
    expect(token(await passing(first))).toBe("access-2");
    expect(token(await passing(later))).toBe("access-2");
    expect(spent).toEqual(["refresh-1"]);
  });

  it("a verdict is kept: the dead token is never sent again, also by another process", async () => {
    answers.push({ kind: "refused", code: "refresh_token_reused", message: "used elsewhere" });
    const credential = await login(0);
    expect(token(await keeper().makeGood(credential))).toBe("relogin_required refresh_token_reused");
    expect(token(await keeper("other").makeGood(credential))).toBe("relogin_required refresh_token_reused");
    expect(spent).toEqual(["refresh-1"]);
  });

  it("a new sign-in ends the verdict", async () => {
    answers.push({ kind: "refused", code: "refresh_token_expired", message: "over" });
    await keeper().makeGood(await login(0));
    const again = await login(60 * minute);
    expect(again.relogin).toBeNull();
    expect(again.grant.generation).toBe(2);
    expect(token(await keeper().makeGood(again))).toBe("access-1");
  });

  it("after a 401 a generation that somebody else made is adopted without spending", async () => {
    const old = await login(60 * minute);
    await store.settleAnswered(old.id, 1, (newPair(2) as Extract<RefreshOutcome, { kind: "answered" }>).grant, account);
    expect(token(await keeper().replaceRejected(old))).toBe("access-2");
    expect(spent).toEqual([]);
  });

  it("after a 401 a token with time left is refreshed all the same", async () => {
    answers.push(newPair(2));
    expect(token(await keeper().replaceRejected(await login(60 * minute)))).toBe("access-2");
  });
});

describe("answers that did not come", () => {
  it("nothing sent is nothing lost: the next try spends the same token", async () => {
    answers.push({ kind: "never_sent", message: "refused" }, newPair(2));
    const keep = keeper();
    const credential = await login(0);
    expect(token(await keep.makeGood(credential))).toBe("network undefined");
    await clock.advance(2 * minute);
    expect(token(await keep.makeGood(credential))).toBe("access-2");
  });

  it("while the access token lives, an unknown outcome spends nothing", async () => {
    answers.push({ kind: "unanswered", message: "cut" });
    const keep = keeper();
    await keep.makeGood(await login(4 * minute));
    await keep.idle();
    const unsure = await stored();
    expect(unsure.unknownOutcome).toMatchObject({ generation: 1 });
    await clock.advance(2 * minute);
    expect(token(await keep.makeGood(unsure))).toBe("access-1");
    await keep.idle();
    expect(spent).toEqual(["refresh-1"]);
  });

  it("when the access token is over, the old token is spent once more and may win", async () => {
    answers.push({ kind: "unanswered", message: "cut" }, newPair(2));
    const keep = keeper();
    await keep.makeGood(await login(4 * minute));
    await keep.idle();
    await clock.advance(5 * minute);
    expect(token(await keep.makeGood(await stored()))).toBe("access-2");
    expect((await stored()).unknownOutcome).toBeNull();
    expect(spent).toEqual(["refresh-1", "refresh-1"]);
  });

  it("… and if it is refused as reused, the person hears that the answer was lost", async () => {
    answers.push(
      { kind: "unanswered", message: "cut" },
      { kind: "refused", code: "refresh_token_reused", message: "used already" },
    );
    const keep = keeper();
    await keep.makeGood(await login(4 * minute));
    await keep.idle();
    await clock.advance(5 * minute);
    const result = await keep.makeGood(await stored());
    expect(result.ok).toBe(false);
    expect(!result.ok && result.failure.message).toMatch(
      /used already \(the answer to the refresh of \d\d:\d\d was lost\)/,
    );
  });

  it("… and so does the person whose next token is refused, since a process that was given up had spent the old one late", async () => {
    answers.push(newPair(2), { kind: "refused", code: "invalid_grant", message: "grant request is invalid" });
    const credential = await login(-1);
    await store.settleUnknown(credential.id, 1, "frozen", clock.now());
    expect(token(await keeper().makeGood(credential))).toBe("access-2");
    await clock.advance(60 * minute);
    await keeper().makeGood(await stored());
    expect((await stored()).relogin?.message).toMatch(
      /^grant request is invalid \(the answer to the refresh of \d\d:\d\d was lost\)$/,
    );
  });

  it("a claim of a dead process becomes an unknown outcome at once", async () => {
    const credential = await login(4 * minute);
    await store.claimRefresh({
      credentialId: credential.id,
      generation: 1,
      owner: "dead",
      now: clock.now(),
      deadline: clock.now() + 30_000,
      isDead: () => false,
      replay: false,
    });
    const keep = keeper("me", (owner) => owner === "dead");
    await keep.makeGood(credential);
    await keep.idle();
    expect((await stored()).unknownOutcome).toMatchObject({ generation: 1 });
    expect(spent).toEqual([]);
  });

  it("a claim of a frozen process is waited for until its deadline, then resolved", async () => {
    const credential = await login(0);
    await store.claimRefresh({
      credentialId: credential.id,
      generation: 1,
      owner: "frozen",
      now: clock.now(),
      deadline: clock.now() + 30_000,
      isDead: () => false,
      replay: false,
    });
    answers.push(newPair(2));
    const began = clock.now();
    expect(token(await passing(keeper().makeGood(credential)))).toBe("access-2");
    expect(clock.now() - began).toBeGreaterThanOrEqual(30_000);
  });

  it("says when the token endpoint may be asked again, and never waits longer than a quarter of an hour", async () => {
    const retryAt = clock.now() + 23 * 24 * 60 * minute;
    answers.push({ kind: "deferred", code: "rate_limited", message: "slow down", status: 429, retryAt }, newPair(2));
    const keep = keeper();
    const credential = await login(-1);
    const result = await keep.makeGood(credential);
    expect(!result.ok && result.failure.retryAt).toBe(clock.now() + 15 * minute);
    await clock.advance(15 * minute);
    expect(token(await keep.makeGood(credential))).toBe("access-2");
  });

  it("429 of the token endpoint is honoured and is no login problem", async () => {
    const retryAt = clock.now() + 10 * minute;
    answers.push({ kind: "deferred", code: "rate_limited", message: "slow down", status: 429, retryAt }, newPair(2));
    const keep = keeper();
    const credential = await login(0);
    const result = await keep.makeGood(credential);
    expect(!result.ok && result.failure).toMatchObject({
      reason: "rate_limit",
      reloginRequired: false,
      scope: "network",
    });
    await clock.advance(9 * minute);
    await keep.makeGood(credential);
    expect(spent).toHaveLength(1);
    await clock.advance(minute);
    expect(token(await keep.makeGood(credential))).toBe("access-2");
  });
});

describe("what is not adopted", () => {
  it("a token of another account", async () => {
    answers.push(newPair(2, { ...account, id: "acct-2" }));
    expect(token(await keeper().makeGood(await login(0)))).toBe("relogin_required account_changed");
    expect((await stored()).grant.accessToken.reveal()).toBe("access-1");
  });

  it("a rotated refresh token without an access token is kept, and spent later", async () => {
    const credential = await login(0);
    answers.push(
      { kind: "answered", account: null, grant: { ...credential.grant, refreshToken: new Secret("refresh-2") } },
      newPair(3),
    );
    const keep = keeper();
    expect(token(await keep.makeGood(credential))).toBe("server_error no_access_token");
    expect((await stored()).grant.refreshToken?.reveal()).toBe("refresh-2");
    await clock.advance(5 * minute);
    expect(token(await keep.makeGood(await stored()))).toBe("access-3");
    expect(spent).toEqual(["refresh-1", "refresh-2"]);
  });

  it("an answer that the store can't take is used by nobody until it is written", async () => {
    const credential = await login(0);
    answers.push(newPair(2));
    const real = store.settleAnswered.bind(store);
    let full = true;
    const keep = createTokenKeeper({
      store: {
        ...store,
        settleAnswered: (...input) => (full ? Promise.reject(new Error("disk full")) : real(...input)),
      },
      clock,
      random: () => 0.5,
      owner: "me",
      isDead: () => false,
      spend: async () => (await answers.shift()) ?? { kind: "never_sent", message: "none planned" },
    });
    expect(token(await passing(keep.makeGood(credential)))).toBe("server_error store_unavailable");
    full = false;
    await keep.makeGood(credential);
    expect((await stored()).grant.refreshToken?.reveal()).toBe("refresh-2");
  });
});
