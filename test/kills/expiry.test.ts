import { expect, it } from "vitest";
import { runExpiry } from "./expiry.ts";

// The same with 1,000 turns in 4 processes, and how long they waited: `npm run prove:refresh -- --expiry`.
it("many turns in several processes at the moment of expiry cost one redemption, and all are answered", async () => {
  const result = await runExpiry({ processes: 2, turns: 80, latencyMs: 50 });
  expect(result).toMatchObject({ answered: 80, failures: [], redemptions: 1, presentedTwice: 0 });
  // Whoever redeemed it has waited for the answer.
  expect(result.waitsMs.at(-1)).toBeGreaterThan(40);
}, 60_000);
