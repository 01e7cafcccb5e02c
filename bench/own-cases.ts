import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { measuredCore, runLoad } from "./native.ts";
import { type Goal, median } from "./numbers.ts";
import { type Answer, refusal, softFailure, streamAnswer, wholeAnswer } from "./payloads.ts";
import { openFiles, residentBytes } from "./process-cost.ts";
import { recording } from "./recording-case.ts";
import { checkLoad, openStage, runSlice, type Stage } from "./side-by-side.ts";
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
function workOf(name: string, connections: number, deltas: number): Work {
  return { name, title: name, requestBytes: 2_048, deltas, pacedUs: 0, connections, metrics: [] };
}

/** A gateway before a provider with these answers, for as long as `work` takes. */
async function withGateway<T>(
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
async function warm(
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

/**
 * A key that was refused rests for a second at least, so eight keys can't be refused as often as a busy gateway is asked: both works come by
 * the clock, and what is compared is what a stream costs.
 */
const softFailures: OwnCase = {
  name: "soft-failures",
  title:
    "10 % of the streams fail in their head, 8 credentials, 40 streams/s: CPU of a healthy stream over that of one of these",
  run: (context) =>
    withGateway(
      context,
      (folder) => {
        const healthy = streamAnswer(folder, "healthy", 196);
        const [, , file = ""] = healthy.line.split(" ");
        return [
          { name: "healthy", ...healthy },
          ...["soft", "crowd"].map((name) => {
            const line = `${name} every 10 ${file} ${softFailure(folder, `${name}-failed`)}`;
            return { name, ...healthy, line };
          }),
        ];
      },
      async (stage, gateway) => {
        const [healthy, soft] = (["healthy", "soft"] as const).map((name) => ({ ...workOf(name, 64, 196), rate: 40 }));
        if (healthy === undefined || soft === undefined) throw new Error("there are two works");
        await warm(stage, gateway, workOf("healthy", 32, 196), 2_000, 6_000);
        // Few hand-overs a second are measured. Where there are more keys, there can be as many as it takes for their code to be optimised.
        await warm(stage, gateway, { ...workOf("crowd", 64, 196), rate: 400 }, 8_000, 25_000);
        await warm(stage, gateway, soft, 80, 3_000);
        await stage.upstream.reset();
        const ratios: number[] = [];
        let asked = 0;
        for (let round = 0; round < (context.quick ? 5 : 25); round++) {
          const costs = new Map<string, number>();
          for (const work of round % 2 === 0 ? [healthy, soft] : [soft, healthy]) {
            const { load, cpuNs } = await runSlice(stage, gateway, work, { ms: 2_000, warmMs: 0 });
            costs.set(work.name, cpuNs / load.total);
            asked += load.total;
          }
          ratios.push((costs.get("healthy") ?? Number.NaN) / (costs.get("soft") ?? Number.NaN));
        }
        const { requests } = await stage.upstream.stats();
        return [
          { what: "healthy ÷ with failures", value: median(ratios), unit: "×", goal: { least: 0.85, raised: 0.9 } },
          { what: "failures that no client saw", value: requests - asked, unit: "" },
        ];
      },
      { crowd: ["crowd"] },
    ),
};

const handOver: OwnCase = {
  name: "hand-over",
  title:
    "a provider refuses with 429, the next attempt goes out: inside the gateway, and seen from the provider, both ways over the wire included",
  run: async (context) => [...(await handOverOnTheWire(context)), ...(await handOverInside())],
};

/** From the refusal being there until the next attempt has been written. */
async function handOverInside(): Promise<Row[]> {
  const { handOvers, p50Ms, p99Ms } = await runInProcess<Record<"handOvers" | "p50Ms" | "p99Ms", number>>("hand-over");
  if (handOvers < 100) throw new Error(`only ${handOvers} hand-overs were seen inside`);
  return [
    { what: "inside the gateway, p50", value: p50Ms, unit: "ms", goal: { most: 0.3, raised: 0.25 } },
    { what: "inside the gateway, p99", value: p99Ms, unit: "ms", goal: { most: 3, raised: 1 } },
  ];
}

function handOverOnTheWire(context: OwnContext): Promise<Row[]> {
  return withGateway(
    context,
    (folder) => {
      const answer = wholeAnswer(folder, "refused");
      const [, , file = ""] = answer.line.split(" ");
      return [
        { name: "healthy", ...wholeAnswer(folder, "healthy") },
        { name: "refused", ...answer, line: `refused every 2 ${file} ${refusal(folder, "refusal")}` },
      ];
    },
    async (stage, gateway) => {
      await warm(stage, gateway, workOf("healthy", 32, 0), 3_000, 5_000);
      // One at a time, or it could not be told whose next attempt it is; and not so often that all keys rest.
      const work = { ...workOf("refused", 1, 0), rate: 60 };
      await warm(stage, gateway, work, 120, 3_000);
      await stage.upstream.reset();
      const { load } = await runSlice(stage, gateway, work, { ms: context.quick ? 6_000 : 20_000, warmMs: 0 });
      const { requests, handOvers, handOverP50Us, handOverP99Us } = await stage.upstream.stats();
      if (handOvers < 100) throw new Error(`only ${handOvers} hand-overs were seen`);
      return [
        { what: "seen from the provider, p50", value: handOverP50Us / 1_000, unit: "ms" },
        { what: "seen from the provider, p99", value: handOverP99Us / 1_000, unit: "ms" },
        { what: "refusals that no client saw", value: requests - load.total, unit: "" },
      ];
    },
    { keys: 120 },
  );
}

const aborts: OwnCase = {
  name: "aborts",
  title: "256 clients that leave 5 ms after the first byte, again and again",
  run: (context) =>
    withGateway(
      context,
      (folder) => [
        { name: "paced", ...streamAnswer(folder, "paced", 200, 10_000) },
        { name: "json", ...wholeAnswer(folder, "json") },
      ],
      async (stage, gateway) => {
        const json = workOf("json", 32, 0);
        await warm(stage, gateway, json, 10_000, 5_000);
        /** Sockets and files that are no connection to the provider. */
        const openNow = async (): Promise<number> => {
          await sleep(500);
          return openFiles(gateway.pid ?? 0) - (await stage.upstream.stats()).open;
        };
        const before = await openNow();
        let left = 0;
        const givenUpMs: number[] = [];
        const ratios: number[] = [];
        for (let round = 0; round < (context.quick ? 2 : 7); round++) {
          const healthy = await runSlice(stage, gateway, json, { ms: 1_500, warmMs: 0 });
          const load = await runLoad({
            port: gateway.port,
            path: gateway.path,
            headers: gateway.headers,
            body: stage.bodyFile(gateway.modelName("paced"), 2_048, true),
            expect: stage.answers.get("paced")?.expect ?? "",
            connections: 256,
            ms: 3_000,
            warmMs: 0,
            abortUs: 5_000,
          });
          checkLoad("aborts", { ...load, total: load.aborts });
          left += load.aborts;
          givenUpMs.push(Math.max(0, ((await untilGivenUp(stage)) - load.closedAtNs) / 1e6));
          const after = await runSlice(stage, gateway, json, { ms: 1_500, warmMs: 0 });
          ratios.push(after.load.requests / healthy.load.requests);
        }
        return [
          { what: "streams that were left", value: left, unit: "" },
          {
            what: "last client gone until the provider's last answer was given up, the longest of all rounds",
            value: Math.max(...givenUpMs),
            unit: "ms",
            goal: { most: 100 },
          },
          { what: "– the median", value: median(givenUpMs), unit: "ms" },
          {
            what: "answers/s right afterwards, of those before",
            value: median(ratios),
            unit: "×",
            goal: { least: 0.5, raised: 0.8 },
          },
          { what: "– in the round with the fewest", value: Math.min(...ratios), unit: "×" },
          { what: "sockets left over", value: (await openNow()) - before, unit: "", goal: { most: 0 } },
        ];
      },
    ),
};

/** When the provider's last answer was given up, in ns of its clock. Throws when one never is. */
async function untilGivenUp(stage: Stage): Promise<number> {
  for (let tries = 0; tries < 300; tries++) {
    const { answering, lastAbortNs } = await stage.upstream.stats();
    if (answering === 0) return lastAbortNs;
    await sleep(10);
  }
  throw new Error("answers of the provider were never given up");
}

const openStreams: OwnCase = {
  name: "open-streams",
  title: "1,000 streams open at once, an event each 250 ms",
  run: (context) =>
    withGateway(
      context,
      (folder) => [
        { name: "slow", ...streamAnswer(folder, "slow", context.quick ? 16 : 40, 250_000) },
        { name: "warm", ...streamAnswer(folder, "warm", 40) },
      ],
      async (stage, gateway) => {
        const pid = gateway.pid ?? 0;
        const run = (ms: number) =>
          runLoad({
            port: gateway.port,
            path: gateway.path,
            headers: gateway.headers,
            body: stage.bodyFile(gateway.modelName("slow"), 2_048, true),
            expect: stage.answers.get("slow")?.expect ?? "",
            connections: 1_000,
            ms,
            warmMs: 0,
            graceMs: 30_000,
          });
        // What compiling takes is no part of what a stream takes.
        await warm(stage, gateway, workOf("warm", 32, 40), 20_000, 10_000);
        await sleep(2_000);
        const warmed = residentBytes(pid);
        // The first thousand make the process as large as it gets; events of the second are the ones that count.
        checkLoad("open-streams", await run(1));
        const running = run(context.quick ? 1_000 : 5_000);
        await sleep(1_500);
        await gateway.probe();
        const most = residentBytes(pid);
        await sleep(context.quick ? 2_000 : 5_000);
        const { loopP50Ms, loopP99Ms, loopMaxMs } = await gateway.probe();
        checkLoad("open-streams", await running);
        return [
          { what: "delay of the event loop, p99", value: loopP99Ms, unit: "ms", goal: { most: 20, raised: 4 } },
          { what: "delay of the event loop, p50", value: loopP50Ms, unit: "ms" },
          { what: "delay of the event loop, most", value: loopMaxMs, unit: "ms" },
          { what: "resident memory with 1,000 streams", value: most / 2 ** 20, unit: "MB" },
          {
            what: "per stream, beyond what 32 at once had made of the process",
            value: (most - warmed) / 1_000 / 1_024,
            unit: "KB",
            goal: { most: 60 },
          },
        ];
      },
    ),
};

const memory: OwnCase = {
  name: "memory",
  title: "resident memory: idle, and after many requests",
  run: (context) =>
    withGateway(
      context,
      (folder) => [{ name: "json", ...wholeAnswer(folder, "json") }],
      async (stage, gateway) => {
        const pid = gateway.pid ?? 0;
        await sleep(2_000);
        const idle = residentBytes(pid);
        const wanted = context.quick ? 30_000 : 1_000_000;
        const until = Date.now() + (context.quick ? 25_000 : 480_000);
        const sizes: { requests: number; bytes: number }[] = [];
        let done = 0;
        let told = 0;
        while (done < wanted && Date.now() < until) {
          const ms = context.quick ? 1_000 : 2_000;
          done += (await runSlice(stage, gateway, workOf("json", 32, 0), { ms, warmMs: 0 })).load.total;
          sizes.push({ requests: done, bytes: residentBytes(pid) });
          if (done - told < wanted / 10) continue;
          told = done;
          context.tell(`${done.toLocaleString("en-US")} of ${wanted.toLocaleString("en-US")} requests`);
        }
        const inTenth = (tenth: number): number =>
          median(sizes.filter(({ requests }) => Math.ceil((requests / done) * 10) === tenth).map(({ bytes }) => bytes));
        const megabytes = (bytes: number): number => bytes / 2 ** 20;
        return [
          { what: "idle", value: megabytes(idle), unit: "MB", goal: { most: 70 } },
          { what: "requests made", value: done, unit: "", goal: { least: wanted } },
          {
            what: "after them",
            value: megabytes(sizes.at(-1)?.bytes ?? Number.NaN),
            unit: "MB",
            goal: { most: 120, raised: 115 },
          },
          { what: "second tenth", value: megabytes(inTenth(2)), unit: "MB" },
          { what: "last tenth", value: megabytes(inTenth(10)), unit: "MB" },
          { what: "last tenth, of the second", value: inTenth(10) / inTenth(2), unit: "×", goal: { most: 1.05 } },
        ];
      },
    ),
};

/** Runs a file of `in-process/` on the measured core and reads the JSON line that it prints. */
function runInProcess<T>(name: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const file = join(import.meta.dirname, "in-process", `${name}.ts`);
    execFile("taskset", ["-c", measuredCore, process.execPath, file], { env: plainEnv() }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`${name} failed: ${stderr.slice(0, 1_000) || error.message}`));
      else resolve(JSON.parse(stdout) as T);
    });
  });
}

