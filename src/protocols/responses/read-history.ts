import type {
  FileContent,
  ImageContent,
  JsonObject,
  Message,
  ReasoningContent,
  TextContent,
  ToolCallContent,
  ToolResultContent,
} from "../canonical.ts";
import { isObject, objectAt, objectsAt, refuse, stringAt } from "../read-json.ts";
import { partText, reasoningOpaque, reasoningText } from "./items.ts";
import { canonicalToolName, wrapFreeText } from "./tools.ts";

type UserContent = TextContent | ImageContent | FileContent;
type AssistantPart = TextContent | ReasoningContent | ToolCallContent;

/** `input` → messages and the tools that came among them. `dropped` gets in words what has no canonical form. */
export function readHistory(
  input: unknown,
  dropped: Set<string>,
): { messages: Message[]; tools: { declared: JsonObject[]; field: string }[] } {
  if (typeof input === "string") return { messages: [{ role: "user", content: [text(input)] }], tools: [] };
  if (!Array.isArray(input)) return refuse("input", "must be text or a list of items");
  const messages: Message[] = [];
  const tools: { declared: JsonObject[]; field: string }[] = [];
  for (const [index, item] of input.entries()) readItem(item, `input[${index}]`);
  return { messages, tools };

  function readItem(item: unknown, field: string): void {
    if (!isObject(item)) return refuse(field, "must be an object");
    const type = stringAt(item, "type") ?? (item["role"] === undefined ? "without a type" : "message");
    switch (type) {
      case "message":
        return readMessage(item, field);
      case "reasoning": {
        const opaque = reasoningOpaque(item);
        return addAssistant([{ type: "reasoning", text: reasoningText(item), ...(opaque && { opaque }) }]);
      }
      case "function_call":
      case "custom_tool_call":
        return addAssistant([readCall(item, field)]);
      case "function_call_output":
      case "custom_tool_call_output":
        return addResult(readResult(item, field));
      case "additional_tools":
        tools.push({ declared: objectsAt(item, "tools"), field: `${field}.tools` });
        return;
      default:
        dropped.add(`input item ${type}`);
    }
  }

  function readMessage(item: JsonObject, field: string): void {
    const content = typeof item["content"] === "string" ? [text(item["content"])] : readContent(item, field);
    const words = content.filter((part) => part.type === "text");
    switch (item["role"]) {
      case "system":
      case "developer":
        if (words.length > 0) messages.push({ role: "system", content: words });
        return;
      case "assistant":
        return addAssistant(words);
      case "user":
        if (content.length > 0) messages.push({ role: "user", content });
        return;
      default:
        refuse(`${field}.role`, "must be user, assistant, system or developer");
    }
  }

  function readContent(item: JsonObject, field: string): UserContent[] {
    if (!Array.isArray(item["content"])) return refuse(`${field}.content`, "must be text or a list of parts");
    return objectsAt(item, "content").flatMap((part) => readPart(part, dropped));
  }

  function readResult(item: JsonObject, field: string): ToolResultContent {
    const { output } = item;
    const listed = Array.isArray(output) ? objectsAt(item, "output").flatMap((part) => readPart(part, dropped)) : null;
    const content = listed ?? [text(typeof output === "string" ? output : JSON.stringify(output ?? ""))];
    const shown = content.filter((part) => part.type !== "file");
    if (shown.length < content.length) dropped.add("a file in a tool result");
    return { type: "tool-result", id: callId(item, field), isError: false, content: shown };
  }

  /** One assistant message for all that the model said in a row. */
  function addAssistant(content: readonly AssistantPart[]): void {
    if (content.length === 0) return;
    const last = messages.at(-1);
    if (last?.role !== "assistant") messages.push({ role: "assistant", content });
    else messages[messages.length - 1] = { role: "assistant", content: [...last.content, ...content] };
  }

  function addResult(result: ToolResultContent): void {
    const last = messages.at(-1);
    if (last?.role !== "tool") messages.push({ role: "tool", content: [result] });
    else messages[messages.length - 1] = { role: "tool", content: [...last.content, result] };
  }
}

function readCall(item: JsonObject, field: string): ToolCallContent {
  const name = stringAt(item, "name") ?? refuse(`${field}.name`, "a call needs the name of its tool");
  const told = item["arguments"];
  const input =
    item["type"] === "custom_tool_call"
      ? wrapFreeText(stringAt(item, "input") ?? "")
      : typeof told === "string"
        ? told || "{}"
        : JSON.stringify(told ?? {});
  return {
    type: "tool-call",
    id: callId(item, field),
    name: canonicalToolName(name, stringAt(item, "namespace")),
    input,
  };
}

function callId(item: JsonObject, field: string): string {
  return stringAt(item, "call_id") || refuse(`${field}.call_id`, "is missing");
}

function readPart(part: JsonObject, dropped: Set<string>): UserContent[] {
  const type = stringAt(part, "type");
  switch (type) {
    case "input_text":
    case "output_text":
    case "text":
    case "refusal": {
      const words = partText(part);
      return words === undefined ? [] : [text(words)];
    }
    case "input_image": {
      const url = stringAt(part, "image_url") ?? stringAt(objectAt(part, "image_url"), "url");
      if (url !== undefined) return [{ type: "image", url }];
      dropped.add("an image that only its provider holds");
      return [];
    }
    case "input_file": {
      const file = readFile(part);
      if (file !== null) return [file];
      dropped.add("a file that only its provider holds");
      return [];
    }
    default:
      dropped.add(`content ${type ?? "without a type"}`);
      return [];
  }
}

/** A file that came with the request. One that is only named by an id or a URL is null. */
function readFile(part: JsonObject): FileContent | null {
  const told = stringAt(part, "file_data");
  if (told === undefined) return null;
  const filename = stringAt(part, "filename");
  const url = /^data:([^;,]+)[^,]*;base64,/.exec(told);
  const mediaType =
    url?.[1] ?? (filename?.toLowerCase().endsWith(".pdf") === false ? "application/octet-stream" : "application/pdf");
  return {
    type: "file",
    mediaType,
    data: url === null ? told : told.slice(url[0].length),
    ...(filename !== undefined && { filename }),
  };
}

function text(words: string): TextContent {
  return { type: "text", text: words };
}
