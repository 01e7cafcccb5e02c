import { describe, expect, it } from "vitest";
import { orderCredentials, type Selectable, strategies } from "../../src/core/select.ts";

const pool: Selectable[] = [
  { id: "a", priority: 1, uses: 5, lastUsedAt: 300 },
  { id: "b", priority: 0, uses: 9, lastUsedAt: 100 },
  { id: "c", priority: 2, uses: 1, lastUsedAt: 200 },
];
const ids = (ordered: Selectable[]): string => ordered.map(({ id }) => id).join("");

describe("the order of a pool", () => {
  it.each([
    ["fill_first", "bac"],
    ["round_robin", "bca"],
    ["least_used", "cab"],
  ] as const)("%s gives %s", (strategy, expected) => {
    expect(ids(orderCredentials(pool, strategy, Math.random))).toBe(expected);
  });

  it("random gives every order about equally often", () => {
    let seed = 1;
    const random = (): number => {
      seed = (seed * 16_807) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const counts = new Map<string, number>();
    for (let i = 0; i < 6_000; i++) {
      const order = ids(orderCredentials(pool, "random", random));
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  it.each(strategies)("%s puts the preferred one first and loses nobody", (strategy) => {
    const ordered = orderCredentials(pool, strategy, Math.random, "c");
    expect(ordered[0]?.id).toBe("c");
    expect(ordered.map(({ id }) => id).sort()).toEqual(["a", "b", "c"]);
  });

  it("does not change the pool it is given", () => {
    const before = ids(pool);
    orderCredentials(pool, "least_used", Math.random, "a");
    expect(ids(pool)).toBe(before);
  });
});
