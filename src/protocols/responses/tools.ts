import type { JsonObject, Tool, ToolChoice } from "../canonical.ts";
import { compact, isObject, objectAt, objectsAt, refuse, stringAt } from "../read-json.ts";
import { fitToolId, type ToolIdRule } from "../tool-id.ts";

/**
 * The two kinds of tool that only this protocol knows, and how they travel to others:
 *
 * - A `custom` tool takes free text. Elsewhere it is a function with that text as its only argument, `input`.
 * - A tool in a `namespace` becomes `namespace__name`.
 *
 * `Tool.opaque` keeps the declaration, so that a call is written back the way the client declared its tool. Of a namespace it
 * keeps the part around this one tool.
 */
const namespaceSeparator = "__";
const nameRule: ToolIdRule = { maxLength: 64, forbidden: /[^a-zA-Z0-9_-]/g };

const freeTextSchema: JsonObject = {
  type: "object",
  properties: { input: { type: "string", description: "The whole input of the tool, as plain text." } },
  required: ["input"],
  additionalProperties: false,
};

/** The name a tool goes by in the canonical form. */
export function canonicalToolName(name: string, namespace: string | undefined): string {
  return namespace === undefined ? name : fitToolId(`${namespace}${namespaceSeparator}${name}`, nameRule);
}

/** Tools as the client declared them → canonical. Of two with the same name the later one counts. */
export function readTools(declared: readonly JsonObject[], field: string, dropped: Set<string>): Tool[] {
  const tools = new Map<string, Tool>();
  for (const [index, tool] of declared.entries()) {
    const path = `${field}[${index}]`;
    if (tool["type"] === "namespace") {
      for (const inner of objectsAt(tool, "tools")) add(inner, path, tool);
    } else add(tool, path, null);
  }
  return [...tools.values()];

  function add(tool: JsonObject, path: string, namespace: JsonObject | null): void {
    const type = stringAt(tool, "type") ?? "function";
    if (type !== "function" && type !== "custom") {
      dropped.add(`the tool ${type}, which only its provider can run`);
      return;
    }
    const name = stringAt(tool, "name") ?? refuse(`${path}.name`, "a tool needs a name");
    const canonical = canonicalToolName(name, stringAt(namespace ?? undefined, "name"));
    const description = stringAt(tool, "description");
    const opaque = namespace === null ? tool : { ...namespace, tools: [tool] };
    tools.set(canonical, {
      name: canonical,
      ...(description !== undefined && { description }),
      schema: type === "custom" ? freeTextSchema : (objectAt(tool, "parameters") ?? { type: "object", properties: {} }),
      ...(typeof tool["strict"] === "boolean" && { strict: tool["strict"] }),
      ...((type === "custom" || namespace !== null) && { opaque: { protocol: "responses", data: opaque } }),
    });
  }
}

/** Canonical tools → this wire. What this protocol declared itself is written as it was. */
export function writeTools(tools: readonly Tool[]): JsonObject[] {
  const written: JsonObject[] = [];
  for (const tool of tools) {
    const declared = declaration(tool);
    if (declared === null) written.push(writeFunction(tool));
    else if (declared["type"] !== "namespace") written.push(declared);
    else {
      const at = written.findIndex((other) => other["type"] === "namespace" && other["name"] === declared["name"]);
      const before = written[at];
      if (before === undefined) written.push(declared);
      else written[at] = { ...before, tools: [...objectsAt(before, "tools"), ...objectsAt(declared, "tools")] };
    }
  }
  return written;
}

function writeFunction(tool: Tool): JsonObject {
  return compact({
    type: "function",
    name: tool.name,
    description: tool.description,
    parameters: tool.schema,
    // Left out it would mean true, and most schemas don't meet what strict asks for.
    strict: tool.strict ?? false,
  });
}

/** `tool_choice` → canonical. Undefined when it names nothing that other protocols have. */
export function readToolChoice(choice: unknown, dropped: Set<string>): ToolChoice | undefined {
  if (choice === "auto" || choice === "none" || choice === "required") return choice;
  if (!isObject(choice)) return undefined;
  const name = stringAt(choice, "name");
  if ((choice["type"] === "function" || choice["type"] === "custom") && name !== undefined) {
    return { name: canonicalToolName(name, stringAt(choice, "namespace")) };
  }
  dropped.add(`tool_choice ${stringAt(choice, "type") ?? "of an unknown kind"}`);
  return choice["type"] === "allowed_tools" && choice["mode"] === "required" ? "required" : undefined;
}

export function writeToolChoice(choice: ToolChoice, tools: readonly Tool[]): JsonObject | string {
  if (typeof choice === "string") return choice;
  const { type, name, namespace } = callForm(choice.name, tools);
  return compact({ type: type === "custom_tool_call" ? "custom" : "function", name, namespace });
}

/** How a call of the tool `name` is written on this wire. */
export interface CallForm {
  readonly type: "function_call" | "custom_tool_call";
  readonly name: string;
  readonly namespace?: string;
}

export function callForm(name: string, tools: readonly Tool[]): CallForm {
  const tool = tools.find((candidate) => candidate.name === name);
  const declared = tool && declaration(tool);
  if (declared == null) return { type: "function_call", name };
  const inner = declared["type"] === "namespace" ? (objectsAt(declared, "tools")[0] ?? {}) : declared;
  const namespace = declared["type"] === "namespace" ? stringAt(declared, "name") : undefined;
  return {
    type: inner["type"] === "custom" ? "custom_tool_call" : "function_call",
    name: stringAt(inner, "name") ?? name,
    ...(namespace !== undefined && { namespace }),
  };
}

function declaration(tool: Tool): JsonObject | null {
  return tool.opaque?.protocol === "responses" ? tool.opaque.data : null;
}

/** Free text → the JSON arguments that stand for it elsewhere. */
export function wrapFreeText(text: string): string {
  return JSON.stringify({ input: text });
}

/** The other way round. Arguments of another shape are given as they are: the tool will say what is wrong with them. */
export function unwrapFreeText(input: string): string {
  try {
    const value: unknown = JSON.parse(input);
    return (isObject(value) ? stringAt(value, "input") : undefined) ?? input;
  } catch {
    return input;
  }
}
