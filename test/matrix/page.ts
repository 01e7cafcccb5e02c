import { chainLengths, type CellPlan, poolSizes } from "./cells.ts";
import { rules } from "./rules.ts";
import type { CellResult } from "./run-cell.ts";
import type { Score } from "./scenarios.ts";
import { type MissingReason, missingReasons } from "./shapes.ts";
import type { ScenarioRow } from "./stage-arena.ts";
import { type Subject, subjects } from "./subjects.ts";

const letters: Readonly<Record<CellResult["got"], string>> = {
  answered: "A",
  cut: "C",
  refused: "R",
  failed: "F",
  hung: "HUNG",
  truncated: "TRUNCATED",
};

/** A cell as the page shows it: the outcome, the requests of its turn and, behind a dot, those of the next one; `✗` for a broken rule. */
export function codeOf({ got, asked, askedAgain, broken, expected }: CellResult): string {
  const again = askedAgain.length === 0 ? "" : `·${askedAgain.length}`;
  const bad = broken.length > 0 || got !== expected ? " ✗" : "";
  return `${letters[got]}${asked.length}${again}${bad}`;
}

/** The whole page. */
export function renderPage(plan: CellPlan, results: readonly CellResult[], rows: readonly ScenarioRow[]): string {
  const sections = subjects.map((subject) => renderSubject(subject, results));
  return `${[introduction(plan, results), renderScenarios(rows), renderLegend(plan), ...sections].join("\n\n")}\n`;
}

function introduction({ cells }: CellPlan, results: readonly CellResult[]): string {
  const broken = results.filter((result) => result.broken.length > 0 || result.got !== result.expected).length;
  const held = `${results.length - broken} of ${results.length}`;
  return `# The fault matrix

<!-- Written by \`npm run matrix -- --write\`. Change the cells in test/matrix/, then run it. -->

What a caller gets when a provider fails, and what the providers see of it: every failure that the scripted providers know, at every place of an
answer, for each protocol, as a stream and not, with pools of ${poolSizes.join(", ")} credentials and chains of ${chainLengths.join(" and ")} targets, with keys and
with logins. ${cells.length} cells, each a real turn through the gateway over real sockets on loopback, and a second one behind it.

**${held} cells came out as they must, with every rule held.**

\`\`\`sh
npm run matrix                             # all cells and the sixteen scenarios; --filter REGEX for some of them
npm run matrix -- --json > matrix.json     # for machines: per cell what was got, who was asked, which rules held
npm run matrix -- --chunk byte             # the same with every byte of every answer sent by itself
npm run matrix -- --target http://127.0.0.1:4000 --model matrix-{id} --key KEY    # the scenarios against any gateway
\`\`\`

Nothing in it waits for a clock or throws a die: the clock of a cell moves on when a provider is silent or a turn waits. So the page is the same on
any machine. What must come out is decided by the kind and the place of a fault alone (\`test/matrix/cells.ts\`), and an answer is read by a reader of
its own (\`test/matrix/read-answer.ts\`): neither shares code with the package.`;
}

function renderScenarios(rows: readonly ScenarioRow[]): string {
  const ids = rows[0]?.verdicts ?? [];
  const titles = ids.map(({ id, title }) => `${id} ${title}`).join(" · ");
  const head = `| | ${ids.map(({ id }) => id).join(" | ")} | score |\n|---|${ids.map(() => "---").join("|")}|---|`;
  const lines = rows.map(({ subject, stream, verdicts }) => {
    const scores = verdicts.map(({ score }) => score).join(" | ");
    return `| ${subject.replace("-key", "")}, ${stream ? "stream" : "whole"} | ${scores} | ${scoreLine(verdicts)} |`;
  });
  return `## The sixteen public scenarios

Those of [failoverbench](https://github.com/failoverbench/failoverbench) with its own checks and scores, for all three protocols (it plays them over
Chat Completions as a stream). One primary, one fallback in another protocol; first event within 10 s, silence at most 30 s. \`pass\`: rescued,
everything as it should be. \`partial\`: rescued, but less well. \`safe\`: not rescued, and told so. \`fail\`: hung, or passed a cut answer as complete.

${titles}.

${[head, ...lines].join("\n")}

Not rescued on purpose: an answer that was cut after its beginning had been passed on (S08, S09, S14) is told as cut and never mixed with another's; a
caller who wants no stream gets the whole answer of the fallback. A conversation that is too long (S12) is given back to the caller, who can shorten
it: how much another model can read is not known here.

### Any gateway

\`--target\` starts one scripted provider (port 4199, \`--listen\`), waits until the gateway at that address answers, and judges only what the caller got
and what the provider saw, on the machine's own clock. With \`{id}\` in \`--model\` every scenario has a route of its own, so that nothing is remembered
from one to the next; with one route for all, \`--pause 300\` waits between them. It prints what has to be set up; for Understudy itself that is

\`\`\`yaml
providers:
  scripted: { protocol: chat-completions, baseUrl: http://127.0.0.1:4199/v1, apiKeyEnv: MATRIX_KEY }   # matrix-provider-key
routes:
  matrix-s01: [scripted/primary-s01, scripted/fallback-s01]                                            # … and so on to s16
\`\`\`

and for any other gateway the same in its own words: models whose names begin with \`primary\` and \`fallback\` behind one base URL, two retries, thirty
seconds of patience, one fallback.`;
}

