/** When each of many things is due, and who is first: a heap with one time for each id. */
export interface DueTimes {
  /** `at`: Unix ms; null when it is not due at all. Takes the place of what was set before. */
  set(id: string, at: number | null): void;
  /** The earliest; null when nothing is due. */
  first(): { readonly id: string; readonly at: number } | null;
  /** All that are due at `now` (Unix ms) or before, in no order. */
  dueAt(now: number): string[];
}

interface Entry {
  readonly id: string;
  readonly at: number;
}

export function createDueTimes(): DueTimes {
  const times = new Map<string, number>();
  /** Each entry is no later than the two that stand at twice its place. Those that were set anew since are skipped when they come first. */
  let heap: Entry[] = [];

  function push(entry: Entry): void {
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Entry;
      if (above.at <= entry.at) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  function dropFirst(): void {
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Entry).at < (heap[child] as Entry).at) child += 1;
      const below = heap[child] as Entry;
      if (below.at >= last.at) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }

  return {
    set(id, at) {
      const before = times.get(id);
      if (at === null) {
        if (before !== undefined) times.delete(id);
        return;
      }
      if (before === at) return;
      times.set(id, at);
      push({ id, at });
      if (heap.length > 2 * times.size + 64) {
        // A sorted list is a heap.
        heap = Array.from(times, ([id, at]) => ({ id, at })).sort((a, b) => a.at - b.at);
      }
    },
    first() {
      for (;;) {
        const entry = heap[0];
        if (entry === undefined) return null;
        if (times.get(entry.id) === entry.at) return entry;
        dropFirst();
      }
    },
    dueAt(now) {
      const due: string[] = [];
      for (const [id, at] of times) if (at <= now) due.push(id);
      return due;
    },
  };
}
