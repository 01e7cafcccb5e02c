import type { CanonicalRequest, Json, JsonObject } from "../canonical.ts";
import { compact, objectAt, objectsAt, refuse, stringAt } from "../read-json.ts";
import { tidyHistory } from "../tidy-history.ts";
import { callIdRule } from "./call-id.ts";
import { fitEffort } from "./effort.ts";
import { readHistory } from "./read-history.ts";
import { readToolChoice, readTools, writeToolChoice, writeTools } from "./tools.ts";
import { writeHistory } from "./write-history.ts";

/** A smaller `max_output_tokens` is refused with a 400. */
const leastOutputTokens = 16;

/**
 * Canonical → this wire. Nothing is stored at the provider, and encrypted reasoning is asked for, so that the next turn can bring
 * it back. Stop sequences have no place here.
 */
export function encodeRequest(request: CanonicalRequest, model: string): { body: JsonObject; dropped: string[] } {
  const { messages, dropped } = tidyHistory(request.messages, callIdRule);
  const tools = request.tools ?? [];
  const { instructions, input } = writeHistory(messages, tools, dropped);
  if (request.stop !== undefined && request.stop.length > 0) dropped.add("stop sequences");
  const hasTools = tools.length > 0;
  const { toolChoice, reasoningEffort, responseFormat } = request;
  const effort = reasoningEffort === undefined ? null : fitEffort(reasoningEffort, model);
  if (effort === null && reasoningEffort !== undefined) dropped.add("reasoning effort: this model takes none");
  const body = compact({
    model,
    instructions,
    input,
    tools: hasTools ? writeTools(tools) : undefined,
    tool_choice: hasTools && toolChoice !== undefined ? writeToolChoice(toolChoice, tools) : undefined,
    parallel_tool_calls: hasTools ? request.parallelToolCalls : undefined,
    max_output_tokens: request.maxOutputTokens && Math.max(request.maxOutputTokens, leastOutputTokens),
    temperature: request.temperature,
    top_p: request.topP,
    reasoning: effort === null ? undefined : { effort },
    text: responseFormat && { format: writeFormat(responseFormat) },
    store: false,
    include: ["reasoning.encrypted_content"],
    stream: request.stream,
  });
  return { body, dropped: [...dropped] };
}

function writeFormat({ name, schema, strict }: NonNullable<CanonicalRequest["responseFormat"]>): JsonObject {
  if (schema === undefined) return { type: "json_object" };
  return { type: "json_schema", name: name ?? "answer", schema, strict: strict ?? false };
}

/**
 * This wire → canonical. Throws `request_refused` for a request that continues a conversation which only its provider holds:
 * without it another provider would answer something else than was asked.
 */
export function decodeRequest(body: JsonObject): { request: CanonicalRequest; dropped: string[] } {
  for (const key of heldByProvider) {
    if (body[key] != null && body[key] !== "") {
      refuse(key, "names something that only its provider holds; send the whole conversation as input");
    }
  }
  const dropped = new Set<string>();
  for (const [key, value] of Object.entries(body)) {
    if (!known.has(key) && value !== null && value !== false) dropped.add(key);
  }
  const instructions = optional(body, "instructions", "string");
  const { messages, tools: additional } = readHistory(body["input"], dropped);
  const declared = [{ declared: objectsAt(body, "tools"), field: "tools" }, ...additional];
  const tools = declared.flatMap((list) => readTools(list.declared, list.field, dropped));
  const request: CanonicalRequest = {
    messages: instructions
      ? [{ role: "system", content: [{ type: "text", text: instructions }] }, ...messages]
      : messages,
    ...given("tools", tools.length > 0 ? tools : undefined),
    ...given("toolChoice", readToolChoice(body["tool_choice"], dropped)),
    ...given("parallelToolCalls", optional(body, "parallel_tool_calls", "boolean")),
    ...given("maxOutputTokens", optional(body, "max_output_tokens", "number")),
    ...given("temperature", optional(body, "temperature", "number")),
    ...given("topP", optional(body, "top_p", "number")),
    ...given("reasoningEffort", stringAt(objectAt(body, "reasoning"), "effort")),
    ...given("responseFormat", readFormat(objectAt(body, "text"), dropped)),
    stream: optional(body, "stream", "boolean") ?? false,
  };
  return { request, dropped: [...dropped] };
}

/** Keys that point at something kept at one provider. */
const heldByProvider = ["previous_response_id", "conversation", "prompt"];

/** Keys that are read, and keys that change nothing of the answer elsewhere. Any other is reported as dropped. */
const known: ReadonlySet<string> = new Set(
  `model instructions input tools tool_choice parallel_tool_calls max_output_tokens temperature top_p reasoning text stream
   store include metadata client_metadata prompt_cache_key prompt_cache_options prompt_cache_retention user safety_identifier
   stream_options ${heldByProvider.join(" ")}`.split(/\s+/),
);

function readFormat(text: JsonObject | undefined, dropped: Set<string>): CanonicalRequest["responseFormat"] {
  if (text?.["verbosity"] != null) dropped.add("text.verbosity");
  const format = objectAt(text, "format");
  const type = stringAt(format, "type");
  if (type === "json_object") return {};
  if (type !== "json_schema") return undefined;
  const strict = format?.["strict"];
  return {
    ...given("name", stringAt(format, "name")),
    ...given("schema", objectAt(format, "schema")),
    ...given("strict", typeof strict === "boolean" ? strict : undefined),
  };
}

interface Kinds {
  string: string;
  number: number;
  boolean: boolean;
}

function optional<K extends keyof Kinds>(body: JsonObject, key: string, kind: K): Kinds[K] | undefined {
  const value: Json | undefined = body[key];
  if (value == null) return undefined;
  if (typeof value !== kind) return refuse(key, `must be a ${kind}`);
  // Just compared.
  return value as Kinds[K];
}

function given<K extends string, V>(key: K, value: V | undefined): { [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { [key in K]: V });
}
