import type { Json, JsonObject } from "./canonical.ts";
import { isObject, objectAt } from "./read-json.ts";

/**
 * Servers that hold a model to the schemas of its tools by a grammar can't express all of JSON Schema, and refuse the whole request for
 * one `pattern`. Takes out of the tools what is known to be refused: `pattern`, `format`, and an `enum` with a slash in a value. What
 * these say is a hint to the model; who runs the tool checks its input all the same.
 *
 * For a request of any protocol. Null when there was nothing of the kind. The given body is not changed.
 * Source: xAI (NousResearch/hermes-agent #28021, #27219), llama.cpp (#18530), Gemini (google-gemini/gemini-cli #2706).
 */
export function plainSchemas(body: JsonObject): JsonObject | null {
  const tools = body["tools"];
  if (!Array.isArray(tools)) return null;
  const plain = tools.map(plainTool);
  return plain.some((tool, i) => tool !== tools[i]) ? { ...body, tools: plain } : null;
}

/** Chat Completions has the schema in `function.parameters`, Responses in `parameters`, Messages in `input_schema`. */
function plainTool(tool: Json): Json {
  if (!isObject(tool)) return tool;
  const wrapped = objectAt(tool, "function");
  if (wrapped !== undefined) {
    const plain = plainTool(wrapped);
    return plain === wrapped ? tool : { ...tool, function: plain };
  }
  const name = ["parameters", "input_schema"].find((key) => isObject(tool[key]));
  if (name === undefined) return tool;
  const schema = tool[name] ?? null;
  const plain = plainSchema(schema);
  return plain === schema ? tool : { ...tool, [name]: plain };
}

/** A schema, or a list of them. Gives back the same value where nothing is taken out. */
function plainSchema(schema: Json): Json {
  if (Array.isArray(schema)) {
    const plain = schema.map(plainSchema);
    return plain.some((item, i) => item !== schema[i]) ? plain : schema;
  }
  if (!isObject(schema)) return schema;
  const plain: [string, Json][] = [];
  for (const [key, value] of Object.entries(schema)) {
    if (value !== undefined && !isRefused(key, value)) plain.push([key, plainMember(key, value)]);
  }
  const isSame = plain.length === Object.keys(schema).length && plain.every(([key, value]) => value === schema[key]);
  return isSame ? schema : Object.fromEntries(plain);
}

function isRefused(key: string, value: Json): boolean {
  if (key === "pattern" || key === "format") return typeof value === "string";
  return key === "enum" && Array.isArray(value) && value.some((one) => typeof one === "string" && one.includes("/"));
}

function plainMember(key: string, value: Json): Json {
  // Values of the tool's own, in which the same words mean something else.
  if (data.has(key)) return value;
  if (!named.has(key) || !isObject(value)) return plainSchema(value);
  const entries = Object.entries(value).map(([name, schema]): [string, Json] => [name, plainSchema(schema ?? null)]);
  return entries.some(([name, schema]) => schema !== value[name]) ? Object.fromEntries(entries) : value;
}

const data: ReadonlySet<string> = new Set(["enum", "const", "default", "examples", "required"]);
/** Maps from names of the tool's own to schemas. */
const named: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "$defs",
  "definitions",
  "dependentSchemas",
]);
