import type {
  FileContent,
  ImageContent,
  Json,
  JsonObject,
  Message,
  TextContent,
  ToolCallContent,
  ToolResultContent,
} from "../canonical.ts";
import { isObject, objectAt, objectsAt, refuse, stringAt } from "../read-json.ts";
import { inventToolId } from "../tool-id.ts";

type AssistantMessage = Extract<Message, { role: "assistant" }>;

/**
 * The `messages` of a Chat Completions request → a canonical history. Throws `request_refused` naming the field that can't
 * be read; what it knows but can't carry (audio, names) goes into `dropped`.
 */
export function readHistory(wire: Json | undefined, dropped: Set<string>): Message[] {
  if (!Array.isArray(wire)) refuse("messages", "expected a list of messages");
  const messages: Message[] = [];
  for (const [index, message] of wire.entries()) {
    const field = `messages[${index}]`;
    if (!isObject(message)) refuse(field, "expected a message");
    if (stringAt(message, "name") !== undefined && message["role"] !== "function") dropped.add("name of a message");
    const read = readMessage(message, field, messages, dropped);
    const last = messages.at(-1);
    // Each result is a message of its own here.
    if (read.role === "tool" && last?.role === "tool") {
      messages.splice(-1, 1, { role: "tool", content: [...last.content, ...read.content] });
    } else if (read.content.length > 0) {
      messages.push(read);
    }
  }
  return messages;
}

function readMessage(message: JsonObject, field: string, before: readonly Message[], dropped: Set<string>): Message {
  const at = `${field}.content`;
  const content = message["content"] ?? null;
  switch (message["role"]) {
    case "system":
    case "developer":
      return { role: "system", content: onlyTexts(readContent(content, at, dropped), dropped) };
    case "user":
      return { role: "user", content: readContent(content, at, dropped) };
    case "assistant":
      return readAssistant(message, field, dropped);
    case "tool": {
      const id = stringAt(message, "tool_call_id") ?? refuse(`${field}.tool_call_id`, "expected a string");
      return { role: "tool", content: [readResult(id, readContent(content, at, dropped), dropped)] };
    }
    case "function": {
      const id = callOf(stringAt(message, "name") ?? "", before);
      return { role: "tool", content: [readResult(id, readContent(content, at, dropped), dropped)] };
    }
    default:
      return refuse(`${field}.role`, 'expected "system", "developer", "user", "assistant" or "tool"');
  }
}

function readAssistant(message: JsonObject, field: string, dropped: Set<string>): AssistantMessage {
  const said = onlyTexts(readContent(message["content"] ?? null, `${field}.content`, dropped), dropped);
  const refusal = stringAt(message, "refusal") ?? "";
  const calls = objectsAt(message, "tool_calls").map((call, index) => readCall(call, `${field}.tool_calls[${index}]`));
  const legacy = objectAt(message, "function_call");
  if (legacy !== undefined) {
    const name = stringAt(legacy, "name") ?? refuse(`${field}.function_call.name`, "expected a string");
    const input = stringAt(legacy, "arguments") ?? "";
    calls.push({ type: "tool-call", id: inventToolId(field, 0, name), name, input });
  }
  return {
    role: "assistant",
    content: [
      ...readReasoning(message),
      ...said,
      ...(refusal === "" ? [] : [{ type: "text" as const, text: refusal }]),
      ...calls,
    ],
  };
}

/** Under whichever of its names: kept as it was, so that it can go back to a server of this protocol. */
function readReasoning(message: JsonObject): AssistantMessage["content"] {
  const data: JsonObject = {};
  for (const key of reasoningFields) {
    const value = message[key];
    if (value !== undefined && value !== null && value !== "") data[key] = value;
  }
  if (Object.keys(data).length === 0) return [];
  const text = stringAt(data, "reasoning_content") ?? stringAt(data, "reasoning") ?? "";
  return [{ type: "reasoning", text, opaque: { protocol: "chat-completions", data } }];
}

