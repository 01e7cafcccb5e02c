import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { ordersByUse, strategies } from "../../src/core/select.ts";
import type { Route } from "../../src/core/target.ts";
import type { ApiKeyCredential } from "../../src/credentials/credential.ts";
import type { Store } from "../../src/credentials/store.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { listCandidates } from "../../src/turn/candidates.ts";
import { createCredentialLoad } from "../../src/turn/load.ts";
import { createPoolBook } from "../../src/turn/pool-book.ts";
import type { TurnRuntime } from "../../src/turn/runtime.ts";

const start = 1_790_000_000_000;
const secret = new Secret("sk-x");
const source = { from: "stored", secret } as const;
const account = { id: "a", userId: "u", email: null, plan: null };
const grant = (now: number) => ({
  accessToken: secret,
  refreshToken: secret,
  idToken: null,
  expiresAt: now + 100_000,
  obtainedAt: now,
  issuer: "https://issuer.example",
});

const pool = { provider: "p", model: "m1" };
const routes: readonly Route[] = [
  { name: "pool", targets: [pool], strict: false },
  { name: "models", targets: [{ ...pool, model: "m2" }, { provider: "nobody", model: "m" }, pool], strict: false },
  { name: "twice", targets: [{ ...pool, credential: "k1" }, pool], strict: false },
];

const who = fc.nat(5);
const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constantFrom("use" as const, "use-elsewhere" as const), who }) },
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant("rest" as const),
      who: fc.nat(8),
      model: fc.constantFrom("", "m1"),
      forMs: fc.integer({ min: 1, max: 900 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom("clear" as const, "clear-all" as const), who }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom("refresh" as const, "refuse" as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom("add" as const, "remove" as const), who }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("choose" as const), who, paused: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom("enter" as const, "leave" as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({ what: fc.constant("time" as const), ms: fc.constantFrom(1, 100, 500, 70_000, -300) }),
  },
);

function dice(seed: number): () => number {
  let at = seed + 1;
  return () => {
    at = (at * 16_807) % 2_147_483_647;
    return at / 2_147_483_647;
  };
}

describe("the candidates of a turn", () => {
  it("are the same whether the pool's order is kept or made anew, whatever is written by whom", async () => {
    const folder = mkdtempSync(join(tmpdir(), "candidates-"));
    let files = 0;
    async function check(
      strategy: (typeof strategies)[number],
      events: (typeof event extends fc.Arbitrary<infer T> ? T : never)[],
    ) {
      const file = join(folder, `${files++}.db`);
      const key = randomBytes(32);
      let now = start;
      const clock = { now: () => now, sleep: () => Promise.resolve() };
      const store = await openSqliteStore({ file, key, clock });
      const elsewhere = await openSqliteStore({ file, key, clock });
      const unstored = { kind: "api_key", id: "env-p", provider: "p", label: "$P", source: { from: "env", name: "P" } };
      const kept = { ...unstored, persisted: false, priority: 9, paused: false, createdAt: 0, uses: 0, lastUsedAt: 0 };
      const load = createCredentialLoad();
      const leaving: (() => void)[] = [];
      const runtime = (more: Partial<TurnRuntime>): TurnRuntime =>
        ({
          store,
          clock,
          random: dice(events.length),
          findProvider: (id: string) => (id === "p" ? { id } : null),
          strategyOf: () => strategy,
          concurrencyOf: () => 1,
          load,
          environmentCredentials: () => [kept as ApiKeyCredential],
          ...more,
        }) as unknown as TurnRuntime;
      const pools = createPoolBook(store);
      const login = await store.saveLogin({ provider: "p", label: "login", account, grant: grant(now), at: now });
      for (const label of ["k0", "k1", "k2"]) await store.addApiKey({ provider: "p", label, source, at: now });
      const idOf = async (n: number): Promise<string> => {
        const all = await store.listCredentials();
        return all[n % Math.max(1, all.length)]?.id ?? "none";
      };
      try {
        for (const one of events) {
          switch (one.what) {
            case "use":
              await store.recordUse(await idOf(one.who), now);
              break;
            case "use-elsewhere":
              await elsewhere.putCooldown(cooldown(await idOf(one.who), "m2", now + 200, now));
              break;
            case "rest":
              await store.putCooldown(
                cooldown(one.who > 5 ? "" : await idOf(one.who), one.model, now + one.forMs, now),
              );
              break;
            case "clear":
              await store.clearCooldowns({ provider: "p", credentialId: await idOf(one.who) });
              break;
            case "clear-all":
              await store.clearCooldowns({ provider: "p" });
              break;
            case "refresh":
            case "refuse":
              await settle(store, login.credential.id, one.what, now);
              break;
            case "add":
              await store.addApiKey({ provider: "p", label: `more-${now}-${Math.random()}`, source, at: now });
              break;
            case "remove":
              await store.removeCredential(await idOf(one.who));
              break;
            case "choose":
              await store.updateCredential(await idOf(one.who), { priority: one.who, paused: one.paused });
              break;
            case "enter":
              leaving.push(load.enter(await idOf(one.who)));
              break;
            case "leave":
              leaving.pop()?.();
              break;
            case "time":
              now += one.ms;
              break;
          }
          // What another process has written is seen in the next round of the event loop.
          if (one.what === "use-elsewhere") await new Promise(setImmediate);
          // Of several targets each draws its first before any draws its second: another order of the same dice.
          for (const route of strategy === "random" ? routes.slice(0, 1) : routes) {
            const preferred = await idOf(events.length);
            const made = await listCandidates(runtime({}), route, preferred);
            const found = await listCandidates(runtime({ pools }), route, preferred);
            // How often somebody was used is only kept where the order depends on it.
            const seen = (all: unknown): unknown => (ordersByUse(strategy) ? all : withoutUses(all));
            expect(seen(found.line.current)).toEqual(seen(made.line.current));
            expect(seen(found.line.all)).toEqual(seen(made.line.all));
            expect(seen(found.blocked)).toEqual(seen(made.blocked));
            expect(found.nearestRecovery).toBe(made.nearestRecovery);
          }
        }
      } finally {
        await Promise.all([store.close(), elsewhere.close()]);
      }
    }
    try {
      const runs = fc.asyncProperty(fc.constantFrom(...strategies), fc.array(event, { maxLength: 25 }), check);
      await fc.assert(runs, { numRuns: 15 });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function withoutUses(all: unknown): unknown {
  return JSON.parse(JSON.stringify(all, (name, value: unknown) => (/^(uses|lastUsedAt)$/.test(name) ? 0 : value)));
}

function cooldown(credentialId: string, model: string, until: number, since: number) {
  const told = { reason: "quota", message: "used up", failures: 1, stated: true } as const;
  return { provider: "p", credentialId, model, until, since, ...told };
}

async function settle(store: Store, id: string, outcome: "refresh" | "refuse", now: number): Promise<void> {
  const login = await store.getCredential(id);
  if (login?.kind !== "oauth") return;
  const { generation } = login.grant;
  const times = { now, deadline: now + 1_000, isDead: () => true, replay: true };
  await store.claimRefresh({ credentialId: id, generation, owner: "o", ...times });
  if (outcome === "refresh") await store.settleAnswered(id, generation, grant(now), account);
  else await store.settleRefused(id, { generation, code: "c", message: "m", since: now });
}
