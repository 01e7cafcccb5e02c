import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadResult, runLoad, startUpstream, type Upstream } from "./native.ts";
import { shuffled, type Spread, spreadOf } from "./numbers.ts";
import { type Answer, requestBody, streamAnswer, wholeAnswer, wholeMarker, write } from "./payloads.ts";
import { cpuNs } from "./process-cost.ts";
import type { Target } from "./targets.ts";
import type { Sample, Work } from "./works.ts";

export interface Pace {
  readonly rounds: number;
  readonly sliceMs: number;
  readonly warmMs: number;
  /** Before the first round, for each target and work, in ms. */
  readonly warmUpMs: number;
}

/** What came of one metric of one work for one target. */
export interface Compared {
  readonly work: string;
  readonly metric: string;
  readonly unit: string;
  readonly target: string;
  readonly value: Spread;
  /** To nginx in the same round; null without nginx. */
  readonly ratio: Spread | null;
  /** To Portkey in the same round; null without Portkey. */
  readonly toPortkey: Spread | null;
  /** To what Node itself allows, in the same round; null without `bare`. Results of earlier versions lack it. */
  readonly toBare?: Spread | null;
}

/** The provider with its answers, and the files of each work. */
export interface Stage {
  readonly folder: string;
  readonly upstream: Upstream;
  readonly answers: ReadonlyMap<string, Answer>;
  bodyFile(model: string, bytes: number, stream: boolean): string;
  stop(): void;
}

