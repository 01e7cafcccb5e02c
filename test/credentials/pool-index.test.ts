import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cooldown, longestBelievedEndMs } from "../../src/core/cooldown.ts";
import type { Reason } from "../../src/core/failure.ts";
import { Secret } from "../../src/core/secret.ts";
import { Draw, orderCredentials, strategies, type Strategy } from "../../src/core/select.ts";
import type { Tree } from "../../src/core/ordered-tree.ts";
import { type ApiKeyCredential, type Credential, poolOf } from "../../src/credentials/credential.ts";
import { assessPool, recoversAt } from "../../src/credentials/pool.ts";
import { PoolIndex } from "../../src/credentials/pool-index.ts";
import { type PoolChange, type PoolRecord, replayRecord } from "../../src/credentials/pool-record.ts";
import { shouldRefresh } from "../../src/credentials/token-window.ts";

const secret = new Secret("x");
const start = 1_790_000_000_000;
const models = ["m1", "m2"];

interface Grown extends PoolRecord {
  readonly changes: PoolChange[];
}

function key(n: number, priority: number): ApiKeyCredential {
  const counted = { label: `k${n}`, priority, paused: n % 7 === 6, createdAt: start, uses: n % 3, lastUsedAt: n % 4 };
  const source = { from: "stored", secret } as const;
  return { kind: "api_key", id: `c${n}`, provider: "p", persisted: true, source, ...counted };
}

/** A key of the environment, or for every third use none, as a server is asked that wants none. */
function fromOutside(uses: number, now: number): Credential {
  const counted = { ...key(50, 1), id: uses === 3 ? "none" : "env", uses, lastUsedAt: now };
  return uses === 3 ? { ...counted, source: { from: "none" } } : counted;
}

function login(n: number, priority: number, expiresInMs: number, isRefused: boolean): Credential {
  const base = { id: `c${n}`, provider: "p", label: `l${n}`, priority, paused: false, createdAt: start };
  return {
    kind: "oauth",
    ...base,
    uses: 0,
    lastUsedAt: 0,
    account: { id: null, userId: null, email: null, plan: null },
    grant: {
      generation: 1,
      accessToken: secret,
      refreshToken: secret,
      idToken: null,
      expiresAt: start + expiresInMs,
      obtainedAt: start - 1_000,
      issuer: "https://issuer.example",
    },
    relogin: isRefused ? { generation: 1, code: "c", message: "m", since: start } : null,
    unknownOutcome: null,
  };
}

const member = fc.oneof(
  fc.record({ priority: fc.nat(3) }).map(
    ({ priority }) =>
      (n: number) =>
        key(n, priority),
  ),
  fc
    .record({ priority: fc.nat(3), expiresInMs: fc.integer({ min: -50, max: 700_000 }), isRefused: fc.boolean() })
    .map((one) => (n: number) => login(n, one.priority, one.expiresInMs, one.isRefused)),
);

const reasons: readonly Reason[] = ["quota", "auth", "rate_limit", "billing"];
const who = fc.nat(11);
const far = longestBelievedEndMs;

/** What may happen to a pool between two turns. */
const event = fc.oneof(
  { weight: 4, arbitrary: fc.record({ what: fc.constant("use" as const), n: who }) },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant("rest" as const),
      n: who,
      model: fc.constantFrom("", ...models),
      forMs: fc.constantFrom(-10, 0, 1, 50, 5_000, 600_000, far, far + 30, far + 5_000),
      reason: fc.constantFrom(...reasons),
      sinceMs: fc.constantFrom(-2_000, -1_000, 0),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant("rest-all" as const), model: fc.constantFrom("", ...models) }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("clear" as const), n: who }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("clear-all" as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("refresh" as const), n: who }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("leave" as const), n: who }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("join" as const), n: who }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("rewrite" as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("unstored" as const), uses: fc.nat(3) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant("time" as const),
      ms: fc.constantFrom(0, 1, 10, 50, 5_000, 300_000, 600_000, far, -1, -10, -5_000, -far),
    }),
  },
);

/** Numbers that are drawn again in the same order. */
function dice(seed: number): () => number {
  let at = seed + 1;
  return () => {
    at = (at * 16_807) % 2_147_483_647;
    return at / 2_147_483_647;
  };
}

function drawAll(
  tree: Tree<Credential>,
  strategy: Strategy,
  random: () => number,
  preferred?: Credential,
): Credential[] {
  const draw = new Draw(tree, strategy, random, preferred);
  const drawn: Credential[] = [];
  for (let one = draw.next(); one !== undefined; one = draw.next()) drawn.push(one);
  return drawn;
}

