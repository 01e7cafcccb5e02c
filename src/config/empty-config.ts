import type { Config } from "./schema.ts";

/** What an empty configuration means, without loading what reads one. */
export const emptyConfig: Config = {
  routes: {},
  pools: {},
  providers: {},
  limits: {
    maxWaitMs: 30_000,
    firstEventMs: 120_000,
    idleMs: 300_000,
    refreshTimeoutMs: 20_000,
    holdEvents: 64,
    holdBytes: 262_144,
  },
  prices: {},
  journal: { maxAgeDays: 30, maxTurns: 10_000 },
  failures: [],
};
