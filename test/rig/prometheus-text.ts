/**
 * Reads Prometheus' text format 0.0.4 as strictly as its own parser does, and what a scrape would count as wrong besides: a sample
 * without a type, a name twice, a histogram whose buckets don't grow. Throws for each.
 */
export interface ParsedMetrics {
  /** By name as it was declared. */
  readonly types: ReadonlyMap<string, string>;
  /** Value of one sample, by its name and labels as they are written; throws when there is none. */
  value(sample: string): number;
  /** Undefined when there is none. */
  find(sample: string): number | undefined;
}

const namePattern = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const labelPattern = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const samplePattern = new RegExp(
  `^(${namePattern})(\\{(?:${labelPattern}(?:,${labelPattern})*)?\\})? (-?(?:\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)|[+-]Inf|NaN)$`,
);
const helpPattern = new RegExp(`^# HELP (${namePattern}) \\S.*$`);
const typePattern = new RegExp(`^# TYPE (${namePattern}) (counter|gauge|histogram)$`);

export function parseMetrics(text: string): ParsedMetrics {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const samples = new Map<string, number>();
  let current = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const [, helped] = helpPattern.exec(line) ?? [];
    const [, typed, type] = typePattern.exec(line) ?? [];
    const [, name, labels = "", value] = samplePattern.exec(line) ?? [];
    if (helped !== undefined) {
      if (helps.has(helped)) throw new Error(`HELP twice: ${line}`);
      helps.add(helped);
      current = helped;
    } else if (typed !== undefined && type !== undefined) {
      if (types.has(typed) || typed !== current) throw new Error(`TYPE twice or without its HELP: ${line}`);
      types.set(typed, type);
    } else if (name !== undefined && value !== undefined) {
      const family = types.get(current) === "histogram" ? name.replace(/_(?:bucket|sum|count)$/, "") : name;
      if (family !== current || !types.has(current)) throw new Error(`a sample outside its family: ${line}`);
      if (types.get(current) === "counter" && !name.endsWith("_total")) throw new Error(`a counter's name: ${line}`);
      if (samples.has(name + labels)) throw new Error(`a sample twice: ${line}`);
      samples.set(name + labels, Number(value.replace("Inf", "Infinity")));
    } else throw new Error(`no line of this format: ${JSON.stringify(line)}`);
  }
  for (const [name, type] of types) if (type === "histogram") checkHistogram(name, samples);
  return {
    types,
    find: (sample) => samples.get(sample),
    value(sample) {
      const value = samples.get(sample);
      if (value === undefined) throw new Error(`there is no ${sample} in\n${text}`);
      return value;
    },
  };
}

function checkHistogram(name: string, samples: ReadonlyMap<string, number>): void {
  const buckets = [...samples].filter(([sample]) => sample.startsWith(`${name}_bucket{`));
  const counts = buckets.map(([, count]) => count);
  if (counts.some((count, i) => count < (counts[i - 1] ?? 0))) throw new Error(`${name}: its buckets don't grow`);
  if (buckets.at(-1)?.[0] !== `${name}_bucket{le="+Inf"}`) throw new Error(`${name}: no last bucket`);
  if (counts.at(-1) !== samples.get(`${name}_count`)) throw new Error(`${name}: its count is not its last bucket`);
  if (!samples.has(`${name}_sum`)) throw new Error(`${name}: no sum`);
}
