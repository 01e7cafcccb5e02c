import { beforeEach, describe, expect, it } from "vitest";
import type { Soon } from "../../src/core/soon.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Account, OAuthCredential } from "../../src/credentials/credential.ts";
import { createTokenKeeper, type TokenKeeper, type TokenResult } from "../../src/credentials/keeper.ts";
import type { RefreshOutcome } from "../../src/credentials/refresh-outcome.ts";
import type { NewGrant, Store } from "../../src/credentials/store.ts";
import { Disk } from "../simulation/store-model/disk.ts";
import { openModelStore } from "../simulation/store-model/model-store.ts";
import { turnOfEventLoop, VirtualClock } from "../virtual-clock.ts";

// What the simulation found: stores that refuse, processes that were suspended, clocks that were set back.

const minute = 60_000;
const account: Account = { id: "acct-1", userId: "user-1", email: "a@example.com", plan: "plus" };

let store: Store;
let clock: VirtualClock;
let spent: string[];
let answers: RefreshOutcome[];
/** Methods of the store that refuse for now. */
let refusing: Set<string>;

beforeEach(() => {
  clock = new VirtualClock();
  store = openModelStore({ disk: new Disk(), clock, journalLimit: 5 });
  spent = [];
  answers = [];
  refusing = new Set();
});

function keeper(claimRefresh: Store["claimRefresh"] = (request) => store.claimRefresh(request)): TokenKeeper {
  const weather = new Proxy(
    { ...store, claimRefresh },
    {
      get(methods, name: keyof Store) {
        return refusing.has(name) ? () => Promise.reject(new Error("disk full")) : methods[name];
      },
    },
  );
  return createTokenKeeper({
    store: weather,
    clock,
    random: () => 0.5,
    owner: "me",
    isDead: () => false,
    spend: async (credential) => {
      spent.push(credential.grant.refreshToken?.reveal() ?? "none");
      return answers.shift() ?? { kind: "never_sent", message: "no answer was planned" };
    },
  });
}

function grant(n: number, livesMs: number): NewGrant {
  return {
    accessToken: new Secret(`access-${n}`),
    refreshToken: new Secret(`refresh-${n}`),
    idToken: null,
    expiresAt: clock.now() + livesMs,
    obtainedAt: clock.now(),
    issuer: "http://issuer",
  };
}

async function login(livesMs: number): Promise<OAuthCredential> {
  const input = { provider: "codex", label: "work", account, grant: grant(1, livesMs), at: clock.now() };
  return (await store.saveLogin(input)).credential;
}

function newPair(n: number): RefreshOutcome {
  return { kind: "answered", account, grant: grant(n, 60 * minute) };
}

function token(result: TokenResult): string {
  return result.ok ? result.credential.grant.accessToken.reveal() : `${result.failure.reason} ${result.failure.code}`;
}

/** Lets virtual time pass until `promise` settles. */
async function passing<T>(promise: Soon<T>): Promise<T> {
  const over = { settled: false };
  const done = Promise.resolve(promise).finally(() => {
    over.settled = true;
  });
  done.catch(() => {});
  for (let i = 0; i < 5_000 && !over.settled; i++) {
    await turnOfEventLoop();
    if (clock.nextWakeMs !== null) await clock.advance(Math.max(1, clock.nextWakeMs));
  }
  return done;
}

describe("a store that refuses", () => {
  it("to take an answer: the old token is not spent again while the new one is kept in memory, however late", async () => {
    const credential = await login(0);
    answers.push(newPair(2));
    refusing.add("settleAnswered");
    const keep = keeper();
    expect(token(await passing(keep.makeGood(credential)))).toBe("server_error store_unavailable");
    // The claim's deadline passes, and the store is read and written again: all but this one write.
    await clock.advance(5 * minute);
    expect(token(await passing(keep.makeGood(credential)))).toBe("server_error store_unavailable");
    expect(spent).toEqual(["refresh-1"]);
    refusing.clear();
    expect(token(await passing(keep.makeGood(credential)))).toBe("access-2");
    expect(spent).toEqual(["refresh-1"]);
  });

  it("to take an answer and then does: the callers get the new token at once", async () => {
    const credential = await login(0);
    answers.push(newPair(2));
    refusing.add("settleAnswered");
    const keep = keeper();
    await passing(keep.makeGood(credential));
    refusing.clear();
    expect(token(await keep.makeGood(credential))).toBe("access-2");
  });

  it("to take a verdict: the refused token is not sent again, and the verdict is written later", async () => {
    const credential = await login(0);
    answers.push({ kind: "refused", code: "refresh_token_reused", message: "used elsewhere" }, newPair(2));
    refusing.add("settleRefused");
    const keep = keeper();
    expect(token(await keep.makeGood(credential))).toBe("relogin_required refresh_token_reused");
    await clock.advance(5 * minute);
    expect(token(await passing(keep.makeGood(credential)))).toBe("relogin_required refresh_token_reused");
    refusing.clear();
    expect(token(await passing(keep.makeGood(credential)))).toBe("relogin_required refresh_token_reused");
    expect(spent).toEqual(["refresh-1"]);
    expect(await store.getCredential(credential.id)).toMatchObject({ relogin: { code: "refresh_token_reused" } });
  });

  it("to take a verdict: a new sign-in ends it all the same", async () => {
    const credential = await login(0);
    answers.push({ kind: "refused", code: "refresh_token_reused", message: "used elsewhere" }, newPair(2));
    refusing.add("settleRefused");
    const keep = keeper();
    await keep.makeGood(credential);
    refusing.clear();
    expect(token(await keep.makeGood(await login(0)))).toBe("access-2");
  });

  it("to take a verdict on a token that somebody else has renewed meanwhile: the new one counts, and nobody is blamed", async () => {
    const credential = await login(0);
    answers.push({ kind: "refused", code: "refresh_token_reused", message: "used elsewhere" });
    refusing.add("settleRefused");
    const late = keeper(async (request) => {
      const claim = await store.claimRefresh(request);
      await store.settleAnswered(credential.id, 1, grant(2, 60 * minute), null);
      return claim;
    });
    expect(token(await late.makeGood(credential))).toBe("access-2");
  });

  it("to be read after a 401: the caller is told, and nothing is thrown", async () => {
    const credential = await login(60 * minute);
    refusing.add("getCredential").add("claimRefresh");
    expect(token(await keeper().replaceRejected(credential))).toBe("server_error store_unavailable");
  });
});

