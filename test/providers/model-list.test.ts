import { describe, expect, it } from "vitest";
import { readModelList } from "../../src/providers/model-list.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";

function provider(id: string) {
  const found = findProvider(builtInProviders, id);
  if (found === null) throw new Error(id);
  return found;
}

const ids = (id: string, body: unknown): string[] | null =>
  readModelList(provider(id), body)?.map((model) => model.id) ?? null;

describe("the list of Codex", () => {
  it("leaves out what is hidden, and sorts by priority, then by name", () => {
    const models = [
      { slug: "gpt-5.3-codex", priority: 20, visibility: "list" },
      { slug: "gpt-5.1-codex", priority: 5 },
      { slug: "gpt-5.4", priority: 1 },
      { slug: "gpt-5-hidden", priority: 0, visibility: "Hidden" },
      { slug: "gpt-5-internal", priority: 0, visibility: "hide" },
      { slug: "  " },
      { slug: "zeta" },
      { slug: "alpha-10" },
      { slug: "alpha-9" },
      "no row",
      null,
      { id: "no-slug" },
      { slug: "gpt-5.4", priority: 7 },
    ];
    expect(ids("codex", { models })).toEqual([
      "gpt-5.4",
      "gpt-5.1-codex",
      "gpt-5.3-codex",
      "alpha-9",
      "alpha-10",
      "zeta",
    ]);
  });

  it("keeps what the public API does not have: a plan may", () => {
    expect(ids("codex", { models: [{ slug: "gpt-5.3-codex-spark", supported_in_api: false }] })).toEqual([
      "gpt-5.3-codex-spark",
    ]);
  });
});

describe("the lists of all others", () => {
  it.each<[string, unknown, string[] | null]>([
    ["openai", { data: [{ id: "gpt-5.10" }, { id: "gpt-5.9" }, { id: "gpt-5.9" }] }, ["gpt-5.9", "gpt-5.10"]],
    [
      "openai",
      {
        data: [
          "text-embedding-3-large",
          "whisper-1",
          "dall-e-3",
          "gpt-4o-realtime",
          "omni-moderation-latest",
          "gpt-image-1",
          "sora-2",
          "davinci-002",
          "o3",
        ].map((id) => ({ id })),
      },
      ["o3"],
    ],
    [
      "openrouter",
      { data: [{ id: "openai/gpt-5.5" }, { id: "anthropic/claude" }, { id: "imagery/x" }] },
      ["anthropic/claude", "imagery/x", "openai/gpt-5.5"],
    ],
    ["ollama", { models: [{ name: "llama4:70b" }] }, ["llama4:70b"]],
    ["vllm", [{ id: "qwen3" }], ["qwen3"]],
    ["openai", { data: [] }, []],
    ["openai", { error: "no" }, null],
    ["openai", "text", null],
    ["openai", { data: [{ id: "a\u001b[2Jb" }, { id: "x".repeat(300) }, { id: 7 }] }, []],
  ])("%s: %j", (id, body, expected) => {
    expect(ids(id, body)).toEqual(expected);
  });

  it("have names for people where the provider gives them", () => {
    expect(readModelList(provider("anthropic"), { data: [{ id: "claude-a", display_name: "Claude A" }] })).toEqual([
      { id: "claude-a", name: "Claude A" },
    ]);
  });
});
