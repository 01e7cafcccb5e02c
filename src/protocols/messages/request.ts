import type { CanonicalRequest, Json, JsonObject, Tool, ToolChoice } from "../canonical.ts";
import {
  booleanAt,
  compact,
  defined,
  isObject,
  numberAt,
  objectAt,
  objectsAt,
  refuse,
  stringAt,
} from "../read-json.ts";
import { readHistory } from "./read-history.ts";
import { defaultMaxTokens, modelRules, planThinking, readEffort } from "./thinking.ts";
import { isThinking, writeHistory } from "./write-history.ts";

/**
 * Canonical → a Messages request. The history's rules are in `write-history.ts`, those of thinking in `thinking.ts`. Beyond them:
 *
 * - `max_tokens` is required: `defaultMaxTokens` when the caller named none.
 * - Temperature goes up to 1 here, elsewhere to 2: larger values become 1. It goes not at all with thinking or to models
 *   without sampling; `top_p` only when there is no temperature, since newer models refuse the two together.
 * - A response format with a schema becomes `output_config.format` (structured outputs; older models and copies of the
 *   protocol don't know it); without a schema there is no such thing here.
 */
export function encodeRequest(request: CanonicalRequest, model: string): { body: JsonObject; dropped: string[] } {
  const rules = modelRules(model);
  const { system, messages, dropped } = writeHistory(request.messages, rules);
  const tools = request.tools ?? [];
  const maxTokens = request.maxOutputTokens ?? defaultMaxTokens;
  const toolChoice = tools.length === 0 ? undefined : writeToolChoice(request.toolChoice, request.parallelToolCalls);
  const plan = planThinking(rules, {
    effort: request.reasoningEffort,
    maxTokens,
    toolIsForced: toolChoice?.["type"] === "any" || toolChoice?.["type"] === "tool",
    openLoopWithoutThinking: opensLoopWithoutThinking(messages),
  });
  if (plan.dropped !== undefined) dropped.add(plan.dropped);

  const schema = request.responseFormat?.schema;
  if (request.responseFormat !== undefined && schema === undefined) dropped.add("JSON output without a schema");
  const outputConfig = compact({
    effort: plan.effort,
    format: schema === undefined ? undefined : { type: "json_schema", schema },
  });
  const body = compact({
    model,
    max_tokens: maxTokens,
    system: system.length === 0 ? undefined : system,
    messages,
    tools: tools.length === 0 ? undefined : tools.map(writeTool),
    tool_choice: toolChoice,
    thinking: plan.thinking,
    output_config: Object.keys(outputConfig).length === 0 ? undefined : outputConfig,
    ...writeSampling(request, rules.sampling && !isOn(plan.thinking), dropped),
    stop_sequences: writeStop(request.stop, dropped),
    stream: request.stream,
  });
  return { body, dropped: [...dropped] };
}

/** Fields that are read, or that say nothing to another provider. */
const knownFields = new Set([
  "model",
  "max_tokens",
  "system",
  "messages",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "temperature",
  "top_p",
  "stop_sequences",
  "stream",
]);

/** A Messages request → canonical. Throws `UnderstudyError` `request_refused` naming the field that can't be read. */
export function decodeRequest(body: JsonObject): { request: CanonicalRequest; dropped: string[] } {
  const dropped = new Set<string>();
  for (const [key, value] of Object.entries(body)) if (!knownFields.has(key) && value !== null) dropped.add(key);

  const messages = readHistory(body["system"] ?? undefined, body["messages"], dropped);
  const tools = readTools(body["tools"], dropped);
  const choice = objectAt(body, "tool_choice");
  const outputConfig = objectAt(body, "output_config");
  const schema = objectAt(objectAt(outputConfig, "format"), "schema");
  const request: CanonicalRequest = {
    messages,
    ...defined("tools", tools.length === 0 ? undefined : tools),
    ...defined("toolChoice", readToolChoice(choice)),
    ...defined("parallelToolCalls", choice?.["disable_parallel_tool_use"] === true ? false : undefined),
    ...defined("maxOutputTokens", numberAt(body, "max_tokens")),
    ...defined("temperature", numberAt(body, "temperature")),
    ...defined("topP", numberAt(body, "top_p")),
    ...defined("stop", readStop(body["stop_sequences"])),
    ...defined("reasoningEffort", readEffort(objectAt(body, "thinking"), stringAt(outputConfig, "effort"))),
    ...defined("responseFormat", schema === undefined ? undefined : { schema }),
    stream: body["stream"] === true,
  };
  return { request, dropped: [...dropped] };
}

