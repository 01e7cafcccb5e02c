import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { configError } from "../../src/config/problem.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { classifyFailure } from "../../src/failures/classify.ts";
import type { Evidence } from "../../src/failures/evidence.ts";
import { parseOwnPattern } from "../../src/failures/own-pattern.ts";
import { longestOwnTestedText } from "../../src/failures/row.ts";
import { failureTable } from "../../src/failures/table.ts";
import { builtInProviders } from "../../src/providers/registry.ts";

const now = Date.UTC(2026, 10, 22, 12);

function problems(failures: string): string[] {
  const result = parseConfig(`failures:\n${failures}`, "c.yaml");
  return result.ok ? [] : result.problems.map(({ message }) => message);
}

function verdict(failures: string, evidence: Evidence) {
  const parsed = parseConfig(`failures:\n${failures}`, "c.yaml");
  if (!parsed.ok) throw configError(parsed.problems);
  const { failureRows } = resolveConfig(parsed.config, builtInProviders, {});
  return classifyFailure(evidence, { now, rows: failureRows });
}

const http = (status: number, rest: Partial<Evidence> = {}): Evidence => ({ phase: "headers", status, ...rest });

describe("a row of the configuration", () => {
  it.each<[what: string, row: string, fits: Evidence, fitsNot: Evidence]>([
    ["a status", "status: 418", http(418), http(419)],
    ["one of several statuses", "status: [418, 420]", http(420), http(419)],
    ["a range of statuses", "status: { from: 590, to: 599 }", http(599), http(589)],
    [
      "a good status",
      "{ status: 0, message: teapot }",
      http(200, { message: "a teapot" }),
      http(500, { message: "a teapot" }),
    ],
    ["a code", "code: proxy_empty", http(429, { code: "Proxy_Empty" }), http(429, { code: "other" })],
    [
      "a code that came as a type",
      "code: proxy_empty",
      http(429, { type: "proxy_empty" }),
      http(429, { type: "other" }),
    ],
    ["a type", "type: [a, b]", http(429, { type: "b" }), http(429, { type: "c" })],
    ["a parameter", "param: model", http(400, { param: "model" }), http(400, { param: "input" })],
    [
      "a finish reason",
      "finishReason: dried_up",
      { phase: "end", finishReason: "dried_up" },
      { phase: "end", finishReason: "x" },
    ],
    ["an event", "event: proxy.error", { phase: "head", event: "proxy.error" }, { phase: "head", event: "error" }],
    [
      "a network code",
      "networkCode: EPROXY",
      { phase: "connect", networkCode: "EPROXY" },
      { phase: "connect", networkCode: "EPIPE" },
    ],
    [
      "a header",
      "header: { X-Proxy-Out: true }",
      http(500, { headers: { "x-proxy-out": "1" } }),
      http(500, { headers: {} }),
    ],
    [
      "a header's value",
      'header: { x-left: "^0$" }',
      http(500, { headers: { "x-left": "0" } }),
      http(500, { headers: { "x-left": "10" } }),
    ],
    [
      "words",
      "message: the jar is (empty|dry)",
      http(599, { message: "The jar is dry" }),
      http(599, { message: "The jar is full" }),
    ],
    [
      "several things at once",
      "{ status: 503, code: x, message: now }",
      http(503, { code: "x", message: "not now" }),
      http(503, { code: "y", message: "not now" }),
    ],
  ])("matches %s", (_, match, fits, fitsNot) => {
    const row = `  - { name: mine, match: ${match.includes(":") && !match.startsWith("{") ? `{ ${match} }` : match}, reason: billing }`;
    expect(verdict(row, fits)).toMatchObject({ row: "config:mine", reason: "billing", next: "next_credential" });
    expect(verdict(row, fitsNot).row).not.toBe("config:mine");
  });

  it.each<[where: string, evidence: Evidence, applies: boolean]>([
    ["provider: openai-codex", http(418, { provider: "codex" }), true],
    ["provider: [openai, codex]", http(418, { provider: "codex" }), true],
    ["provider: openai", http(418, { provider: "codex" }), false],
    ["protocol: messages", http(418, { protocol: "messages" }), true],
    ["protocol: messages", http(418, { protocol: "responses" }), false],
    ["phase: [head, headers]", http(418), true],
    ["phase: stream", http(418), false],
  ])("where %s", (where, evidence, applies) => {
    const row = `  - { name: mine, where: { ${where} }, match: { status: 418 }, reason: billing }`;
    expect(verdict(row, evidence).row === "config:mine").toBe(applies);
  });

  it("says whom it counts against, what comes next and where the time is read", () => {
    const row = `
  - name: proxy-quota
    match: { status: 418 }
    reason: quota
    scope: provider
    next: next_target
    retryAt: [retry-after]`;
    const evidence = http(418, { headers: { "retry-after": "60" }, message: "try again in 5h" });
    expect(verdict(row, evidence)).toMatchObject({
      reason: "quota",
      scope: "provider",
      next: "next_target",
      retryAt: now + 60_000,
      row: "config:proxy-quota",
    });
  });

  it("decides before the built-in ones, codes included, but words never outrank a structured code", () => {
    const reused = http(401, { code: "refresh_token_reused", message: "the jar is empty" });
    const builtIn = classifyFailure(reused, { now }).row;
    const structured = "  - { name: mine, match: { code: refresh_token_reused }, reason: overloaded }";
    const worded = "  - { name: mine, match: { message: jar }, reason: overloaded }";
    const both = "  - { name: mine, match: { status: 401, message: jar }, reason: overloaded }";
    expect(verdict(structured, reused).row).toBe("config:mine");
    expect(verdict(worded, reused).row).toBe(builtIn);
    expect(verdict(both, reused).row).toBe("config:mine");
    // Among the words it is the first.
    const words = http(429, { message: "You exceeded your current quota" });
    expect(classifyFailure(words, { now }).row).toBe("unpaid-words");
    expect(verdict("  - { name: mine, match: { message: current quota }, reason: overloaded }", words).row).toBe(
      "config:mine",
    );
  });

  it("never outranks by words what a built-in row knows by a code", () => {
    const codes = failureTable.flatMap(({ where, match, fallback }) =>
      where === undefined && fallback === undefined && Object.keys(match).length === 1 ? (match.code ?? []) : [],
    );
    const row = "  - { name: mine, match: { message: jar }, reason: overloaded }";
    fc.assert(
      fc.property(
        fc.constantFrom(...codes),
        fc.string(),
        fc.constantFrom(400, 401, 403, 429, 500),
        (code, words, status) => {
          expect(verdict(row, http(status, { code, message: `${words} jar` })).row).not.toBe("config:mine");
        },
      ),
    );
  });

  it.each<[what: string, row: string, evidence: Evidence, decides: string]>([
    ["the caller's cancel", "{ status: 0 }", { phase: "stream", networkCode: "CALLER_CANCELLED" }, "caller-cancelled"],
    [
      "the caller's cancel by its code",
      "{ networkCode: CALLER_CANCELLED }",
      { phase: "sent", networkCode: "CALLER_CANCELLED" },
      "caller-cancelled",
    ],
    [
      "a connection that was not made",
      "{ status: 0 }",
      { phase: "connect", networkCode: "ECONNREFUSED" },
      "unreachable",
    ],
    ["an answer that did not come", "{ status: 0 }", { phase: "sent", networkCode: "ECONNRESET" }, "network"],
  ])("does not hold %s against a login", (_, match, evidence, decides) => {
    expect(verdict(`  - { name: mine, match: ${match}, reason: rate_limit }`, evidence).row).toBe(decides);
  });

  it("comes in the order of the file", () => {
    const rows = `
  - { name: first, match: { status: 418 }, reason: quota }
  - { name: second, match: { status: 418 }, reason: billing }`;
    expect(verdict(rows, http(418)).row).toBe("config:first");
  });

  it("is the only thing that makes a table of one's own", () => {
    expect(verdict("  []", http(418)).row).toBe(classifyFailure(http(418), { now }).row);
    const parsed = parseConfig("", "c.yaml");
    expect(parsed.ok && resolveConfig(parsed.config, builtInProviders, {}).failureRows).toBe(failureTable);
  });
});

