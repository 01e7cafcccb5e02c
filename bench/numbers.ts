/** The middle of `values`; NaN for none. */
export function median(values: readonly number[]): number {
  if (values.length === 0) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/** The same values in another order. */
export function shuffled<T>(values: readonly T[]): T[] {
  const left = [...values];
  return values.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0]!);
}

/** The value that a share of `values` (0 to 1) is below; NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** What the median of all that could have been measured lies between, with 95 % certainty, whatever their distribution; NaN for none. */
export function medianWithin(values: readonly number[]): readonly [low: number, high: number] {
  const sorted = [...values].sort((a, b) => a - b);
  const reach = 0.98 * Math.sqrt(sorted.length);
  const at = (index: number): number => sorted[Math.min(sorted.length - 1, Math.max(0, index))] ?? Number.NaN;
  return [at(Math.floor(sorted.length / 2 - reach)), at(Math.ceil(sorted.length / 2 + reach) - 1)];
}

/** A value of several rounds. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly rounds: number;
  /** Of each round. Results of earlier versions lack them. */
  readonly values?: readonly number[];
}

export function spreadOf(values: readonly number[]): Spread {
  const known = values.filter(Number.isFinite);
  return {
    median: median(known),
    least: Math.min(...known),
    most: Math.max(...known),
    rounds: known.length,
    values: known.map(shortened),
  };
}

/** Four digits, which is more than any of it is good for. */
function shortened(value: number): number {
  return Number(value.toPrecision(4));
}

/** `1.23`, `12.3`, `1,234`: three digits that matter; `0.0021`: two of what is less than a hundredth. */
export function show(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size > 0 && size < 0.01) return value.toPrecision(2);
  if (size >= 100) return Math.round(value).toLocaleString("en-US");
  return value.toFixed(size >= 10 ? 1 : 2);
}

export function showSpread({ median: middle, least, most }: Spread): string {
  return `${show(middle)} (${show(least)}–${show(most)})`;
}

/** What a figure has to be. Where it is, a goal beyond it may be set: `raised`, on the same side. */
export interface Goal {
  readonly least?: number;
  readonly most?: number;
  readonly raised?: number;
}
