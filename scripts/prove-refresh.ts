/**
 * Kills, freezes and cuts off real processes that refresh the same logins at a strict issuer, and counts what becomes of the tokens.
 *
 *   npm run prove:refresh                              3 processes on PostgreSQL, which is restarted under them
 *   npm run prove:refresh -- --store sqlite            8 processes on a file
 *   npm run prove:refresh -- --issuer oidc-provider    at a sign-in server that is not ours
 *   npm run prove:refresh -- --sum FILE                what was kept there
 *   npm run prove:refresh -- --expiry                  1,000 turns at once in 4 processes, at the moment when their token is over
 *
 * --rounds N (500) · --processes N · --logins N (4) · --keep FILE  adds the figures there, so that a long run can be made in parts
 * --seed N (1): what happens in which round; when it hits is up to the machine
 *
 * Ends with 1 if a refresh token was redeemed twice on purpose, a login was lost without a cause that is known, or a loss was not told
 * rightly.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { migratePostgresStore, openPostgresStore } from "../src/stores/postgres/open.ts";
import { formatKey } from "../src/stores/seal.ts";
import { openSqliteStore } from "../src/stores/sqlite/open.ts";
import { Arena, type Place } from "../test/kills/arena.ts";
import { percentile, runExpiry } from "../test/kills/expiry.ts";
import { type IssuerName, issuers } from "../test/kills/issuers.ts";
import { steps } from "../test/kills/protocol.ts";
import { isClean, keepTally, readTallies, reportTally, tallyOf } from "../test/kills/tally.ts";
import { EmbeddedServer } from "../test/rig/postgres-server.ts";
import { Chance } from "../test/simulation/chance.ts";

const { values } = parseArgs({
  options: {
    store: { type: "string", default: "postgres" },
    issuer: { type: "string", default: "codex" },
    rounds: { type: "string", default: "500" },
    processes: { type: "string" },
    logins: { type: "string", default: "4" },
    seed: { type: "string", default: "1" },
    keep: { type: "string" },
    sum: { type: "string" },
    expiry: { type: "boolean", default: false },
    turns: { type: "string", default: "1000" },
  },
});
if (values.sum !== undefined) {
  const tallies = readTallies(values.sum);
  for (const tally of tallies) console.log(`${reportTally(tally).join("\n")}\n`);
  process.exit(tallies.every(isClean) ? 0 : 1);
}
if (values.expiry) process.exit((await proveExpiry()) ? 0 : 1);
const onPostgres = values.store === "postgres";
if (!onPostgres && values.store !== "sqlite") throw new Error("--store takes postgres or sqlite");
if (!Object.hasOwn(issuers, values.issuer)) throw new Error(`--issuer takes ${Object.keys(issuers).join(" or ")}`);
const processes = Number(values.processes ?? (onPostgres ? 3 : 8));
const logins = Number(values.logins);
const rounds = Number(values.rounds);
const claimMs = 8_000;

const key = new Uint8Array(32).fill(7);
const env = { UNDERSTUDY_KEY: formatKey(key) };
const folder = mkdtempSync(join(tmpdir(), "understudy-prove-"));
const chance = new Chance(Number(values.seed));
const counts = new Map<string, number>();

const server = onPostgres ? new EmbeddedServer() : null;
await server?.open();
const place = server === null ? await sqlitePlace() : await postgresPlace(server);
let clean = false;
try {
  await using issuer = await issuers[values.issuer as IssuerName]();
  await using arena = await Arena.open(place, issuer, { processes, logins, claimMs });
  const begun = performance.now();
  for (let round = 1; round <= rounds; round++) {
    await mishap(arena, chance.whole(0, processes - 1));
    await arena.everyoneMoves();
    if (round % 50 === 0) console.error(`round ${round}, ${Math.round((performance.now() - begun) / 1_000)} s`);
  }
  const seconds = (performance.now() - begun) / 1_000;
  const mishaps = Object.fromEntries(counts);
  const about = { store: values.store, issuer: issuer.name, processes, logins, rounds, seconds, mishaps };
  const tally = tallyOf(arena.ledger, about);
  if (values.keep !== undefined) keepTally(values.keep, tally);
  console.log(reportTally(tally).join("\n"));
  clean = isClean(tally);
} finally {
  await place.store.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(clean ? 0 : 1);

async function proveExpiry(): Promise<boolean> {
  const [turns, latencyMs] = [Number(values.turns), 200];
  const inProcesses = Number(values.processes ?? 4);
  const result = await runExpiry({ processes: inProcesses, turns, latencyMs });
  const ms = (value: number): string => `${Math.round(value)} ms`;
  const both = (ascending: readonly number[]): string =>
    `${ms(percentile(ascending, 0.5))}, ${ms(percentile(ascending, 0.99))}`;
  const addedMs = percentile(result.turnsMs, 0.99) - percentile(result.usualMs, 0.99);
  const rows: [string, string | number][] = [
    ["turns at once, processes", `${turns}, ${inProcesses}`],
    ["answered", result.answered],
    ["redemptions", result.redemptions],
    ["refresh tokens presented twice", result.presentedTwice],
    ["the issuer's own latency", ms(latencyMs)],
    ["wait for the token: p50, p99", both(result.waitsMs)],
    ["turns with a token that lives: p50, p99", both(result.usualMs)],
    ["turns at the moment of expiry: p50, p99", both(result.turnsMs)],
    ["added by the expiry at p99", ms(addedMs)],
  ];
  for (const [what, count] of rows) console.log(`${what.padEnd(60)} ${count}`);
  for (const failure of result.failures.slice(0, 5)) console.log(`failed: ${failure}`);
  return (
    result.answered === turns && result.redemptions === 1 && result.presentedTwice === 0 && addedMs < latencyMs + 50
  );
}

/** One thing that goes wrong, for the process in this slot or for the server. */
async function mishap(arena: Arena, slot: number): Promise<void> {
  const step = chance.pick(steps);
  const nth = chance.whole(1, 4);
  // Now and then for longer than a claim lives.
  const frozenMs = chance.happens(0.15) ? chance.whole(claimMs, claimMs + 2_000) : chance.whole(20, 800);
  const tell = (what: string): void => void counts.set(what, (counts.get(what) ?? 0) + 1);
  const dice = chance.next();
  if (dice < 0.3) {
    await arena.killAt(slot, step, nth);
    tell(`killed: ${step}`);
  } else if (dice < 0.5) {
    await new Promise((resolve) => setTimeout(resolve, chance.whole(0, 300)));
    await arena.kill(slot);
    tell("killed: at any moment");
  } else if (dice < 0.65) {
    // One that stands still between its last look at the clock and the sending can't know, when it wakes, that its claim is over.
    const ms = step === "sending" ? Math.min(frozenMs, claimMs / 8) : frozenMs;
    await arena.freezeAt(slot, step, nth, ms);
    tell(`frozen: ${step}`);
  } else if (dice < 0.8) {
    await arena.freeze(slot, frozenMs);
    tell("frozen: at any moment");
  } else if (dice < 0.9 && place.cut !== undefined) {
    await arena.disturb(place.cut);
    tell("connections cut");
  } else if (place.restart !== undefined) {
    await arena.disturb(place.restart);
    tell("server restarted");
  } else {
    tell("nothing");
  }
}

async function sqlitePlace(): Promise<Place> {
  const file = join(folder, "store.db");
  return { place: file, env, store: await openSqliteStore({ file, key }) };
}

async function postgresPlace(postgres: EmbeddedServer): Promise<Place> {
  const address = postgres.newAddress();
  await migratePostgresStore({ address, key });
  return {
    place: address,
    env,
    store: await openPostgresStore({ address, key }),
    restart: () => postgres.whileAway(() => Promise.resolve()),
    cut: async () => {
      const some = "application_name = 'understudy' AND random() < 0.5";
      await postgres.query(address, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${some}`);
    },
  };
}
