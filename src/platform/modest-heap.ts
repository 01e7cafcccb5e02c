import { PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** What V8's young generation may grow to, in bytes: two halves of 4 MB. Its own limit is four times that. */
const mostYoungBytes = 2 * 4 * 2 ** 20;

/** How much the old generation may grow between two collections, in percent of what was in use. V8's own choice is up to 300. */
const oldGrowth = 50;

/** A larger share of the time than this may not go into collecting: then the young generation is too small for what is under way at once. */
const mostCollecting = 0.1;
/** What the share is taken of, at least, in ms. */
const lookedAtMs = 1_000;

/**
 * Has V8 keep this process small, from now on: for one that runs for days beside others, as a gateway on a laptop does. What it costs and
 * saves is in bench/README.md: less than half of the memory under load. A gateway that hundreds of turns go through at once is not
 * held small: what they hold would not fit, and V8 would do little else than collect.
 *
 * The size itself can only be said when a process is started, and who starts ours says nothing. But what V8 asks before it grows is asked each
 * time: after each collection the young generation may grow once more, or no further.
 */
export function keepHeapModest(): void {
  setFlagsFromString(`--heap-growing-percent=${oldGrowth}`);
  setFlagsFromString("--no-maglev-destroy-on-background");
  let mayGrow = true;
  let collectedMs = 0;
  let since = performance.now();
  let isBusy = false;
  const observer = new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) collectedMs += duration;
    const passedMs = performance.now() - since;
    if (passedMs >= lookedAtMs) {
      isBusy = collectedMs > passedMs * mostCollecting;
      collectedMs = 0;
      since += passedMs;
    }
    const young = getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space");
    const hasRoom = isBusy || young === undefined || young.space_size < mostYoungBytes;
    if (hasRoom === mayGrow) return;
    mayGrow = hasRoom;
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
  });
  observer.observe({ type: "gc" });
}
