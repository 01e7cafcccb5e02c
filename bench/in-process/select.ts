/** What it costs to list the candidates of a turn in a pool of n keys, 30 % of which cool down, in µs. Prints one JSON line. */
import { systemClock } from "../../src/core/clock.ts";
import type { Cooldown } from "../../src/core/cooldown.ts";
import { Secret } from "../../src/core/secret.ts";
import type { Route } from "../../src/core/target.ts";
import type { Credential } from "../../src/credentials/credential.ts";
import { listCandidates } from "../../src/turn/candidates.ts";
import type { TurnRuntime } from "../../src/turn/runtime.ts";
import { median } from "../numbers.ts";

const sizes = [100, 1_000, 10_000];
const route: Route = { name: "r", targets: [{ provider: "bench", model: "m" }], strict: false };
const results: Record<string, number> = {};

for (const size of sizes) {
  const now = Date.now();
  // As the store keeps them between two changes.
  const credentials = Array.from({ length: size }, (_, i): Credential => {
    const source = { from: "stored", secret: new Secret(`sk-bench-${i}`) } as const;
    const counted = { priority: i, paused: false, createdAt: now, uses: 0, lastUsedAt: 0 };
    return { kind: "api_key", id: `c-${i}`, provider: "bench", label: `k${i}`, source, persisted: true, ...counted };
  });
  const cooldowns = credentials
    .filter((_, i) => i % 10 < 3)
    .map(({ id }): Cooldown => {
      const why = { reason: "quota", message: "used up", since: now, failures: 1, stated: true } as const;
      return { provider: "bench", credentialId: id, model: "", until: now + 3_600_000, ...why };
    });
  const store = {
    listCredentials: () => Promise.resolve(credentials),
    listCooldowns: () => Promise.resolve(cooldowns),
  };
  const runtime = {
    store,
    clock: systemClock,
    random: Math.random,
    findProvider: () => ({ id: "bench" }),
    strategyOf: () => "fill_first",
    environmentCredentials: () => [],
  } as unknown as TurnRuntime;
  const times: number[] = [];
  const until = Date.now() + 1_500;
  while (times.length < 20 || (Date.now() < until && times.length < 2_000)) {
    const before = performance.now();
    const { line } = await listCandidates(runtime, route);
    times.push((performance.now() - before) * 1_000);
    if (line.current?.credential.label !== "k3")
      throw new Error(`the wrong one was chosen: ${line.current?.credential.label}`);
  }
  results[`${size}`] = median(times.slice(times.length / 2));
}
console.log(JSON.stringify(results));
