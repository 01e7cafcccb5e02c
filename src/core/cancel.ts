import { Slots } from "./slots.ts";

/** As much of an `AbortSignal` as whoever listens to one needs: every one of those is one of these. */
export interface CancelSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { readonly once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * An `AbortController` and its signal in one, for what is made and thrown away with every request: theirs cost as much as a small turn does
 * besides. Listeners must not throw, and each is called once.
 */
export class Canceller implements CancelSignal {
  #aborted = false;
  #reason: unknown = undefined;
  /** Nearly always there is one listener at most. */
  #only: (() => void) | null = null;
  #more: Set<() => void> | null = null;
  #children: Slots<Canceller> | null = null;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Only the first time counts. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const only = this.#only;
    this.#only = null;
    only?.();
    // Whoever is taken off meanwhile is not called any more.
    if (this.#more !== null) for (const listener of this.#more) listener();
    this.#more = null;
    for (const child of this.#children ?? []) child.abort(reason);
  }

  /** From now on `child` aborts with this one. Gives its place, for `release`. */
  adopt(child: Canceller): number {
    if (this.#aborted) child.abort(this.#reason);
    return (this.#children ??= new Slots()).add(child);
  }

  /** To be called once for each place. */
  release(place: number): void {
    this.#children?.remove(place);
  }

  /** After the abort nobody is called any more: ask `aborted` first. */
  addEventListener(_type: "abort", listener: () => void): void {
    if (this.#aborted || this.#only === listener) return;
    if (this.#only === null) this.#only = listener;
    else (this.#more ??= new Set()).add(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    if (this.#only === listener) this.#only = null;
    else this.#more?.delete(listener);
  }
}

/** The same as an `AbortSignal`, for whoever insists on one. */
export function toAbortSignal(signal: CancelSignal): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  const controller = new AbortController();
  if (signal.aborted) controller.abort(signal.reason);
  else signal.addEventListener("abort", () => controller.abort(signal.reason), { once: true });
  return controller.signal;
}
