/**
 * Writes the table of bench/README.md from a result: `node bench/write-table.ts bench/results/FILE.json`. Every figure in it is one of that
 * file; goals are those of `works.ts` and of the cases.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Machine } from "./machine.ts";
import { show, showSpread } from "./numbers.ts";
import type { OwnResult } from "./own-case.ts";
import { judge, judgeValue } from "./report.ts";
import type { Compared } from "./side-by-side.ts";
import { works } from "./works.ts";

interface Result {
  readonly startedAt: string;
  readonly minutes: number;
  readonly machine: Machine;
  readonly options: { readonly quick: boolean };
  readonly compared: readonly Compared[];
  readonly own: readonly OwnResult[];
}

const [file = ""] = process.argv.slice(2);
const { startedAt, minutes, machine, options, compared, own } = JSON.parse(readFileSync(file, "utf8")) as Result;

const sideBySide = works.flatMap((work) =>
  work.metrics.flatMap((metric) => {
    const row = (target: string): Compared | undefined =>
      compared.find((one) => one.work === work.name && one.metric === metric.name && one.target === target);
    const ours = row("understudy");
    if (ours === undefined) return [];
    const cell = (target: string): string => {
      const found = row(target);
      if (found === undefined) return "–";
      return found.ratio === null || target === "nginx" ? show(found.value.median) : `${show(found.ratio.median)} ×`;
    };
    const { value, ratio } = ours;
    const cells = [
      `${work.title}: ${metric.name}, ${metric.unit}`,
      showSpread(value),
      ratio === null ? "–" : showSpread(ratio),
      cell("nginx"),
      cell("least"),
      cell("bare"),
      ours.toBare == null ? "–" : showSpread(ours.toBare),
      cell("naive"),
      cell("portkey"),
      ours.toPortkey === null ? "–" : show(ours.toPortkey.median),
      judge(ours, metric) || "–",
    ];
    return [`| ${cells.join(" | ")} |`];
  }),
);

const alone = own.flatMap(({ name, title, rows, failed }) => [
  `| **${name}** ${title} | ${failed === undefined ? "" : `failed: ${failed}`} | |`,
  ...rows.map(
    ({ what, value, unit, goal }) =>
      `| – ${what} | ${show(value)} ${unit} | ${goal === undefined ? "" : judgeValue(value, goal)} |`,
  ),
]);

const text = [
  `From [\`results/${basename(file)}\`](results/${basename(file)}): ${startedAt.slice(0, 16).replace("T", " ")} UTC, commit ${machine.commit}, ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, nginx ${machine.nginx || "absent"}, load average at the end ${machine.loadAverage.join(" · ")}, ${minutes} minutes${options.quick ? ", `--quick`" : ""}.`,
  "",
  "| work and figure | Understudy, median (spread) | × nginx, paired (spread) | nginx | least × nginx | bare × nginx | Understudy × bare, paired (spread) | naive × nginx | Portkey × nginx | Understudy × Portkey | goal |",
  "|---|---|---|---|---|---|---|---|---|---|---|",
  ...sideBySide,
  "",
  "| the gateway alone | figure | goal |",
  "|---|---|---|",
  ...alone,
].join("\n");

const readme = join(import.meta.dirname, "README.md");
const [before, rest = ""] = readFileSync(readme, "utf8").split("<!-- table -->");
const [, after = ""] = rest.split("<!-- /table -->");
writeFileSync(readme, `${before}<!-- table -->\n\n${text}\n\n<!-- /table -->${after}`);
console.log(text);
