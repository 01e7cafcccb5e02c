/**
 * The fault matrix: `npm run matrix`. Plays every cell and the sixteen public scenarios against this package; with `--target` the
 * scenarios against any gateway. See docs/fault-matrix.md.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { protocolNames } from "../src/core/target.ts";
import type { Chunk } from "../src/testing.ts";
import { renderPage, scoreLine } from "../test/matrix/page.ts";
import { describeBroken } from "../test/matrix/rules.ts";
import { planMatrix, runMatrix } from "../test/matrix/run-matrix.ts";
import { playScenarios } from "../test/matrix/stage-arena.ts";
import { describeSetup, playAgainst } from "../test/matrix/target-arena.ts";

const help = `npm run matrix -- [options]

  --filter REGEX    only the cells whose id fits, for example "messages-key · stream · .*10×1"
  --chunk HOW       how providers split what they send: event (default), byte, or a number of bytes
  --stages N        cells played side by side; default 4
  --scenarios       only the sixteen scenarios
  --json            everything as JSON on standard output
  --write           writes docs/fault-matrix.md; not together with --filter or --chunk

  --target URL      the scenarios against the gateway at URL, without /v1
  --model NAME      what it calls its route; {id} in it becomes s01 … s16
  --key KEY         the key it wants
  --dialect NAME    ${protocolNames.join(", ")} (default chat-completions)
  --whole           ask for no stream
  --listen PORT     where it expects its provider; default 4199
  --only REGEX      only these scenarios, for example "S0[1-5]"
  --pause SECONDS   between two scenarios, for a gateway that remembers failures and has one route`;

const { values } = parseArgs({
  options: {
    filter: { type: "string", default: "" },
    chunk: { type: "string", default: "event" },
    stages: { type: "string", default: "4" },
    scenarios: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    target: { type: "string" },
    model: { type: "string" },
    key: { type: "string" },
    dialect: { type: "string", default: "chat-completions" },
    whole: { type: "boolean", default: false },
    listen: { type: "string", default: "4199" },
    only: { type: "string" },
    pause: { type: "string" },
    help: { type: "boolean", default: false },
  },
});

const page = resolve(import.meta.dirname, "../docs/fault-matrix.md");
const say = (line: string): void => console.log(line);

if (values.help) say(help);
else if (values.target !== undefined) process.exitCode = await scoreTarget(values.target);
else process.exitCode = await scoreOurselves();

async function scoreOurselves(): Promise<number> {
  if (values.write && (values.filter !== "" || values.chunk !== "event")) {
    throw new Error("--write wants all cells as they are: leave out --filter and --chunk");
  }
  const plan = await planMatrix();
  const filter = new RegExp(values.filter);
  const chunk: Chunk = values.chunk === "byte" || values.chunk === "event" ? values.chunk : Number(values.chunk);
  // Sent byte by byte, one event of 17 MiB takes minutes and shows nothing more.
  const cells = plan.cells.filter(
    ({ id, shape }) => filter.test(id) && (chunk === "event" || shape.fault !== "huge-event"),
  );
  const results = values.scenarios
    ? []
    : await runMatrix(cells, {
        chunk,
        stages: Number(values.stages),
        onResult(_, done) {
          if (done % 500 === 0) console.error(`${done} of ${cells.length} cells`);
        },
      });
  const rows = values.filter === "" || values.scenarios ? await playScenarios() : [];
  const broken = results.filter((result) => result.broken.length > 0 || result.got !== result.expected);
  const failed = rows.flatMap(({ verdicts }) => verdicts).filter(({ score }) => score === "fail");
  if (values.json) {
    say(JSON.stringify({ missing: plan.missing, cells: results, scenarios: rows }, null, 1));
  } else {
    for (const result of broken) say(`${describeBroken(result)}\n    got ${result.got}, due ${result.expected}`);
    for (const { subject, stream, verdicts } of rows) {
      say(`${subject.padEnd(15)} ${stream ? "stream" : "whole "}  ${scoreLine(verdicts)}`);
      for (const { id, title, score, missed } of verdicts) {
        if (score !== "pass") say(`    ${id} ${score}: ${title}${missed.length > 0 ? ` (${missed.join("; ")})` : ""}`);
      }
    }
    if (results.length > 0) say(`${results.length - broken.length} of ${results.length} cells as they must be`);
  }
  if (values.write) {
    writeFileSync(page, renderPage(plan, results, rows));
    console.error(`wrote ${page}`);
  }
  return broken.length + failed.length === 0 ? 0 : 1;
}

async function scoreTarget(url: string): Promise<number> {
  const dialect = protocolNames.find((name) => name === values.dialect);
  if (dialect === undefined) throw new Error(`--dialect is one of ${protocolNames.join(", ")}`);
  if (values.model === undefined) throw new Error("--target wants --model, the route to ask for");
  const { model } = values;
  const port = Number(values.listen);
  console.error(describeSetup({ model, dialect, port }));
  const verdicts = await playAgainst({
    url,
    model,
    dialect,
    port,
    stream: !values.whole,
    ...(values.key === undefined ? {} : { key: values.key }),
    ...(values.only === undefined ? {} : { only: new RegExp(values.only) }),
    ...(values.pause === undefined ? {} : { pauseMs: Number(values.pause) * 1_000 }),
    onVerdict({ id, score, title, missed }) {
      const why = missed.length > 0 ? ` (${missed.join("; ")})` : "";
      if (!values.json) say(`${id} ${score.padEnd(7)} ${title}${why}`);
    },
  });
  say(values.json ? JSON.stringify(verdicts, null, 1) : scoreLine(verdicts));
  return verdicts.some(({ score }) => score === "fail") ? 1 : 0;
}
