import { execFile } from "node:child_process";
import { join } from "node:path";
import { measuredCore } from "./native.ts";
import type { Goal } from "./numbers.ts";
import type { Answer } from "./payloads.ts";
import { openStage, runSlice, type Stage } from "./side-by-side.ts";
import { plainEnv, startUnderstudy, type UnderstudyTarget } from "./targets.ts";
import type { Work } from "./works.ts";

/** One figure of a case about the gateway alone. */
export interface Row {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly goal?: Goal;
}

export interface OwnResult {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
  /** Why there are no figures. */
  readonly failed?: string;
}

export interface OwnContext {
  /** main.js of the built package. */
  readonly program: string;
  readonly quick: boolean;
  readonly tell: (line: string) => void;
}

export interface OwnCase {
  readonly name: string;
  readonly title: string;
  run(context: OwnContext): Promise<Row[]>;
}

type NamedAnswer = Answer & { readonly name: string };

/** A work that is told apart from others by its name alone. */
export function workOf(name: string, connections: number, deltas: number): Work {
  return { name, title: name, requestBytes: 2_048, deltas, pacedUs: 0, connections, metrics: [] };
}

/** A gateway before a provider with these answers, for as long as `work` takes. */
export async function withGateway<T>(
  { program }: OwnContext,
  answers: (folder: string) => readonly NamedAnswer[],
  work: (stage: Stage, gateway: UnderstudyTarget) => Promise<T>,
  more: { readonly keys?: number; readonly crowd?: readonly string[] } = {},
): Promise<T> {
  const stage = await openStage([], answers);
  try {
    const gateway = await startUnderstudy(stage.upstream.port, [...stage.answers.keys()], { program, ...more });
    try {
      return await work(stage, gateway);
    } finally {
      await gateway.stop();
    }
  } finally {
    stage.stop();
  }
}

/** Until code that runs is code that was optimised: so many answers, but no longer than so many ms. */
export async function warm(
  stage: Stage,
  gateway: UnderstudyTarget,
  work: Work,
  answers: number,
  mostMs: number,
): Promise<void> {
  const until = Date.now() + mostMs;
  for (let done = 0; done < answers && Date.now() < until; ) {
    done += (await runSlice(stage, gateway, work, { ms: 1_000, warmMs: 0 })).load.total;
  }
}

/** Runs a file of `in-process/` on the measured core and reads the JSON line that it prints. */
export function runInProcess<T>(name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const file = join(import.meta.dirname, "in-process", `${name}.ts`);
    execFile("taskset", ["-c", measuredCore, process.execPath, file], { env: plainEnv() }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`${name} failed: ${stderr.slice(0, 1_000) || error.message}`));
      else resolve(JSON.parse(stdout) as T);
    });
  });
}
