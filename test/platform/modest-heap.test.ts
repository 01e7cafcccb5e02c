import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

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

describe("a modest heap", () => {
  it("has a young generation that stays small, where it would grow, but not for one that does little else than collect", async () => {
    const [modest, usual, crowded] = await Promise.all([
      youngAfterwards({ isModest: true, pauseMs: 10 }),
      youngAfterwards({ isModest: false, pauseMs: 10 }),
      youngAfterwards({ isModest: true, pauseMs: 0 }),
    ]);
    expect(modest).toBeLessThan(12);
    expect(usual).toBeGreaterThan(20);
    expect(crowded).toBeGreaterThan(20);
  });
});
