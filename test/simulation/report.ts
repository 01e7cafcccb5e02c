import { type Figures, type Invariant, invariants } from "./figures.ts";

/** The figures of a run as lines for a person. */
export function reportFigures(figures: Figures, seconds: number): string[] {
  const { seeds, turns, steps, simulatedMs, violations } = figures;
  const perSecond = (count: number): string => whole(count / Math.max(seconds, 0.001));
  const days = (simulatedMs / 86_400_000).toFixed(1);
  const lines = [
    `${whole(turns)} turns in ${whole(seeds)} seeds: ${whole(steps)} steps, ${days} days of simulated time`,
    `${seconds.toFixed(1)} s, ${perSecond(turns)} turns/s, ${perSecond(steps)} steps/s`,
    "",
    "                 checks  violations",
  ];
  for (const name of Object.keys(invariants) as Invariant[]) {
    const broken = violations.filter((violation) => violation.invariant === name).length;
    lines.push(`${name.padEnd(9)} ${cell(figures.checks.get(name) ?? 0)} ${cell(broken)}  ${invariants[name]}`);
  }
  lines.push(...table("turns", figures.outcomes));
  lines.push(...table("refresh tokens spent again, and rightly: the outcome was unknown", figures.secondSpends));
  lines.push(...table("logins lost between the issuer's rotation and the durable write", figures.lostLogins));
  lines.push(...table("deviations that the circumstances excuse", figures.excused));
  lines.push(...table("what happened", figures.counts));
  return lines;
}

function table(title: string, counts: ReadonlyMap<string, number>): string[] {
  if (counts.size === 0) return ["", `${title}: none`];
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const rows = [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${cell(count)}  ${name}`);
  return ["", `${title}: ${whole(total)}`, ...rows];
}

function cell(count: number): string {
  return whole(count).padStart(12);
}

function whole(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}
