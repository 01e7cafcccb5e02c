import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Decision, decide, maxRetriesPerTarget, type Situation, shortWaitMs } from "../../src/core/decide.ts";
import { type Failure, nextSteps, reasons } from "../../src/core/failure.ts";

const now = 1_000_000;

function failure(change: Partial<Failure>): Failure {
  return {
    reason: "unknown",
    scope: "request",
    next: "stop",
    reloginRequired: false,
    message: "",
    row: "test",
    ...change,
  };
}

function situation(change: Partial<Situation>): Situation {
  return {
    now,
    retriesOnTarget: 0,
    canRefresh: false,
    repaired: false,
    credentialsLeft: 0,
    othersLeft: 0,
    nearestRecovery: null,
    waitLeftMs: 30_000,
    ...change,
  };
}

const half = (): number => 0.5;

describe("what is done about a failure", () => {
  const table: [string, Partial<Failure>, Partial<Situation>, Decision][] = [
    [
      "the caller's mistake stops, though others are left",
      { next: "stop" },
      { credentialsLeft: 9, othersLeft: 9 },
      { action: "stop" },
    ],
    [
      "a 401 refreshes first",
      { next: "refresh", reason: "auth" },
      { canRefresh: true, credentialsLeft: 1 },
      { action: "refresh" },
    ],
    [
      "a second 401 walks the pool",
      { next: "refresh", reason: "auth" },
      { credentialsLeft: 1, othersLeft: 1 },
      { action: "next_credential" },
    ],
    [
      "the pool comes before the chain",
      { next: "next_credential", reason: "quota" },
      { credentialsLeft: 1, othersLeft: 5 },
      { action: "next_credential" },
    ],
    [
      "an empty pool leads to the next target",
      { next: "next_credential", reason: "quota" },
      { othersLeft: 1 },
      { action: "next_target" },
    ],
    [
      "an overload leaves the target although its pool has more",
      { next: "next_target", reason: "overloaded" },
      { credentialsLeft: 9, othersLeft: 1 },
      { action: "next_target" },
    ],
    [
      "an overload of the only target tries its other credentials",
      { next: "next_target", reason: "overloaded" },
      { credentialsLeft: 1 },
      { action: "next_credential" },
    ],
    [
      "an overload of the last candidate is tried again in place",
      { next: "next_target", reason: "overloaded" },
      {},
      { action: "retry", delayMs: 500 },
    ],
    [
      "a 5xx is tried again in place",
      { next: "retry", reason: "server_error" },
      { credentialsLeft: 1, othersLeft: 1 },
      { action: "retry", delayMs: 500 },
    ],
    [
      "… with a longer pause the second time",
      { next: "retry", reason: "server_error" },
      { retriesOnTarget: 1 },
      { action: "retry", delayMs: 1_000 },
    ],
    [
      "… and left after that",
      { next: "retry", reason: "server_error" },
      { retriesOnTarget: maxRetriesPerTarget, othersLeft: 1 },
      { action: "next_target" },
    ],
    ["a repair is tried once", { next: "repair" }, {}, { action: "repair" }],
    ["… and not twice", { next: "repair" }, { repaired: true, othersLeft: 1 }, { action: "next_target" }],
    [
      "a short burst limit of the only credential is waited out in place",
      { next: "next_credential", reason: "rate_limit", retryAt: now + 2_000 },
      { othersLeft: 3 },
      { action: "retry", delayMs: 2_000 },
    ],
    [
      "… but not when the pool has another",
      { next: "next_credential", reason: "rate_limit", retryAt: now + 2_000 },
      { credentialsLeft: 1 },
      { action: "next_credential" },
    ],
    [
      "a long burst limit moves on",
      { next: "next_credential", reason: "rate_limit", retryAt: now + shortWaitMs + 1 },
      { othersLeft: 1 },
      { action: "next_target" },
    ],
    [
      "nobody left, recovery in reach: wait",
      { next: "next_credential", reason: "quota" },
      { nearestRecovery: now + 30_000 },
      { action: "wait", untilMs: now + 30_000 },
    ],
    [
      "nobody left, recovery too far: give up",
      { next: "next_credential", reason: "quota" },
      { nearestRecovery: now + 30_001 },
      { action: "give_up" },
    ],
    [
      "nobody left and nobody recovers: give up",
      { next: "next_credential", reason: "billing" },
      {},
      { action: "give_up" },
    ],
  ];
  it.each(table)("%s", (_, what, where, expected) => {
    expect(decide(failure(what), situation(where), half)).toEqual(expected);
  });

  it("walks a pool of any size without using up the retries", () => {
    for (let left = 9; left > 0; left--) {
      expect(
        decide(failure({ next: "next_credential", reason: "quota" }), situation({ credentialsLeft: left }), half),
      ).toEqual({
        action: "next_credential",
      });
    }
  });

  it("never names somebody who is not there, and always ends", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...reasons),
        fc.constantFrom(...nextSteps),
        fc.option(fc.integer({ min: -1e6, max: 1e9 }), { nil: undefined }),
        fc.record({
          retriesOnTarget: fc.nat(5),
          canRefresh: fc.boolean(),
          repaired: fc.boolean(),
          credentialsLeft: fc.nat(3),
          othersLeft: fc.nat(3),
          nearestRecovery: fc.option(fc.integer({ min: now - 1000, max: now + 1e6 })),
          waitLeftMs: fc.nat(60_000),
        }),
        (reason, next, retryIn, where) => {
          const what = failure({ reason, next, ...(retryIn === undefined ? {} : { retryAt: now + retryIn }) });
          const decision = decide(what, situation(where), half);
          if (decision.action === "next_credential") expect(where.credentialsLeft).toBeGreaterThan(0);
          if (decision.action === "next_target") expect(where.othersLeft).toBeGreaterThan(0);
          if (decision.action === "refresh") expect(where.canRefresh).toBe(true);
          if (decision.action === "repair") expect(where.repaired).toBe(false);
          if (decision.action === "retry") {
            expect(where.retriesOnTarget).toBeLessThan(maxRetriesPerTarget);
            expect(decision.delayMs).toBeGreaterThanOrEqual(0);
          }
          // Rule R2: with somebody left, only the caller's own mistake ends the turn.
          if (where.credentialsLeft + where.othersLeft > 0 && next !== "stop") {
            expect(["stop", "give_up", "wait"]).not.toContain(decision.action);
          }
        },
      ),
    );
  });
});
