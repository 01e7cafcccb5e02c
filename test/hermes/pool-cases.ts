import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import type { Clock } from "../../src/core/clock.ts";
import { Secret } from "../../src/core/secret.ts";
import type { KeySource } from "../../src/credentials/credential.ts";
import type { Store } from "../../src/credentials/store.ts";
import { environmentCredentials, refusedKey } from "../../src/providers/environment.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { failure, hour, http, key, now, rest, second, usable } from "./parts.ts";
import { better, notApplicable, type PeerCase, same, shownBy } from "./peer-case.ts";
import { place, problems } from "./places.ts";
import { playOnce, well } from "./theatre.ts";

const pair = [key("cred-1"), key("cred-2", { priority: 1 })];
const plan = { name: "quota-exhausted" } as const;
/** Everything of these cases happens in one moment. */
const clock: Clock = { now: () => now, sleep: () => Promise.resolve() };
const secret = "sk-a-secret-that-is-nowhere-to-be-found";

/** A store of its own, and a second connection to the same file. */
async function withStores(check: (first: Store, second: Store, folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "understudy-hermes-"));
  const open = (): Promise<Store> =>
    openSqliteStore({ file: join(folder, "understudy.db"), key: new Uint8Array(32), clock });
  const [first, second] = [await open(), await open()];
  try {
    await check(first, second, folder);
  } finally {
    await first.close();
    await second.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const stored = (name: string): { provider: string; label: string; source: KeySource; at: number } => ({
  provider: "openai",
  label: name,
  source: { from: "stored", secret: new Secret(`${secret}-${name}`) },
  at: now,
});

/** A key that is only named is never on disk, and a stored one only sealed. */
async function onlyNamed(source: KeySource): Promise<void> {
  await withStores(async (store, other, folder) => {
    await store.addApiKey({ ...stored("by reference"), source });
    await store.addApiKey(stored("stored"));
    const [kept] = await other.listCredentials();
    expect(kept).toMatchObject({ source, uses: 0, label: "by reference" });
    const bytes = readdirSync(folder).map((file) => readFileSync(join(folder, file), "latin1"));
    expect(bytes.join("")).not.toContain(secret);
  });
}

const fromEnvironment = (env: Record<string, string>): string[] =>
  environmentCredentials(builtInProviders, env, (text) => `print-of-${text.length}`).flatMap((one) =>
    one.source.from === "env" ? [`${one.provider} ${one.source.name}`] : [],
  );

const nous = "the login of the Nous Portal is left out, and said so when it is asked for";
const otherTools =
  "logins of other tools are only read when a person imports them, so none appears, goes stale or is synced";
const profiles = "there are no profiles below a root: one home folder has one store";
const leftOut = "this login is left out, and said so when it is asked for";

/** B: the credential pool (tests/agent/test_credential_pool.py and its companions). */
export const poolCases: readonly PeerCase[] = [
  same("B1", "the first key's bill is unpaid, the second is well", "the second is selected", () =>
    expect(usable(pair, [rest(http(402, {}), "cred-1")])).toEqual(["cred-2"]),
  ),
  same("B2", "a key that failed 25 hours ago", "it is selected again", () =>
    expect(usable([key("a")], [rest(http(402, {}), "a", now - 25 * hour)])).toEqual(["a"]),
  ),
  same("B4", "strategy random, chance says the last", "the second key", () =>
    expect(usable(pair, [], { strategy: "random", random: () => 0.99 })[0]).toBe("cred-2"),
  ),
  same("B5", "429, 25 hours ago", "selectable", () =>
    expect(usable([key("a")], [rest(http(429, {}), "a", now - 25 * hour)])).toEqual(["a"]),
  ),
  same("B6", "402, 3,700 s ago", "selectable", () =>
    expect(usable([key("a")], [rest(http(402, {}), "a", now - 3_700 * second)])).toEqual(["a"]),
  ),
  same("B8", "429 two hours ago with a reset in seven days", "not selectable", () => {
    const verdict = http(429, { error: { code: "usage_limit_reached", resets_at: now / second + 7 * 24 * 3_600 } });
    expect(usable([key("a")], [rest(verdict, "a", now - 2 * hour)])).toEqual([]);
  }),
  same("B9", "402 at the first of two keys", "the second; the first's rest is on disk", async () => {
    const { story, cooldowns } = await playOnce({ pool: [{ name: "billing" }, well] });
    expect(story).toEqual(["k1 billing", "k2 ok"]);
    expect(cooldowns).toMatchObject([{ reason: "billing" }]);
  }),
  better("B10", "401 token_invalidated at one of two Codex logins", "it is dead, the next one serves", async () => {
    const invalidated = { name: "unauthorized", code: "token_invalidated" } as const;
    const { story } = await playOnce({ provider: "codex", pool: [{ ...invalidated, times: 1 }, well] });
    expect(story).toEqual(["k1 auth", "k1 ok"]);
    const lasting = await playOnce({ provider: "codex", pool: [invalidated, well] });
    expect(lasting.story).toEqual(["k1 auth", "k1 auth", "k2 ok"]);
  }),
  same("B12", "429 rate_limit_exceeded at one of two", "it rests and is not dead; the next one serves", async () => {
    const { story, cooldowns, events } = await playOnce({ pool: [{ name: "burst-limit", retryAfterS: 60 }, well] });
    expect(story).toEqual(["k1 rate_limit", "k2 ok"]);
    expect(cooldowns).toMatchObject([{ reason: "rate_limit" }]);
    expect(events.some((event) => event.type === "relogin-required")).toBe(false);
  }),
  same("B13", "401 with nothing but Unauthorized", "it rests", () => {
    expect(rest(http(401, { error: { message: "Unauthorized" } }), "a")).toMatchObject({ reason: "auth" });
    expect(http(401, { error: { message: "Unauthorized" } }).reloginRequired).toBe(false);
  }),
  better(
    "B14",
    "a dead manual login, 25 h old",
    "it is removed",
    shownBy("credentials/keeper.test.ts", "a verdict is kept"),
  ),
  same(
    "B16",
    "a dead login that another store mirrors",
    "kept, never selected",
    shownBy("turn/turn.test.ts", "a refresh token that another client used"),
  ),
  same("B17", "OPENROUTER_API_KEY is set", "a row env:OPENROUTER_API_KEY with it", () =>
    expect(fromEnvironment({ OPENROUTER_API_KEY: secret })).toEqual(["openrouter OPENROUTER_API_KEY"]),
  ),
  same("B18", "the same", "the secret is not on disk, a fingerprint is", () => {
    const [found] = environmentCredentials(
      builtInProviders,
      { OPENROUTER_API_KEY: secret },
      () => "0123456789abcdef",
    ).filter(({ source }) => source.from === "env");
    expect(found).toMatchObject({ id: expect.stringMatching(/-01234567$/) as string, persisted: false });
    expect(JSON.stringify(found)).not.toContain(secret);
  }),
  ...notApplicable("no older store of ours has raw secrets in it", [
    "B20",
    "an old row with a raw secret",
    "it is replaced by its fingerprint",
  ]),
  same("B21", "a key from vault: with secrets in every field", "none is serialised; label and counts are", () =>
    onlyNamed({ from: "command", command: "vault kv get -field=key secret/openai" }),
  ),
  same(
    "B22–28",
    "keys from age, systemd, keyring, 1Password, pass, sops, and stores to come",
    "only their source is kept",
    async () => {
      for (const path of ["/run/credentials/age", "/run/credentials/systemd"]) await onlyNamed({ from: "file", path });
      const commands = ["secret-tool lookup k v", "op read op://v/k", "pass show k", "sops -d k", "future get k"];
      for (const command of commands) await onlyNamed({ from: "command", command });
    },
  ),
  ...notApplicable("keys in the configuration are named by their variable and never copied into the store", [
    "B29",
    "a row of a custom provider that the configuration no longer has",
    "it is pruned, its secret gone",
  ]),
  same("B30", "a borrowed row and a manual one are written", "the borrowed one without its secret", () =>
    onlyNamed({ from: "env", name: "SOME_KEY" }),
  ),
  same(
    "B32",
    "a login with access and refresh token",
    "both are kept",
    shownBy("contract/store.ts", "stores a fresh login as generation 1"),
  ),
  ...notApplicable(
    "no .env file of its own is read: a shell or a supervisor does that",
    ["B33", "a key in .env and another in the environment", "that of .env"],
    ["B34", "a key only in the environment", "that one"],
  ),
  same("B36", "a process without the variable", "the other process's row stays", () =>
    withStores(async (store, other) => {
      await store.addApiKey(stored("kept"));
      expect(fromEnvironment({})).toEqual([]);
      expect(await other.listCredentials()).toHaveLength(1);
    }),
  ),
  ...notApplicable(
    nous,
    ["B37", "a login of Nous in the older place", "it becomes a pool row"],
    ["B38", "a Nous agent key that is a JWT", "it is the runtime key"],
    ["B40", "a refresh of Nous is refused for good", "its rows go, manual ones stay, no second POST"],
    ["B41", "a quarantined Nous login", "its rows go"],
    ["B65", "a full Nous state", "all timestamps stay"],
    ["B68", "equal tokens", "the same object"],
    ["B69", "an exhausted Nous login whose store has new tokens", "available"],
  ),
  ...notApplicable(
    otherTools,
    ["B42", "a row of Claude Code whose file is gone", "it goes"],
    ["B44", "a manual row and a file of the same provider", "both rows"],
    ["B82", "a new access token in the file of Claude Code", "adopted"],
    ["B84", "the same tokens", "the same object"],
    ["B85", "an exhausted row whose file changed", "all error fields cleared"],
  ),
  better("B45", "ANTHROPIC_TOKEN and a login file", "the token is selected", () =>
    expect(fromEnvironment({ ANTHROPIC_TOKEN: secret })).toEqual([]),
  ),
  same("B46", "only ANTHROPIC_API_KEY", "that source alone; no login file is read", () =>
    expect(fromEnvironment({ ANTHROPIC_API_KEY: secret })).toEqual(["anthropic ANTHROPIC_API_KEY"]),
  ),
  better("B48", "ANTHROPIC_TOKEN and the file of Claude Code", "both are sources", () => {
    const anthropic = findProvider(builtInProviders, "anthropic");
    if (anthropic === null) throw new Error("anthropic is missing");
    expect(refusedKey(anthropic, "sk-ant-oat01-a-token-of-a-plan")).toMatch(/for Claude Code and claude\.ai only/);
  }),
  same("B49", "counts 100, 10, 50", "the one with 10", () => {
    const pool = [key("a", { uses: 100 }), key("b", { uses: 10 }), key("c", { uses: 50 })];
    expect(usable(pool, [], { strategy: "least_used" })[0]).toBe("b");
  }),
  same("B50", "80 selections by four threads, round robin over five", "no error, 80 results", () =>
    withStores(async (store, other) => {
      for (const name of ["A", "B", "C", "D", "E"]) await store.addApiKey(stored(name));
      const selected: string[] = [];
      const lane = async (from: Store): Promise<void> => {
        for (let i = 0; i < 20; i++) {
          const pool = (await from.listCredentials("openai")).filter((one) => one.kind === "api_key");
          const [first = ""] = usable(pool, [], { strategy: "round_robin" });
          await from.recordUse(first, now + selected.push(first));
        }
      };
      await Promise.all([store, store, other, other].map(lane));
      expect([selected.length, new Set(selected).size]).toEqual([80, 5]);
    }),
  ),
  better(
    "B52",
    "a custom provider with an api_key in the configuration",
    "a row config:…",
    shownBy("config/parse.test.ts", "never repeats a key that was put in the wrong place"),
  ),
  better("B53", "a key beside the model in the configuration", "a row model_config", () => {
    const said = problems(`routes: { r: [{ target: openai/m, apiKey: ${secret} }] }`);
    expect(said).toMatch(/apiKey/);
    expect(said).not.toContain(secret);
  }),
  same("B54", "a custom provider beside OPENROUTER_API_KEY", "the built-in row works", () =>
    expect(fromEnvironment({ OPENROUTER_API_KEY: secret, LOCAL_KEY: secret })).toEqual([
      "openrouter OPENROUTER_API_KEY",
    ]),
  ),
  same("B56", "two custom providers at one URL", "each name has its own pool; an unknown name none", () => {
    const twins = `providers:
  one: { protocol: responses, baseUrl: https://a.example/v1, apiKeyEnv: ONE }
  two: { protocol: responses, baseUrl: https://a.example/v1, apiKeyEnv: TWO }`;
    const env = { ONE: secret, TWO: secret };
    expect(["one/m", "two/m"].map((target) => place(target, twins, env).keys)).toEqual([["ONE"], ["TWO"]]);
    expect(() => place("three/m", twins, env)).toThrow(/three/);
  }),
  ...notApplicable("a pool is the credentials of a provider, with no list of its own", [
    "B57",
    "several pools, one empty",
    "the sorted names of those with rows",
  ]),
  better("B58", "two turns at once, two keys", "each gets one", async () => {
    const both = await Promise.all([0, 1].map(() => Promise.resolve(usable(pair, [])[0])));
    expect(both).toEqual(["cred-1", "cred-1"]);
    const [first, second] = [key("a", { uses: 1 }), key("b")];
    expect(usable([first, second], [], { strategy: "least_used" })[0]).toBe("b");
  }),
  same("B60", "a login of Claude Code on disk, Anthropic not configured", "the pool is empty", () =>
    expect(fromEnvironment({})).toEqual([]),
  ),
  ...notApplicable(
    leftOut,
    ["B61", "gh has a token for Copilot", "one row gh_cli"],
    ["B62", "gh has none", "no row"],
    ["B64", "the Qwen login is missing", "no row"],
    ["B74", "a refresh of xAI is refused for good", "terminal"],
    ["B76", "a refresh of xAI is refused for now", "tokens stay"],
  ),
  same("B66", "two keys at 0", "the first select counts, the second picks the other", () => {
    expect(usable([key("a"), key("b")], [], { strategy: "least_used" })[0]).toBe("a");
    expect(usable([key("a", { uses: 1 }), key("b")], [], { strategy: "least_used" })[0]).toBe("b");
  }),
  same(
    "B70",
    "the login was replaced elsewhere",
    "its tokens are adopted, its marks cleared",
    shownBy("contract/store.ts", "replaces the grant of the same account in place and clears what was held against it"),
  ),
  same(
    "B72",
    "a login rests for an hour, then is replaced",
    "available at once",
    shownBy("contract/store.ts", "replaces the grant of the same account in place and clears what was held against it"),
  ),
  same("B73", "the same without a new login", "not available", () => {
    const verdict = http(429, { error: { code: "usage_limit_reached", resets_in_seconds: 3_600 } });
    expect(usable([key("a")], [rest(verdict, "a")], { at: now + hour - 1 })).toEqual([]);
  }),
  better(
    "B77",
    "which refusals of a refresh are for good",
    "four codes, an unreadable 401 among them",
    shownBy("oauth/hermes-refresh-rows.test.ts", "an answer that can't be read is no verdict on the login"),
  ),
  better(
    "B78",
    "a Codex refresh is refused for good",
    "its rows go, the others stay, no second POST",
    shownBy("credentials/keeper.test.ts", "a verdict is kept: the dead token is never sent again"),
  ),
  same("B80", "two keys loaded, another process adds a third, the first fails", "all three on disk", () =>
    withStores(async (store, other) => {
      for (const name of ["A", "B"]) await store.addApiKey(stored(name));
      const [first] = await store.listCredentials();
      await other.addApiKey(stored("C"));
      await store.putCooldown({ ...rest(http(429, {}), first?.id ?? ""), provider: "openai" });
      expect((await other.listCredentials()).map(({ label }) => label)).toEqual(["A", "B", "C"]);
      expect(await other.listCooldowns("openai")).toMatchObject([{ credentialId: first?.id }]);
    }),
  ),
  same("B81", "the second of two is removed", "only the first is left", () =>
    withStores(async (store, other) => {
      for (const name of ["A", "B"]) await store.addApiKey(stored(name));
      const [, second] = await store.listCredentials();
      await store.removeCredential(second?.id ?? "");
      expect((await other.listCredentials()).map(({ label }) => label)).toEqual(["A"]);
    }),
  ),
  ...notApplicable(
    profiles,
    ["B86–87", "a profile without a login, a root with one", "both get the rotated pair"],
    ["B88–89", "both have one", "only the profile"],
    ["B90", "no root", "nothing happens"],
  ),
  same(
    "B92",
    "a turn of the command line",
    "it walks the pool",
    shownBy("cli/ask.test.ts", "writes the answer to standard output, and to standard error only who was switched"),
  ),
  same("B93", "a turn of the gateway", "it walks the pool", async () =>
    expect((await playOnce({ pool: [plan, well] })).story).toEqual(["k1 billing", "k2 ok"]),
  ),
  same("B94", "a limit, a pool with others, a chain", "no fallback yet", async () =>
    expect((await playOnce({ pool: [plan, well], chain: [well] })).asked).toEqual(["k1", "k2"]),
  ),
  same("B96", "a limit, nobody else in the pool", "one fallback", async () =>
    expect((await playOnce({ pool: [plan], chain: [well] })).asked).toEqual(["k1", "t2"]),
  ),
  better("B97", "the first 429 of a call", "the same key again", async () =>
    expect((await playOnce({ pool: [{ name: "burst-limit", times: 1 }, well] })).asked).toEqual(["k1", "k2"]),
  ),
  same("B98", "the second 429", "the next key", async () =>
    expect((await playOnce({ pool: [{ name: "burst-limit" }, well] })).story.at(-1)).toBe("k2 ok"),
  ),
  same("B100", "402, the first time", "the next key at once", async () =>
    expect((await playOnce({ pool: [{ name: "billing" }, well] })).asked).toEqual(["k1", "k2"]),
  ),
  same("B101", "429 without a pool", "nothing to rotate", async () =>
    expect((await playOnce({ pool: [{ name: "burst-limit", times: 1 }] })).story).toEqual(["k1 rate_limit", "k1 ok"]),
  ),
  same("B102", "a custom provider's 429", "its own pool is asked", async () =>
    expect((await playOnce({ provider: "local", pool: [plan, well] })).story).toEqual(["k1 billing", "k2 ok"]),
  ),
  same("B104", "a failure while another provider serves", "the pool is not touched", async () => {
    const { cooldowns } = await playOnce({ provider: "local", pool: [plan], chain: [{ name: "unauthorized" }, well] });
    const rests = cooldowns.map(({ provider, reason }) => `${provider} ${reason}`).sort();
    expect(rests).toEqual(["local billing", "openai auth"]);
  }),
  same("B105", "a pool of another provider than the agent's", "not touched", () => {
    const other = { ...rest(failure("quota", "next_credential"), "a"), provider: "q" };
    expect(usable([key("a")], [other])).toEqual(["a"]);
  }),
];