describe("a process that was suspended", () => {
  it("between its claim and the spending does not spend under a claim that is over", async () => {
    const credential = await login(0);
    let claims = 0;
    const keep = keeper(async (request) => {
      const claim = await store.claimRefresh(request);
      claims += 1;
      if (claims > 1) return claim;
      // It sleeps beyond its deadline; meanwhile somebody else takes the claim over and renews the token.
      clock.jump(10 * minute);
      await store.settleAnswered(credential.id, 1, grant(2, 60 * minute), account);
      return claim;
    });
    expect(token(await passing(keep.makeGood(credential)))).toBe("access-2");
    expect(spent).toEqual([]);
  });
});

describe("a login that was read long ago", () => {
  const mark = { generation: 1, code: "refresh_token_reused", message: "used elsewhere", since: 0 };

  it("is not called lost when a person has signed in anew since", async () => {
    const old = await login(0);
    await login(60 * minute);
    expect(token(await keeper().makeGood({ ...old, relogin: mark }))).toBe("access-1");
    const withoutRefreshToken = { ...old, grant: { ...old.grant, refreshToken: null } };
    expect(token(await keeper().makeGood(withoutRefreshToken))).toBe("access-1");
    expect(spent).toEqual([]);
  });

  it("is called lost when it still is, also when the store can't be read", async () => {
    const old = { ...(await login(0)), relogin: mark };
    expect(token(await keeper().makeGood(old))).toBe("relogin_required refresh_token_reused");
    refusing.add("getCredential");
    expect(token(await keeper().makeGood(old))).toBe("relogin_required refresh_token_reused");
  });
});

describe("a clock that was set back", () => {
  it("does not make a pause of seconds into one of hours", async () => {
    answers.push({ kind: "deferred", code: "server_error", message: "503", status: 503 }, newPair(2));
    const keep = keeper();
    const credential = await login(0);
    clock.jump(3 * 60 * minute);
    await keep.makeGood(credential);
    clock.jump(-3 * 60 * minute);
    expect(token(await keep.makeGood(credential))).toBe("access-2");
  });
});

describe("a claim that was made by a clock far ahead, by a process that nobody can ask", () => {
  async function claimByFastClock(): Promise<OAuthCredential> {
    const credential = await login(0);
    const now = clock.now() + 3 * 60 * minute;
    await store.claimRefresh({
      credentialId: credential.id,
      generation: 1,
      owner: "another boot",
      now,
      deadline: now + 30_000,
      isDead: () => false,
      replay: false,
    });
    return credential;
  }

  it("is waited for as long as any claim can stand, and not for hours", async () => {
    const credential = await claimByFastClock();
    answers.push(newPair(2));
    const began = clock.now();
    expect(token(await passing(keeper().makeGood(credential)))).toBe("access-2");
    expect(clock.now() - began).toBeGreaterThanOrEqual(150_000);
    expect(clock.now() - began).toBeLessThan(160_000);
    expect(spent).toEqual(["refresh-1"]);
  });

  it("is left alone before that", async () => {
    const credential = await claimByFastClock();
    void keeper().makeGood(credential);
    await clock.advance(149_000);
    expect(spent).toEqual([]);
  });
});

describe("after a 401", () => {
  it("a newer generation that is over as well is refreshed, not handed out", async () => {
    const old = await login(60 * minute);
    await store.settleAnswered(old.id, 1, grant(2, 0), account);
    answers.push(newPair(3));
    expect(token(await keeper().replaceRejected(old))).toBe("access-3");
    expect(spent).toEqual(["refresh-2"]);
  });
});
