import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { TurnRow } from "../src/gateway/page/view.ts";
import { fetchMore, kindOf, turns, turnsVersion } from "./turn-list.ts";
import { openTurn } from "./turn-detail.tsx";
import { TurnLine } from "./turn-line.tsx";

/** Rows that are drawn beyond those in sight, on either side. */
const overscan = 5;

/** So near to the end the next older turns are fetched, in rows. */
const fetchAhead = 60;

const filters = { all: "All", switched: "Switched", lost: "Lost" } as const;
type Filter = keyof typeof filters;

const filter = signal<Filter>("all");
/** The first row in sight, and how many there are. */
const sight = signal({ first: 0, count: 30 });
/** The row that has, or had, the focus: one stop of the Tab key for the whole list. */
const current = signal(0);

/** The turns as they come, the newest first. Only what is in sight is drawn, however long the journal is. */
export function Turns() {
  const box = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const shown = filterTurns();
  const { first, count } = sight.value;
  const from = Math.max(0, Math.min(first - overscan, shown.length - count - overscan));
  const rows = shown.slice(from, first + count + overscan);

  useEffect(() => {
    const look = (): void => {
      if (box.current !== null && list.current !== null) sight.value = lookAt(box.current, list.current);
    };
    look();
    const container = box.current;
    container?.addEventListener("scroll", look, { passive: true });
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      container?.removeEventListener("scroll", look);
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [shown.length === 0]);

  useEffect(() => {
    if (first + count + fetchAhead >= shown.length) void fetchMore().catch(() => {});
    // With a filter there may be too few among those that are loaded.
  }, [first, count, shown.length, filter.value === "all" ? 0 : turns.length]);

  const onKey = (event: KeyboardEvent): void => {
    const page = Math.max(1, count - 2);
    const steps: Readonly<Record<string, number>> = {
      ArrowUp: current.value - 1,
      ArrowDown: current.value + 1,
      PageUp: current.value - page,
      PageDown: current.value + page,
      Home: 0,
      End: shown.length - 1,
    };
    const to = steps[event.key];
    if (to === undefined || list.current === null || box.current === null) return;
    event.preventDefault();
    current.value = Math.max(0, Math.min(shown.length - 1, to));
    reveal(box.current, list.current, current.value);
  };

  return (
    <section aria-labelledby="turns">
      <div class="heading">
        <h2 id="turns" tabIndex={-1}>
          Turns
        </h2>
        <fieldset class="segments">
          <legend class="unseen">Which turns</legend>
          {(Object.keys(filters) as Filter[]).map((name) => (
            <label key={name}>
              <input
                type="radio"
                name="turns-shown"
                checked={filter.value === name}
                onChange={() => {
                  filter.value = name;
                  current.value = 0;
                }}
              />
              <span>{filters[name]}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <div class="panel turns" ref={box}>
        {shown.length === 0 ? (
          <p class="empty">
            {turns.length === 0 ? "No turn yet: the next one shows up here." : "None among the turns that are loaded."}
          </p>
        ) : (
          <ol ref={list} onKeyDown={onKey} style={{ height: `calc(${shown.length} * var(--row))` }}>
            {rows.map((row, i) => (
              <li
                key={row.id}
                aria-setsize={shown.length}
                aria-posinset={from + i + 1}
                style={{ transform: `translateY(calc(${from + i} * var(--row)))` }}
              >
                <button
                  type="button"
                  class={`turn turn-${kindOf(row)}`}
                  data-place={from + i}
                  tabIndex={from + i === reachable(from, rows.length) ? 0 : -1}
                  onFocus={() => {
                    current.value = from + i;
                  }}
                  onClick={() => openTurn(row.id)}
                >
                  <TurnLine row={row} />
                </button>
              </li>
            ))}
          </ol>
        )}
      </div>
    </section>
  );
}

function filterTurns(): readonly TurnRow[] {
  // Read, so that this is drawn anew when it changes.
  if (turnsVersion.value < 0) return [];
  return filter.value === "all" ? turns : turns.filter((row) => kindOf(row) === filter.value);
}

/** The row that the Tab key reaches: the current one, or one that is drawn. */
function reachable(from: number, count: number): number {
  return Math.max(from, Math.min(from + count - 1, current.value));
}

/** Which rows are in sight, whether the list scrolls in its box or with the page. */
function lookAt(box: HTMLElement, list: HTMLElement): { first: number; count: number } {
  const row = rowHeight(list);
  const frame = box.getBoundingClientRect();
  const top = Math.max(0, frame.top);
  const bottom = Math.min(innerHeight, frame.bottom);
  const first = Math.max(0, Math.floor((top - list.getBoundingClientRect().top) / row));
  const next = { first, count: Math.max(1, Math.ceil((bottom - top) / row) + 1) };
  const { value } = sight;
  return value.first === next.first && value.count === next.count ? value : next;
}

function rowHeight(list: HTMLElement): number {
  return Number.parseFloat(getComputedStyle(list).getPropertyValue("--row-px")) || 44;
}

/** Scrolls to a row, and gives it the focus once it is drawn. */
function reveal(box: HTMLElement, list: HTMLElement, place: number): void {
  const row = rowHeight(list);
  if (box.scrollHeight > box.clientHeight + 1) {
    if (place * row < box.scrollTop) box.scrollTop = place * row;
    if ((place + 1) * row > box.scrollTop + box.clientHeight) box.scrollTop = (place + 1) * row - box.clientHeight;
  } else {
    const top = list.getBoundingClientRect().top + place * row;
    if (top < 0 || top + row > innerHeight) scrollBy(0, top - innerHeight / 2);
  }
  const focus = (tries: number): void => {
    const button = list.querySelector<HTMLElement>(`[data-place="${place}"]`);
    if (button !== null) button.focus({ preventScroll: true });
    else if (tries > 0) requestAnimationFrame(() => focus(tries - 1));
  };
  requestAnimationFrame(() => focus(10));
}
