import type { TurnRecord } from "../../core/events.ts";
import type { Store } from "../../credentials/store.ts";

/** How many turns a first look takes; each next one takes four times as many. */
const firstLook = 500;

/** The turn of this id; null when the journal has none. Recent ones are found without reading all of it. */
export async function findTurn(store: Store, id: string): Promise<TurnRecord | null> {
  for (let limit = firstLook; ; limit *= 4) {
    const turns = await store.listTurns(limit);
    const found = turns.find((turn) => turn.id === id);
    if (found !== undefined) return found;
    if (turns.length < limit) return null;
  }
}

/** Up to `count` turns that are older than the one of this id, the newest first; empty when there is no such turn. */
export async function listOlderTurns(store: Store, id: string, count: number): Promise<TurnRecord[]> {
  for (let limit = firstLook + count; ; limit *= 4) {
    const turns = await store.listTurns(limit);
    const at = turns.findIndex((turn) => turn.id === id);
    const isWhole = turns.length < limit;
    if (at >= 0 && (isWhole || turns.length - at - 1 >= count)) return turns.slice(at + 1, at + 1 + count);
    if (isWhole) return [];
  }
}
