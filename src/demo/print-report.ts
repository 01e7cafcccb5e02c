import type { DemoReport } from "./run-demo.ts";
import type { Palette } from "./timeline.ts";

/** The table at the end of the evening. */
export function formatReport(report: DemoReport, palette: Palette): string[] {
  const rows: [string, number, string][] = [
    ["turns", report.turns, "each answered"],
    ["attempts", report.attempts, "candidates tried"],
    ["switches", report.switches, "turns that somebody else than the first answered"],
    ["tokens spent on refresh", report.refreshes, "refresh tokens sent to the issuer"],
    ["wasted calls", report.wastedCalls, "calls to a model that did not answer the turn"],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    "",
    ...rows.map(([name, value, what]) => `  ${name.padEnd(width)}  ${String(value).padStart(3)}  ${palette.dim(what)}`),
    "",
    report.asTold
      ? palette.good("Every act went as told: the show did not stop.")
      : palette.bad(
          `Not as told: ${report.acts
            .filter((act) => !act.asTold)
            .map((act) => act.title)
            .join(", ")}`,
        ),
  ];
}