/** Where servers of this protocol put reasoning in a message. `reasoning_details` is OpenRouter's, with signatures. */
export const reasoningFields = ["reasoning_content", "reasoning", "reasoning_details"] as const;

function readCall(call: JsonObject, field: string): ToolCallContent {
  const id = stringAt(call, "id") ?? refuse(`${field}.id`, "expected a string");
  const custom = objectAt(call, "custom");
  const wire = objectAt(call, "function") ?? custom ?? refuse(`${field}.function`, "expected a function");
  const name = stringAt(wire, "name") ?? refuse(`${field}.function.name`, "expected a string");
  // A custom tool's input is free text; elsewhere input is JSON.
  const input = custom === undefined ? stringAt(wire, "arguments") : JSON.stringify({ input: custom["input"] ?? "" });
  return { type: "tool-call", id, name, input: input ?? "" };
}

/** The last call of a function that is named instead of its id, in requests of the older kind. */
function callOf(name: string, before: readonly Message[]): string {
  const calls = before.flatMap((message) => (message.role === "assistant" ? message.content : []));
  const call = calls.findLast((content) => content.type === "tool-call" && content.name === name);
  return call?.type === "tool-call" ? call.id : "";
}

function readResult(
  id: string,
  content: readonly (TextContent | ImageContent | FileContent)[],
  dropped: Set<string>,
): ToolResultContent {
  const kept = content.filter((item) => item.type !== "file");
  if (kept.length < content.length) dropped.add("a file in a tool result");
  return { type: "tool-result", id, isError: false, content: kept };
}

function readContent(content: Json, field: string, dropped: Set<string>): (TextContent | ImageContent | FileContent)[] {
  if (content === null || content === "") return [];
  if (typeof content === "string") return [{ type: "text", text: content }];
  if (!Array.isArray(content)) return refuse(field, "expected a string or a list of content parts");
  return content.flatMap((part, index): (TextContent | ImageContent | FileContent)[] => {
    if (!isObject(part)) return refuse(`${field}[${index}]`, "expected a content part");
    return readPart(part, dropped);
  });
}

function readPart(part: JsonObject, dropped: Set<string>): (TextContent | ImageContent | FileContent)[] {
  if ("cache_control" in part) dropped.add("cache_control");
  switch (part["type"]) {
    case "text":
      return [{ type: "text", text: stringAt(part, "text") ?? "" }];
    case "refusal":
      return [{ type: "text", text: stringAt(part, "refusal") ?? "" }];
    case "image_url": {
      const url = stringAt(part, "image_url") ?? stringAt(objectAt(part, "image_url"), "url");
      return url === undefined ? drop("image_url without a url", dropped) : [{ type: "image", url }];
    }
    case "file":
      return readFile(objectAt(part, "file"), dropped);
    default:
      return drop(`content part ${stringAt(part, "type") ?? "without a type"}`, dropped);
  }
}

function readFile(file: JsonObject | undefined, dropped: Set<string>): FileContent[] {
  const data = stringAt(file, "file_data") ?? "";
  const comma = data.indexOf(",");
  const header = data.slice(0, Math.max(0, comma));
  const filename = stringAt(file, "filename");
  if (data === "") return drop("a file that only its provider has", dropped);
  return [
    {
      type: "file",
      mediaType: /^data:([^;,]+)/i.exec(header)?.[1] ?? "application/pdf",
      data: data.slice(comma + 1),
      ...(filename !== undefined && { filename }),
    },
  ];
}

function onlyTexts(content: readonly { readonly type: string }[], dropped: Set<string>): TextContent[] {
  const texts = content.filter((item): item is TextContent => item.type === "text");
  if (texts.length < content.length) dropped.add("an image or file that is not the user's");
  return texts;
}

function drop(what: string, dropped: Set<string>): [] {
  dropped.add(what);
  return [];
}
