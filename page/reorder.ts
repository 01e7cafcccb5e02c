import { type Signal, signal } from "@preact/signals";
import type { TargetView } from "../src/gateway/page/view.ts";
import { orderRoute } from "./api.ts";

/** After the last arrow key the order is written, this much later in ms: one write, not one per step. */
const settleMs = 400;

/** For this long after the last arrow key a handle gets its focus back, in ms. */
const heldMs = 3_000;

/**
 * Reorders the targets of a route, by pointer (mouse, pen or finger on the handle) and by keyboard (arrow keys on the handle; Escape takes
 * it back before it is written). What is shown until the gateway tells the new order is `order`.
 */
export interface Reorder {
  /** Places of the targets in their new order; null when it is the gateway's own. */
  readonly order: Signal<number[] | null>;
  /** Place of the target under the pointer. */
  readonly dragged: Signal<number | null>;
  /** For a screen reader. */
  readonly said: Signal<string>;
  readonly problem: Signal<string | null>;
  readonly list: { current: HTMLOListElement | null };
  /** Told what the gateway says, each time it is drawn. */
  saw(targets: readonly TargetView[]): void;
  grab(event: PointerEvent, place: number): void;
  key(event: KeyboardEvent, place: number): void;
  /** Gives the focus back to a handle that lost it by being put elsewhere. Called after each drawing. */
  keepFocus(): void;
}

export function createReorder(route: string): Reorder {
  const order = signal<number[] | null>(null);
  const dragged = signal<number | null>(null);
  const said = signal("");
  const problem = signal<string | null>(null);
  const list: { current: HTMLOListElement | null } = { current: null };
  let targets: readonly TargetView[] = [];
  let seen = "";
  let timer = 0;
  /** The handle that was moved by keyboard, and until when it keeps the focus. */
  let held: { readonly name: string | undefined; readonly until: number } | null = null;

  function move(place: number, to: number): void {
    const now = order.value ?? targets.map((_, i) => i);
    const at = now.indexOf(place);
    const next = Math.max(0, Math.min(now.length - 1, to));
    if (at === next) return;
    const moved = now.filter((one) => one !== place);
    moved.splice(next, 0, place);
    order.value = moved;
    said.value = `${targets[place]?.target ?? ""} is now ${next + 1} of ${now.length}`;
  }

  async function write(): Promise<void> {
    const wanted = order.value;
    if (wanted === null || wanted.every((place, i) => place === i)) {
      order.value = null;
      return;
    }
    problem.value = null;
    try {
      await orderRoute(route, { seen: targets.map(({ target }) => target), order: wanted });
    } catch (error) {
      order.value = null;
      problem.value = error instanceof Error ? error.message : String(error);
    }
  }

  return {
    order,
    dragged,
    said,
    problem,
    list,
    saw(told) {
      const names = told.map(({ target }) => target).join("\n");
      targets = told;
      if (names === seen) return;
      seen = names;
      // The gateway has written it, or somebody else has: from here on its order counts.
      order.value = null;
    },
    keepFocus() {
      if (held === null || Date.now() > held.until || document.activeElement !== document.body) return;
      for (const handle of list.current?.querySelectorAll<HTMLElement>(".handle") ?? []) {
        if (handle.dataset["target"] === held.name) handle.focus();
      }
    },
    grab(event, place) {
      const handle = event.currentTarget as HTMLElement;
      event.preventDefault();
      handle.focus();
      handle.setPointerCapture(event.pointerId);
      dragged.value = place;
      const onMove = ({ clientY }: PointerEvent): void => {
        const rows = [...(list.current?.children ?? [])].map((row) => row.getBoundingClientRect());
        const to = rows.findIndex(({ top, height }) => clientY < top + height);
        move(place, to < 0 ? rows.length - 1 : to);
      };
      const onEnd = (): void => {
        handle.removeEventListener("pointermove", onMove);
        handle.removeEventListener("pointerup", onEnd);
        handle.removeEventListener("pointercancel", onEnd);
        dragged.value = null;
        void write();
      };
      handle.addEventListener("pointermove", onMove);
      handle.addEventListener("pointerup", onEnd);
      handle.addEventListener("pointercancel", onEnd);
    },
    key(event, place) {
      const at = (order.value ?? targets.map((_, i) => i)).indexOf(place);
      const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: targets.length - 1 }[event.key];
      if (event.key === "Escape" && order.value !== null) {
        clearTimeout(timer);
        order.value = null;
        said.value = "taken back";
        return;
      }
      if (to === undefined) return;
      event.preventDefault();
      held = { name: (event.currentTarget as HTMLElement).dataset["target"], until: Date.now() + heldMs };
      move(place, to);
      clearTimeout(timer);
      timer = window.setTimeout(() => void write(), settleMs);
    },
  };
}
