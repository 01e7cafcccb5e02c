import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { Figures } from "./figures.ts";

/** How far a long run has come, kept in a file so that a stop loses at most the last seconds. */
export interface KeptRun {
  /** The seed to go on with. */
  readonly next: number;
  readonly turnsEach: number;
  /** Time that was spent on it, over all its parts. */
  readonly seconds: number;
  readonly figures: Figures;
}

/** Tables of figures, each a map from a name to a count. */
const tables = ["checks", "outcomes", "secondSpends", "lostLogins", "excused", "counts"] as const;

/** What the file holds; null when there is none yet. Throws when it is no file of a run with worlds of so many turns. */
export function readKeptRun(file: string, turnsEach: number): KeptRun | null {
  if (!existsSync(file)) return null;
  const kept = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown> & KeptRun;
  if (kept.turnsEach !== turnsEach) throw new Error(`${file} is of worlds with ${kept.turnsEach} turns`);
  const figures = new Figures();
  const { seeds, turns, steps, simulatedMs } = kept.figures;
  Object.assign(figures, { seeds, turns, steps, simulatedMs });
  for (const table of tables) {
    const counts: Map<string, number> = figures[table];
    for (const [name, count] of Object.entries(kept.figures[table])) counts.set(name, count as number);
  }
  return { next: kept.next, turnsEach, seconds: kept.seconds, figures };
}

export function writeKeptRun(file: string, { figures, ...rest }: KeptRun): void {
  const { seeds, turns, steps, simulatedMs, violations } = figures;
  const counts = Object.fromEntries(tables.map((table) => [table, Object.fromEntries(figures[table])]));
  const text = JSON.stringify({ ...rest, figures: { seeds, turns, steps, simulatedMs, violations, ...counts } });
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