/** `12 pass · 4 safe`. */
export function scoreLine(verdicts: readonly { readonly score: Score }[]): string {
  const order: readonly Score[] = ["pass", "partial", "safe", "fail"];
  const counts = order.map((score) => [verdicts.filter((one) => one.score === score).length, score] as const);
  return counts.flatMap(([count, score]) => (count > 0 || score === "fail" ? `${count} ${score}` : [])).join(" · ");
}

function renderLegend({ missing }: CellPlan): string {
  const reasons = Object.entries(missing).map(
    ([why, count]) => `| ${Math.ceil(count)} | ${missingReasons[why as MissingReason]} |`,
  );
  return `## How to read the cells

Who fails: with one target every credential of the pool but the last (of one, that one); with three targets the whole pool of the first, and the second
target where its wire has the same failure; the third is well. \`2×1\` is two credentials and one target.

| | |
|---|---|
| \`A2·1\` | **answered**: one whole answer, after 2 requests to providers; the next turn needed 1 |
| \`C1\` | **cut**: the beginning of one answer, and told that it broke off |
| \`R1\` | **refused**: the caller's own mistake or refused content, told in the provider's words; nobody else was asked |
| \`F3\` | **failed**: nobody could answer; one error that names each candidate, its cause and what helps |
| \`✗\` | not what must come out, or a broken rule |

The rules that are checked in every cell they concern:

| | |
|---|---|
${Object.entries(rules)
  .map(([rule, words]) => `| ${rule} | ${words} |`)
  .join("\n")}

Combinations of subject, stream, failure and place that are no rows, each of which would stand for six cells:

| | why not |
|---|---|
${reasons.join("\n")}

Only Codex signs in with OAuth, so logins are a subject of one protocol: Anthropic keeps the tokens of its plans to its own clients, and no provider of
Chat Completions here has a login.`;
}

function renderSubject(subject: Subject, results: readonly CellResult[]): string {
  const mine = results.filter((result) => result.subject === subject.id);
  const sizes = chainLengths.flatMap((targets) => poolSizes.map((credentials) => ({ credentials, targets })));
  const shapes = [...new Map(mine.map((result) => [result.shape, result.place])).entries()];
  const columns = [true, false].flatMap((stream) => sizes.map((size) => ({ stream, ...size })));
  const head = columns.map(({ credentials, targets }) => `${credentials}×${targets}`).join(" | ");
  const lines = shapes.map(([shape, place]) => {
    const row = columns.map(({ stream, credentials, targets }) =>
      mine.find(
        (result) =>
          result.shape === shape &&
          result.stream === stream &&
          result.credentials === credentials &&
          result.targets === targets,
      ),
    );
    const held = new Set(row.flatMap((result) => result?.held ?? []));
    const numbers = Object.keys(rules).flatMap((rule) => (held.has(rule) ? rule.slice(1) : []));
    return `| ${shape} | ${place} | ${row.map((result) => (result === undefined ? "" : codeOf(result))).join(" | ")} | ${numbers.join(" ")} |`;
  });
  const signIn = subject.auth === "oauth" ? "logins" : "keys";
  return `## ${subject.dialect}, ${signIn}

${subject.targets.join(" → ")}. The first six columns are callers who stream, the last six those who don't${
    subject.alwaysStreams ? " (the provider streams to them all the same)" : ""
  }.

| failure | place | ${head} | rules held |
|---|---|${columns.map(() => "---").join("|")}|---|
${lines.join("\n")}`;
}