describe("a row that is wrong is told with its line, key and value:", () => {
  const row = (rest: string): string => `  - { name: mine, ${rest} }`;
  it.each<[what: string, text: string, said: RegExp]>([
    [
      "no regular expression",
      row('match: { message: "(" }, reason: quota'),
      /^c\.yaml:2:\d+: failures\[0\]\.match\.message: "\("; expected a regular expression$/,
    ],
    [
      "a header's",
      row('match: { header: { x-left: "[" } }, reason: quota'),
      /failures\[0\]\.match\.header\.x-left: "\["; expected a regular expression$/,
    ],
    [
      "nested repeats",
      row('match: { message: "(a+)+b" }, reason: quota'),
      /message: "\(a\+\)\+b"; expected a regular expression that is quick/,
    ],
    ["two endless repeats", row('match: { message: "a.*b.*c" }, reason: quota'), /one endless repeat at most/],
    ["a pattern for everything", row('match: { message: ".*" }, reason: quota'), /does not match every text/],
    ["an empty pattern", row('match: { message: "" }, reason: quota'), /message: ""; expected a regular expression/],
    [
      "too long a pattern",
      row(`match: { message: ${"a ".repeat(251)} }, reason: quota`),
      /a text of 501 characters \(not shown\); expected a regular expression of at most 500/,
    ],
    ["no match", row("reason: quota"), /failures\[0\]\.match: missing; expected a map with at least one of/],
    [
      "an empty match",
      row("match: {}, reason: quota"),
      /failures\[0\]\.match: a map; expected at least one thing to match/,
    ],
    [
      "no header",
      row("match: { header: {} }, reason: quota"),
      /failures\[0\]\.match: a map; expected at least one thing/,
    ],
    [
      "an empty list",
      row("match: { code: [] }, reason: quota"),
      /match\.code: a list; expected a code, or a list of them/,
    ],
    [
      "an unknown reason",
      row("match: { code: x }, reason: rate_limt"),
      /reason: "rate_limt"; expected one of .*; did you mean "rate_limit"\?/,
    ],
    ["no reason", row("match: { code: x }"), /failures\[0\]\.reason: missing/],
    [
      "an unknown key",
      row("match: { mesage: x }, reason: quota"),
      /match\.mesage: can't be a key here; .*did you mean "message"/,
    ],
    [
      "an unknown key of a row",
      row("match: { code: x }, reason: quota, then: stop"),
      /failures\[0\]\.then: can't be a key here/,
    ],
    [
      "an unknown step",
      row("match: { code: x }, reason: quota, next: give_up"),
      /next: "give_up"; expected one of stop, retry/,
    ],
    [
      "a repair of what can't be repaired",
      row("match: { code: x }, reason: quota, next: repair"),
      /next: "repair"; expected another step/,
    ],
    [
      "a sign-in for more than a login",
      row("match: { code: x }, reason: relogin_required, scope: provider"),
      /scope: "provider"; expected credential/,
    ],
    [
      "an unknown place of a time",
      row("match: { code: x }, reason: quota, retryAt: [header]"),
      /retryAt\[0\]: "header"; expected one of body-fields/,
    ],
    ["a status", row("match: { status: 99 }, reason: quota"), /match\.status: 99; expected an HTTP status/],
    [
      "one of several statuses",
      row("match: { status: [400, 4000] }, reason: quota"),
      /match\.status\[1\]: 4000; expected an HTTP status/,
    ],
    [
      "a range the wrong way round",
      row("match: { status: { from: 500, to: 400 } }, reason: quota"),
      /status\.to: 400; expected at least 500/,
    ],
    [
      "an unknown provider",
      row("where: { provider: codx }, match: { code: x }, reason: quota"),
      /where\.provider: "codx"; .*did you mean "codex"/,
    ],
    [
      "one of several providers",
      row("where: { provider: [codex, nobody] }, match: { code: x }, reason: quota"),
      /where\.provider\[1\]: "nobody"/,
    ],
    [
      "an unknown phase",
      row("where: { phase: before }, match: { code: x }, reason: quota"),
      /where\.phase: "before"; expected one of connect/,
    ],
    [
      "a name for people",
      "  - { name: My row, match: { code: x }, reason: quota }",
      /name: "My row"; expected a name of small letters/,
    ],
  ])("%s", (_, text, said) => {
    const [message, ...more] = problems(text);
    expect(message).toMatch(/^c\.yaml:2:/);
    expect(message).toMatch(said);
    expect(more).toEqual([]);
  });

  it("a name that stands twice", () => {
    const row = "  - { name: mine, match: { code: x }, reason: quota }";
    expect(problems(`${row}\n${row}`)).toEqual([
      'c.yaml:3:13: failures[1].name: "mine"; expected a name that no other row has',
    ]);
  });
});

