import type {
  FileContent,
  ImageContent,
  Json,
  JsonObject,
  Message,
  ReasoningContent,
  TextContent,
  Tool,
  ToolResultContent,
} from "../canonical.ts";
import { type CallForm, callForm, unwrapFreeText } from "./tools.ts";

type AssistantContent = Extract<Message, { role: "assistant" }>["content"];

/** A tidy history → `instructions` (what the system says first) and `input` items. */
export function writeHistory(
  messages: readonly Message[],
  tools: readonly Tool[],
  dropped: Set<string>,
): { instructions: string | undefined; input: JsonObject[] } {
  const firstOther = messages.findIndex((message) => message.role !== "system");
  const leading = messages.slice(0, firstOther < 0 ? messages.length : firstOther);
  const instructions = leading.flatMap(({ content }) => content.map((part) => ("text" in part ? part.text : "")));
  const forms = new Map<string, CallForm>();
  const items = messages.slice(leading.length).flatMap(writeMessage);
  return { instructions: instructions.join("\n\n") || undefined, input: withoutLooseReasoning(items, dropped) };

  function writeMessage(message: Message): JsonObject[] {
    switch (message.role) {
      case "system":
        return [{ type: "message", role: "developer", content: message.content.map(writeContent) }];
      case "user":
        return [{ type: "message", role: "user", content: message.content.map(writeContent) }];
      case "assistant":
        return writeAssistant(message.content);
      case "tool":
        return message.content.map(writeResult);
    }
  }

  function writeAssistant(content: AssistantContent): JsonObject[] {
    const items: JsonObject[] = [];
    let words: Json[] = [];
    const endMessage = (): void => {
      if (words.length > 0) items.push({ type: "message", role: "assistant", content: words });
      words = [];
    };
    for (const part of content) {
      if (part.type === "text") {
        words.push({ type: "output_text", text: part.text });
        continue;
      }
      endMessage();
      if (part.type === "reasoning") items.push(...writeReasoning(part));
      else {
        const form = callForm(part.name, tools);
        forms.set(part.id, form);
        const input: JsonObject =
          form.type === "custom_tool_call" ? { input: unwrapFreeText(part.input) } : { arguments: part.input || "{}" };
        items.push({ ...form, call_id: part.id, ...input });
      }
    }
    endMessage();
    return items;
  }

  /**
   * Encrypted reasoning goes back as it came, but for its id: nothing is stored under that one, and an id makes the provider
   * look. `summary` is asked for even when it is empty.
   */
  function writeReasoning({ opaque }: ReasoningContent): JsonObject[] {
    if (opaque?.protocol !== "responses") {
      dropped.add("reasoning that another provider or model wrote");
      return [];
    }
    const { id: _id, status: _status, ...item } = opaque.data;
    return [{ ...item, summary: item["summary"] ?? [] }];
  }

  function writeResult(result: ToolResultContent): JsonObject {
    const type = forms.get(result.id)?.type ?? "function_call";
    return { type: `${type}_output`, call_id: result.id, output: writeOutput(result) };
  }
}

/** Reasoning has to be followed by what it led to; the provider refuses it otherwise. */
function withoutLooseReasoning(items: readonly JsonObject[], dropped: Set<string>): JsonObject[] {
  const kept: JsonObject[] = [];
  let leadsOn = false;
  for (const item of items.toReversed()) {
    if (item["type"] !== "reasoning") leadsOn = item["role"] === "assistant" || "name" in item;
    else if (!leadsOn) {
      dropped.add("reasoning that led to nothing");
      continue;
    }
    kept.push(item);
  }
  return kept.reverse();
}

/** Words as a string, which every backend takes; a list only where a picture is among them. */
function writeOutput({ content, isError }: ToolResultContent): Json {
  if (content.some((part) => part.type !== "text")) return content.map(writeContent);
  const text = content.map((part) => ("text" in part ? part.text : "")).join("\n");
  return text === "" && isError ? "the tool failed and said nothing" : text;
}

function writeContent(part: TextContent | ImageContent | FileContent): JsonObject {
  switch (part.type) {
    case "text":
      return { type: "input_text", text: part.text };
    case "image":
      return { type: "input_image", image_url: part.url, detail: "auto" };
    case "file": {
      const url = `data:${part.mediaType};base64,${part.data}`;
      if (part.mediaType.startsWith("image/")) return { type: "input_image", image_url: url, detail: "auto" };
      // The name is required with the data, and its ending is looked at.
      const filename = part.filename ?? (part.mediaType === "application/pdf" ? "file.pdf" : "file");
      return { type: "input_file", filename, file_data: url };
    }
  }
}
