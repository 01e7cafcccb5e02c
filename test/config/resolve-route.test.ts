import { describe, expect, it } from "vitest";
import { parseConfig } from "../../src/config/parse.ts";
import { configError } from "../../src/config/problem.ts";
import { resolveConfig } from "../../src/config/resolve.ts";
import { resolveRoute } from "../../src/config/resolve-route.ts";
import { builtInProviders } from "../../src/providers/registry.ts";

function route(text: string, name?: string | null): ReturnType<typeof resolveRoute> {
  const parsed = parseConfig(text, "config.yaml");
  if (!parsed.ok) throw configError(parsed.problems);
  return resolveRoute(resolveConfig(parsed.config, builtInProviders, {}), name);
}

const routes = `
routes:
  coding: [codex/gpt-5.5, { target: anthropic/claude-sonnet-5, paid: true }]
  cheap: [openrouter/qwen/qwen3, openai/gpt-5.5, openrouter/deepseek/deepseek-v4]
  gpt-5-mini: [openai/gpt-5.4-mini, deepseek/deepseek-chat]
  openai/gpt-4o: [azure/gpt-4o]
`;

describe("the route asked for", () => {
  it.each<[asked: string | null | undefined, name: string, targets: string[]]>([
    [undefined, "coding", ["codex/gpt-5.5", "anthropic/claude-sonnet-5"]],
    [null, "coding", ["codex/gpt-5.5", "anthropic/claude-sonnet-5"]],
    ["  ", "coding", ["codex/gpt-5.5", "anthropic/claude-sonnet-5"]],
    ["cheap", "cheap", ["openrouter/qwen/qwen3", "openai/gpt-5.5", "openrouter/deepseek/deepseek-v4"]],
    // A route may carry the name of a model that a client insists on.
    ["gpt-5-mini", "gpt-5-mini", ["openai/gpt-5.4-mini", "deepseek/deepseek-chat"]],
    ["openai/gpt-4o", "openai/gpt-4o", ["azure-foundry/gpt-4o"]],
    // A target that no route names.
    ["openai/gpt-9", "openai/gpt-9", ["openai/gpt-9"]],
    ["OpenAI-Codex/gpt-5.5", "codex/gpt-5.5", ["codex/gpt-5.5"]],
    [
      "openrouter/anthropic/claude-sonnet-5",
      "openrouter/anthropic/claude-sonnet-5",
      ["openrouter/anthropic/claude-sonnet-5"],
    ],
    // The bare name of a model.
    ["claude-sonnet-5", "anthropic/claude-sonnet-5", ["anthropic/claude-sonnet-5"]],
    ["deepseek-chat", "deepseek/deepseek-chat", ["deepseek/deepseek-chat"]],
    ["qwen/qwen3", "alibaba/qwen3", ["alibaba/qwen3"]],
  ])("%o is %s", (asked, name, targets) => {
    const found = route(routes, asked);
    expect(found.name).toBe(name);
    expect(found.targets.map(({ provider, model }) => `${provider}/${model}`)).toEqual(targets);
    expect(found.strict).toBe(false);
  });

  it("keeps what the configuration says of a target that is asked for by its model", () => {
    expect(route(routes, "claude-sonnet-5").targets).toEqual([
      { provider: "anthropic", model: "claude-sonnet-5", paid: true },
    ]);
  });

  it("finds a model whose own name holds a slash and begins with no provider", () => {
    const text = "routes: { a: [openrouter/meta/llama-5] }";
    expect(route(text, "meta/llama-5").targets).toEqual([{ provider: "openrouter", model: "meta/llama-5" }]);
  });

  it("is the default route when none is named", () => {
    expect(route(`${routes}\ndefaultRoute: cheap`).name).toBe("cheap");
    expect(route(`${routes}\ndefaultRoute: xai/grok-4`).targets).toEqual([{ provider: "xai", model: "grok-4" }]);
    expect(route("routes: { only: [xai/grok-4] }").name).toBe("only");
  });
});

describe("a route that is not there", () => {
  it.each<[string, string, RegExp]>([
    [routes, "codng", /called "codng": did you mean "coding"\?/],
    [routes, "claude-sonet-5", /did you mean "claude-sonnet-5"\?/],
    [routes, "codx/gpt-7", /did you mean "codex\/gpt-7"\?/],
    [routes, "something-else-entirely", /routes are coding, cheap, gpt-5-mini, openai\/gpt-4o; a target is written/],
    ["", "something-else-entirely", /no route is configured; a target is written provider\/model/],
    [routes, "gpt-5.5", /more than once: say codex\/gpt-5.5 or openai\/gpt-5.5/],
    [routes, "github-copilot/gpt-5", /copilot can't be reached: its key is a GitHub token/],
    [routes, "x".repeat(5_000), /called "x{100}…"/],
    [routes, "a\nb", /"a\\nb"/],
  ])("in %j asked for as %j says what is", (text, asked, message) => {
    expect(() => route(text, asked)).toThrow(
      expect.objectContaining({ code: "route_unknown", message: expect.stringMatching(message) as string }) as Error,
    );
  });

  it("is also the default of a configuration without routes", () => {
    expect(() => route("")).toThrow(/no route is configured: name a target such as codex\/gpt-5.5/);
    expect(() => route("")).toThrow(expect.objectContaining({ facts: { command: "understudy model" } }));
  });
});
