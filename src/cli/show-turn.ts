import { UnderstudyError } from "../core/error.ts";
import type { TurnRecord } from "../core/events.ts";
import type { Store } from "../credentials/store.ts";
import { explainTurn } from "../turn/explain-turn.ts";
import { reckonSwitch } from "../turn/switch-cost.ts";
import type { Workspace } from "../workspace.ts";
import { dataColors, printLines } from "./output.ts";

/** More turns than the journal keeps. */
const wholeJournal = 1_000_000;

/** Prints how a turn went: the last one, or the one whose id begins or ends like this. Throws `usage`. */
export async function showTurn({ store, clock, runtime }: Workspace, id: string | undefined): Promise<void> {
  const turn = await findTurn(store, id);
  const switched = await reckonSwitch(turn, store, runtime.priceOf);
  const colors = { strong: dataColors.bold, good: dataColors.green, bad: dataColors.yellow };
  for (const { depth, parts } of explainTurn(turn, await store.listCredentials(), clock.now(), switched)) {
    const text = parts.map(({ text, tone }) => (tone === undefined ? text : colors[tone](text))).join("");
    printLines(`${indents[depth]}${text}`);
  }
}

const indents = ["", "  ", "     "] as const;

/** The last turn, or the one whose id begins or ends like this. Throws `usage` when there is none, or several. */
export async function findTurn(store: Store, id: string | undefined): Promise<TurnRecord> {
  return chooseTurn(await store.listTurns(id === undefined ? 1 : wholeJournal), id);
}

function chooseTurn(turns: readonly TurnRecord[], id: string | undefined): TurnRecord {
  if (id === undefined) {
    const [last] = turns;
    if (last !== undefined) return last;
    throw new UnderstudyError("usage", "there was no turn yet");
  }
  // An id begins with its time, so that it is the end that tells turns of one day apart.
  const [turn, another] = turns.filter(
    (one) => [id, `turn_${id}`].some((part) => one.id.startsWith(part)) || one.id.endsWith(id),
  );
  if (turn === undefined) throw new UnderstudyError("usage", "the journal has no turn with this id");
  if (another !== undefined && turn.id !== id)
    throw new UnderstudyError("usage", "several turns begin or end like this");
  return turn;
}
