import { describe, expect, it } from "vitest";
import { emptyConfig } from "../../src/config/empty-config.ts";
import { nearestNames } from "../../src/config/nearest-names.ts";
import { configJsonSchema, configSchema } from "../../src/config/schema.ts";

describe("the JSON Schema", () => {
  const schema = configJsonSchema() as {
    properties: Record<string, { properties?: Record<string, Record<string, unknown>>; description?: string }>;
    additionalProperties: boolean;
    required?: string[];
  };

  it("knows every section, demands none and allows no other", () => {
    expect(Object.keys(schema.properties)).toEqual(Object.keys(configSchema.shape));
    expect(schema.required).toBeUndefined();
    expect(schema.additionalProperties).toBe(false);
  });

  it("tells an editor what each section and each limit is for, with its default and bounds", () => {
    for (const [name, section] of Object.entries(schema.properties)) expect(section.description, name).toMatch(/\w/);
    expect(schema.properties["limits"]?.properties?.["maxWaitMs"]).toMatchObject({
      type: "integer",
      default: 30_000,
      minimum: 0,
      maximum: 600_000,
      description: expect.stringContaining("ms") as string,
    });
  });

  it("is plain data", () => {
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
  });
});

describe("names that may have been meant", () => {
  it.each<[string, string[], string[]]>([
    ["codx", ["codex", "xai", "openai"], ["codex"]],
    ["CODEX", ["codex"], ["codex"]],
    ["cdoex", ["codex"], ["codex"]],
    ["grko", ["grok", "zai"], ["grok"]],
    ["opena", ["openai", "openrouter"], ["openai"]],
    ["anthropc", ["anthropic", "openrouter"], ["anthropic"]],
    ["maxWait", ["maxWaitMs", "idleMs"], ["maxWaitMs"]],
    ["ab", ["abcdef"], []],
    ["zzzzzz", ["codex", "openai"], []],
    ["", ["codex"], []],
    ["kimi-cm", ["kimi-cn", "kimi", "kimi-cn"], ["kimi-cn"]],
  ])("for %o among %o are %o", (written, names, expected) => {
    expect(nearestNames(written, names)).toEqual(expected);
  });

  it("are three at most, the nearest first", () => {
    expect(nearestNames("model-1", ["model-22", "model-2", "model-1x", "model-3", "model-1"])).toEqual([
      "model-1",
      "model-2",
      "model-1x",
    ]);
  });
});

describe("an empty configuration", () => {
  it("means the same without being read", () => {
    expect(configSchema.parse({})).toEqual(emptyConfig);
  });
});