describe("a pattern of a user's", () => {
  it.each([
    "teapot",
    "^quota .* exceeded$",
    "(?:limit|cap)[^.]{0,40}(?:reached|exceeded)",
    "\\d+ of \\d{1,5}",
    "[)(]{3}x",
    "a\\(b\\)c",
    "(?<n>a)(?=b)(?<!c)",
  ])("may be %o", (text) => {
    expect(parseOwnPattern(text).ok).toBe(true);
  });

  it.each([
    "(a+)+$",
    "(a|a)+$",
    "(?:\\w+\\s?)+$",
    "(a{1,30}){1,30}b",
    ".*.*x",
    "x.{0,500}y.{0,500}z",
    "(?:a?){20}b",
    "(?:|){30}b",
    "(a+)\\1b",
    "a{2,}b{3,}c",
    // Few ways, but each of them is long.
    ".*.{0,18}.{400}x",
    "(?:a{0,9}){4}.{400}x",
    "(?<=.*.{0,18}.{400})x",
  ])("may not be %o, which some text makes slow", (text) => {
    expect(parseOwnPattern(text)).toEqual({
      ok: false,
      expected: expect.stringContaining("quick on any text") as string,
    });
  });

  it("sees no more than the beginning of a text, and takes no long time on the worst", () => {
    const row = '  - { name: mine, match: { status: 500, message: "x.{0,130}x.{0,130}y" }, reason: quota }';
    expect(verdict(row, http(500, { message: "x".repeat(200_000) })).row).not.toBe("config:mine");
    const late = "  - { name: mine, match: { status: 500, message: needle }, reason: quota }";
    expect(verdict(late, http(500, { message: `${" ".repeat(longestOwnTestedText)}needle` })).row).not.toBe(
      "config:mine",
    );
    expect(verdict(late, http(500, { message: `${" ".repeat(100)}needle` })).row).toBe("config:mine");
  });
});
