import { describe, expect, it } from "vitest";
import type { IssuerPolicy } from "./issuer.ts";
import type { Interruption } from "./mayhem.ts";
import type { Profile } from "./profile.ts";
import { runSeed } from "./run-seed.ts";

/** An issuer of the strictest kind: a token that is used again ends the login and its access tokens. */
const strict: IssuerPolicy = {
  rotates: true,
  graceMs: 0,
  reuse: "family",
  revokesAccess: true,
  endsOldAccess: false,
  lifeMs: 6 * 60_000,
  tells: "jwt",
  lieMs: 0,
  nestedErrors: true,
  delayMs: [100, 1_000],
};

/** Two processes share one login that is about to end, and nothing goes wrong but for the one interruption. */
function calm(drawn: Profile): Profile {
  return {
    ...drawn,
    machines: 1,
    processes: 2,
    lanes: 1,
    hasStoreServer: false,
    tellsDeath: true,
    offsetsMs: [0],
    temper: {
      crashes: 0,
      freezes: 0,
      clocks: 0,
      store: 0,
      providers: 0,
      issuers: 0,
      impatience: 0,
      mistakes: 0,
      person: 0,
    },
    restlessMs: 3_600_000,
    thinkingMs: [1, 60_000],
    storeDelayMs: 5,
    pools: [{ provider: "codex", size: 1 }],
    routes: 1,
    policy: strict,
  };
}

const turns = 5;

async function interrupted(seed: number, interruption?: Interruption) {
  return runSeed({ seed, turns, profile: calm, ...(interruption === undefined ? {} : { interruption }) });
}

describe("a process that stops before any one of its steps", () => {
  it.each([1, 2].flatMap((seed) => (["crash", "freeze", "power-cut"] as const).map((how) => [how, seed] as const)))(
    "leaves every rule standing: %s, seed %i",
    async (how, seed) => {
      const { steps, counts } = await interrupted(seed);
      expect(counts.get("refresh: answered")).toBeGreaterThan(0);
      for (let step = 1; step <= steps; step++) {
        const { violations } = await interrupted(seed, { step, how });
        expect(violations.map(({ invariant, text }) => `${how} before step ${step}: ${invariant}: ${text}`)).toEqual(
          [],
        );
      }
    },
  );
});
