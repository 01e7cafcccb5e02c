import { type Goal, show, showSpread, type Spread } from "./numbers.ts";
import type { OwnResult } from "./own-case.ts";
import type { Compared } from "./side-by-side.ts";
import type { Metric, Work } from "./works.ts";

/** One table per work, with the goal behind the first row that has one. */
export function printComparison(compared: readonly Compared[], works: readonly Work[]): void {
  for (const work of works) {
    for (const metric of work.metrics) {
      const rows = compared.filter((one) => one.work === work.name && one.metric === metric.name);
      if (rows.length === 0) continue;
      console.log(`\n${work.name}: ${work.title} — ${metric.name}, ${metric.unit}`);
      console.table(
        Object.fromEntries(
          rows.map((row) => [
            row.target,
            {
              "median (spread)": showSpread(row.value),
              "× nginx": row.ratio === null || row.target === "nginx" ? "" : showSpread(row.ratio),
              "× bare": showRatio(row, row.toBare, "bare"),
              "× Portkey": showRatio(row, row.toPortkey, "portkey"),
              goal: row.target.startsWith("understudy") ? judge(row, metric) : "",
            },
          ]),
        ),
      );
    }
  }
}

/** Empty where there is nothing to say: to itself, and of the direct way. */
function showRatio({ target }: Compared, ratio: Spread | null | undefined, other: string): string {
  return ratio == null || target === other || target === "direct" ? "" : showSpread(ratio);
}

/** `≥ 0.5: met`. Empty without a goal. */
export function judge(row: Compared, { goal, portkeyGoal }: Metric): string {
  const parts: string[] = [];
  if (goal !== undefined) {
    const value = goal.of === "ratio" ? row.ratio?.median : row.value.median;
    if (value !== undefined) parts.push(judgeValue(value, goal));
  }
  if (portkeyGoal !== undefined && row.toPortkey !== null) {
    parts.push(`Portkey ${judgeValue(row.toPortkey.median, { least: portkeyGoal })}`);
  }
  return parts.join("; ");
}

/** `≤ 20.0: met; raised to 4.00: met`. */
export function judgeValue(value: number, { least, most, raised }: Goal): string {
  const against = (bound: number): string =>
    (least === undefined ? value <= bound : value >= bound) ? "met" : "NOT MET";
  const bound = least ?? most;
  if (bound === undefined) return "";
  const first = `${least === undefined ? "≤" : "≥"} ${show(bound)}: ${against(bound)}`;
  return raised === undefined ? first : `${first}; raised to ${show(raised)}: ${against(raised)}`;
}

export function printOwn(results: readonly OwnResult[]): void {
  for (const { name, title, rows, failed } of results) {
    console.log(`\n${name}: ${title}${failed === undefined ? "" : ` — FAILED: ${failed}`}`);
    if (rows.length === 0) continue;
    console.table(
      Object.fromEntries(
        rows.map(({ what, value, unit, goal }) => [
          what,
          { value: `${show(value)} ${unit}`, goal: goal === undefined ? "" : judgeValue(value, goal) },
        ]),
      ),
    );
  }
}
