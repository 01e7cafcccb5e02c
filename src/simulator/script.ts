/** What an entry of a script is for. A field that is missing fits everything. */
export type Where = Readonly<Record<string, string | undefined>>;

interface Entry<T> {
  readonly cue: T;
  readonly where: Where;
  left: number;
}

/**
 * What happens next. Two layers: a queue of cues, each for a number of requests, played in the order in which they were added
 * to the first request that they fit; and below it what stands until it is changed, where the entry that fits most
 * narrowly wins.
 */
export class Script<T> {
  #queue: Entry<T>[] = [];
  #standing: Entry<T>[] = [];

  /** Queues `cue` for the next `times` requests that fit `where`. */
  add(cue: T, where: Where, times: number): void {
    this.#queue.push({ cue, where, left: times });
  }

  /** Lets `cue` stand for all requests that fit `where`, in place of what stood for exactly that. */
  set(cue: T, where: Where): void {
    this.unset(where);
    this.#standing.push({ cue, where, left: Number.POSITIVE_INFINITY });
  }

  /** Takes away what stands for exactly `where`. */
  unset(where: Where): void {
    this.#standing = this.#standing.filter((entry) => !sameWhere(entry.where, where));
  }

  clear(): void {
    this.#queue = [];
    this.#standing = [];
  }

  /** The cue for this request; null when nothing was said about it. Uses up one turn of a queued cue. */
  next(request: Where): T | null {
    const queued = this.#queue.find((entry) => fits(entry.where, request));
    if (queued !== undefined) {
      queued.left -= 1;
      if (queued.left <= 0) this.#queue = this.#queue.filter((entry) => entry !== queued);
      return queued.cue;
    }
    const standing = this.#standing.filter((entry) => fits(entry.where, request));
    standing.sort((a, b) => narrowness(b.where) - narrowness(a.where));
    return standing[0]?.cue ?? null;
  }

  /** Queued cues that nobody has asked for yet. */
  get unplayed(): T[] {
    return this.#queue.map((entry) => entry.cue);
  }
}

function fits(where: Where, request: Where): boolean {
  return Object.entries(where).every(([field, value]) => value === undefined || request[field] === value);
}

function narrowness(where: Where): number {
  return Object.values(where).filter((value) => value !== undefined).length;
}

function sameWhere(a: Where, b: Where): boolean {
  return narrowness(a) === narrowness(b) && fits(a, b);
}
