import { signal } from "@preact/signals";
import type { StepView, TurnRow } from "../src/gateway/page/view.ts";
import { fetchOlderTurns } from "./api.ts";

/** The turns that were told so far, the newest first. Changed in place; `turnsVersion` says when. */
export const turns: TurnRow[] = [];
export const turnsVersion = signal(0);

/** False when the journal has no older ones, or they are being fetched. */
let mayHaveOlder = true;

/** False until the gateway has told what there was before. */
let isLoaded = false;

/** What happened last that somebody should hear of. */
export const lastSwitch = signal("");

const told = new Map<string, TurnRow>();

/** Forgets all: the stream begins anew. */
export function resetTurns(): void {
  turns.length = 0;
  told.clear();
  mayHaveOlder = true;
  isLoaded = false;
}

/** Takes over new turns and changed ones. What is over stays over: a note of its running may come late. */
export function putTurns(rows: readonly TurnRow[]): void {
  for (const row of rows) {
    const before = told.get(row.id);
    if (before !== undefined && before.endedAt !== null && row.endedAt === null) continue;
    told.set(row.id, row);
    if (isLoaded) noteSwitch(before, row);
    const at = before === undefined ? placeOf(row) : turns.indexOf(before);
    turns.splice(at, before === undefined ? 0 : 1, row);
  }
  isLoaded = true;
  turnsVersion.value += 1;
}

/** Gets what is older than the last one, once at a time. */
export async function fetchMore(): Promise<void> {
  const last = turns.at(-1);
  if (!mayHaveOlder || last === undefined) return;
  mayHaveOlder = false;
  const rows = await fetchOlderTurns(last.id);
  if (turns.at(-1) !== last) return;
  for (const row of rows) {
    if (told.has(row.id)) continue;
    told.set(row.id, row);
    turns.push(row);
  }
  mayHaveOlder = rows.length > 0;
  turnsVersion.value += 1;
}

/** New turns come first or nearly so. */
function placeOf(row: TurnRow): number {
  const at = turns.findIndex((one) => one.startedAt <= row.startedAt);
  return at < 0 ? turns.length : at;
}

function noteSwitch(before: TurnRow | undefined, row: TurnRow): void {
  const hops = toHops(row.steps);
  if (hops.length < 2 || hops.length <= toHops(before?.steps ?? []).length) return;
  const [from, to] = hops.slice(-2);
  if (from !== undefined && to !== undefined) {
    lastSwitch.value = `${to.label} stands in for ${from.label} on ${row.route}: ${from.reason ?? "failed"}`;
  }
}

/** Attempts with the same credential on the same target, one after the other. */
export interface Hop extends StepView {
  readonly tries: number;
}

/** Who was asked, one after the other. */
export function toHops(steps: readonly StepView[]): Hop[] {
  const hops: Hop[] = [];
  for (const step of steps) {
    const last = hops.at(-1);
    if (last !== undefined && last.label === step.label && last.target === step.target) {
      hops[hops.length - 1] = { ...step, reason: step.reason ?? last.reason, tries: last.tries + 1 };
    } else {
      hops.push({ ...step, tries: 1 });
    }
  }
  return hops;
}

/** How a turn went, as far as colours and filters care. */
export function kindOf(row: TurnRow): "running" | "straight" | "switched" | "lost" | "cancelled" {
  if (row.outcome === "running") return "running";
  if (row.outcome === "cancelled") return "cancelled";
  if (row.outcome !== "answered") return "lost";
  const [first] = row.steps;
  return row.steps.every(({ label, target }) => label === first?.label && target === first.target)
    ? "straight"
    : "switched";
}
