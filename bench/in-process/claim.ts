/** Claim and settle of refreshes, one after the other, in a SQLite store with full sync. Prints one JSON line. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Secret } from "../../src/core/secret.ts";
import { openSqliteStore } from "../../src/stores/sqlite/open.ts";

const folder = mkdtempSync(join(process.env["BENCH_DISK"] ?? tmpdir(), "bench-claim-"));
const store = await openSqliteStore({ file: join(folder, "s.db"), key: randomBytes(32) });
const grant = (n: number) => ({
  accessToken: new Secret(`access-${n}-${"x".repeat(600)}`),
  refreshToken: new Secret(`refresh-${n}-${"x".repeat(100)}`),
  idToken: null,
  expiresAt: Date.now() + 3_600_000,
  obtainedAt: Date.now(),
  issuer: "https://issuer.example",
});
const account = { id: "a", userId: "u", email: null, plan: null };
const { credential } = await store.saveLogin({
  provider: "codex",
  label: "l",
  account,
  grant: grant(0),
  at: Date.now(),
});

const times: number[] = [];
const until = Date.now() + 2_000;
for (let generation = credential.grant.generation; Date.now() < until; generation++) {
  const before = performance.now();
  const now = Date.now();
  const claim = await store.claimRefresh({
    credentialId: credential.id,
    generation,
    owner: "bench",
    now,
    deadline: now + 30_000,
    isDead: () => false,
    replay: false,
  });
  if (claim.outcome !== "claimed") throw new Error(`the claim came to ${claim.outcome}`);
  if (!(await store.settleAnswered(credential.id, generation, grant(generation), account)))
    throw new Error("not settled");
  times.push(performance.now() - before);
}
await store.close();
rmSync(folder, { recursive: true });
times.sort((a, b) => a - b);
const at = (share: number): number => times[Math.floor(share * (times.length - 1))] ?? Number.NaN;
console.log(JSON.stringify({ perSecond: times.length / 2, p50Ms: at(0.5), p99Ms: at(0.99) }));
