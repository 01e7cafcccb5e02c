import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** What V8's young generation may grow to, in bytes: two halves of 4 MB. Its own limit is eight times that. */
const mostYoungBytes = 2 * 4 * 2 ** 20;

/** How much the old generation may grow between two collections, in percent of what was in use. V8's own choice is up to 300. */
const oldGrowth = 50;

/**
 * Has V8 keep this process small, from now on: for one that runs for days beside others, as a gateway on a laptop does. What it costs and
 * saves is in bench/README.md: less than half of the memory under load, for 9 µs of collecting per answer.
 *
 * The size itself can only be said when a process is started, and who starts ours says nothing. But what V8 asks before it grows is asked each
 * time: after each collection the young generation may grow once more, or no further.
 */
export function keepHeapModest(): void {
  setFlagsFromString(`--heap-growing-percent=${oldGrowth}`);
  let mayGrow = true;
  const observer = new PerformanceObserver(() => {
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
    const hasRoom = young === undefined || young.space_size < mostYoungBytes;
    if (hasRoom === mayGrow) return;
    mayGrow = hasRoom;
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
  });
  observer.observe({ type: "gc" });
}
