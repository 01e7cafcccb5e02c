/**
 * The same mishaps for programs of others that keep a ChatGPT login: their published code, real processes that share one login, a
 * scripted sign-in server that ends a login when one of its refresh tokens is presented twice.
 *
 *   node test/kills/peers/run.ts --rounds 20 [--only codex,pi,understudy] [--case expiry]
 *
 * A program that is not installed is left out, and the line that installs it is printed.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { type Simulator, startSimulator } from "../../../src/simulator/simulator.ts";
import { Chance } from "../../simulation/chance.ts";
import { codexPeer } from "./codex.ts";
import type { Peer, PeerUrls } from "./peer.ts";
import { piPeer } from "./pi.ts";
import { understudyPeer } from "./understudy.ts";

const peers: Readonly<Record<string, Peer>> = { understudy: understudyPeer, codex: codexPeer, pi: piPeer };

/** Processes that share a login. */
const together = 4;
/** A process that takes longer is killed and counts as one that did not end, in ms. */
const patienceMs = 90_000;

interface Round {
  readonly peer: Peer;
  readonly folder: string;
  readonly urls: PeerUrls;
  readonly simulator: Simulator;
  readonly chance: Chance;
}

/** What happens in one round; each resolves to how many processes could use the login. */
const cases: Readonly<Record<string, { readonly words: string; readonly live: (round: Round) => Promise<number> }>> = {
  expiry: {
    words: "4 processes at the moment of expiry",
    live: async (round) => count(await Promise.all(Array.from({ length: together }, () => use(round)))),
  },
  kill: {
    words: "… one of them killed (-9) while it asks, and not yet answered",
    async live(round) {
      const { codexIssuer } = round.simulator;
      codexIssuer.script("held-before-acting");
      const victim = round.peer.start(round.folder, round.urls);
      await asked(round, victim);
      const others = Array.from({ length: together - 1 }, () => use(round));
      await sleep(round.chance.whole(0, 2_000));
      end(victim);
      return count(await Promise.all(others));
    },
  },
  stop: {
    words: "… one of them stopped for 5 s before it reads the answer",
    async live(round) {
      const { codexIssuer } = round.simulator;
      codexIssuer.script("slow");
      const victim = round.peer.start(round.folder, round.urls);
      const ended = ending(victim);
      await asked(round, victim);
      signal(victim, "SIGSTOP");
      codexIssuer.release();
      const others = Array.from({ length: together - 1 }, () => use(round));
      await sleep(5_000);
      signal(victim, "SIGCONT");
      return count([...(await Promise.all(others)), await ended]);
    },
  },
};

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "10" },
    only: { type: "string", default: Object.keys(peers).join(",") },
    case: { type: "string", default: Object.keys(cases).join(",") },
    seed: { type: "string", default: "1" },
  },
});

const head = ["", "rounds", "presented", "presented twice", "logins lost", "uses that failed"];
const rows: string[][] = [];
for (const name of values.only.split(",")) {
  const peer = peers[name];
  if (peer === undefined) throw new Error(`there is no ${name}; there are ${Object.keys(peers).join(", ")}`);
  if (peer.missing !== null) {
    console.log(`${peer.name} is left out: ${peer.missing}`);
    continue;
  }
  for (const each of values.case.split(",")) rows.push(await play(peer, each));
}
const widths = head.map((_, n) => Math.max(...[head, ...rows].map((row) => row[n]?.length ?? 0)));
for (const row of [head, ...rows]) console.log(row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join("  "));
process.exit(0);

async function play(peer: Peer, name: string): Promise<string[]> {
  const kind = cases[name];
  if (kind === undefined) throw new Error(`there is no case ${name}; there are ${Object.keys(cases).join(", ")}`);
  const rounds = Number(values.rounds);
  const chance = new Chance(Number(values.seed));
  const sum = { presented: 0, twice: 0, lost: 0, failed: 0 };
  for (let round = 0; round < rounds; round++) {
    const simulator = await startSimulator();
    const home = mkdtempSync(join(tmpdir(), "understudy-peer-"));
    try {
      const { codexIssuer, baseUrls } = simulator;
      codexIssuer.settings.onReuse = "revoke-family";
      const urls = { token: `${codexIssuer.origin}/oauth/token`, issuer: codexIssuer.origin, codex: baseUrls.codex };
      const account = codexIssuer.addAccount({ email: "ada@example.test" });
      const tokens = codexIssuer.issueTokens(account, { expiresInS: -60 });
      const folder = join(home, "home");
      await peer.signIn(folder, { ...tokens, accountId: account.accountId }, urls);
      const uses = name === "kill" ? together - 1 : together;
      const good = await kind.live({ peer, folder, urls, simulator, chance });
      sum.presented += codexIssuer.counters.refreshes;
      sum.twice += codexIssuer.presentedTwice;
      sum.failed += uses - good;
      if (!(await stillGood(await peer.kept(folder).catch(() => null), urls))) sum.lost += 1;
    } finally {
      await simulator.close();
      rmSync(home, { recursive: true, force: true });
    }
    console.error(`${peer.name}, ${name}: round ${round + 1}, ${JSON.stringify(sum)}`);
  }
  const figures = [rounds, sum.presented, sum.twice, sum.lost, sum.failed].map(String);
  return [`${peer.name}: ${kind.words}`, ...figures];
}

/** True when the sign-in server still takes the refresh token that was kept. */
async function stillGood(refreshToken: string | null, { token }: PeerUrls): Promise<boolean> {
  if (refreshToken === null) return false;
  const body = new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken });
  body.set("client_id", "app_EMoamEEZ73f0CkXaXp7hrann");
  return (await fetch(token, { method: "POST", body })).ok;
}

/** Resolves when a refresh has reached the sign-in server. Throws when the process ends without one. */
async function asked({ simulator, peer }: Round, child: ChildProcess): Promise<void> {
  while (simulator.codexIssuer.held === 0) {
    if (child.exitCode !== null) throw new Error(`${peer.name} ended without a refresh`);
    await sleep(5);
  }
}

/** Starts one process and waits for its end. True when it could use the login. */
function use({ peer, folder, urls }: Round): Promise<boolean> {
  return ending(peer.start(folder, urls));
}

async function ending(child: ChildProcess): Promise<boolean> {
  child.stdout?.resume();
  child.stderr?.resume();
  const late = setTimeout(() => end(child), patienceMs);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(late);
  return code === 0;
}

function end(child: ChildProcess): void {
  signal(child, "SIGKILL");
}

/** To the process and its own children. */
function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // It has ended by itself.
  }
}

function count(good: readonly boolean[]): number {
  return good.filter(Boolean).length;
}
