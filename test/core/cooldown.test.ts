import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Cooldown, isCooling, longestBelievedMs, nextCooldown } from "../../src/core/cooldown.ts";
import { type Failure, reasons, scopes } from "../../src/core/failure.ts";

const now = 1_000_000_000_000;
const at = { provider: "codex", credentialId: "c1", model: "gpt-5.5" };

function failure(change: Partial<Failure>): Failure {
  return {
    reason: "quota",
    scope: "credential",
    next: "next_credential",
    reloginRequired: false,
    message: "full",
    row: "test",
    ...change,
  };
}

describe("the cooldown that a failure sets", () => {
  it.each([
    ["credential", { credentialId: "c1", model: "" }],
    ["credential_model", { credentialId: "c1", model: "gpt-5.5" }],
    ["model", { credentialId: "", model: "gpt-5.5" }],
    ["provider", { credentialId: "", model: "" }],
  ] as const)("counts against the %s and nothing else", (scope, key) => {
    expect(nextCooldown(failure({ scope }), at, null, now)).toMatchObject({ provider: "codex", ...key });
  });

  it.each(["request", "network"] as const)("is none when the scope is the %s", (scope) => {
    expect(nextCooldown(failure({ scope }), at, null, now)).toBeNull();
  });

  it("takes the provider's own time before ours", () => {
    const cooldown = nextCooldown(failure({ retryAt: now + 7_000 }), at, null, now);
    expect(cooldown).toMatchObject({ until: now + 7_000, stated: true });
  });

  it("rests an hour for a quota without a time", () => {
    expect(nextCooldown(failure({}), at, null, now)).toMatchObject({ until: now + 3_600_000, stated: false });
  });

  it("doubles a burst limit from 30 s up to 30 min", () => {
    const rests: number[] = [];
    let current: Cooldown | null = null;
    let time = now;
    for (let i = 0; i < 9; i++) {
      current = nextCooldown(failure({ reason: "rate_limit", scope: "credential_model" }), at, current, time);
      rests.push(((current?.until ?? 0) - time) / 1_000);
      time = current?.until ?? 0;
    }
    expect(rests).toEqual([30, 60, 120, 240, 480, 960, 1800, 1800, 1800]);
  });

  it("does not believe a time beyond a plan window", () => {
    const cooldown = nextCooldown(failure({ retryAt: now + 10 * longestBelievedMs }), at, null, now);
    expect(cooldown?.until).toBe(now + longestBelievedMs);
  });

  it("is never shortened by a later failure (R5)", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            reason: fc.constantFrom(...reasons),
            scope: fc.constantFrom(...scopes),
            wait: fc.nat(10_000_000),
            retryIn: fc.option(fc.integer({ min: -1e7, max: 1e12 }), { nil: undefined }),
          }),
          { maxLength: 20 },
        ),
        (steps) => {
          const standing = new Map<string, Cooldown>();
          let time = now;
          for (const step of steps) {
            time += step.wait;
            const retryAt = step.retryIn === undefined ? {} : { retryAt: time + step.retryIn };
            const what = failure({ reason: step.reason, scope: step.scope, ...retryAt });
            const before = standing.get(step.scope) ?? null;
            const after = nextCooldown(what, at, before, time);
            if (after === null) continue;
            expect(after.until).toBeGreaterThanOrEqual(before?.until ?? 0);
            standing.set(step.scope, after);
          }
        },
      ),
    );
  });
});

describe("a cooldown in force", () => {
  const base: Cooldown = {
    ...at,
    until: now + 1,
    reason: "quota",
    message: "",
    since: now,
    failures: 1,
    stated: false,
  };
  it.each([
    ["keeps its credential and model out of the way", {}, "c1", "gpt-5.5", true],
    ["leaves another model alone", {}, "c1", "gpt-5.4", false],
    ["leaves another credential alone", {}, "c2", "gpt-5.5", false],
    ["without a model holds for all of them", { model: "" }, "c1", "other", true],
    ["without a credential holds for all of them", { credentialId: "" }, "c2", "gpt-5.5", true],
    ["is over at its time", { until: now }, "c1", "gpt-5.5", false],
  ])("%s", (_, change, credentialId, model, expected) => {
    expect(isCooling({ ...base, ...change }, credentialId, model, now)).toBe(expected);
  });
});
