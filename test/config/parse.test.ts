import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { longestConfig, parseConfig } from "../../src/config/parse.ts";
import { configError } from "../../src/config/problem.ts";
import type { Config } from "../../src/config/schema.ts";

const limits = {
  maxWaitMs: 30_000,
  firstEventMs: 120_000,
  idleMs: 300_000,
  refreshTimeoutMs: 20_000,
  holdEvents: 64,
  holdBytes: 262_144,
};
const defaults: Config = {
  routes: {},
  pools: {},
  providers: {},
  prices: {},
  journal: { maxAgeDays: 30, maxTurns: 10_000 },
  limits,
  failures: [],
};

function parsed(text: string): Config {
  const result = parseConfig(text, "config.yaml");
  if (!result.ok) throw configError(result.problems);
  return result.config;
}

function messages(text: string): string[] {
  const result = parseConfig(text, "config.yaml");
  return result.ok ? [] : result.problems.map(({ message }) => message);
}

describe("a configuration", () => {
  it.each(["", "\n\n", "# nothing yet\n", "---\n", "null", "{}", "routes:\npools:\nproviders:\nlimits:\n", "\uFEFF"])(
    "that says nothing (%o) is the default one",
    (text) => {
      expect(parsed(text)).toEqual(defaults);
    },
  );

  it("says all it can say", () => {
    const config = parsed(`
routes:
  coding: [codex/gpt-5.5, anthropic/claude-sonnet-5, local/qwen3]     # first is the primary
  strict: { targets: [codex/gpt-5.5], strict: true }
  careful:
    targets:
      - target: codex/gpt-5.5
        credential: work
      - target: openrouter/anthropic/claude-sonnet-5
        paid: true
defaultRoute: coding
pools:
  codex: { strategy: round_robin }
  local: {}
providers:
  local: { protocol: chat-completions, baseUrl: http://127.0.0.1:8000/v1, apiKeyEnv: LOCAL_KEY, aliases: [mine] }
  codex: { baseUrl: "http://localhost:9000/codex", issuer: "http://localhost:9001" }
  lan: { protocol: messages, baseUrl: http://10.0.0.7/v1, allowInsecure: true, headers: { X-Team: blue }, name: LAN }
limits: { maxWaitMs: 0, holdEvents: 8 }
store: ./understudy.db
`);
    expect(config).toEqual({
      ...defaults,
      routes: {
        coding: ["codex/gpt-5.5", "anthropic/claude-sonnet-5", "local/qwen3"],
        strict: { targets: ["codex/gpt-5.5"], strict: true },
        careful: {
          targets: [
            { target: "codex/gpt-5.5", credential: "work" },
            { target: "openrouter/anthropic/claude-sonnet-5", paid: true },
          ],
        },
      },
      defaultRoute: "coding",
      pools: {
        codex: { strategy: "round_robin", concurrency: 16 },
        local: { strategy: "fill_first", concurrency: 16 },
      },
      providers: {
        local: {
          protocol: "chat-completions",
          baseUrl: "http://127.0.0.1:8000/v1",
          apiKeyEnv: "LOCAL_KEY",
          aliases: ["mine"],
        },
        codex: { baseUrl: "http://localhost:9000/codex", issuer: "http://localhost:9001" },
        lan: {
          protocol: "messages",
          baseUrl: "http://10.0.0.7/v1",
          allowInsecure: true,
          headers: { "X-Team": "blue" },
          name: "LAN",
        },
      },
      limits: { ...limits, maxWaitMs: 0, holdEvents: 8 },
      store: "./understudy.db",
    });
  });

  it("may be JSON", () => {
    expect(parsed('{"routes": {"a": ["openai/gpt-5.5"]}}').routes).toEqual({ a: ["openai/gpt-5.5"] });
  });

  it("may repeat itself with anchors", () => {
    const config = parsed("routes:\n  a: &list [openai/gpt-5.5]\n  b: *list\n");
    expect(config.routes).toEqual({ a: ["openai/gpt-5.5"], b: ["openai/gpt-5.5"] });
  });

  it("may name providers by alias and routes by any name without blanks", () => {
    const config = parsed(
      "routes: { gpt-5.5: [openai-codex/gpt-5.5], a/b: [Claude/claude-sonnet-5], 5: [grok/grok-4] }",
    );
    expect(Object.keys(config.routes)).toHaveLength(3);
  });
});