const crossDialect: OwnCase = {
  name: "cross-dialect",
  title: "one text event from one dialect into another, bytes to bytes",
  run: async () =>
    Object.entries(await runInProcess<Record<string, number>>("translate")).map(([what, value]) => ({
      what,
      value,
      unit: "µs",
      goal: { most: 5, raised: 3 },
    })),
};

const selection: OwnCase = {
  name: "selection",
  title: "the candidates of a turn, by strategy, from a stored pool of which 30 % cool down",
  run: async () => {
    const times = await runInProcess<Record<string, number>>("select");
    return Object.entries(times).map(([name, value]) => {
      const [size = "", strategy = ""] = name.split(" ");
      return {
        what: `${Number(size).toLocaleString("en-US")} credentials, ${strategy.replace("_", " ")}`,
        value,
        unit: "µs",
        ...(size === "10000" ? { goal: { most: 20, raised: 5 } } : {}),
      };
    });
  },
};

const claimAndSettle: OwnCase = {
  name: "claim",
  title: "claim and settle of a refresh: two durable writes",
  run: async () => {
    const { perSecond, p50Ms, p99Ms } = await runInProcess<{ perSecond: number; p50Ms: number; p99Ms: number }>(
      "claim",
    );
    return [
      { what: "claim and settle", value: perSecond, unit: "/s" },
      { what: "both together, p50", value: p50Ms, unit: "ms" },
      { what: "both together, p99", value: p99Ms, unit: "ms" },
    ];
  },
};

