import type { ModelRequest } from "../answer.ts";
import type { Objection } from "./dialect.ts";
import { arrayOf, type Fields, fieldsOf, textOf } from "./fields.ts";

/**
 * Reads a Responses request and objects to what the real backend objects to: no model, no input, a call without its output, an
 * output without its call, sealed reasoning of somebody else, reasoning that led to nothing, ids of another kind of item, items
 * that it would have had to store.
 */
export function readResponsesRequest(
  body: Fields,
  memory: { readonly isOwnSeal: (sealed: string) => boolean; readonly isStored: (id: string) => boolean },
): ModelRequest | Objection {
  if (typeof body.model !== "string" || body.model === "") return missing("model");
  if (typeof body.input !== "string" && !Array.isArray(body.input)) return missing("input");
  const items = arrayOf(body.input).map(fieldsOf);
  const objection =
    checkIds(items, memory.isStored) ??
    checkReasoning(items) ??
    checkCalls(items) ??
    checkSeals(items, memory.isOwnSeal);
  if (objection !== null) return objection;
  const people = items.filter((item) => item.role === "user");
  const extra = items.flatMap((item) => (item.type === "additional_tools" ? arrayOf(item.tools) : []));
  return {
    model: body.model,
    stream: body.stream === true,
    prompt: typeof body.input === "string" ? body.input : textOf(people.at(-1)?.content),
    tools: [...arrayOf(body.tools), ...extra]
      .map(fieldsOf)
      .filter((tool) => tool.type === "function" && typeof tool.name === "string")
      .map((tool) => ({ name: String(tool.name), schema: tool.parameters })),
    includeUsage: true,
    sealed: items.map((item) => item.encrypted_content).filter((seal) => typeof seal === "string"),
    body,
  };
}

const idPrefixes: Readonly<Record<string, string>> = { message: "msg", reasoning: "rs", function_call: "fc" };

/** Ids belong to kinds of items, and an item that came without its content is looked up by its id. */
function checkIds(items: readonly Fields[], isStored: (id: string) => boolean): Objection | null {
  for (const [index, item] of items.entries()) {
    const { id, type } = item;
    const prefix = idPrefixes[String(type)];
    if (typeof id === "string" && prefix !== undefined && !id.startsWith(prefix)) {
      const param = `input[${index}].id`;
      const message = `Invalid '${param}': '${id}'. Expected an ID that begins with '${prefix}'.`;
      return { status: 400, param, code: "invalid_value", message };
    }
    const isLookedUp =
      type === "item_reference" || (type === "reasoning" && typeof item.encrypted_content !== "string");
    if (isLookedUp && typeof id === "string" && !isStored(id)) {
      return {
        status: 404,
        param: "input",
        message: `Item with id '${id}' not found. Items are not persisted when \`store\` is set to false. Try again with \`store\` set to true, or remove this item from your input.`,
      };
    }
  }
  return null;
}

/** Reasoning has a summary, if an empty one, and is followed by what it led to: words or a call. */
function checkReasoning(items: readonly Fields[]): Objection | null {
  for (const [index, item] of items.entries()) {
    if (item.type !== "reasoning") continue;
    if (!Array.isArray(item.summary)) return missing(`input[${index}].summary`);
    const next = items.slice(index + 1).find((other) => other.type !== "reasoning");
    const isOutcome = next !== undefined && (next.role === "assistant" || String(next.type).endsWith("_call"));
    if (!isOutcome) {
      const id = typeof item.id === "string" ? item.id : `rs_${index}`;
      const message = `Item '${id}' of type 'reasoning' was provided without its required following item.`;
      return { status: 400, param: "input", message };
    }
  }
  return null;
}

function checkCalls(items: readonly Fields[]): Objection | null {
  const calls = new Set<unknown>();
  const outputs = new Set<unknown>();
  for (const [index, item] of items.entries()) {
    const isCall = item.type === "function_call" || item.type === "custom_tool_call";
    const isOutput = item.type === "function_call_output" || item.type === "custom_tool_call_output";
    if (!isCall && !isOutput) continue;
    const param = `input[${index}].call_id`;
    if (typeof item.call_id !== "string" || item.call_id === "") return missing(param);
    if (item.call_id.length > 64) {
      return {
        status: 400,
        param,
        code: "string_above_max_length",
        message: `Invalid '${param}': string too long. Expected a string with maximum length 64.`,
      };
    }
    (isCall ? calls : outputs).add(item.call_id);
  }
  for (const id of outputs) {
    if (!calls.has(id))
      return {
        status: 400,
        param: "input",
        message: `No tool call found for function call output with call_id ${String(id)}.`,
      };
  }
  for (const id of calls) {
    if (!outputs.has(id))
      return { status: 400, param: "input", message: `No tool output found for function call ${String(id)}.` };
  }
  return null;
}

function checkSeals(items: readonly Fields[], isOwnSeal: (sealed: string) => boolean): Objection | null {
  for (const item of items) {
    if (item.type !== "reasoning" || typeof item.encrypted_content !== "string") continue;
    if (isOwnSeal(item.encrypted_content)) continue;
    return {
      status: 400,
      code: "invalid_encrypted_content",
      message: `The encrypted content ${item.encrypted_content.slice(0, 8)}... could not be verified. Reason: Encrypted content could not be decrypted or parsed.`,
    };
  }
  return null;
}

function missing(param: string): Objection {
  return { status: 400, param, code: "missing_required_parameter", message: `Missing required parameter: '${param}'.` };
}
