import { constants, type PerformanceEntry, PerformanceObserver } from "node:perf_hooks";
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from "node:v8";

/** What V8's young generation may grow to, in bytes, two halves together; where collecting it takes much of the time, the larger. V8's own limit is up to 128 MB. */
const mostYoungBytes = { modest: 2 * 4 * 2 ** 20, busy: 2 * 16 * 2 ** 20 } as const;

/** How much the old generation may grow between two collections, in percent of what was in use. The larger is the most that V8 itself would choose. */
const oldGrowth = { modest: 50, most: 300 } as const;
/** Of that larger one, no more than so many bytes: what comes and goes outside of the heap does not grow with what lives in it. */
const mostRoomBytes = 60 * 2 ** 20;

/** What collecting may take is looked at again after so long, in ms. */
const lookedAtMs = 1_000;
/** A larger share of the time than this may not go into collecting the young generation: then it is too small for what is under way at once. */
const mostCollecting = 0.1;
/** So many collections of the old generation may not lie within so long: then it is too small for what comes and goes outside of the heap. A start takes three. */
const crowdedOld = { count: 4, withinMs: 1_000 };
/** So long, and until the next collection, the old generation may grow more after that, in ms. */
const roomyMs = 10 * 60_000;

/**
 * Has V8 keep this process small, from now on: for one that runs for days beside others, as a gateway on a laptop does. What it costs and
 * saves is in bench/README.md: less than half of the memory under load. A gateway that hundreds of turns go through at once is not
 * held small: what they hold would not fit, and V8 would do little else than collect. Nor is one that much goes through outside of the heap, as long
 * requests do: V8 counts that as old, and would go through the whole heap for every 12 MB of it.
 *
 * The sizes themselves can only be said when a process is started, and who starts ours says nothing. But what V8 asks before it grows is asked each
 * time: after each collection the young generation may grow once more, or no further.
 */
export function keepHeapModest(): void {
  let growth: number = oldGrowth.modest;
  setFlagsFromString(`--heap-growing-percent=${growth}`);
  // What compiling took is given back by our thread, at once, and not by one beside it, later: 20 MB less are kept by the C library (decision 025).
  setFlagsFromString("--no-maglev-destroy-on-background");
  let mayGrow = true;
  let youngMs = 0;
  /** When the last collections of the old generation began, the latest last. */
  const oldAt: number[] = [];
  let since = performance.now();
  let roomyUntil = 0;
  let isBusy = false;
  const observer = new PerformanceObserver((list) => {
    let hasOld = false;
    for (const entry of list.getEntries()) {
      const kind = kindOf(entry);
      if (kind === constants.NODE_PERFORMANCE_GC_MINOR) youngMs += entry.duration;
      if (kind !== constants.NODE_PERFORMANCE_GC_MAJOR) continue;
      hasOld = true;
      if (oldAt.push(entry.startTime) > crowdedOld.count) oldAt.shift();
    }
    const now = performance.now();
    const passedMs = now - since;
    const isDue = passedMs >= lookedAtMs;
    if (isDue) {
      isBusy = youngMs > passedMs * mostCollecting;
      youngMs = 0;
      since = now;
    }
    if (isDue || hasOld) {
      if (oldAt.length === crowdedOld.count && now - oldAt[0]! < crowdedOld.withinMs) roomyUntil = now + roomyMs;
      const wanted = now < roomyUntil ? roomyGrowth(getHeapStatistics().used_heap_size) : oldGrowth.modest;
      if (wanted !== growth) setFlagsFromString(`--heap-growing-percent=${(growth = wanted)}`);
    }
    // Asking for the size takes as long as some turns: what may not grow is looked at now and then, and where V8 may have made it smaller.
    if (!mayGrow && !isDue && !hasOld) return;
    const hasRoom = youngBytes() < mostYoungBytes[isBusy ? "busy" : "modest"];
    if (hasRoom === mayGrow) return;
    mayGrow = hasRoom;
    setFlagsFromString(`--semi-space-growth-factor=${mayGrow ? 2 : 1}`);
  });
  observer.observe({ type: "gc" });
}

/** What a heap with so much in use may grow by where it has room, in percent: in steps of 50, since each change is told to V8. */
export function roomyGrowth(usedBytes: number): number {
  const percent = (mostRoomBytes / usedBytes) * 100;
  return Math.min(oldGrowth.most, Math.max(oldGrowth.modest, Math.floor(percent / 50) * 50));
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === "new_space")?.space_size ?? 0;
}

function kindOf(entry: PerformanceEntry): number | undefined {
  return (entry as { readonly detail?: { readonly kind?: number } }).detail?.kind;
}
