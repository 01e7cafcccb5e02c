import type { TurnEvent, TurnRecord } from "../../core/events.ts";
import type { Workspace } from "../../workspace.ts";
import { ActivityCount, activityWindowMs } from "./count-activity.ts";
import { readState } from "./read-state.ts";
import { type RunningTurn, RunningTurns, standing } from "./running-turns.ts";
import { toTurnRow } from "./turn-row.ts";
import type { LiveMessage, PageState, TurnRow } from "./view.ts";

/** How often the store is looked at while somebody watches, in ms. Turns of this process are told at once, besides. */
const lookEveryMs = 500;

/** How often the state is read when nothing hints at a change, in ms. */
const stateEveryMs = 2_000;

/** How often the plots are drawn anew at most, in ms. */
const activityEveryMs = 2_000;

/** Turns that a page gets when it opens. */
const firstTurns = 200;

/** Turns that the plots of the last hours are made of at most: reading them must not hold up a turn for long. */
const countedTurns = 4_000;

/** Turns that one look takes over from the journal at most. */
const turnsPerLook = 1_000;

/**
 * What the open pages are told. Works only while somebody watches: besides that it costs a note per event of the turns under way.
 * What other processes do is read from the store.
 */
export class LiveFeed {
  readonly running = new RunningTurns();
  readonly #workspace: Workspace;
  readonly #watchers = new Set<(message: LiveMessage) => void>();
  /** Ids of turns of the journal that were told already, the newest last. */
  #told = new Set<string>();
  #activity: { readonly count: ActivityCount; partial: boolean } | null = null;
  #state: PageState | null = null;
  #isStale = true;
  #stateAt = 0;
  #activityAt = 0;
  #sentActivity = "";
  readonly #changed = new Map<string, TurnRow>();
  #flushTimer: NodeJS.Timeout | null = null;
  #lookTimer: NodeJS.Timeout | null = null;
  #isLooking = false;
  #unsubscribe: (() => void) | undefined;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
  }

  /** Told by the gateway of every event of its turns. */
  observe(noted: RunningTurn, event: TurnEvent): void {
    const isWatched = this.#watchers.size > 0;
    const turn = this.running.observe(noted, event, isWatched);
    if (!isWatched) return;
    if (turn !== null) this.#changed.set(turn.id, toTurnRow(turn));
    if (event.type !== "turn-start" && event.type !== "attempt-start") this.#isStale = true;
    this.#flushTimer ??= setTimeout(() => this.#flush(), 50).unref();
  }

  /** A turn broke without an end of its own: it is under way no longer. */
  leave(noted: RunningTurn): void {
    const turn = noted.place < 0 ? null : standing(noted);
    if (turn === null) return;
    this.running.forget(noted);
    const endedAt = this.#workspace.clock.now();
    this.#tell({ type: "turns", turns: [toTurnRow({ ...turn, outcome: "failed", endedAt })] });
  }

  /** Something was changed by hand: the pages are told soon. */
  touch(): void {
    this.#isStale = true;
    if (this.#watchers.size > 0) void this.#look();
  }

  /** Tells `watcher` how everything stands, and from then on what changes. Returns how to stop. */
  async watch(watcher: (message: LiveMessage) => void): Promise<() => void> {
    const { store } = this.#workspace;
    await this.#open();
    const rows = (await store.listTurns(firstTurns)).map(toTurnRow);
    const state = await this.#readState();
    watcher({ type: "state", state });
    watcher({ type: "turns", turns: [...this.running.list().map(toTurnRow), ...rows] });
    watcher({ type: "activity", activity: this.#viewActivity() });
    this.#watchers.add(watcher);
    this.#unsubscribe ??= store.subscribe?.(() => {
      this.#isStale = true;
    });
    this.#lookTimer ??= setInterval(() => void this.#look(), lookEveryMs).unref();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.close();
    };
  }

  /** Stops looking, and forgets what it has counted. */
  close(): void {
    if (this.#lookTimer !== null) clearInterval(this.#lookTimer);
    if (this.#flushTimer !== null) clearTimeout(this.#flushTimer);
    this.#lookTimer = null;
    this.#flushTimer = null;
    this.#unsubscribe?.();
    this.#unsubscribe = undefined;
    this.#activity = null;
    this.#told = new Set();
    this.#changed.clear();
    this.#sentActivity = "";
  }

  /** Counts the last hours when the first one comes to watch. */
  async #open(): Promise<void> {
    if (this.#activity !== null) return;
    const { store, clock } = this.#workspace;
    const turns = await store.listTurns(countedTurns);
    const oldest = clock.now() - activityWindowMs;
    const count = new ActivityCount();
    for (const turn of turns) if (turn.endedAt >= oldest) count.add(turn);
    const partial = turns.length === countedTurns && (turns.at(-1)?.endedAt ?? 0) > oldest;
    this.#told = new Set(turns.map(({ id }) => id).reverse());
    this.#activity = { count, partial };
  }

  /** What this process has heard of its own turns. */
  #flush(): void {
    this.#flushTimer = null;
    const turns = [...this.#changed.values()];
    this.#changed.clear();
    if (turns.length > 0) this.#tell({ type: "turns", turns });
    if (this.#isStale) void this.#look();
  }

  async #look(): Promise<void> {
    if (this.#isLooking || this.#watchers.size === 0) return;
    this.#isLooking = true;
    try {
      const now = this.#workspace.clock.now();
      const turns = await this.#readNewTurns();
      if (turns.length > 0) this.#tell({ type: "turns", turns: turns.map(toTurnRow) });
      if (this.#isStale || Math.abs(now - this.#stateAt) >= stateEveryMs) {
        const before = JSON.stringify({ ...this.#state, now: 0 });
        const state = await this.#readState();
        if (JSON.stringify({ ...state, now: 0 }) !== before) this.#tell({ type: "state", state });
      }
      if (Math.abs(now - this.#activityAt) >= activityEveryMs) this.#tellActivity();
    } catch (error) {
      this.#tellTrouble(error);
    } finally {
      this.#isLooking = false;
    }
  }

  /** Turns that came into the journal since the last look, whoever ran them; the newest first. */
  async #readNewTurns(): Promise<TurnRecord[]> {
    for (let limit = 50; ; limit *= 5) {
      const turns = await this.#workspace.store.listTurns(Math.min(limit, turnsPerLook));
      const fresh = turns.filter(({ id }) => !this.#told.has(id));
      if (fresh.length === turns.length && turns.length === limit && limit < turnsPerLook) continue;
      for (const turn of fresh.toReversed()) {
        this.#told.add(turn.id);
        this.#activity?.count.add(turn);
      }
      for (const id of this.#told) {
        if (this.#told.size <= countedTurns) break;
        this.#told.delete(id);
      }
      return fresh;
    }
  }

  async #readState(): Promise<PageState> {
    this.#isStale = false;
    this.#stateAt = this.#workspace.clock.now();
    this.#state = await readState(this.#workspace);
    return this.#state;
  }

  #tellTrouble(error: unknown): void {
    const trouble = error instanceof Error ? error.message : String(error);
    if (this.#state === null || this.#state.trouble === trouble) return;
    this.#state = { ...this.#state, trouble };
    this.#isStale = true;
    this.#tell({ type: "state", state: this.#state });
  }

  #viewActivity(): ReturnType<ActivityCount["view"]> {
    const { count, partial } = this.#activity ?? { count: new ActivityCount(), partial: false };
    return count.view(this.#workspace.clock.now(), partial);
  }

  #tellActivity(): void {
    this.#activityAt = this.#workspace.clock.now();
    const activity = this.#viewActivity();
    const text = JSON.stringify(activity);
    if (text === this.#sentActivity) return;
    this.#sentActivity = text;
    this.#tell({ type: "activity", activity });
  }

  #tell(message: LiveMessage): void {
    for (const watcher of this.#watchers) watcher(message);
  }
}
