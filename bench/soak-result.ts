import type { describeMachine } from "./machine.ts";
import type { LoadResult } from "./native.ts";
import { show } from "./numbers.ts";
import type { FailedTurn } from "./soak-failed-turns.ts";

export const kinds = ["json", "sse"] as const;
export type Kind = (typeof kinds)[number];
/** Per second. */
export type Rates = Readonly<Record<Kind, number>>;

/** What a while under load came to. */
export interface Measured {
  readonly seconds: number;
  readonly rates: Rates;
  /** The worst and the best ten seconds in a row, in turns per second. */
  readonly slowest: number;
  readonly fastest: number;
  /** Of the gateway, per turn, in µs: what neighbours on the same core can't change much. */
  readonly cpuUs: number;
  /** Of the provider, per turn, in µs. Its work is always the same: where this is more, the machine was slower. */
  readonly providerUs: number;
  /**
   * Who used the core that all of them share, in percent. `gatewayWaited`: how long the gateway could have gone on but for somebody else; what
   * is more of it than provider and load used is how much neighbours took.
   */
  readonly core: {
    readonly gateway: number;
    readonly provider: number;
    readonly load: number;
    readonly gatewayWaited: number;
  };
}

/** What the gateway takes at this moment, and then a share of it, by the clock. */
export interface Round {
  /** With everything wrong, and nobody waiting for a clock. */
  readonly capacity: Measured;
  /** What was asked for. */
  readonly rates: Rates;
  readonly run: Measured;
  readonly turns: number;
  /** Due, but never sent. */
  readonly unsent: number;
  /** So many waited for a free connection at the worst moment. */
  readonly mostWaiting: number;
  readonly latencyUs: Readonly<Record<Kind, LoadResult["latencyUs"]>>;
}

export interface SoakResult {
  readonly startedAt: Date;
  readonly options: Readonly<Record<string, unknown>>;
  readonly machine: ReturnType<typeof describeMachine>;
  readonly seconds: number;
  /** With nothing wrong. */
  readonly clean: Measured;
  readonly rounds: readonly Round[];
  /** Of all of it, warming up and the measuring of capacity included. */
  readonly failedTurns: number;
  /** The first 500 of each load. */
  readonly failures: readonly FailedTurn[];
  /** Calls of providers. */
  readonly attempts: number;
  /** Clients that were told to wait by a comment in their stream. */
  readonly comments: number;
  readonly directLatencyUs: Readonly<Record<Kind, LoadResult["latencyUs"]>>;
  readonly residentMb: { readonly secondTenth: number; readonly lastTenth: number };
  readonly faults: readonly { readonly model: string; readonly what: string; readonly times: number }[];
  readonly refreshes: number;
  readonly refreshTokensSpentTwice: number;
}

/** What is wrong, a sentence each; nothing when the soak has passed. */
export function wrongsOf(result: SoakResult): string[] {
  const { failedTurns, failures, faults, refreshes, refreshTokensSpentTwice } = result;
  const excused = failures.filter(({ hadUsable }) => !hadUsable).length;
  const unsent = sum(result.rounds, (round) => round.unsent);
  const never = faults.filter(({ times }) => times === 0).map(({ model, what }) => `${model}: ${what}`);
  return [
    ...(failedTurns > excused ? [`${failedTurns - excused} turns failed that had a usable candidate`] : []),
    ...(unsent > 0 ? [`${unsent} turns were due and never sent: it can't keep up`] : []),
    ...(never.length > 0 ? [`these faults never came: ${never.join("; ")}`] : []),
    ...(refreshes === 0 ? ["no token was refreshed"] : []),
    ...(refreshTokensSpentTwice > 0 ? [`${refreshTokensSpentTwice} refresh tokens were spent twice`] : []),
  ];
}

/** So many failed turns are told one by one; the others are in the JSON. */
const mostPrinted = 25;

export function printResult(result: SoakResult): void {
  const { rounds, failures, residentMb } = result;
  console.table(result.faults);
  console.table(
    rounds.map((round) => ({
      "takes, turns/s": show(perSecond(round.capacity)),
      asked: show(round.rates.json + round.rates.sse),
      answered: show(perSecond(round.run)),
      turns: show(round.turns),
      "never sent": round.unsent,
      "most waiting": show(round.mostWaiting),
      "JSON added p50 · p99, ms": describeAdded(result, round, "json"),
      streams: describeAdded(result, round, "sse"),
      "µs of CPU each": show(round.run.cpuUs),
      "provider's": show(round.run.providerUs),
    })),
  );
  console.table({
    "takes with nothing wrong, turns/s": describeMeasured(result.clean),
    "turns by the clock": show(sum(rounds, ({ turns }) => turns)),
    "failed turns": `${result.failedTurns}`,
    "of them with a usable candidate": `${failures.filter(({ hadUsable }) => hadUsable).length}`,
    "calls of providers": show(result.attempts),
    "comments in streams": `${result.comments}`,
    "resident memory, 2nd · last tenth, MB": `${show(residentMb.secondTenth)} · ${show(residentMb.lastTenth)}`,
    "tokens refreshed": `${result.refreshes}`,
    "refresh tokens spent twice": `${result.refreshTokensSpentTwice}`,
  });
  for (const one of failures.slice(0, mostPrinted)) printFailure(one);
  const others = Map.groupBy(failures.slice(mostPrinted), ({ what }) => what);
  for (const [what, list] of others) console.log(`\nand ${list.length} more: ${what}`);
}

function describeMeasured({ rates, slowest, fastest, cpuUs, providerUs, core }: Measured): string {
  const { gateway, provider, load, gatewayWaited } = core;
  const percent = (share: number): string => `${share.toFixed(0)} %`;
  return [
    `${show(rates.json + rates.sse)} (in ten seconds ${show(slowest)}–${show(fastest)})`,
    `${show(cpuUs)} µs of CPU each (provider ${show(providerUs)})`,
    `of the core: gateway ${percent(gateway)} and ${percent(gatewayWaited)} waiting for it, provider ${percent(provider)}, load ${percent(load)}`,
  ].join("; ");
}

/** What the gateway adds to the direct way. With faults on, the 99th percentile holds hand-overs and rests. */
function describeAdded({ directLatencyUs }: SoakResult, { latencyUs }: Round, kind: Kind): string {
  const beyond = (of: "p50" | "p99"): number =>
    (latencyUs[kind][of] ?? Number.NaN) - (directLatencyUs[kind][of] ?? Number.NaN);
  return `${show(beyond("p50") / 1_000)} · ${show(beyond("p99") / 1_000)}`;
}

function perSecond({ rates }: Measured): number {
  return rates.json + rates.sse;
}

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}

function printFailure({
  turn,
  what,
  status,
  bodyBytes,
  saw,
  afterMs,
  wasAt,
  hadUsable,
  because,
  why,
}: FailedTurn): void {
  const verdict = hadUsable ? "had a usable candidate" : "had none";
  console.log(`\n${turn || "a turn without an id"}, due at ${wasAt} s: ${verdict}: ${because}`);
  console.log(
    `  the client saw after ${afterMs} ms: ${what} (status ${status}, ${bodyBytes} bytes of the body before): ${saw}`,
  );
  for (const line of why.trimEnd().split("\n")) if (line !== "") console.log(`  ${line}`);
}