/** Starts the scripted provider. `more` are further lines of its table. */
export async function openStage(
  works: readonly Work[],
  more: (folder: string) => readonly (Answer & { name: string })[] = () => [],
): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "bench-stage-"));
  const answers = new Map<string, Answer>();
  for (const { name, deltas, pacedUs } of works) {
    answers.set(name, deltas === 0 ? wholeAnswer(folder, name) : streamAnswer(folder, name, deltas, pacedUs));
  }
  for (const answer of more(folder)) answers.set(answer.name, answer);
  const table = write(folder, "answers", [...answers.values()].map(({ line }) => `${line}\n`).join(""));
  const upstream = await startUpstream(table);
  return {
    folder,
    upstream,
    answers,
    bodyFile: (model, bytes, stream) => write(folder, `${model}.request`, requestBody(model, bytes, stream)),
    stop() {
      upstream.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** One slice of one work by one target. Throws when one answer was wrong. */
export async function runSlice(
  stage: Stage,
  target: Target,
  work: Work,
  times: { ms: number; warmMs: number },
): Promise<Sample> {
  const answer = stage.answers.get(work.name);
  if (answer === undefined) throw new Error(`no answer is made for ${work.name}`);
  const before = target.pid === null ? 0 : cpuNs(target.pid);
  const load = await runLoad({
    port: target.port,
    path: target.path,
    headers: target.headers,
    body: stage.bodyFile(target.modelName(work.name), work.requestBytes, work.deltas > 0),
    expect: target.isExact ? answer.expect : { marker: work.deltas > 0 ? "response.completed" : wholeMarker },
    connections: work.connections,
    ms: times.ms,
    warmMs: times.warmMs,
    ...(work.rate === undefined ? {} : { rate: work.rate }),
  });
  const after = target.pid === null ? 0 : cpuNs(target.pid);
  checkLoad(`${work.name} by ${target.name}`, load);
  return { load, cpuNs: after - before };
}

export function checkLoad(what: string, { errors, total, firstError }: LoadResult): void {
  if (errors > 0)
    throw new Error(`${what}: ${errors} of ${total + errors} answers were wrong. The first: ${firstError}`);
  if (total === 0) throw new Error(`${what}: no answer at all`);
}

/**
 * Has each target pass on some requests of each work, and looks at what reaches the provider: the body that went in, but for the model's name, and one of
 * the gateway's own keys. Not while it is measured, since what the provider costs is added to all alike. Of a target that writes requests anew nothing is asked.
 */
async function checkRequests(stage: Stage, targets: readonly Target[], works: readonly Work[]): Promise<void> {
  for (const target of targets.filter(({ isExact }) => isExact)) {
    for (const { rate: _, ...work } of works.filter((one) => does(target, one))) {
      await stage.upstream.reset();
      await runSlice(stage, target, work, { ms: 300, warmMs: 0 });
      const { bodies, firstBody, lookedAt, keyed } = await stage.upstream.stats();
      const what = `${work.name} by ${target.name}`;
      const sent = readFileSync(
        stage.bodyFile(target.modelName(work.name), work.requestBytes, work.deltas > 0),
        "utf8",
      );
      if (bodies !== 1 || firstBody !== hashWithoutModel(sent))
        throw new Error(`${what}: another body reaches the provider than the client sends`);
      if (keyed !== lookedAt)
        throw new Error(`${what}: ${lookedAt - keyed} of ${lookedAt} requests came without a key of the gateway's`);
    }
  }
}

/** As the provider hashes a body: FNV-1a of what is before the model's name and of what is behind it. */
function hashWithoutModel(body: string): string {
  const [, before = "", after = ""] = /^([^]*?"model":")[^"]*("[^]*)$/.exec(body) ?? [];
  const hash = (text: string): bigint =>
    Buffer.from(text).reduce(
      (sum, byte) => BigInt.asUintN(64, (sum ^ BigInt(byte)) * 1_099_511_628_211n),
      14_695_981_039_346_656_037n,
    );
  return (hash(before) ^ hash(after)).toString(16).padStart(16, "0");
}

/** Answers after which a just-in-time compiler is done with the code of a work, and of one that is slow by itself: many of its events each. */
const warmAnswers = { fast: 10_000, slow: 1_500 };
/** How many paced streams more are open meanwhile; for a target that writes answers anew, and takes its time, none. */
const busier = 6;

/** Until the code that runs is the code that was optimised, or `warmUpMs` are over. What is asked by the clock is asked as fast as it is answered here. */
async function warmUp(stage: Stage, target: Target, work: Work, { warmUpMs }: Pace): Promise<void> {
  const { rate, ...unclocked } = work;
  const isSlow = work.pacedUs > 0 || rate !== undefined;
  const isPaced = work.pacedUs > 0 && target.isExact;
  const warming = { ...unclocked, connections: work.connections * (isPaced ? busier : 1) };
  const until = Date.now() + (target.pid === null ? Math.min(1_000, warmUpMs) : warmUpMs);
  for (let done = 0; done < warmAnswers[isSlow ? "slow" : "fast"] && Date.now() < until; ) {
    const times = { ms: Math.min(isSlow ? 1_000 : 500, warmUpMs), warmMs: 0 };
    done += (await runSlice(stage, target, warming, times)).load.total;
  }
}

/**
 * Runs each work by each target in every round: round → work → target, in another order each time: what one leaves behind falls on
 * another. All targets run all the time. Ratios are taken within a round, since the machine may be another one a minute later.
 */
export async function compareTargets(
  stage: Stage,
  targets: readonly Target[],
  works: readonly Work[],
  pace: Pace,
  tell: (line: string) => void,
): Promise<Compared[]> {
  for (const target of targets) {
    for (const work of works) if (does(target, work)) await warmUp(stage, target, work, pace);
  }
  await checkRequests(stage, targets, works);
  tell(`warm: ${targets.map(({ name }) => name).join(", ")}`);
  const rounds: Map<string, Sample>[] = [];
  for (let round = 0; round < pace.rounds; round++) {
    const samples = new Map<string, Sample>();
    for (const work of works) {
      for (const target of shuffled(targets)) {
        if (!does(target, work)) continue;
        samples.set(
          `${work.name} ${target.name}`,
          await runSlice(stage, target, work, { ms: pace.sliceMs, warmMs: pace.warmMs }),
        );
      }
    }
    rounds.push(samples);
    tell(`round ${round + 1} of ${pace.rounds}`);
  }
  return works.flatMap((work) => {
    const doing = targets.filter((target) => does(target, work));
    return compareWork(work, doing, rounds, stage.answers.get(work.name)?.events ?? 0);
  });
}

function does(target: Target, work: Work): boolean {
  return target.does?.(work) ?? true;
}

function compareWork(
  work: Work,
  targets: readonly Target[],
  rounds: readonly ReadonlyMap<string, Sample>[],
  events: number,
): Compared[] {
  const valueOf = (metric: Work["metrics"][number], target: string, round: ReadonlyMap<string, Sample>): number => {
    const sample = round.get(`${work.name} ${target}`);
    const direct = round.get(`${work.name} direct`);
    return sample === undefined || direct === undefined ? Number.NaN : metric.value(sample, direct, events);
  };
  const has = (name: string): boolean => targets.some((target) => target.name === name);
  return work.metrics.flatMap((metric) =>
    targets.map(({ name }) => {
      const against = (other: string): Spread | null =>
        has(other)
          ? spreadOf(rounds.map((round) => valueOf(metric, name, round) / valueOf(metric, other, round)))
          : null;
      return {
        work: work.name,
        metric: metric.name,
        unit: metric.unit,
        target: name,
        value: spreadOf(rounds.map((round) => valueOf(metric, name, round))),
        ratio: against("nginx"),
        toPortkey: against("portkey"),
        toBare: against("bare"),
      };
    }),
  );
}
