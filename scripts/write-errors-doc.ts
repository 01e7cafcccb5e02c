/**
 * Writes docs/errors.md from the failure table. `node scripts/write-errors-doc.ts` writes it; a test compares the file with
 * what `renderErrorsDoc` gives.
 */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { reasons } from "../src/core/failure.ts";
import { rankOf, ranks } from "../src/failures/match.ts";
import { reasonDefaults } from "../src/failures/reasons.ts";
import type { Match, ProvenRow, Row, Where } from "../src/failures/row.ts";
import { failureTable } from "../src/failures/table.ts";

export const errorsDocPath: string = resolve(import.meta.dirname, "../docs/errors.md");

/** Those of built-in rows. */
type BuiltInRank = Exclude<(typeof ranks)[number], "own">;
const builtInRanks: readonly BuiltInRank[] = ranks.filter((rank) => rank !== "own");

const rankTitles: Readonly<Record<BuiltInRank, string>> = {
  code: "1. Codes, headers, finish reasons, network codes",
  type: "2. Types",
  status: "3. Statuses that mean one thing, and web pages",
  words: "4. Words",
  fallback: "5. What providers use for several things",
};

/** The whole page. */
export function renderErrorsDoc(rows: readonly ProvenRow[]): string {
  return `${[introduction, reasonsTable(), order, ...builtInRanks.map((rank) => section(rank, rows)), ending].join("\n\n")}\n`;
}

const introduction = `# How failures are told apart

<!-- Written by scripts/write-errors-doc.ts from src/failures/. Change the table there, then run the script. -->

A failed attempt becomes a *failure*: a **reason**, a **scope** (whose it is, and so what rests for a while), what happens **next**, and the
time from which it may be tried again when the provider says so believably. The first row of the table below that fits decides; its name is in
the journal, in events and in error messages as \`row\`. Each row is proven by a file under \`test/fixtures/failures/\`: a failure as it was on the wire.

## Reasons

What a reason means unless its row says otherwise.`;

const order = `## The order of the table

What is made for machines decides before what is made for people:

1. a code, a parameter, a header, a finish reason, a network code
2. the error's type; also a code's name that a provider sends as its type
3. a status that means one thing, and a web page where an answer was due
4. words, in narrow patterns
5. types and statuses that providers use for several things, such as \`invalid_request_error\` or 403

Within a part, the order of the rows decides. Refused content comes first, for it rotates nothing; then what the account may not use;
then the unpaid bill before the plan's window before the burst.

Rows of your own, \`failures:\` in the configuration, are asked before all of these; one that matches nothing but words is asked among the
words, before the built-in ones. In the journal their names begin with \`config:\`.

Two rules stand above all rows. When an aggregator passes on the error of a provider behind it (OpenRouter's \`metadata.raw\`), what would count against
a credential counts against the model instead, and the next target is asked: the limit is not ours. And a time of recovery is believed only if it is not past by more than
a minute and not further away than 32 days.`;

const ending = `## No row fits

The reason is \`unknown\` and so is the row's name: nothing rests, the attempt is repeated twice, then the turn goes on elsewhere.`;

function reasonsTable(): string {
  const lines = reasons.map((reason) => {
    const { scope, next, reloginRequired, retryAt, words } = reasonDefaults[reason];
    const relogin = reloginRequired ? ", sign in again" : "";
    return tableLine([`\`${reason}\``, words, code(scope), code(next) + relogin, retryAt.map(code).join(", ") || "–"]);
  });
  return [
    tableLine(["reason", "in words", "scope", "next", "time of recovery read from"]),
    tableLine(["---", "---", "---", "---", "---"]),
    ...lines,
  ].join("\n");
}

function section(rank: BuiltInRank, rows: readonly ProvenRow[]): string {
  const lines = rows.filter((row) => rankOf(row) === rank).map(rowLine);
  return [
    `## ${rankTitles[rank]}`,
    "",
    tableLine(["row", "applies to", "matches", "reason", "scope", "what happens next", "fixture", "source"]),
    tableLine(["---", "---", "---", "---", "---", "---", "---", "---"]),
    ...lines,
  ].join("\n");
}

function rowLine(row: ProvenRow): string {
  const defaults = reasonDefaults[row.reason];
  return tableLine([
    code(row.name),
    describeWhere(row.where),
    describeMatch(row.match),
    code(row.reason),
    code(row.scope ?? defaults.scope),
    describeNext(row),
    `[${row.fixture.replace(/\.json$/, "")}](../test/fixtures/failures/${row.fixture})`,
    row.source,
  ]);
}

function describeNext(row: Row): string {
  const defaults = reasonDefaults[row.reason];
  const relogin = (row.reloginRequired ?? defaults.reloginRequired) ? ", sign in again" : "";
  const readers = row.retryAt === undefined ? "" : `, time from ${row.retryAt.map(code).join(", ") || "nowhere"}`;
  return code(row.next ?? defaults.next) + relogin + readers;
}

function describeWhere(where: Where | undefined): string {
  const parts = [
    ...(where?.providers ?? []).map((provider) => `provider ${provider}`),
    ...(where?.protocols ?? []).map((protocol) => `protocol ${protocol}`),
    ...(where?.phases ?? []).map((phase) => `phase ${phase}`),
  ];
  return parts.join(", ") || "all";
}

function describeMatch(match: Match): string {
  const { status, message, html, resetsInAtLeastMs } = match;
  const parts = [
    status === undefined ? null : `status ${describeStatus(status)}`,
    names("code", match.code),
    names("type", match.type),
    names("param", match.param),
    names("finish reason", match.finishReason),
    names("event", match.event),
    names("network code", match.networkCode),
    ...(match.headers ?? []).map(
      ({ name, value }) => `header ${code(name)}${value === undefined ? "" : ` ${pattern(value)}`}`,
    ),
    html === undefined ? null : `a web page${html === true ? "" : ` ${pattern(html)}`}`,
    message === undefined ? null : `words ${pattern(message)}`,
    resetsInAtLeastMs === undefined ? null : `lifts in ${resetsInAtLeastMs / 60_000} min or later`,
  ];
  return parts.filter((part) => part !== null).join("; ") || "everything";
}

function describeStatus(status: NonNullable<Match["status"]>): string {
  if ("from" in status) return `${status.from}–${status.to}`;
  return status.map((one) => (one === 0 ? "none or 2xx" : String(one))).join(", ");
}

function names(label: string, list: readonly string[] | RegExp | undefined): string | null {
  if (list === undefined) return null;
  return `${label} ${list instanceof RegExp ? pattern(list) : list.map(code).join(", ")}`;
}

function pattern(regexp: RegExp): string {
  return code(String(regexp));
}

/** Code in a table's cell: a bar would end the cell, a backtick the code. */
function code(text: string): string {
  const fence = text.includes("`") ? "``" : "`";
  return `${fence}${text.replaceAll("|", "\\|")}${fence}`;
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  writeFileSync(errorsDocPath, renderErrorsDoc(failureTable));
}