const start: OwnCase = {
  name: "start",
  title: "the command line, beyond a bare node -e 0",
  run: async ({ program, quick }) => {
    const env = { ...plainEnv(), UNDERSTUDY_HOME: "/nonexistent/understudy-bench" };
    const commands: Readonly<Record<string, readonly string[]>> = {
      bare: ["-e", "0"],
      version: [program, "--version"],
      list: [program, "auth", "list"],
    };
    const times: Record<string, number[]> = { bare: [], version: [], list: [] };
    for (let round = 0; round < (quick ? 15 : 40); round++) {
      for (const [name, args] of Object.entries(commands)) {
        const before = performance.now();
        execFileSync("taskset", ["-c", measuredCore, process.execPath, ...args], { env, stdio: "ignore" });
        times[name]?.push(performance.now() - before);
      }
    }
    const beyond = (name: string): number =>
      median((times[name] ?? []).map((time, round) => time - (times["bare"]?.[round] ?? Number.NaN)));
    return [
      { what: "node -e 0", value: median(times["bare"] ?? []), unit: "ms" },
      { what: "--version, beyond it", value: beyond("version"), unit: "ms", goal: { most: 15, raised: 5 } },
      { what: "auth list, beyond it", value: beyond("list"), unit: "ms", goal: { most: 40, raised: 30 } },
    ];
  },
};

/** What is measured of the gateway alone, in the order of the table. */
export const ownCases: readonly OwnCase[] = [
  crossDialect,
  handOver,
  softFailures,
  aborts,
  openStreams,
  recording,
  memory,
  selection,
  claimAndSettle,
  start,
];
