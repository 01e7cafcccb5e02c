import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { addEntry, planTargets, readTargets, type TargetPlan } from "../../src/config/edit.ts";

const name = "config.yaml";

const flow = `# mine
routes:
  # by day
  coding: [codex/gpt-5.5, anthropic/claude-sonnet-5]   # the first is the primary
  night: [ codex/gpt-5.5 ]
limits: { maxWaitMs: 5 }    # short
`;

const block = `routes:
  coding:
    # the plan
    - codex/gpt-5.5      # paid for anyway
    - anthropic/claude-sonnet-5

    # costs money,
    # so last
    - { target: openrouter/x, paid: true }
  other: { targets: [codex/gpt-5.5], strict: true }
# the end
`;

describe("changing a route", () => {
  it.each<[string, string, string, TargetPlan, [was: string, is: string]]>([
    [
      "adds to a list on one line",
      flow,
      "coding",
      [0, 1, "openai/gpt-5.5"],
      ["[codex/gpt-5.5, anthropic/claude-sonnet-5]", "[codex/gpt-5.5, anthropic/claude-sonnet-5, openai/gpt-5.5]"],
    ],
    [
      "keeps the padding that is there",
      flow,
      "night",
      [0, "openai/m"],
      ["[ codex/gpt-5.5 ]", "[ codex/gpt-5.5, openai/m ]"],
    ],
    [
      "adds a target with more to say",
      flow,
      "coding",
      [0, { target: "openai/gpt-5.5", paid: true }],
      ["[codex/gpt-5.5, anthropic/claude-sonnet-5]", "[codex/gpt-5.5, { target: openai/gpt-5.5, paid: true }]"],
    ],
    [
      "adds a line to a list of lines",
      block,
      "coding",
      [0, 1, "openai/gpt-5.5", 2],
      ["    - anthropic/claude-sonnet-5\n\n", "    - anthropic/claude-sonnet-5\n\n    - openai/gpt-5.5\n"],
    ],
    [
      "takes a line out with the comment above it",
      block,
      "coding",
      [0, 1],
      ["    # costs money,\n    # so last\n    - { target: openrouter/x, paid: true }\n", ""],
    ],
    [
      "changes the targets inside of a map",
      block,
      "other",
      [0, "openai/m"],
      ["targets: [codex/gpt-5.5]", "targets: [codex/gpt-5.5, openai/m]"],
    ],
  ])("%s, and nothing else", (_, text, route, plan, [was, is]) => {
    expect(planTargets(text, name, route, plan)).toBe(text.replace(was, is));
  });

  it("moves lines with their comments", () => {
    expect(planTargets(block, name, "coding", [2, 0, 1])).toBe(`routes:
  coding:
    # costs money,
    # so last
    - { target: openrouter/x, paid: true }
    # the plan
    - codex/gpt-5.5      # paid for anyway
    - anthropic/claude-sonnet-5

  other: { targets: [codex/gpt-5.5], strict: true }
# the end
`);
  });

  it("keeps the comments of a text that is written in an unusual way", () => {
    const odd = `routes: { coding: [codex/gpt-5.5, # the plan
  anthropic/claude-sonnet-5] } # all of them\n`;
    const changed = planTargets(odd, name, "coding", [1, 0, "openai/m"]);
    expect(readTargets(changed, name, "coding")).toEqual(["anthropic/claude-sonnet-5", "codex/gpt-5.5", "openai/m"]);
    for (const comment of ["# the plan", "# all of them"]) expect(changed).toContain(comment);
  });

  it("leaves alone what is wrong, what would become wrong, and what is written once for several", () => {
    expect(() => planTargets("routes: { a: [nobody/m] }", name, "a", [0])).toThrow(/config\.yaml:1/);
    expect(() => planTargets(flow, name, "coding", [0, 1, "codex/gpt-5.5"])).toThrow(/each target once/);
    expect(() => planTargets(flow, name, "coding", [])).toThrow(/at least one target/);
    expect(() => planTargets(flow, name, "gone", [0])).toThrow(/no route gone/);
    const shared = "routes:\n  a: &usual [codex/m]\n  b: *usual\n";
    expect(() => planTargets(shared, name, "b", [0, "openai/m"])).toThrow(
      /the route b is written as \*usual: .*config edit/,
    );
  });

  it("says what was planned and keeps every comment, whatever the order, the style and the line ends", () => {
    const targets = ["codex/a", "openai/b", "anthropic/c", "xai/d"];
    const style = fc.constantFrom("flow", "block", "commented");
    const ends = fc.constantFrom("\n", "\r\n");
    const order = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 });
    fc.assert(
      fc.property(style, ends, order, fc.boolean(), (written, end, kept, adds) => {
        const list =
          written === "flow"
            ? ` [${targets.join(", ")}] # tail\n`
            : `\n${targets.map((target, i) => (written === "block" ? `    - ${target}\n` : `    # over ${i}\n    - ${target} # at ${i}\n`)).join("")}`;
        const text = `# head\nroutes:\n  r:${list}  s: [codex/z]\n# foot\n`.replaceAll("\n", end);
        const plan: TargetPlan = [...kept, ...(adds ? ["zai/new"] : [])];
        const changed = planTargets(text, name, "r", plan);
        expect(parse(changed)).toEqual({
          routes: { r: plan.map((part) => (typeof part === "number" ? targets[part] : part)), s: ["codex/z"] },
        });
        for (const comment of ["# head", "# foot", ...(written === "flow" ? ["# tail"] : [])]) {
          expect(changed).toContain(comment);
        }
        if (written === "commented") for (const i of kept) expect(changed).toContain(`# over ${i}`);
      }),
    );
  });
});

describe("adding to a section", () => {
  it.each<[string, string, string]>([
    ["to nothing", "", "routes:\n  a: [codex/m]\n"],
    ["below comments", "# mine\n", "# mine\nroutes:\n  a: [codex/m]\n"],
    [
      "behind another section, without a last line end",
      "limits: { maxWaitMs: 1 }",
      "limits: { maxWaitMs: 1 }\nroutes:\n  a: [codex/m]\n",
    ],
    ["to an empty section", "routes:\n  # none yet\n", "routes:\n  a: [codex/m]\n  # none yet\n"],
    [
      "at the end, as far in as the others",
      "routes:\n    b:\n      - codex/m # yes\nlimits: {}\n",
      "routes:\n    b:\n      - codex/m # yes\n    a: [codex/m]\nlimits: {}\n",
    ],
  ])("%s", (_, text, expected) => {
    expect(addEntry(text, name, "routes", "a", ["codex/m"])).toBe(expected);
  });

  it("writes a provider on one line, and a section in braces anew", () => {
    const provider = { protocol: "messages", baseUrl: "https://m.example/v1" };
    expect(addEntry("", name, "providers", "mine", provider)).toBe(
      "providers:\n  mine: { protocol: messages, baseUrl: https://m.example/v1 }\n",
    );
    const braces = addEntry("routes: { b: [codex/m] } # all\n", name, "routes", "a", ["codex/m"]);
    expect(parse(braces)).toEqual({ routes: { b: ["codex/m"], a: ["codex/m"] } });
    expect(braces).toContain("# all");
  });

  it("replaces nothing", () => {
    expect(() => addEntry(flow, name, "routes", "coding", ["codex/m"])).toThrow(/has routes\.coding already/);
  });
});
