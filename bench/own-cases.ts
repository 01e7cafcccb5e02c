/** The cases about the gateway alone. Those with helpers of their own: `refusal-cases.ts`, `crowd-cases.ts`, `recording-case.ts`. */
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { aborts, openStreams } from "./crowd-cases.ts";
import { measuredCore } from "./native.ts";
import { median } from "./numbers.ts";
import { type OwnCase, withGateway, workOf, runInProcess } from "./own-case.ts";
import { wholeAnswer } from "./payloads.ts";
import { residentBytes } from "./process-cost.ts";
import { recording } from "./recording-case.ts";
import { softFailures, handOver } from "./refusal-cases.ts";
import { runSlice } from "./side-by-side.ts";
import { plainEnv } from "./targets.ts";

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
