/**
 * Kills, freezes and cuts off real processes that refresh the same logins at a strict issuer, and counts what becomes of the tokens.
 *
 *   npm run prove:refresh                              3 processes on PostgreSQL, which is restarted under them
 *   npm run prove:refresh -- --store sqlite            8 processes on a file
 *
 * --rounds N (500) · --processes N · --logins N (4) · --seed N (1): what happens in which round; when it hits is up to the machine
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
import { steps } from "../test/kills/protocol.ts";
import { EmbeddedServer } from "../test/rig/postgres-server.ts";
import { Chance } from "../test/simulation/chance.ts";

const { values } = parseArgs({
  options: {
    store: { type: "string", default: "postgres" },
    rounds: { type: "string", default: "500" },
    processes: { type: "string" },
    logins: { type: "string", default: "4" },
    seed: { type: "string", default: "1" },
  },
});
const onPostgres = values.store === "postgres";
if (!onPostgres && values.store !== "sqlite") throw new Error("--store takes postgres or sqlite");
const processes = Number(values.processes ?? (onPostgres ? 3 : 8));
const rounds = Number(values.rounds);
const claimMs = 3_000;

const key = new Uint8Array(32).fill(7);
const env = { UNDERSTUDY_KEY: formatKey(key) };
const folder = mkdtempSync(join(tmpdir(), "understudy-prove-"));
const chance = new Chance(Number(values.seed));
const counts = new Map<string, number>();

const server = onPostgres ? new EmbeddedServer() : null;
await server?.open();
const place = server === null ? await sqlitePlace() : await postgresPlace(server);
let failed = false;
try {
  await using arena = await Arena.open(place, { processes, logins: Number(values.logins), claimMs });
  const begun = performance.now();
  for (let round = 1; round <= rounds; round++) {
    await mishap(arena, chance.whole(0, processes - 1));
    await arena.everyoneMoves();
    if (round % 50 === 0) console.error(`round ${round}, ${Math.round((performance.now() - begun) / 1_000)} s`);
  }
  failed = !report(arena, (performance.now() - begun) / 1_000);
} finally {
  await place.store.close();
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

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
    // A process that stands still right before it sends can't know when it wakes; this one is only killed.
    const where = step === "sending" ? "claimed" : step;
    await arena.freezeAt(slot, where, nth, frozenMs);
    tell(`frozen: ${where}`);
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

function report(arena: Arena, seconds: number): boolean {
  const { ledger } = arena;
  const lost = [...ledger.lost.values()].reduce((sum, count) => sum + count, 0);
  const unexplained = ledger.lost.get("not known") ?? 0;
  const windows = ledger.windowsMs.toSorted((a, b) => a - b);
  const at = (share: number): string => `${windows[Math.floor((windows.length - 1) * share)] ?? 0} ms`;
  const rows: [string, string | number][] = [
    [`store, processes, logins`, `${values.store}, ${processes}, ${values.logins}`],
    ["rounds", `${rounds} in ${Math.round(seconds)} s`],
    ...[...counts].sort(([a], [b]) => (a < b ? -1 : 1)),
    ["refreshes made durable", ledger.refreshes],
    ["redeemed twice on purpose", ledger.twiceOnPurpose.length],
    ["spent again after an outcome that nobody knew", ledger.replays],
    ["logins lost", lost],
    ...[...ledger.lost].map(([cause, count]): [string, number] => [`  the process was ${cause}`, count]),
    ["losses told with the lost answer and its time", ledger.toldRightly],
    ["arrival at the issuer to durable write: p50, p99, longest", `${at(0.5)}, ${at(0.99)}, ${at(1)}`],
  ];
  for (const [what, count] of rows) console.log(`${what.padEnd(60)} ${count}`);
  for (const one of ledger.twiceOnPurpose) console.log(`redeemed twice: ${one}`);
  for (const riddle of ledger.riddles) console.log(`lost without a cause: ${JSON.stringify(riddle)}`);
  return ledger.twiceOnPurpose.length === 0 && unexplained === 0 && ledger.toldRightly === lost;
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
