import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../src/protocols/canonical.ts";
import { plainSchemas } from "../../src/protocols/plain-schemas.ts";

const tools = (schema: JsonObject): JsonObject => ({
  model: "m",
  tools: [{ type: "function", name: "t", parameters: schema }],
});

/** What is left of a schema; the same object when nothing was taken out. */
function plain(schema: JsonObject): unknown {
  const body = plainSchemas(tools(schema));
  return body === null ? schema : (body["tools"] as { parameters: unknown }[])[0]?.parameters;
}

describe("a plain schema", () => {
  it.each<[string, JsonObject, unknown]>([
    ["a pattern", { type: "string", pattern: "^a", description: "d" }, { type: "string", description: "d" }],
    ["a format", { type: "string", format: "date-time" }, { type: "string" }],
    ["an enum with a slash", { enum: ["text/html", "b"] }, {}],
    ["what lies deep", { anyOf: [{ items: { format: "uri" } }, true] }, { anyOf: [{ items: {} }, true] }],
    [
      "what a name of the tool's own stands for",
      { properties: { pattern: { type: "string", pattern: "x" } }, $defs: { format: { format: "uri" } } },
      { properties: { pattern: { type: "string" } }, $defs: { format: {} } },
    ],
  ])("goes without %s", (_, schema, left) => {
    const before = structuredClone(schema);
    expect(plain(schema)).toEqual(left);
    expect(schema).toEqual(before);
  });

  it.each<[string, JsonObject]>([
    ["an enum without a slash", { enum: ["a", "b"] }],
    ["properties with these names", { properties: { pattern: { type: "string" }, format: { enum: ["a"] } } }],
    [
      "values in which they mean something else",
      { default: { format: "x" }, const: { pattern: "y" }, required: ["format"] },
    ],
    ["patternProperties", { patternProperties: { "^a": { type: "string" } } }],
  ])("keeps %s", (_, schema) => {
    expect(plainSchemas(tools(schema))).toBeNull();
  });

  it("is written in every protocol, and where there are no tools nothing is", () => {
    const schema = { properties: { a: { format: "uri" } } };
    const left = { properties: { a: {} } };
    expect(
      plainSchemas({ tools: [{ type: "function", function: { name: "t", parameters: schema } }, { type: "x" }] }),
    ).toEqual({
      tools: [{ type: "function", function: { name: "t", parameters: left } }, { type: "x" }],
    });
    expect(plainSchemas({ tools: [{ name: "t", input_schema: schema }] })).toEqual({
      tools: [{ name: "t", input_schema: left }],
    });
    const none: readonly JsonObject[] = [{}, { tools: null }, { tools: [] }, { tools: [null, { name: "t" }] }];
    for (const body of none) expect(plainSchemas(body)).toBeNull();
  });
});
