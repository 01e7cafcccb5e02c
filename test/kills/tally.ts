import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { Ledger } from "./ledger.ts";

/** What a run, or a part of one, came to. Kept as a line of JSON, so that a stop loses at most one part. */
export interface Tally {
  readonly store: string;
  readonly issuer: string;
  readonly processes: number;
  readonly logins: number;
  readonly rounds: number;
  readonly seconds: number;
  /** What was done to processes and server, and how often. */
  readonly mishaps: Readonly<Record<string, number>>;
  readonly refreshes: number;
  readonly twiceOnPurpose: readonly string[];
  readonly replays: number;
  /** Logins lost, by cause. */
  readonly lost: Readonly<Record<string, number>>;
  readonly toldRightly: number;
  readonly riddles: readonly object[];
  /** From the arrival of a refresh at the issuer to its durable write, in ms. */
  readonly windowsMs: readonly number[];
}

export function tallyOf(
  ledger: Ledger,
  about: Pick<Tally, "store" | "issuer" | "processes" | "logins" | "rounds" | "seconds" | "mishaps">,
): Tally {
  const { refreshes, twiceOnPurpose, replays, lost, toldRightly, riddles, windowsMs } = ledger;
  return {
    ...about,
    refreshes,
    twiceOnPurpose,
    replays,
    lost: Object.fromEntries(lost),
    toldRightly,
    riddles,
    windowsMs,
  };
}

export function keepTally(file: string, tally: Tally): void {
  appendFileSync(file, `${JSON.stringify(tally)}\n`);
}

/** The parts that a file holds, summed up by store, issuer, processes and logins. */
export function readTallies(file: string): Tally[] {
  const sums = new Map<string, Tally>();
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  for (const line of lines.filter((one) => one !== "")) {
    const part = JSON.parse(line) as Tally;
    const key = JSON.stringify([part.store, part.issuer, part.processes, part.logins]);
    const before = sums.get(key);
    sums.set(key, before === undefined ? part : sum(before, part));
  }
  return [...sums.values()];
}

function sum(a: Tally, b: Tally): Tally {
  return {
    ...a,
    rounds: a.rounds + b.rounds,
    seconds: a.seconds + b.seconds,
    mishaps: sumCounts(a.mishaps, b.mishaps),
    refreshes: a.refreshes + b.refreshes,
    twiceOnPurpose: [...a.twiceOnPurpose, ...b.twiceOnPurpose],
    replays: a.replays + b.replays,
    lost: sumCounts(a.lost, b.lost),
    toldRightly: a.toldRightly + b.toldRightly,
    riddles: [...a.riddles, ...b.riddles],
    windowsMs: a.windowsMs.concat(b.windowsMs),
  };
}

function sumCounts(a: Tally["lost"], b: Tally["lost"]): Record<string, number> {
  const counts: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(b)) counts[name] = (counts[name] ?? 0) + count;
  return counts;
}

/** True when no token was redeemed twice on purpose, and every loss has a known cause and was told rightly. */
export function isClean({ twiceOnPurpose, lost, toldRightly }: Tally): boolean {
  return twiceOnPurpose.length === 0 && (lost["not known"] ?? 0) === 0 && toldRightly === lostLogins(lost);
}

/** As lines for a person. */
export function reportTally(tally: Tally): string[] {
  const windows = tally.windowsMs.toSorted((a, b) => a - b);
  const at = (share: number): string => `${windows[Math.floor((windows.length - 1) * share)] ?? 0} ms`;
  const rows: [string, string | number][] = [
    ["store, sign-in server", `${tally.store}, ${tally.issuer}`],
    ["processes, logins", `${tally.processes}, ${tally.logins}`],
    ["rounds", `${tally.rounds} in ${Math.round(tally.seconds)} s`],
    ...Object.entries(tally.mishaps).sort(([a], [b]) => (a < b ? -1 : 1)),
    ["refreshes made durable", tally.refreshes],
    ["redeemed twice on purpose", tally.twiceOnPurpose.length],
    ["spent again after an outcome that nobody knew", tally.replays],
    ["logins lost", lostLogins(tally.lost)],
    ...Object.entries(tally.lost).map(([cause, count]): [string, number] => [`  the process was ${cause}`, count]),
    ["losses told with the lost answer and its time", tally.toldRightly],
    ["arrival at the issuer to durable write: p50, p99, longest", `${at(0.5)}, ${at(0.99)}, ${at(1)}`],
  ];
  return [
    ...rows.map(([what, count]) => `${what.padEnd(60)} ${count}`),
    ...tally.twiceOnPurpose.map((one) => `redeemed twice: ${one}`),
    ...tally.riddles.map((riddle) => `lost without a cause: ${JSON.stringify(riddle)}`),
  ];
}

function lostLogins(lost: Tally["lost"]): number {
  return Object.values(lost).reduce((total, count) => total + count, 0);
}
