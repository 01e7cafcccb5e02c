/**
 * What it costs to list the candidates of a turn, in µs: a pool of n keys in a SQLite store, 30 % of which cool down. Before each turn the key
 * that the last one got was used, as in the gateway. Prints one JSON line.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../src/core/clock.ts";
import { Secret } from "../../src/core/secret.ts";
import { type Strategy, strategies } from "../../src/core/select.ts";
import type { Route } from "../../src/core/target.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";
import { listCandidates } from "../../src/turn/candidates.ts";
import { createPoolBook } from "../../src/turn/pool-book.ts";
import type { TurnRuntime } from "../../src/turn/runtime.ts";
import { median } from "../numbers.ts";

const sizes = [8, 100, 1_000, 10_000];
const route: Route = { name: "r", targets: [{ provider: "bench", model: "m" }], strict: false };
const results: Record<string, number> = {};

for (const size of sizes) {
  const folder = mkdtempSync(join(tmpdir(), "bench-select-"));
  try {
    const file = join(folder, "s.db");
    const key = randomBytes(32);
    const before = await openSqliteStore({ file, key });
    const source = { from: "stored", secret: new Secret("sk-bench") } as const;
    await before.addApiKey({ provider: "bench", label: "k0", source, at: Date.now() });
    await before.close();
    fill(file, size);
    for (const strategy of strategies) await measure(file, key, size, strategy);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
console.log(JSON.stringify(results));

/** All but the first key at once: the store's own way is a durable write for each. */
function fill(file: string, size: number): void {
  const database = new DatabaseSync(file);
  const until = Date.now() + 3_600_000;
  database.exec("BEGIN");
  const addKey = database.prepare(
    `INSERT INTO credential (id, provider, label, label_key, kind, priority, created_at, source, secret)
     SELECT 'c-' || :n, provider, 'k' || :n, 'k' || :n, kind, CAST(:n AS INTEGER), created_at, '{"from":"env","name":"BENCH"}', NULL
     FROM credential WHERE label = 'k0'`,
  );
  const rest = database.prepare(
    `INSERT INTO cooldown (provider, credential_id, model, until, reason, message, since, failures, stated)
     SELECT provider, id, '', ?, 'quota', 'used up', created_at, 1, 1 FROM credential WHERE label = ?`,
  );
  for (let n = 1; n < size; n++) addKey.run({ n: `${n}` });
  for (let n = 0; n < size; n++) if (n % 10 < 3) rest.run(until, `k${n}`);
  database.exec("COMMIT");
  database.close();
}

async function measure(file: string, key: Buffer, size: number, strategy: Strategy): Promise<void> {
  const store = await openSqliteStore({ file, key });
  const runtime = {
    store,
    pools: createPoolBook(store),
    clock: systemClock,
    random: Math.random,
    findProvider: () => ({ id: "bench" }),
    strategyOf: () => strategy,
    environmentCredentials: () => [],
  } as unknown as TurnRuntime;
  const times: number[] = [];
  const until = Date.now() + 1_000;
  while (times.length < 20 || (Date.now() < until && times.length < 20_000)) {
    const before = performance.now();
    const { line } = await listCandidates(runtime, route);
    times.push((performance.now() - before) * 1_000);
    const chosen = line.current?.credential;
    if (chosen === undefined || Number(chosen.label.slice(1)) % 10 < 3) throw new Error(`${chosen?.label} was chosen`);
    if (strategy === "fill_first" && chosen.label !== "k3") throw new Error(`${chosen.label} was chosen`);
    await store.recordUse(chosen.id, Date.now());
    // A turn of its own in the event loop, as requests come.
    if (times.length % 16 === 0) await new Promise(setImmediate);
  }
  await store.close();
  results[`${size} ${strategy}`] = median(times.slice(times.length / 2));
}