describe("a problem", () => {
  /** `|` marks where it must be found. */
  it.each<[string, string]>([
    [
      "|limit: { maxWaitMs: 5 }",
      'limit: can\'t be a key here; expected one of routes, defaultRoute, pools, providers, limits, prices, journal, failures, store; did you mean "limits"?',
    ],
    [
      "limits:\n  |maxWait: 5",
      'limits.maxWait: can\'t be a key here; expected one of maxWaitMs, firstEventMs, idleMs, refreshTimeoutMs, holdEvents, holdBytes; did you mean "maxWaitMs"?',
    ],
    ["limits:\n  maxWaitMs: |30s", 'limits.maxWaitMs: "30s"; expected a whole number of milliseconds from 0 to 600000'],
    ["limits:\n  maxWaitMs: |-1", "limits.maxWaitMs: -1; expected a whole number of milliseconds from 0 to 600000"],
    ["limits:\n  maxWaitMs: |1.5", "limits.maxWaitMs: 1.5; expected a whole number of milliseconds from 0 to 600000"],
    [
      "limits:\n  idleMs: |99999999",
      "limits.idleMs: 99999999; expected a whole number of milliseconds from 10 to 3600000",
    ],
    ["limits:\n  holdBytes: |.inf", "limits.holdBytes: Infinity; expected a whole number from 1024 to 16777216"],
    ["limits:\n  |idleMs:", "limits.idleMs: nothing; expected a whole number of milliseconds from 10 to 3600000"],
    ["routes: |5", "routes: 5; expected a map of route names to targets"],
    [
      "|- a",
      "a list; expected a map with routes, pools, providers, limits, prices, journal, failures, defaultRoute or store",
    ],
    [
      "|hello",
      '"hello"; expected a map with routes, pools, providers, limits, prices, journal, failures, defaultRoute or store',
    ],
    [
      "routes:\n  coding: |codex/gpt-5.5",
      'routes.coding: "codex/gpt-5.5"; expected a list of targets such as [codex/gpt-5.5], or a map with targets',
    ],
    ["routes:\n  coding: |[]", "routes.coding: a list; expected at least one target"],
    [
      "routes:\n  |two words: [codex/gpt-5.5]",
      'routes["two words"]: can\'t be a key here; expected a name without blanks, at most 200 characters',
    ],
    [
      "routes:\n  coding:\n    - codex/gpt-5.5\n    - |gpt-5.5",
      'routes.coding[1]: "gpt-5.5"; expected provider/model, for example "codex/gpt-5.5"',
    ],
    [
      "routes:\n  coding: [|7]",
      'routes.coding[0]: 7; expected provider/model, for example "codex/gpt-5.5", or a map with target',
    ],
    [
      "routes:\n  coding: [codex/gpt-5.5, |codx/gpt-5.5]",
      'routes.coding[1]: "codx/gpt-5.5"; expected the id or alias of a provider; did you mean "codex"?',
    ],
    [
      "routes:\n  coding: [|nowhere-at-all/m]",
      'routes.coding[0]: "nowhere-at-all/m"; expected the id or alias of a provider',
    ],
    [
      "routes:\n  coding: { targets: [|opnai/m] }",
      'routes.coding.targets[0]: "opnai/m"; expected the id or alias of a provider; did you mean "openai"?',
    ],
    [
      "routes:\n  coding:\n    - target: |opnai/m",
      'routes.coding[0].target: "opnai/m"; expected the id or alias of a provider; did you mean "openai"?',
    ],
    [
      "routes:\n  coding: [{ target: codex/m, |payed: true }]",
      'routes.coding[0].payed: can\'t be a key here; expected one of target, credential, paid; did you mean "paid"?',
    ],
    ["routes:\n  coding: [{ target: codex/m, paid: |yes }]", 'routes.coding[0].paid: "yes"; expected true or false'],
    [
      "routes:\n  coding: { targets: [codex/m], |strick: true }",
      'routes.coding.strick: can\'t be a key here; expected one of targets, strict, continue; did you mean "strict"?',
    ],
    [
      "routes:\n  coding: [codex/m, |openai-codex/m]",
      'routes.coding[1]: "openai-codex/m"; expected each target once in a route',
    ],
    [
      "routes:\n  a: [|copilot/gpt-5]",
      'routes.a[0]: "copilot/gpt-5"; expected a provider that can be reached: copilot is not, since its key is a GitHub token that must first be exchanged for a short-lived one, which is not supported',
    ],
    [
      "pools:\n  |codx: { strategy: random }",
      'pools.codx: can\'t be a key here; expected the id or alias of a provider; did you mean "codex"?',
    ],
    [
      "pools:\n  codex: { strategy: |fill-first }",
      'pools.codex.strategy: "fill-first"; expected one of fill_first, round_robin, least_used, random; did you mean "fill_first"?',
    ],
    [
      "pools:\n  codex: {}\n  |openai-codex: {}",
      "pools.openai-codex: can't be a key here; expected one pool for codex, which codex names, too",
    ],
    [
      "defaultRoute: |codng\nroutes: { coding: [codex/m] }",
      'defaultRoute: "codng"; expected the name of a route, or provider/model; did you mean "coding"?',
    ],
    ["store: |''", 'store: ""; expected the path of the store, or its postgres:// address'],
    [
      "providers:\n  |mine: { baseUrl: https://m.example/v1 }",
      "providers.mine.protocol: missing; expected protocol and baseUrl for a provider that is not built in",
    ],
    [
      "providers:\n  |mine: { protocol: messages }",
      "providers.mine.baseUrl: missing; expected protocol and baseUrl for a provider that is not built in",
    ],
    [
      "providers:\n  mine: { baseUrl: https://m.example, protocol: |chat }",
      'providers.mine.protocol: "chat"; expected one of responses, chat-completions, messages; did you mean "chat-completions"?',
    ],
    [
      "providers:\n  openai: { baseUrl: |http://proxy.example/v1 }",
      'providers.openai.baseUrl: "http://proxy.example/v1"; expected a URL that can be used; it must begin with https://; plain http is only for this machine, or with allowInsecure: true',
    ],
    [
      "providers:\n  codex: { issuer: |auth.openai.com }",
      'providers.codex.issuer: "auth.openai.com"; expected a URL that can be used; it must be an absolute URL such as https://api.example.com/v1',
    ],
    [
      "providers:\n  openai: { |issuer: https://auth.example }",
      "providers.openai.issuer: can't be a key here; expected no issuer: it is for providers that one signs in to, such as codex",
    ],
    [
      "providers:\n  codex: { |apiKeyEnv: KEY }",
      "providers.codex.apiKeyEnv: can't be a key here; expected no key: one signs in to codex; openai takes a key",
    ],
    [
      "providers:\n  |openai-codex: { baseUrl: https://x.example }",
      "providers.openai-codex: can't be a key here; expected codex, of which openai-codex is another name, or a name that is not taken",
    ],
    [
      "providers:\n  mine: { protocol: messages, baseUrl: https://m.example, aliases: [m, |grok] }",
      'providers.mine.aliases[1]: "grok"; expected a name that is not taken',
    ],
    [
      "providers:\n  mine: { protocol: messages, baseUrl: https://m.example }\n  |Mine: { protocol: messages, baseUrl: https://n.example }",
      "providers.Mine: can't be a key here; expected a name that is not taken",
    ],
    [
      "providers:\n  |a/b: { protocol: messages, baseUrl: https://m.example }",
      'providers["a/b"]: can\'t be a key here; expected a name of letters, digits, dots, dashes and underscores',
    ],
    [
      "providers:\n  openai: { |api_key_env: KEY }",
      'providers.openai.api_key_env: can\'t be a key here; expected one of name, protocol, baseUrl, issuer, oauth, apiKeyEnv, aliases, headers, allowInsecure; did you mean "apiKeyEnv"?',
    ],
    [
      "providers:\n  openai: { headers: { |Authorization: x } }",
      "providers.openai.headers.Authorization: can't be a key here; expected another header: this one is written with the request",
    ],
    [
      'providers:\n  openai: { headers: { X-A: |"a\\nb" } }',
      "providers.openai.headers.X-A: a text of 3 characters (not shown); expected one line of text",
    ],
    ["a: 1\n|a: 2", "duplicate key; expected valid YAML"],
    ["|__proto__: { a: 1 }", '"__proto__"; expected another name'],
    ["routes:\n  |__proto__: [codex/m]", '"__proto__"; expected another name'],
  ])("%j is told with its place", (marked, expected) => {
    const offset = marked.indexOf("|");
    const text = marked.slice(0, offset) + marked.slice(offset + 1);
    const before = marked.slice(0, offset).split("\n");
    const place = `config.yaml:${before.length}:${(before.at(-1) ?? "").length + 1}: `;
    expect(messages(text)).toEqual([place + expected]);
  });

  it("is one of several, told in the order of the file", () => {
    const text = "limits: { maxWaitMs: x, idle: 5 }\nroutes: { a: [] }\nstore: 7\nwhat: 1\n";
    expect(messages(text).map((message) => message.split(": ").slice(0, 2).join(" "))).toEqual([
      "config.yaml:1:22 limits.maxWaitMs",
      "config.yaml:1:25 limits.idle",
      "config.yaml:2:14 routes.a",
      "config.yaml:3:8 store",
      "config.yaml:4:1 what",
    ]);
  });

  it("behind an alias is told where its anchor is, once for each place that uses it", () => {
    const text = "routes:\n  a: &list [codex/m, codx/m]\n  b: *list\n";
    expect(messages(text).map((message) => message.split("]")[0])).toEqual([
      "config.yaml:2:22: routes.a[1",
      "config.yaml:2:22: routes.b[1",
    ]);
  });

  it("carries its parts, for tools", () => {
    const result = parseConfig("limits:\n  maxWaitMs: 30s", "my.yaml");
    expect(result).toMatchObject({
      ok: false,
      problems: [{ file: "my.yaml", line: 2, column: 14, path: "limits.maxWaitMs", value: '"30s"', suggestion: null }],
    });
  });

  it("never repeats a key that was put in the wrong place", () => {
    const key = "sk-proj-abc123def456ghi789jkl";
    const texts = [
      `providers: { openai: { apiKeyEnv: ${key} } }`,
      `providers: { openai: { apiKeyEnv: [${key}] } }`,
      `providers: { openai: { apiKey: ${key} } }`,
      `providers: { openai: { headers: { Authorization: Bearer ${key} } } }`,
      `providers: { openai: { headers: [${key}] } }`,
      `providers: { openai: { baseUrl: https://me:${key}@x.example } }`,
      `providers: { openai: ${key} }`,
      `providers: { ${key}: {} }`,
      `${key}: 5`,
      `limits: ${key}`,
      `routes: { a: [${key}] }`,
      `routes: { a: ["codx/${key}"] }`,
      key,
      `"${key}" "${key}"`,
      `!${key} x`,
      `*${key}`,
      `a: ${key}\na: ${key}`,
    ];
    for (const text of texts) {
      const result = parseConfig(text, "config.yaml");
      expect(result.ok, text).toBe(false);
      expect(JSON.stringify(result)).not.toContain("abc123def456");
    }
  });

  it("shows no text at all where a key is likely, however harmless it looks", () => {
    for (const text of ["providers: { openai: { apiKeyEnv: my-key } }", "providers: { openai: { headers: my-key } }"]) {
      expect(messages(text)).toHaveLength(1);
      expect(messages(text)[0]).toContain("a text of 6 characters (not shown)");
    }
  });

  it("is an error of the configuration when it must be thrown", () => {
    const result = parseConfig("a: 1\nb: 2", "config.yaml");
    if (result.ok) throw new Error("accepted");
    expect(configError(result.problems)).toMatchObject({ code: "config_invalid" });
    expect(configError(result.problems).message.split("\n")).toHaveLength(2);
  });
});

