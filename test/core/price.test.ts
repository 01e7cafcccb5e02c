import { describe, expect, it } from "vitest";
import { costOf, formatUsd } from "../../src/core/price.ts";
import { readUsage } from "../../src/protocols/chat-completions/usage.ts";

const usage = { input: 1_000_000, cachedInput: 400_000, output: 100_000, reasoning: 50_000 };
const price = { input: 3, cachedInput: 0.3, output: 15 };

describe("what an answer cost", () => {
  it("is what its tokens cost, cached input at its own price and reasoning within the output", () => {
    expect(costOf(usage, price)).toEqual({ usd: 0.6 * 3 + 0.4 * 0.3 + 0.1 * 15, from: "prices" });
  });

  it("is what the provider reports only where nobody has set a price", () => {
    expect(costOf(usage, null, 0.25)).toEqual({ usd: 0.25, from: "provider" });
    expect(costOf(usage, price, 0.25)).toMatchObject({ from: "prices" });
  });

  it("is read from where OpenRouter says it", () => {
    const said = { prompt_tokens: 194, completion_tokens: 2, cost: 0.95 };
    expect(readUsage({ usage: said })).toEqual({
      input: 194,
      output: 2,
      cachedInput: 0,
      reasoning: 0,
      reportedCost: 0.95,
    });
    expect(readUsage({ usage: { ...said, cost: "0.95" } })).not.toHaveProperty("reportedCost");
  });

  it("is not known without a price, and not without tokens", () => {
    expect(costOf(usage, null)).toBeNull();
    expect(costOf(null, price, 0.25)).toBeNull();
  });

  it("is never less for a provider that counts more cached than all input", () => {
    expect(costOf({ ...usage, input: 10, cachedInput: 20, output: 0 }, price)?.usd).toBeCloseTo((20 * 0.3) / 1e6, 12);
  });

  it.each([
    [0, "$0.00"],
    [12.345, "$12.35"],
    [0.1, "$0.10"],
    [0.0154, "$0.015"],
    [0.002_11, "$0.0021"],
    [0.000_012, "$0.000012"],
    [0.000_000_4, "under $0.000001"],
  ])("of %d USD reads %s", (usd, text) => {
    expect(formatUsd(usd)).toBe(text);
  });
});