describe("an order that is kept between turns", () => {
  it.each(strategies)("is the order that listing and sorting gives, whatever happens: %s", (strategy) => {
    const runs = fc.property(
      fc.oneof(fc.constant([]), fc.array(member, { maxLength: 12 })),
      // Not every change is followed by a turn.
      fc.array(fc.tuple(event, fc.boolean()), { maxLength: 40 }),
      fc.nat(),
      (makers, events, seed) => {
        let now = start;
        let record: Grown = { members: makers.map((make, n) => make(n)), cooldowns: [], changes: [], follows: null };
        let unstored: Credential[] = [];
        const index = new PoolIndex(strategy);

        function change(one: PoolChange): void {
          record.changes.push(one);
        }
        function cooldownsOf(id: string): readonly Cooldown[] {
          return replayRecord(record, record.changes.length).cooldowns.filter((one) => one.credentialId === id);
        }
        function find(n: number): Credential | undefined {
          return replayRecord(record, record.changes.length).members.find(({ id }) => id === `c${n}`);
        }
        function rest(credentialId: string, model: string, until: number, reason: Reason, since: number): void {
          const told = { message: "m", since, failures: 1, stated: true };
          const cooldown: Cooldown = { provider: "p", credentialId, model, until, reason, ...told };
          const others = cooldownsOf(credentialId).filter((one) => one.model !== model);
          change({ credentialId, cooldowns: [...others, cooldown] });
        }

        for (const [one, isTurn] of [[{ what: "time", ms: 0 }, true] as const, ...events]) {
          switch (one.what) {
            case "use": {
              const used = find(one.n);
              if (used !== undefined) change({ credential: { ...used, uses: used.uses + 1, lastUsedAt: now } });
              break;
            }
            case "rest":
              rest(`c${one.n}`, one.model, now + one.forMs, one.reason, now + one.sinceMs);
              break;
            case "rest-all":
              rest("", one.model, now + 5_000, "overloaded", now);
              break;
            case "clear":
              change({ credentialId: `c${one.n}`, cooldowns: [] });
              break;
            case "clear-all":
              change({ credentialId: "", cooldowns: [] });
              break;
            case "refresh": {
              const login = find(one.n);
              if (login?.kind !== "oauth") break;
              const grant = { ...login.grant, generation: 2, obtainedAt: now, expiresAt: now + 400_000 };
              change({ credential: { ...login, grant } });
              break;
            }
            case "leave":
            case "join":
            case "rewrite": {
              const { members, cooldowns } = replayRecord(record, record.changes.length);
              const others = one.what === "rewrite" ? members : members.filter(({ id }) => id !== `c${one.n}`);
              const left = one.what === "join" ? [...others, key(one.n, 2)] : others;
              record = { members: left, cooldowns, changes: [], follows: one.what === "rewrite" ? record : null };
              break;
            }
            case "unstored":
              unstored = one.uses === 0 ? [] : [fromOutside(one.uses, now)];
              break;
            case "time":
              now += one.ms;
              break;
          }
          if (!isTurn) continue;
          index.update(record, unstored, now);
          const at = replayRecord(record, record.changes.length);
          for (const model of models) {
            const expected = assessPool(poolOf(at.members, unstored), at.cooldowns, model, now);
            const ready = index.readyFor(model, now);
            if (ready === null) {
              expect(at.cooldowns.some(({ credentialId }) => credentialId === "")).toBe(true);
              continue;
            }
            for (const preferredId of [undefined, "c1"]) {
              const order = orderCredentials(expected.usable, strategy, dice(seed), preferredId);
              const preferred =
                preferredId !== undefined && ready.isReady(preferredId) ? ready.find(preferredId) : null;
              const drawn = drawAll(ready.tree, strategy, dice(seed), preferred ?? undefined);
              expect(drawn.map(({ id }) => ready.find(id))).toEqual(order);
            }
            const recoveries = expected.blocked.flatMap((blocked) => recoversAt(blocked) ?? []);
            expect(ready.nearestRecovery).toBe(recoveries.length === 0 ? null : Math.min(...recoveries));
            const due = expected.blocked.flatMap(({ why, credential }) =>
              why === "cooling" && credential.kind === "oauth" && shouldRefresh(credential.grant, now)
                ? credential
                : [],
            );
            const tended = due.filter(({ relogin, grant }) => relogin?.generation !== grant.generation);
            expect(
              ready
                .loginsToTend(now)
                .map(({ id }) => id)
                .sort(),
            ).toEqual(tended.map(({ id }) => id).sort());
          }
        }
      },
    );
    fc.assert(runs, { numRuns: 150 });
  });

  it("is not changed for whoever holds it", () => {
    const record: Grown = { members: [key(0, 0), key(1, 1), key(2, 2)], cooldowns: [], changes: [], follows: null };
    const index = new PoolIndex("least_used");
    index.update(record, [], start);
    const before = index.readyFor("m1", start)?.tree ?? null;
    record.changes.push({ credential: { ...key(0, 0), uses: 9 } });
    index.update(record, [], start);
    const after = index.readyFor("m1", start)?.tree ?? null;
    const ids = (tree: typeof after): string =>
      drawAll(tree, "least_used", Math.random)
        .map(({ id }) => id)
        .join(" ");
    expect([ids(before), ids(after)]).toEqual(["c0 c1 c2", "c1 c2 c0"]);
  });
});
