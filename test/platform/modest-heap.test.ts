import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { roomyGrowth } from "../../src/platform/modest-heap.ts";

const module = new URL("../../src/platform/modest-heap.ts", import.meta.url).href;

/** What a process of its own holds as its young generation, in MB, after much of what it made lived for a while. */
async function youngAfterwards({ isModest, pauseMs }: { isModest: boolean; pauseMs: number }): Promise<number> {
  const program = `
    import { getHeapSpaceStatistics } from "node:v8";
    import { keepHeapModest } from ${JSON.stringify(module)};
    if (${isModest}) keepHeapModest();
    const kept = [];
    const endAt = performance.now() + 1_600;
    for (let round = 0; round < 150 || performance.now() < endAt; round++) {
      const made = Array.from({ length: 10_000 }, (_, i) => ({ i, text: "x" + i }));
      kept.push(made.slice(0, ${pauseMs > 0 ? 300 : 3_000}));
      if (kept.length > 50) kept.shift();
      await new Promise((resolve) => setTimeout(resolve, ${pauseMs}));
    }
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
    console.log(young.space_size / 2 ** 20);`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  return Number(stdout);
}

/** How often the old generation is collected in the three seconds of a process of its own through which 200 KB go again and again, outside of the heap. */
async function oldCollections(): Promise<number> {
  const program = `
    import { constants, PerformanceObserver } from "node:perf_hooks";
    import { keepHeapModest } from ${JSON.stringify(module)};
    keepHeapModest();
    // As much as a gateway has loaded.
    const kept = Array.from({ length: 100_000 }, (_, i) => ({ i, text: "x" + i }));
    const endAt = performance.now() + 3_000;
    let count = 0;
    new PerformanceObserver((list) => {
      for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) count += 1;
    }).observe({ type: "gc" });
    while (performance.now() < endAt) {
      for (let i = 0; i < 4; i++) {
        new ArrayBuffer(200 * 1024);
        Array.from({ length: 3_000 }, (_, i) => ({ i }));
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    console.log(count, kept.length);`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  return Number.parseInt(stdout, 10);
}

describe("a modest heap", () => {
  it("has a young generation that stays small, where it would grow, a larger one for who does little else than collect", async () => {
    const [modest, usual, crowded] = await Promise.all([
      youngAfterwards({ isModest: true, pauseMs: 25 }),
      youngAfterwards({ isModest: false, pauseMs: 25 }),
      youngAfterwards({ isModest: true, pauseMs: 0 }),
    ]);
    expect(modest).toBeLessThan(12);
    expect(usual).toBeGreaterThan(20);
    expect(crowded).toBeGreaterThan(20);
    expect(crowded).toBeLessThan(34);
  });

  it("does not go through the whole heap again and again where much goes through outside of it", async () => {
    // Four within a second are what it takes to be noticed.
    const count = await oldCollections();
    expect(count).toBeGreaterThanOrEqual(4);
    expect(count).toBeLessThan(10);
  });

  it.each([
    [15, 300],
    [20, 300],
    [25, 200],
    [45, 100],
    [60, 100],
    [100, 50],
    [1_500, 50],
  ])(
    "with room: %i MB in use may grow by %i percent, 60 MB at most, and by half whatever they are",
    (usedMb, percent) => {
      expect(roomyGrowth(usedMb * 2 ** 20)).toBe(percent);
    },
  );
});
