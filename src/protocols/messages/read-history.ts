import type {
  FileContent,
  ImageContent,
  Json,
  JsonObject,
  Message,
  ReasoningContent,
  TextContent,
  ToolCallContent,
  ToolResultContent,
} from "../canonical.ts";
import { isObject, refuse, stringAt } from "../read-json.ts";
import { documentText, readDocument, readImage } from "./content.ts";
import { ownSignature } from "./own-signature.ts";

type UserContent = TextContent | ImageContent | FileContent;
type AssistantContent = TextContent | ReasoningContent | ToolCallContent;

/**
 * Anthropic's `system` and `messages` → a canonical history. Throws `request_refused` naming the field that can't be read;
 * what it knows but can't carry (cache marks, blocks of server tools) goes into `dropped`.
 */
export function readHistory(system: Json | undefined, wire: Json | undefined, dropped: Set<string>): Message[] {
  if (!Array.isArray(wire)) refuse("messages", "expected a list of messages");
  const messages: Message[] = [];
  const head = readTexts(system ?? [], "system", dropped);
  if (head.length > 0) messages.push({ role: "system", content: head });
  for (const [index, message] of wire.entries()) {
    const field = `messages[${index}]`;
    if (!isObject(message)) refuse(field, "expected a message");
    messages.push(...readMessage(message, field, dropped));
  }
  return messages;
}

function readMessage(message: JsonObject, field: string, dropped: Set<string>): Message[] {
  const content = message["content"];
  switch (message["role"]) {
    case "system":
      return nonEmpty({ role: "system", content: readTexts(content, `${field}.content`, dropped) });
    case "assistant":
      return nonEmpty({ role: "assistant", content: readAssistant(content, `${field}.content`, dropped) });
    case "user": {
      const results: ToolResultContent[] = [];
      const said: UserContent[] = [];
      for (const [block, at] of readBlocks(content, `${field}.content`, dropped)) {
        if (block["type"] === "tool_result") results.push(readResult(block, at, dropped));
        else said.push(...readUserBlock(block, dropped));
      }
      return [...nonEmpty({ role: "tool", content: results }), ...nonEmpty({ role: "user", content: said })];
    }
    default:
      return refuse(`${field}.role`, 'expected "user", "assistant" or "system"');
  }
}

/** The blocks of a content field with the path of each; a string is one block of text. */
function readBlocks(content: Json | undefined, field: string, dropped: Set<string>): [JsonObject, string][] {
  if (typeof content === "string") return content === "" ? [] : [[{ type: "text", text: content }, field]];
  if (!Array.isArray(content)) return refuse(field, "expected a string or a list of content blocks");
  return content.map((block, index): [JsonObject, string] => {
    const at = `${field}[${index}]`;
    if (!isObject(block)) return refuse(at, "expected a content block");
    if ("cache_control" in block) dropped.add("cache_control");
    return [block, at];
  });
}

function readTexts(content: Json | undefined, field: string, dropped: Set<string>): TextContent[] {
  return readBlocks(content, field, dropped).flatMap(([block]) => readText(block) ?? drop(block, dropped));
}

function readAssistant(content: Json | undefined, field: string, dropped: Set<string>): AssistantContent[] {
  return readBlocks(content, field, dropped).flatMap(([block, at]): AssistantContent[] => {
    switch (block["type"]) {
      case "text":
        return readText(block) ?? [];
      case "thinking": {
        // Without a signature of Anthropic's nobody issued it: it can't go back.
        const signature = stringAt(block, "signature") ?? "";
        const signed = signature !== "" && signature !== ownSignature;
        const text = stringAt(block, "thinking") ?? "";
        return [{ type: "reasoning", text, ...(signed && { opaque: { protocol: "messages", data: block } }) }];
      }
      case "redacted_thinking":
        return [{ type: "reasoning", text: "", opaque: { protocol: "messages", data: block } }];
      case "tool_use": {
        const id = stringAt(block, "id") ?? refuse(`${at}.id`, "expected a string");
        const name = stringAt(block, "name") ?? refuse(`${at}.name`, "expected a string");
        return [{ type: "tool-call", id, name, input: JSON.stringify(block["input"] ?? {}) }];
      }
      default:
        return drop(block, dropped);
    }
  });
}

function readUserBlock(block: JsonObject, dropped: Set<string>): UserContent[] {
  switch (block["type"]) {
    case "text":
      return readText(block) ?? [];
    case "image": {
      const image = readImage(block);
      return image === null ? leftOut("image", dropped) : [image];
    }
    case "document": {
      const file = readDocument(block);
      return file === null ? leftOut("document", dropped) : [file];
    }
    default:
      return drop(block, dropped);
  }
}

function readResult(block: JsonObject, field: string, dropped: Set<string>): ToolResultContent {
  const id = stringAt(block, "tool_use_id") ?? refuse(`${field}.tool_use_id`, "expected a string");
  const blocks = readBlocks(block["content"] ?? [], `${field}.content`, dropped);
  const content = blocks.flatMap(([item]): (TextContent | ImageContent)[] => {
    switch (item["type"]) {
      case "text":
        return readText(item) ?? [];
      case "image":
        return [readImage(item) ?? leftOut("image", dropped)].flat();
      case "document": {
        const text = documentText(item);
        return text === null ? leftOut("document", dropped) : [{ type: "text", text }];
      }
      default:
        return drop(item, dropped);
    }
  });
  return { type: "tool-result", id, isError: block["is_error"] === true, content };
}

function readText(block: JsonObject): TextContent[] | null {
  const text = stringAt(block, "text");
  return block["type"] === "text" && text !== undefined ? [{ type: "text", text }] : null;
}

function drop(block: JsonObject, dropped: Set<string>): [] {
  dropped.add(`content block ${stringAt(block, "type") ?? "without a type"}`);
  return [];
}

/** For sources that only Anthropic can resolve: a file id, an address of a document. */
function leftOut(what: "image" | "document", dropped: Set<string>): TextContent[] {
  dropped.add(`the source of ${what === "image" ? "an image" : "a document"}`);
  return [{ type: "text", text: `[${what} left out]` }];
}

function nonEmpty<M extends Message>(message: M): M[] {
  return message.content.length === 0 ? [] : [message];
}
