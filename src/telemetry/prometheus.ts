/**
 * Metrics as Prometheus reads them: text format 0.0.4.
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */

/** One metric with all its samples, as data: it can be sent to another process and added to what that one counts. */
export interface MetricFamily {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** How several processes' values become one: they add up, or all see the same. */
  readonly merge: "sum" | "max";
  /** Name (with its suffix) and labels as they are written, and the value. */
  readonly samples: readonly (readonly [string, number])[];
}

export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  /** Names of its labels; values are given in this order. */
  readonly labels?: readonly string[];
}

export interface Counter {
  /** `by` is 1 unless given, and never negative. */
  add(values?: readonly string[], by?: number): void;
  /** What is counted for these values, from now on shown if it is zero, too. Whoever counts often keeps it. */
  series(values: readonly string[]): Series;
  family(): MetricFamily;
}

export interface Series {
  /** Never goes down. */
  count: number;
}

export interface Histogram {
  observe(value: number): void;
  family(): MetricFamily;
}

export function createCounter({ name, help, labels = [] }: MetricOptions): Counter {
  // By the values, joined: names are written when somebody reads them.
  const counts = new Map<string, { readonly values: readonly string[]; count: number }>();
  // A counter without labels is there from the start: a rate over it needs its first zero.
  if (labels.length === 0) counts.set("", { values: [], count: 0 });

  function series(values: readonly string[]): Series {
    const [only = ""] = values;
    const key = values.length < 2 ? only : values.join("\n");
    let known = counts.get(key);
    if (known === undefined) counts.set(key, (known = { values, count: 0 }));
    return known;
  }

  return {
    add(values = [], by = 1) {
      series(values).count += by;
    },
    series,
    family: () => {
      const samples = [...counts.values()].map(
        ({ values, count }) => [sampleName(name, labels, values), count] as const,
      );
      return { name, type: "counter", help, merge: "sum", samples };
    },
  };
}

/** `bounds` are the upper bounds of its buckets, in order. */
export function createHistogram({ name, help, bounds }: MetricOptions & { bounds: readonly number[] }): Histogram {
  /** Of each bucket those that the one before does not hold; those beyond all bounds come last. */
  const counts = [...bounds, 0].map(() => 0);
  let sum = 0;
  return {
    observe(value) {
      sum += value;
      let i = 0;
      while (i < bounds.length && !(value <= (bounds[i] ?? 0))) i += 1;
      counts[i] = (counts[i] ?? 0) + 1;
    },
    family() {
      let count = 0;
      const samples: (readonly [string, number])[] = counts.map((own, i) => {
        count += own;
        return [`${name}_bucket{le="${bounds[i] ?? "+Inf"}"}`, count];
      });
      samples.push([`${name}_sum`, sum], [`${name}_count`, count]);
      return { name, type: "histogram", help, merge: "sum", samples };
    },
  };
}

/** A gauge with the values that it has now. */
export function gaugeFamily(
  { name, help, labels = [], merge = "sum" }: MetricOptions & { merge?: MetricFamily["merge"] },
  values: readonly (readonly [readonly string[], number])[],
): MetricFamily {
  return {
    name,
    type: "gauge",
    help,
    merge,
    samples: values.map(([given, value]) => [sampleName(name, labels, given), value]),
  };
}

/** What several processes count, as one. The first to name a metric says what it is. */
export function mergeFamilies(processes: readonly (readonly MetricFamily[])[]): MetricFamily[] {
  const merged = new Map<string, { family: MetricFamily; samples: Map<string, number> }>();
  for (const family of processes.flat()) {
    const { samples } = merged.get(family.name) ?? { samples: new Map<string, number>() };
    merged.set(family.name, { family: merged.get(family.name)?.family ?? family, samples });
    for (const [key, value] of family.samples) {
      const before = samples.get(key);
      if (before === undefined) samples.set(key, value);
      else samples.set(key, family.merge === "max" ? Math.max(before, value) : before + value);
    }
  }
  return [...merged.values()].map(({ family, samples }) => ({ ...family, samples: [...samples] }));
}

export function renderFamilies(families: readonly MetricFamily[]): string {
  return families
    .flatMap(({ name, type, help, samples }) => [
      `# HELP ${name} ${help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}`,
      `# TYPE ${name} ${type}`,
      ...samples.map(([key, value]) => `${key} ${value}`),
    ])
    .concat("")
    .join("\n");
}

function sampleName(name: string, labels: readonly string[], values: readonly string[]): string {
  if (labels.length === 0) return name;
  return `${name}{${labels.map((label, i) => `${label}="${escapeLabel(values[i] ?? "")}"`).join(",")}}`;
}

function escapeLabel(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
