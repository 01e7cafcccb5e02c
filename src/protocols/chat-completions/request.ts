import type { CanonicalRequest, Json, JsonObject, Tool, ToolChoice } from "../canonical.ts";
import { booleanAt, compact, defined, isObject, numberAt, objectAt, refuse, stringAt } from "../read-json.ts";
import { readHistory } from "./read-history.ts";
import { writeHistory } from "./write-history.ts";

/**
 * OpenAI's reasoning models refuse `max_tokens` (they want `max_completion_tokens`) and, while they reason, temperature and
 * top_p. With or without a vendor before the name.
 */
const openAiReasoning = /(?:^|\/)(?:o\d|gpt-[5-9])/i;

/**
 * Canonical → a Chat Completions request. The history's rules are in `write-history.ts`. Beyond them:
 *
 * - The output limit is `max_tokens`, since many compatible servers know no other name; only OpenAI's own reasoning models get
 *   `max_completion_tokens`.
 * - What says something about tools goes only with tools: OpenAI refuses it otherwise.
 * - A stream asks for its usage, or there would be none.
 */
export function encodeRequest(request: CanonicalRequest, model: string): { body: JsonObject; dropped: string[] } {
  const { messages, dropped } = writeHistory(request.messages);
  const tools = request.tools ?? [];
  const reasons = openAiReasoning.test(model);
  const sampling = !reasons || request.reasoningEffort === "none";
  if (!sampling && (request.temperature !== undefined || request.topP !== undefined)) {
    dropped.add("temperature and top_p: not taken by this model");
  }
  const body = compact({
    model,
    messages,
    tools: tools.length === 0 ? undefined : tools.map(writeTool),
    tool_choice: tools.length === 0 ? undefined : writeToolChoice(request.toolChoice),
    parallel_tool_calls: tools.length === 0 ? undefined : request.parallelToolCalls,
    [reasons ? "max_completion_tokens" : "max_tokens"]: request.maxOutputTokens,
    temperature: sampling ? request.temperature : undefined,
    top_p: sampling ? request.topP : undefined,
    stop: request.stop === undefined || request.stop.length === 0 ? undefined : [...request.stop],
    reasoning_effort: request.reasoningEffort,
    response_format: writeFormat(request.responseFormat),
    stream: request.stream,
    stream_options: request.stream ? { include_usage: true } : undefined,
  });
  return { body, dropped: [...dropped] };
}

/** Fields that are read, or that say nothing to another provider. */
const knownFields = new Set([
  "model",
  "messages",
  "tools",
  "functions",
  "tool_choice",
  "function_call",
  "parallel_tool_calls",
  "max_tokens",
  "max_completion_tokens",
  "temperature",
  "top_p",
  "stop",
  "reasoning_effort",
  "reasoning",
  "response_format",
  "stream",
  "stream_options",
]);

/** A Chat Completions request → canonical. Throws `UnderstudyError` `request_refused` naming the field that can't be read. */
export function decodeRequest(body: JsonObject): { request: CanonicalRequest; dropped: string[] } {
  const dropped = new Set<string>();
  for (const [key, value] of Object.entries(body)) if (!knownFields.has(key) && value !== null) dropped.add(key);
  // No other protocol has it: one answer is asked for, and that is said.
  if (body["n"] === 1) dropped.delete("n");
  else if (dropped.delete("n")) dropped.add("n: one answer is given");

  const messages = readHistory(body["messages"], dropped);
  const tools = readTools(body, dropped);
  const request: CanonicalRequest = {
    messages,
    ...defined("tools", tools.length === 0 ? undefined : tools),
    ...defined("toolChoice", readToolChoice(body["tool_choice"] ?? body["function_call"] ?? undefined)),
    ...defined("parallelToolCalls", booleanAt(body, "parallel_tool_calls")),
    ...defined("maxOutputTokens", numberAt(body, "max_completion_tokens") ?? numberAt(body, "max_tokens")),
    ...defined("temperature", numberAt(body, "temperature")),
    ...defined("topP", numberAt(body, "top_p")),
    ...defined("stop", readStop(body["stop"])),
    // OpenRouter nests it.
    ...defined(
      "reasoningEffort",
      stringAt(body, "reasoning_effort") ?? stringAt(objectAt(body, "reasoning"), "effort"),
    ),
    ...defined("responseFormat", readFormat(objectAt(body, "response_format"))),
    stream: body["stream"] === true,
  };
  return { request, dropped: [...dropped] };
}

function writeTool(tool: Tool): JsonObject {
  const { name, description, schema, strict } = tool;
  return { type: "function", function: compact({ name, description, parameters: schema, strict }) };
}

function writeToolChoice(choice: ToolChoice | undefined): Json | undefined {
  return typeof choice === "object" ? { type: "function", function: { name: choice.name } } : choice;
}

function writeFormat(format: CanonicalRequest["responseFormat"]): JsonObject | undefined {
  if (format === undefined) return undefined;
  if (format.schema === undefined) return { type: "json_object" };
  const { name = "answer", schema, strict } = format;
  return { type: "json_schema", json_schema: compact({ name, schema, strict }) };
}

function readTools(body: JsonObject, dropped: Set<string>): Tool[] {
  const wire = body["tools"] ?? body["functions"] ?? null;
  if (wire === null) return [];
  const field = "tools" in body && body["tools"] !== null ? "tools" : "functions";
  if (!Array.isArray(wire)) return refuse(field, "expected a list of tools");
  return wire.flatMap((tool, index): Tool[] => {
    if (!isObject(tool)) return refuse(`${field}[${index}]`, "expected a tool");
    const type = field === "tools" ? (stringAt(tool, "type") ?? "function") : "function";
    if (type !== "function") {
      dropped.add(`tool of type ${type}`);
      return [];
    }
    const definition = field === "tools" ? objectAt(tool, "function") : tool;
    const name = stringAt(definition, "name") ?? refuse(`${field}[${index}].function.name`, "expected a string");
    return [
      {
        name,
        schema: objectAt(definition, "parameters") ?? { type: "object", properties: {} },
        ...defined("description", stringAt(definition, "description")),
        ...defined("strict", booleanAt(definition, "strict")),
      },
    ];
  });
}

function readToolChoice(choice: Json | undefined): ToolChoice | undefined {
  if (choice === undefined || choice === null) return undefined;
  if (choice === "auto" || choice === "none" || choice === "required") return choice;
  if (isObject(choice)) {
    const named = stringAt(objectAt(choice, "function"), "name") ?? stringAt(choice, "name");
    if (named !== undefined) return { name: named };
    // Which tools are allowed can't be carried; that one of them is wanted can.
    const mode = stringAt(objectAt(choice, "allowed_tools"), "mode");
    if (mode === "auto" || mode === "required") return mode;
  }
  return refuse("tool_choice", 'expected "auto", "none", "required" or the name of a function');
}

function readStop(wire: Json | undefined): string[] | undefined {
  if (typeof wire === "string") return [wire];
  return Array.isArray(wire) ? wire.filter((item) => typeof item === "string") : undefined;
}

function readFormat(format: JsonObject | undefined): CanonicalRequest["responseFormat"] {
  if (format?.["type"] === "json_object") return {};
  if (format?.["type"] !== "json_schema") return undefined;
  const wire = objectAt(format, "json_schema");
  return {
    ...defined("name", stringAt(wire, "name")),
    ...defined("schema", objectAt(wire, "schema")),
    ...defined("strict", booleanAt(wire, "strict")),
  };
}