describe("no text makes the reader throw", () => {
  const check = (text: string): void => {
    const result = parseConfig(text, "config.yaml");
    if (result.ok) return;
    expect(result.problems.length).toBeGreaterThan(0);
    for (const { line, column, message } of result.problems) {
      expect(line).toBeGreaterThanOrEqual(1);
      expect(column).toBeGreaterThanOrEqual(1);
      expect(message).not.toMatch(/\n|undefined|\[object/);
    }
  };

  it("whatever its characters", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 200 }), check), { numRuns: 500 });
  });

  it("nor one made of YAML's own signs", () => {
    const signs = fc.constantFrom(
      "&a",
      "*a",
      "- ",
      "? ",
      ": ",
      "{",
      "}",
      "[",
      "]",
      "\n",
      "  ",
      "!t ",
      "|",
      ">",
      "'",
      '"',
      "#",
      "---\n",
      "%X\n",
      "a",
      "<<",
      ",",
      "5",
      "routes",
      "providers",
      "limits",
      "null",
    );
    fc.assert(
      fc.property(
        fc.array(signs, { maxLength: 40 }).map((parts) => parts.join("")),
        check,
      ),
      { numRuns: 1_000 },
    );
  });

  it("nor any value in any place", () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.integer(),
      fc.double(),
      fc.boolean(),
      fc.constant(null),
      fc.constantFrom("codex/m", "https://x.example", "messages"),
    );
    const key = fc.oneof(
      fc.string(),
      fc.constantFrom(
        "routes",
        "pools",
        "providers",
        "limits",
        "targets",
        "target",
        "codex",
        "mine",
        "protocol",
        "baseUrl",
        "headers",
        "aliases",
        "strategy",
        "maxWaitMs",
        "constructor",
        "toString",
        "hasOwnProperty",
      ),
    );
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        leaf,
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(key, tie("value"), { maxKeys: 5 }),
      ),
    })).value;
    fc.assert(
      fc.property(value, (json) => check(JSON.stringify(json))),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ["deep lists", "[".repeat(20_000)],
    ["deep maps", "{a: ".repeat(20_000)],
    ["deep blocks", Array.from({ length: 3_000 }, (_, i) => `${" ".repeat(i)}a:`).join("\n")],
    ["an alias of itself", "routes: &a [*a]"],
    [
      "an alias bomb",
      `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghij"
        .split("")
        .map((name, i) => `${name}: &${name} [${`*${"abcdefghi"[i]},`.repeat(9)}]`)
        .join("\n")}`,
    ],
    ["a loose alias", "routes: *nowhere"],
    ["two documents", "a: 1\n---\nb: 2"],
    ["a tag", "routes: !!js/function x"],
    ["a list as a key", "? [a, b]\n: 1"],
    ["too much text", "#".repeat(longestConfig + 1)],
  ])("%s", (_name, text) => {
    check(text);
    expect(parseConfig(text, "config.yaml").ok).toBe(false);
  });
});
