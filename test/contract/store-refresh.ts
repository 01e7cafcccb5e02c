import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClaimRequest, ClaimResult, Store } from "../../src/credentials/store.ts";
import {
  readOAuth,
  sampleAccount,
  sampleClaim,
  sampleCooldown,
  sampleGrant,
  saveSampleLogin,
  start,
} from "./store-samples.ts";

const mark = { generation: 1, code: "refresh_token_expired", message: "the refresh token is over", since: start + 5 };

/** The part of the store contract that keeps rule R1: claims on refresh tokens and their settling. */
export function refreshContract(current: () => { store: Store; reopen: () => Promise<void> }): void {
  const claim = (id: string, request: Partial<ClaimRequest> = {}): Promise<ClaimResult> =>
    current().store.claimRefresh(sampleClaim(id, request));

  describe("claiming a refresh", () => {
    it("gives the claim to one and tells the others until when it is held", async () => {
      const { id } = await saveSampleLogin(current().store);
      const first = await claim(id);
      expect(first).toMatchObject({ outcome: "claimed", credential: { id, grant: { generation: 1 } } });
      expect(await claim(id, { owner: "b" })).toEqual({ outcome: "held", until: start + 60_000 });
      // Not even its own owner: two refreshes in one process are two.
      expect(await claim(id)).toMatchObject({ outcome: "held" });
      await current().reopen();
      expect(await claim(id, { owner: "b" })).toMatchObject({ outcome: "held" });
    });

    it("gives the claim to one of many who ask at once", async () => {
      const { id } = await saveSampleLogin(current().store);
      const results = await Promise.all(Array.from({ length: 20 }, (_, n) => claim(id, { owner: `o${n}` })));
      expect(results.filter((result) => result.outcome === "claimed")).toHaveLength(1);
      expect(results.filter((result) => result.outcome === "held")).toHaveLength(19);
    });

    it("keeps the claims of two credentials apart", async () => {
      const first = await saveSampleLogin(current().store);
      const second = await saveSampleLogin(current().store, { account: sampleAccount({ userId: "user-2" }) });
      expect(await claim(first.id)).toMatchObject({ outcome: "claimed" });
      expect(await claim(second.id)).toMatchObject({ outcome: "claimed" });
    });

    it("is gone for a credential that isn't there or has no grant", async () => {
      const key = await current().store.addApiKey({
        provider: "codex",
        label: "key",
        source: { from: "none" },
        at: start,
      });
      expect(await claim("c-none")).toEqual({ outcome: "gone" });
      expect(await claim(key.id)).toEqual({ outcome: "gone" });
    });

    it.each([0, 2])("is superseded for generation %i when 1 is the current one", async (generation) => {
      const { id } = await saveSampleLogin(current().store);
      const result = await claim(id, { generation });
      expect(result).toMatchObject({ outcome: "superseded", credential: { grant: { generation: 1 } } });
      expect(await claim(id)).toMatchObject({ outcome: "claimed" });
    });

    it("is superseded while a relogin mark stands", async () => {
      const { id } = await saveSampleLogin(current().store);
      await current().store.settleRefused(id, mark);
      expect(await claim(id, { replay: true })).toMatchObject({ outcome: "superseded", credential: { relogin: mark } });
    });

    it("turns the claim of a dead owner into an unknown outcome, and says so once", async () => {
      const { id } = await saveSampleLogin(current().store);
      await claim(id);
      const isDead = (owner: string): boolean => owner === "a";
      const result = await claim(id, { owner: "b", now: start + 10, isDead });
      const unknownOutcome = { generation: 1, since: start };
      expect(result).toMatchObject({ outcome: "unknown", credential: { unknownOutcome } });
      await current().reopen();
      expect(await readOAuth(current().store, id)).toMatchObject({ unknownOutcome });
      expect(await claim(id, { owner: "b", isDead })).toMatchObject({ outcome: "unknown" });
      expect(await claim(id, { owner: "b", isDead, replay: true })).toMatchObject({
        outcome: "claimed",
        credential: { unknownOutcome },
      });
      expect(await claim(id, { owner: "c", isDead, replay: true })).toMatchObject({ outcome: "held" });
    });

    it("turns a claim into an unknown outcome at its deadline, not a millisecond before", async () => {
      const { id } = await saveSampleLogin(current().store);
      await claim(id);
      expect(await claim(id, { owner: "b", now: start + 59_999 })).toMatchObject({ outcome: "held" });
      expect(await claim(id, { owner: "b", now: start + 60_000 })).toMatchObject({ outcome: "unknown" });
    });

    it("asks the caller again when the claim of a replay dies", async () => {
      const { id } = await saveSampleLogin(current().store);
      await claim(id);
      await current().store.settleUnknown(id, 1, "a", start);
      await claim(id, { owner: "b", now: start + 100, replay: true });
      const result = await claim(id, { owner: "c", now: start + 200, replay: true, isDead: () => true });
      expect(result).toMatchObject({ outcome: "unknown", credential: { unknownOutcome: { since: start + 100 } } });
    });
  });

  describe("settling a refresh", () => {
    it("stores an answer as the next generation and clears claim, mark and unknown outcome", async () => {
      const { id } = await saveSampleLogin(current().store);
      await claim(id);
      await current().store.settleUnknown(id, 1, "a", start);
      await claim(id, { owner: "b", replay: true });
      expect(await current().store.settleAnswered(id, 1, sampleGrant("2"), null)).toBe(true);
      await current().reopen();
      const read = await readOAuth(current().store, id);
      expect(read).toMatchObject({ relogin: null, unknownOutcome: null, account: sampleAccount() });
      expect(read.unknownBefore).toEqual({ generation: 1, since: start });
      expect(read.grant.generation).toBe(2);
      expect(read.grant.accessToken.reveal()).toBe("access-2");
      expect(read.grant.refreshToken?.reveal()).toBe("refresh-2");
      expect(await claim(id, { generation: 2 })).toMatchObject({ outcome: "claimed" });
    });

    it("keeps noted what was last not known of a login, until there is a new one", async () => {
      const { store } = current();
      const { id } = await saveSampleLogin(store);
      await store.settleUnknown(id, 1, "a", start);
      for (const generation of [1, 2]) await store.settleAnswered(id, generation, sampleGrant("2"), null);
      const first = { unknownOutcome: null, unknownBefore: { generation: 1, since: start } };
      expect(await readOAuth(store, id)).toMatchObject(first);
      await store.settleUnknown(id, 3, "a", start + 5);
      await store.settleAnswered(id, 3, sampleGrant("4"), null);
      expect((await readOAuth(store, id)).unknownBefore).toEqual({ generation: 3, since: start + 5 });
      await saveSampleLogin(store, { replaces: id });
      expect(await readOAuth(store, id)).toMatchObject({ unknownOutcome: null });
      expect((await readOAuth(store, id)).unknownBefore).toBeUndefined();
    });

    it("takes what the answer says about the account and keeps what it does not say", async () => {
      const { id } = await saveSampleLogin(current().store);
      const account = { id: "acct-1", userId: null, email: null, plan: "pro" };
      await current().store.settleAnswered(id, 1, sampleGrant("2"), account);
      expect((await readOAuth(current().store, id)).account).toEqual(sampleAccount({ plan: "pro" }));
    });

    it("welcomes a late answer for the current generation, whoever holds the claim and whatever was noted", async () => {
      const { id } = await saveSampleLogin(current().store);
      await claim(id);
      await claim(id, { owner: "b", now: start + 60_000 });
      await claim(id, { owner: "b", now: start + 60_000, deadline: start + 120_000, replay: true });
      await current().store.settleRefused(id, mark);
      expect(await current().store.settleAnswered(id, 1, sampleGrant("2"), null)).toBe(true);
      expect(await readOAuth(current().store, id)).toMatchObject({ relogin: null, unknownOutcome: null });
      expect(await claim(id, { generation: 2 })).toMatchObject({ outcome: "claimed" });
    });

    it("drops an answer for a generation that is over, and changes nothing", async () => {
      const { id } = await saveSampleLogin(current().store);
      await current().store.settleAnswered(id, 1, sampleGrant("2"), null);
      await claim(id, { generation: 2, owner: "b" });
      const before = await readOAuth(current().store, id);
      const account = sampleAccount({ plan: "free" });
      expect(await current().store.settleAnswered(id, 1, sampleGrant("3"), account)).toBe(false);
      expect(await current().store.settleRefused(id, mark)).toBe(false);
      await current().store.releaseClaim(id, 1, "b");
      await current().store.settleUnknown(id, 1, "b", start);
      expect(await readOAuth(current().store, id)).toEqual(before);
      expect(await claim(id, { generation: 2, owner: "c" })).toMatchObject({ outcome: "held" });
    });

    it("clears by a new generation the cooldowns that were about the login, not those about its allowance", async () => {
      const { id } = await saveSampleLogin(current().store);
      for (const [model, reason] of [
        ["", "auth"],
        ["a", "relogin_required"],
        ["b", "quota"],
        ["c", "rate_limit"],
      ] as const) {
        await current().store.putCooldown(sampleCooldown({ credentialId: id, model, reason }));
      }
      await current().store.putCooldown(sampleCooldown({ credentialId: "another", reason: "auth" }));
      await current().store.settleAnswered(id, 1, sampleGrant("2"), null);
      const left = await current().store.listCooldowns();
      expect(left.map((cooldown) => cooldown.reason).sort()).toEqual(["auth", "quota", "rate_limit"]);
      expect(left.find((cooldown) => cooldown.reason === "auth")?.credentialId).toBe("another");
    });

    it("remembers a refusal over restarts until the next generation, and releases the claim", async () => {
      const { id } = await saveSampleLogin(current().store);
      await claim(id);
      expect(await current().store.settleRefused(id, mark)).toBe(true);
      await current().reopen();
      expect(await readOAuth(current().store, id)).toMatchObject({ relogin: mark });
      await saveSampleLogin(current().store, { grant: sampleGrant("2") });
      expect(await readOAuth(current().store, id)).toMatchObject({ relogin: null, grant: { generation: 2 } });
      expect(await current().store.settleRefused("c-none", mark)).toBe(false);
    });

    it("releases the claim of its owner alone", async () => {
      const { id } = await saveSampleLogin(current().store);
      await claim(id);
      await current().store.releaseClaim(id, 1, "b");
      expect(await claim(id, { owner: "b" })).toMatchObject({ outcome: "held" });
      await current().store.releaseClaim(id, 1, "a");
      expect(await claim(id, { owner: "b" })).toMatchObject({
        outcome: "claimed",
        credential: { unknownOutcome: null },
      });
    });

    it("keeps the unknown outcome when a replay is released without a verdict", async () => {
      const { id } = await saveSampleLogin(current().store);
      await claim(id);
      await current().store.settleUnknown(id, 1, "a", start + 7);
      await claim(id, { owner: "b", replay: true });
      await current().store.releaseClaim(id, 1, "b");
      expect(await claim(id, { owner: "c" })).toMatchObject({
        outcome: "unknown",
        credential: { unknownOutcome: { generation: 1, since: start + 7 } },
      });
    });

    it("notes an unknown outcome and releases the claim of its owner alone", async () => {
      const { id } = await saveSampleLogin(current().store);
      await claim(id);
      await current().store.settleUnknown(id, 1, "b", start + 7);
      expect(await claim(id, { owner: "c", replay: true })).toMatchObject({ outcome: "held" });
      await current().store.settleUnknown(id, 1, "a", start + 8);
      await current().reopen();
      expect((await readOAuth(current().store, id)).unknownOutcome).toEqual({ generation: 1, since: start + 8 });
      expect(await claim(id, { owner: "c" })).toMatchObject({ outcome: "unknown" });
      expect(await claim(id, { owner: "c", replay: true })).toMatchObject({ outcome: "claimed" });
    });
  });

  it("keeps one live claim per credential and never a generation back, whatever comes in whatever order", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
        const { store } = current();
        const { id, grant } = await saveSampleLogin(store, { account: sampleAccount({ id: null }) });
        let generation = grant.generation;
        let holder: { owner: string; deadline: number } | null = null;
        let unknown = false;
        let refused = false;
        for (const { kind, owner, behind, now, replay } of steps) {
          const about = generation - behind;
          if (kind === "claim") {
            const { outcome } = await claim(id, { generation: about, owner, now, deadline: now + 50, replay });
            if (behind > 0 || refused) expect(outcome).toBe("superseded");
            else if (holder !== null && now < holder.deadline) expect(outcome).toBe("held");
            else if (holder !== null || (unknown && !replay)) {
              expect(outcome).toBe("unknown");
              unknown = true;
              holder = null;
            } else {
              expect(outcome).toBe("claimed");
              holder = { owner, deadline: now + 50 };
            }
          } else if (kind === "answer") {
            expect(await store.settleAnswered(id, about, sampleGrant("n"), null)).toBe(behind === 0);
            if (behind === 0) [generation, holder, unknown, refused] = [generation + 1, null, false, false];
          } else if (kind === "refuse") {
            expect(await store.settleRefused(id, { ...mark, generation: about })).toBe(behind === 0);
            if (behind === 0) [holder, refused] = [null, true];
          } else if (kind === "release") {
            await store.releaseClaim(id, about, owner);
            if (behind === 0 && holder?.owner === owner) holder = null;
          } else {
            await store.settleUnknown(id, about, owner, now);
            if (behind === 0) unknown = true;
            if (behind === 0 && holder?.owner === owner) holder = null;
          }
          const read = await readOAuth(store, id);
          expect(read.grant.generation).toBe(generation);
          expect(read.unknownOutcome !== null).toBe(unknown);
          expect(read.relogin !== null).toBe(refused);
        }
      }),
      { numRuns: 40 },
    );
  });
}

/** One call about the current generation (`behind` 0) or the one before. */
const step = fc.record({
  kind: fc.constantFrom("claim", "claim", "claim", "answer", "refuse", "release", "unknown"),
  owner: fc.constantFrom("a", "b"),
  behind: fc.constantFrom(0, 0, 0, 1),
  now: fc.integer({ min: start, max: start + 100 }),
  replay: fc.boolean(),
});
