import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Clock } from "../../src/core/clock.ts";
import { isUnderstudyError } from "../../src/core/error.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Store } from "../../src/credentials/store.ts";
import { refreshContract } from "./store-refresh.ts";
import {
  readOAuth,
  sampleAccount,
  sampleClaim,
  sampleCooldown,
  sampleGrant,
  sampleLogin,
  sampleTurn,
  saveSampleLogin,
  start,
} from "./store-samples.ts";

/** What a store under test is opened with. */
export interface StoreSetup {
  /** The store reads the time from here. */
  readonly clock: Clock;
  readonly journalLimit: number;
}

export interface StoreUnderTest {
  /** A new, empty store. */
  readonly store: Store;
  /** Closes what is open and opens the same data anew. */
  reopen(): Promise<Store>;
  /** Closes what is open and removes the data. */
  close(): Promise<void>;
}

/** What every store behind the port must do; each store's own test file calls this. */
export function storeContract(name: string, makeStore: (setup: StoreSetup) => Promise<StoreUnderTest>): void {
  describe(name, () => {
    let now = start;
    let underTest: StoreUnderTest;
    let store: Store;

    beforeEach(async () => {
      now = start;
      const clock: Clock = { now: () => now, sleep: () => Promise.reject(new Error("the store must not sleep")) };
      underTest = await makeStore({ clock, journalLimit: 5 });
      store = underTest.store;
    });
    afterEach(() => underTest.close());

    async function reopen(): Promise<void> {
      store = await underTest.reopen();
    }

    describe("API keys", () => {
      it("keeps a stored key and shows it sealed in a Secret", async () => {
        const added = await store.addApiKey({
          provider: "openai",
          label: "team",
          source: { from: "stored", secret: new Secret("sk-0123456789") },
          at: start,
        });
        await reopen();
        const read = await store.getCredential(added.id);
        expect(read).toEqual(added);
        expect(read).toMatchObject({
          kind: "api_key",
          persisted: true,
          label: "team",
          paused: false,
          uses: 0,
          createdAt: start,
        });
        if (read?.kind !== "api_key" || read.source.from !== "stored") throw new Error("not a stored key");
        expect(read.source.secret.reveal()).toBe("sk-0123456789");
      });

      it.each([
        { from: "env", name: "OPENAI_API_KEY" },
        { from: "file", path: "/run/secrets/key" },
        { from: "command", command: "pass show openai" },
        { from: "none" },
      ] as const)("keeps where a key comes from: $from", async (source) => {
        const { id } = await store.addApiKey({ provider: "openai", label: "team", source, at: start });
        await reopen();
        expect(await store.getCredential(id)).toMatchObject({ source });
      });

      it("refuses a label that is taken, whatever its case, and adds nothing", async () => {
        await store.addApiKey({ provider: "openai", label: "Büro", source: { from: "none" }, at: start });
        const again = store.addApiKey({ provider: "openai", label: "BÜRO", source: { from: "none" }, at: start });
        await expect(again).rejects.toSatisfy((error) => isUnderstudyError(error, "usage"));
        await expect(again).rejects.toThrow(/openai.*BÜRO/);
        expect(await store.listCredentials()).toHaveLength(1);
      });

      it("refuses an empty label", async () => {
        const adding = store.addApiKey({ provider: "openai", label: " ", source: { from: "none" }, at: start });
        await expect(adding).rejects.toSatisfy((error) => isUnderstudyError(error, "usage"));
      });

      it("lets two providers use the same label", async () => {
        await store.addApiKey({ provider: "openai", label: "team", source: { from: "none" }, at: start });
        await store.addApiKey({ provider: "groq", label: "team", source: { from: "none" }, at: start });
        expect(await store.listCredentials()).toHaveLength(2);
      });
    });

    describe("listing and changing", () => {
      it("lists by priority, then id, and puts each new one at the end of its pool", async () => {
        for (const label of ["one", "two", "three"]) {
          await store.addApiKey({ provider: "openai", label, source: { from: "none" }, at: start });
        }
        const added = await store.listCredentials("openai");
        expect(added.map((credential) => credential.label)).toEqual(["one", "two", "three"]);
        expect(new Set(added.map((credential) => credential.priority)).size).toBe(3);

        for (const credential of added) await store.updateCredential(credential.id, { priority: 7 });
        const tied = await store.listCredentials("openai");
        expect(tied.map((credential) => credential.id)).toEqual(added.map((credential) => credential.id).sort());
        const last = await store.addApiKey({ provider: "openai", label: "four", source: { from: "none" }, at: start });
        expect(last.priority).toBe(8);
      });

      it("lists one provider alone, or all", async () => {
        await saveSampleLogin(store);
        await store.addApiKey({ provider: "openai", label: "team", source: { from: "none" }, at: start });
        expect((await store.listCredentials("codex")).map((credential) => credential.provider)).toEqual(["codex"]);
        expect(await store.listCredentials()).toHaveLength(2);
        expect(await store.listCredentials("nobody")).toEqual([]);
      });

      it("changes what a person chose and leaves the rest", async () => {
        const login = await saveSampleLogin(store);
        const change = { label: "home", priority: -3, paused: true };
        const changed = await store.updateCredential(login.id, change);
        expect(changed).toEqual({ ...login, ...change });
        await reopen();
        expect(await store.getCredential(login.id)).toEqual({ ...login, ...change });
        expect(await store.updateCredential(login.id, { paused: false })).toEqual({
          ...login,
          ...change,
          paused: false,
        });
      });

      it("lets a label change its case, but not become another's", async () => {
        const login = await saveSampleLogin(store);
        await store.addApiKey({ provider: "codex", label: "key", source: { from: "none" }, at: start });
        expect(await store.updateCredential(login.id, { label: "WORK" })).toMatchObject({ label: "WORK" });
        const taking = store.updateCredential(login.id, { label: "Key", paused: true });
        await expect(taking).rejects.toSatisfy((error) => isUnderstudyError(error, "usage"));
        expect(await store.getCredential(login.id)).toMatchObject({ label: "WORK", paused: false });
      });

      it("refuses a priority that is not a whole number", async () => {
        const login = await saveSampleLogin(store);
        const changing = store.updateCredential(login.id, { priority: 1.5 });
        await expect(changing).rejects.toSatisfy((error) => isUnderstudyError(error, "usage"));
      });

      it("removes a credential with its cooldowns, and nobody else's", async () => {
        const first = await saveSampleLogin(store);
        const second = await saveSampleLogin(store, { account: sampleAccount({ userId: "user-2" }) });
        await store.putCooldown(sampleCooldown({ credentialId: first.id }));
        await store.putCooldown(sampleCooldown({ credentialId: second.id }));
        expect(await store.removeCredential(first.id)).toBe(true);
        expect(await store.removeCredential(first.id)).toBe(false);
        expect(await store.getCredential(first.id)).toBeNull();
        expect((await store.listCooldowns()).map((cooldown) => cooldown.credentialId)).toEqual([second.id]);
      });

      it("answers null for a credential that is not there", async () => {
        expect(await store.getCredential("c-none")).toBeNull();
        expect(await store.updateCredential("c-none", { paused: true })).toBeNull();
      });

      it("counts uses at once for whoever asks this store, and keeps them when it closes", async () => {
        const { id } = await saveSampleLogin(store);
        await store.recordUse(id, start + 20);
        await store.recordUse(id, start + 10);
        await store.recordUse("c-none", start);
        expect(await store.getCredential(id)).toMatchObject({ uses: 2, lastUsedAt: start + 20 });
        expect((await store.listCredentials())[0]).toMatchObject({ uses: 2, lastUsedAt: start + 20 });
        await reopen();
        await store.recordUse(id, start + 30);
        expect(await store.getCredential(id)).toMatchObject({ uses: 3, lastUsedAt: start + 30 });
      });
    });

    describe("logins", () => {
      it("stores a fresh login as generation 1", async () => {
        const { credential, replaced } = await store.saveLogin(sampleLogin());
        expect(replaced).toBeNull();
        await reopen();
        const read = await readOAuth(store, credential.id);
        expect(read).toEqual(credential);
        expect(read).toMatchObject({ label: "work", account: sampleAccount(), relogin: null, unknownOutcome: null });
        expect(read.grant).toMatchObject({ generation: 1, expiresAt: start + 3_600_000, obtainedAt: start });
        expect(read.grant.accessToken.reveal()).toBe("access-1");
        expect(read.grant.refreshToken?.reveal()).toBe("refresh-1");
        expect(read.grant.idToken?.reveal()).toBe("id-1");
      });

      it("keeps what a grant does not have as null", async () => {
        const grant = sampleGrant("1", { refreshToken: null, idToken: null, expiresAt: null });
        const { id } = await saveSampleLogin(store, { grant });
        await reopen();
        expect((await readOAuth(store, id)).grant).toMatchObject({
          refreshToken: null,
          idToken: null,
          expiresAt: null,
        });
      });

      it("replaces the grant of the same account in place and clears what was held against it", async () => {
        const old = await saveSampleLogin(store);
        await store.updateCredential(old.id, { label: "mine", paused: true });
        await store.claimRefresh(sampleClaim(old.id));
        await store.settleUnknown(old.id, 1, "a", start);
        await store.claimRefresh(sampleClaim(old.id, { replay: true }));
        await store.settleRefused(old.id, { generation: 1, code: "invalid_grant", message: "over", since: start });
        await store.putCooldown(sampleCooldown({ credentialId: old.id, reason: "quota" }));
        await store.putCooldown(sampleCooldown({ credentialId: "", model: "gpt-5.5" }));

        const { credential, replaced } = await store.saveLogin(
          sampleLogin({ account: sampleAccount({ plan: "pro" }), grant: sampleGrant("2") }),
        );
        expect(replaced).toMatchObject({ generation: 1 });
        expect(replaced?.refreshToken?.reveal()).toBe("refresh-1");
        await reopen();
        expect(await readOAuth(store, old.id)).toEqual(credential);
        expect(credential).toMatchObject({ label: "mine", paused: true, relogin: null, unknownOutcome: null });
        expect(credential.account.plan).toBe("pro");
        expect(credential.grant.generation).toBe(2);
        expect(credential.grant.accessToken.reveal()).toBe("access-2");
        expect(await store.listCredentials()).toHaveLength(1);
        expect((await store.listCooldowns()).map((cooldown) => cooldown.credentialId)).toEqual([""]);
        expect(await store.claimRefresh(sampleClaim(old.id, { generation: 2 }))).toMatchObject({ outcome: "claimed" });
      });

      it("ends a refresh that was under way for the grant it replaced", async () => {
        const { id } = await saveSampleLogin(store);
        await store.claimRefresh(sampleClaim(id));
        await saveSampleLogin(store, { grant: sampleGrant("2") });
        expect(await store.settleAnswered(id, 1, sampleGrant("stale"), null)).toBe(false);
        expect(await store.claimRefresh(sampleClaim(id, { generation: 2 }))).toMatchObject({ outcome: "claimed" });
      });

      it.each([
        ["another user of the account", sampleAccount({ userId: "user-2" })],
        ["another account of the user", sampleAccount({ id: "acct-2" })],
        ["an account that is not known", sampleAccount({ id: null })],
        ["a user who is not known", sampleAccount({ userId: null })],
      ])("adds %s as a new credential with a label of its own", async (_, account) => {
        const isKnown = account.id !== null && account.userId !== null;
        await saveSampleLogin(store, { account: isKnown ? sampleAccount() : account });
        const second = await saveSampleLogin(store, { account, label: "Work" });
        const third = await saveSampleLogin(store, { account: sampleAccount({ userId: "user-3" }) });
        expect([second.label, third.label]).toEqual(["Work-2", "work-3"]);
        expect(await store.listCredentials()).toHaveLength(3);
      });

      it("adds the same account at another provider as a new credential", async () => {
        await saveSampleLogin(store);
        const second = await saveSampleLogin(store, { provider: "other" });
        expect(second).toMatchObject({ label: "work", grant: { generation: 1 } });
      });

      it("replaces the credential that `replaces` names, whatever the account says", async () => {
        const old = await saveSampleLogin(store);
        const account = sampleAccount({ id: "acct-9", userId: null, email: null, plan: null });
        const saved = await store.saveLogin(sampleLogin({ account, grant: sampleGrant("2"), replaces: old.id }));
        expect(saved.credential).toMatchObject({ id: old.id, label: "work", account, grant: { generation: 2 } });
      });

      it("refuses to replace what is not there, is another provider's or is a key", async () => {
        const other = await saveSampleLogin(store, { provider: "other" });
        const key = await store.addApiKey({ provider: "codex", label: "key", source: { from: "none" }, at: start });
        for (const [replaces, code] of [
          ["c-none", "credential_unknown"],
          [other.id, "credential_unknown"],
          [key.id, "usage"],
        ] as const) {
          const saving = store.saveLogin(sampleLogin({ replaces }));
          await expect(saving).rejects.toSatisfy((error) => isUnderstudyError(error, code));
        }
        expect(await store.listCredentials()).toHaveLength(2);
      });
    });

    refreshContract(() => ({ store, reopen }));

    describe("cooldowns", () => {
      it("keeps them over a restart, exactly", async () => {
        const cooldown = sampleCooldown({ model: "gpt-5.5", stated: true, failures: 3, reason: "quota" });
        await store.putCooldown(cooldown);
        await reopen();
        expect(await store.listCooldowns()).toEqual([cooldown]);
      });

      it("takes a time with a fraction", async () => {
        await store.putCooldown(sampleCooldown({ until: start + 0.7 }));
        expect(await store.listCooldowns()).toEqual([sampleCooldown({ until: start + 1 })]);
      });

      it("keeps the later end with the reason that set it, and the higher count", async () => {
        const long = sampleCooldown({ until: start + 90_000, reason: "quota", failures: 2, stated: true });
        const short = sampleCooldown({ until: start + 10_000, reason: "auth", failures: 5, since: start + 1 });
        await store.putCooldown(long);
        await store.putCooldown(short);
        expect(await store.listCooldowns()).toEqual([{ ...long, failures: 5 }]);
        const longer = sampleCooldown({ until: start + 99_000, reason: "billing", failures: 1, since: start + 2 });
        await store.putCooldown(longer);
        expect(await store.listCooldowns()).toEqual([{ ...longer, failures: 5 }]);
      });

      it("lists one provider alone, or all", async () => {
        await store.putCooldown(sampleCooldown());
        await store.putCooldown(sampleCooldown({ provider: "openai", credentialId: "" }));
        expect((await store.listCooldowns("openai")).map((cooldown) => cooldown.provider)).toEqual(["openai"]);
        expect(await store.listCooldowns()).toHaveLength(2);
      });

      it("remembers the failure count for a day after the end, then forgets it", async () => {
        const day = 24 * 60 * 60_000;
        const old = sampleCooldown({ until: start + 1_000, failures: 4 });
        await store.putCooldown(old);
        now = start + day;
        expect(await store.listCooldowns()).toEqual([old]);
        now = start + 1_000 + day;
        expect(await store.listCooldowns()).toEqual([]);
        const fresh = sampleCooldown({ until: now + 1_000, failures: 1 });
        await store.putCooldown(fresh);
        expect(await store.listCooldowns()).toEqual([fresh]);
      });

      it.each([
        ["one credential", { credentialId: "c1" }, 2],
        ["one model of one credential", { credentialId: "c1", model: "gpt-5.5" }, 1],
        ["one credential's own, not its models'", { provider: "codex", credentialId: "c1", model: "" }, 1],
        ["one provider", { provider: "codex" }, 4],
        ["all", {}, 5],
        ["nobody", { credentialId: "c9" }, 0],
      ])("clears those of %s", async (_, filter, expected) => {
        await store.putCooldown(sampleCooldown());
        await store.putCooldown(sampleCooldown({ model: "gpt-5.5" }));
        await store.putCooldown(sampleCooldown({ credentialId: "c2" }));
        await store.putCooldown(sampleCooldown({ credentialId: "", model: "" }));
        await store.putCooldown(sampleCooldown({ provider: "openai", credentialId: "c3" }));
        expect(await store.clearCooldowns(filter)).toBe(expected);
        expect(await store.listCooldowns()).toHaveLength(5 - expected);
      });

      it("clears only what was set before a time, whatever came meanwhile", async () => {
        await store.putCooldown(sampleCooldown({ credentialId: "c1", since: start - 1 }));
        await store.putCooldown(sampleCooldown({ credentialId: "c2", since: start }));
        expect(await store.clearCooldowns({ provider: "codex", setBefore: start })).toBe(1);
        expect((await store.listCooldowns()).map((cooldown) => cooldown.credentialId)).toEqual(["c2"]);
        const later = { until: start + 120_000, since: start + 5 };
        await store.putCooldown(sampleCooldown({ credentialId: "c2", ...later }));
        expect(await store.clearCooldowns({ credentialId: "c2", setBefore: start + 5 })).toBe(0);
        expect(await store.clearCooldowns({ credentialId: "c2", setBefore: start + 5.4 })).toBe(0);
        expect(await store.clearCooldowns({ credentialId: "c2", setBefore: start + 6 })).toBe(1);
      });
    });

    describe("the journal", () => {
      it("shows a turn at once, newest first, and keeps it when the store closes", async () => {
        await store.appendTurn(sampleTurn("t1"));
        await store.appendTurn(sampleTurn("t2"));
        expect(await store.listTurns(10)).toEqual([sampleTurn("t2"), sampleTurn("t1")]);
        await reopen();
        await store.appendTurn(sampleTurn("t3"));
        expect((await store.listTurns(10)).map((turn) => turn.id)).toEqual(["t3", "t2", "t1"]);
        expect(await store.listTurns(2)).toEqual([sampleTurn("t3"), sampleTurn("t2")]);
        expect(await store.listTurns(0)).toEqual([]);
      });

      it("forgets the oldest turns beyond the limit", async () => {
        for (const id of ["1", "2", "3"]) await store.appendTurn(sampleTurn(id));
        await reopen();
        for (const id of ["4", "5", "6", "7"]) await store.appendTurn(sampleTurn(id));
        expect((await store.listTurns(100)).map((turn) => turn.id)).toEqual(["7", "6", "5", "4", "3"]);
        await reopen();
        expect((await store.listTurns(100)).map((turn) => turn.id)).toEqual(["7", "6", "5", "4", "3"]);
      });
    });

    it("refuses every call after it was closed, and closes once however often it is asked", async () => {
      await store.close();
      await store.close();
      const isClosed = (error: unknown): boolean => isUnderstudyError(error, "store_unavailable");
      await expect(store.listCredentials()).rejects.toSatisfy(isClosed);
      await expect(store.saveLogin(sampleLogin())).rejects.toSatisfy(isClosed);
      await expect(store.recordUse("c1", start)).rejects.toSatisfy(isClosed);
      await expect(store.appendTurn(sampleTurn("t1"))).rejects.toSatisfy(isClosed);
      await expect(store.listTurns(1)).rejects.toSatisfy(isClosed);
    });

    it("finishes what is under way before it closes", async () => {
      const saving = store.saveLogin(sampleLogin());
      await store.close();
      const { credential } = await saving;
      await reopen();
      expect(await readOAuth(store, credential.id)).toEqual(credential);
    });
  });
}
