import type { Cost, Usage } from "./events.ts";

/** What a model costs, in USD per million tokens. Only what a person has configured: no price is built in. */
export interface Price {
  readonly input: number;
  readonly output: number;
  /** Input that the provider had in its prompt cache. */
  readonly cachedInput: number;
}

const million = 1_000_000;

/**
 * What these tokens cost: by the configured price, since only a person knows of a plan or a discount; else what the provider
 * itself reports, in USD; null when neither is there.
 */
export function costOf(usage: Usage | null, price: Price | null, reportedUsd?: number): Cost | null {
  if (usage === null) return null;
  if (price !== null) return { usd: usdFor(usage, price), from: "prices" };
  return reportedUsd === undefined ? null : { usd: reportedUsd, from: "provider" };
}

/** These tokens at this price, in USD. */
export function usdFor(
  { input, output, cachedInput }: Pick<Usage, "input" | "output" | "cachedInput">,
  price: Price,
): number {
  const fresh = Math.max(0, input - cachedInput);
  return (fresh * price.input + cachedInput * price.cachedInput + output * price.output) / million;
}

/** `$1.25`, `$0.0031`: cents where they say enough, else two digits that count. */
export function formatUsd(usd: number): string {
  if (usd === 0 || Math.abs(usd) >= 0.1) return `$${usd.toFixed(2)}`;
  if (Math.abs(usd) < 0.000_001) return "under $0.000001";
  return `$${Number(usd.toPrecision(2)).toFixed(Math.min(7, 1 - Math.floor(Math.log10(Math.abs(usd)))))}`;
}
