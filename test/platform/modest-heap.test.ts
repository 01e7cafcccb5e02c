import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const module = new URL("../../src/platform/modest-heap.ts", import.meta.url).href;

/** What a process of its own holds as its young generation, in MB, after much of what it made lived for a while. */
async function youngAfterwards(prepare: string): Promise<number> {
  const program = `
    import { getHeapSpaceStatistics } from "node:v8";
    ${prepare}
    const kept = [];
    for (let round = 0; round < 300; round++) {
      const made = Array.from({ length: 10_000 }, (_, i) => ({ i, text: "x" + i }));
      kept.push(made.slice(0, 300));
      if (kept.length > 50) kept.shift();
      await new Promise(setImmediate);
    }
    const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
    console.log(young.space_size / 2 ** 20);`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  return Number(stdout);
}

describe("a modest heap", () => {
  it("has a young generation that stays small, where it would grow", async () => {
    const [modest, usual] = await Promise.all([
      youngAfterwards(`import { keepHeapModest } from ${JSON.stringify(module)}; keepHeapModest();`),
      youngAfterwards(""),
    ]);
    expect(modest).toBeLessThan(12);
    expect(usual).toBeGreaterThan(30);
  });
});
