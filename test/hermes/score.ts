/** How many of the peer's cases came out how. */
export type Score = Record<"same" | "better" | "not applicable" | "falls short", number>;

export function emptyScore(): Score {
  return { same: 0, better: 0, "not applicable": 0, "falls short": 0 };
}

export function addScores(scores: readonly Score[]): Score {
  const total = emptyScore();
  for (const score of scores) for (const key of Object.keys(total) as (keyof Score)[]) total[key] += score[key];
  return total;
}

export function toLine(score: Score): string {
  const { same, better } = score;
  return `${same} same, ${better} better on purpose, ${score["not applicable"]} not applicable, ${score["falls short"]} fall short`;
}

/** The table of docs/differences-from-hermes.md. */
export function scoreTable(rows: readonly (readonly [string, Score])[]): string {
  const row = (title: string, score: Score): string =>
    `| ${title} | ${score.same} | ${score.better} | ${score["not applicable"]} | ${score["falls short"]} |`;
  return [
    "| cases | same | better on purpose | not applicable | fall short |",
    "|---|---|---|---|---|",
    ...rows.map(([title, score]) => row(title, score)),
    row("**all**", addScores(rows.map(([, score]) => score))),
  ].join("\n");
}