function writeTool(tool: Tool): JsonObject {
  return compact({
    name: tool.name,
    description: tool.description,
    // Anthropic wants an object's schema; a tool without parameters often comes as {}.
    input_schema: { type: "object", ...tool.schema },
    strict: tool.strict === true ? true : undefined,
  });
}

function writeToolChoice(choice: ToolChoice | undefined, parallel: boolean | undefined): JsonObject | undefined {
  if (choice === undefined && parallel !== false) return undefined;
  if (choice === "none") return { type: "none" };
  const type = choice === undefined || choice === "auto" ? "auto" : choice === "required" ? "any" : "tool";
  return compact({
    type,
    name: typeof choice === "object" ? choice.name : undefined,
    disable_parallel_tool_use: parallel === false ? true : undefined,
  });
}

function writeSampling(request: CanonicalRequest, takes: boolean, dropped: Set<string>): Record<string, number> {
  const { temperature, topP } = request;
  if (temperature === undefined && topP === undefined) return {};
  if (!takes) {
    dropped.add("temperature and top_p: not taken with thinking or by this model");
    return {};
  }
  if (temperature === undefined) return { top_p: topP ?? 1 };
  if (topP !== undefined) dropped.add("top_p: not taken together with temperature");
  if (temperature > 1) dropped.add("temperature above 1");
  return { temperature: Math.min(temperature, 1) };
}

function writeStop(stop: readonly string[] | undefined, dropped: Set<string>): string[] | undefined {
  const usable = stop?.filter((sequence) => sequence.trim() !== "") ?? [];
  if (usable.length < (stop?.length ?? 0)) dropped.add("stop sequences of nothing but blanks");
  return usable.length === 0 ? undefined : usable;
}

function isOn(thinking: JsonObject | undefined): boolean {
  return thinking !== undefined && thinking["type"] !== "disabled";
}

/** True when the last assistant message calls tools and does not begin with thinking. */
export function opensLoopWithoutThinking(messages: readonly JsonObject[]): boolean {
  const last = messages.findLast((message) => message["role"] === "assistant");
  const blocks = objectsAt(last, "content");
  return blocks.some((block) => block["type"] === "tool_use") && !isThinking(blocks[0]);
}

function readTools(wire: Json | undefined, dropped: Set<string>): Tool[] {
  if (wire === undefined || wire === null) return [];
  if (!Array.isArray(wire)) return refuse("tools", "expected a list of tools");
  return wire.flatMap((tool, index): Tool[] => {
    if (!isObject(tool)) return refuse(`tools[${index}]`, "expected a tool");
    const type = stringAt(tool, "type") ?? "custom";
    if (type !== "custom") {
      dropped.add(`tool of type ${type}`);
      return [];
    }
    if ("cache_control" in tool) dropped.add("cache_control");
    const name = stringAt(tool, "name") ?? refuse(`tools[${index}].name`, "expected a string");
    const schema = objectAt(tool, "input_schema") ?? refuse(`tools[${index}].input_schema`, "expected a JSON schema");
    return [
      {
        name,
        schema,
        ...defined("description", stringAt(tool, "description")),
        ...defined("strict", booleanAt(tool, "strict")),
      },
    ];
  });
}

function readToolChoice(choice: JsonObject | undefined): ToolChoice | undefined {
  switch (choice?.["type"]) {
    case "auto":
      return "auto";
    case "none":
      return "none";
    case "any":
      return "required";
    case "tool":
      return { name: stringAt(choice, "name") ?? refuse("tool_choice.name", "expected a string") };
    case undefined:
      return undefined;
    default:
      return refuse("tool_choice.type", 'expected "auto", "any", "tool" or "none"');
  }
}

function readStop(wire: Json | undefined): string[] | undefined {
  return Array.isArray(wire) ? wire.filter((item) => typeof item === "string") : undefined;
}
