import type { LoadResult } from "./native.ts";
import type { Goal } from "./numbers.ts";

/** One work that all targets do side by side. */
export interface Work {
  readonly name: string;
  readonly title: string;
  /** Bytes of the request. */
  readonly requestBytes: number;
  /** Text events of the answer; 0: no stream. */
  readonly deltas: number;
  /** Microseconds between two events; 0: all at once. */
  readonly pacedUs: number;
  readonly connections: number;
  /** Requests per second by the clock; missing: as fast as the answers come. */
  readonly rate?: number;
  /** What is compared, the first with the goal. */
  readonly metrics: readonly Metric[];
}

/** One run of a work by one target. */
export interface Sample {
  readonly load: LoadResult;
  /** CPU time of the target's process, in ns, from before the run to after it. 0 for the direct way. */
  readonly cpuNs: number;
}

export interface Metric {
  readonly name: string;
  readonly unit: string;
  /** The value of one target in one round. `direct` is the run without anybody between, of the same round. */
  readonly value: (sample: Sample, direct: Sample, events: number) => number;
  /** For the ratio to nginx, or for the value itself. */
  readonly goal?: Goal & { readonly of: "ratio" | "value" };
  /** The least ratio to Portkey. */
  readonly portkeyGoal?: number;
}

const perSecond: Metric = {
  name: "answers/s",
  unit: "/s",
  value: ({ load }) => load.requests / load.seconds,
};

const cpuPerAnswer: Metric = {
  name: "CPU per answer",
  unit: "µs",
  value: ({ load, cpuNs }) => cpuNs / load.total / 1_000,
};

const addedP50: Metric = {
  name: "added p50",
  unit: "µs",
  value: ({ load }, direct) => (load.latencyUs.p50 ?? Number.NaN) - (direct.load.latencyUs.p50 ?? Number.NaN),
};

const cpuPerEvent: Metric = {
  name: "CPU per event",
  unit: "µs",
  value: ({ load, cpuNs }, _, events) => cpuNs / (load.total * events) / 1_000,
};

const addedDelay: Metric = {
  name: "added event delay p50",
  unit: "µs",
  value: ({ load }, direct) => (load.eventDelayUs.p50 ?? Number.NaN) - (direct.load.eventDelayUs.p50 ?? Number.NaN),
};

const whole = { deltas: 0, pacedUs: 0 };

export const works: readonly Work[] = [
  {
    name: "json-2k",
    title: "JSON 2 KB, 32 at once",
    requestBytes: 2_048,
    ...whole,
    connections: 32,
    metrics: [{ ...perSecond, goal: { of: "ratio", least: 0.5 }, portkeyGoal: 25 }, cpuPerAnswer],
  },
  {
    name: "json-50k",
    title: "JSON 50 KB, 32 at once",
    requestBytes: 51_200,
    ...whole,
    connections: 32,
    metrics: [{ ...perSecond, goal: { of: "ratio", least: 0.7 } }, cpuPerAnswer],
  },
  {
    name: "json-200k",
    title: "JSON 200 KB, 32 at once",
    requestBytes: 204_800,
    ...whole,
    connections: 32,
    metrics: [{ ...perSecond, goal: { of: "ratio", least: 1 } }, cpuPerAnswer],
  },
  {
    name: "sse-burst",
    title: "SSE burst, 200 events at once, 32 streams",
    requestBytes: 2_048,
    deltas: 196,
    pacedUs: 0,
    connections: 32,
    metrics: [{ ...cpuPerAnswer, name: "CPU per stream", goal: { of: "ratio", most: 1.8, raised: 1.6 } }, perSecond],
  },
  {
    name: "sse-paced",
    title: "SSE paced, an event each 10 ms, 32 streams",
    requestBytes: 2_048,
    deltas: 46,
    pacedUs: 10_000,
    connections: 32,
    metrics: [
      { ...cpuPerEvent, goal: { of: "ratio", most: 2.2, raised: 2 } },
      { ...addedDelay, goal: { of: "value", most: 100, raised: 50 } },
    ],
  },
  {
    name: "one-at-a-time",
    title: "JSON 2 KB, one at a time",
    requestBytes: 2_048,
    ...whole,
    connections: 1,
    metrics: [{ ...addedP50, goal: { of: "ratio", most: 2.5 } }, perSecond],
  },
  {
    name: "rate-150",
    title: "JSON 2 KB, 150 requests/s by the clock",
    requestBytes: 2_048,
    ...whole,
    connections: 16,
    rate: 150,
    metrics: [
      { ...cpuPerAnswer, goal: { of: "ratio", most: 3 } },
      { ...addedP50, goal: { of: "ratio", most: 3 } },
    ],
  },
];
