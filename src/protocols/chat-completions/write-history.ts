import type { FileContent, ImageContent, JsonObject, Message, TextContent, ToolResultContent } from "../canonical.ts";
import { compact } from "../read-json.ts";
import { tidyHistory } from "../tidy-history.ts";
import { toolIdRule } from "./tool-call.ts";

/** A history as the `messages` of a request. */
export interface WireHistory {
  readonly messages: JsonObject[];
  readonly dropped: Set<string>;
}

/**
 * A canonical history → Chat Completions:
 *
 * - System messages keep their place and the role `system`: `developer` is known to OpenAI only, which reads both.
 * - Content of nothing but text is one string, since many servers read no lists; its blocks are parted by an empty line.
 * - A tool message holds text only. Images in results move into a message of the user behind all results of the turn, and
 *   the result says so. A failed call's result begins with `[error]`, since there is no field for it.
 * - Reasoning is sent back only if this protocol issued it.
 */
export function writeHistory(canonical: readonly Message[]): WireHistory {
  const { messages, dropped } = tidyHistory(canonical, toolIdRule);
  return { messages: messages.flatMap((message) => writeMessage(message, dropped)), dropped };
}

function writeMessage(message: Message, dropped: Set<string>): JsonObject[] {
  switch (message.role) {
    case "system":
      return [{ role: "system", content: joinTexts(message.content) }];
    case "user":
      return [{ role: "user", content: writeUserContent(message.content) }];
    case "assistant":
      return writeAssistant(message, dropped);
    case "tool":
      return writeResults(message.content);
  }
}

function writeUserContent(content: readonly (TextContent | ImageContent | FileContent)[]): string | JsonObject[] {
  const texts = content.filter((item) => item.type === "text");
  if (texts.length === content.length) return joinTexts(texts);
  return content.map((item) => {
    if (item.type === "text") return { type: "text", text: item.text };
    return item.type === "image" ? imagePart(item) : filePart(item);
  });
}

function imagePart(image: ImageContent): JsonObject {
  return { type: "image_url", image_url: { url: image.url } };
}

function filePart(file: FileContent): JsonObject {
  const data = `data:${file.mediaType};base64,${file.data}`;
  return { type: "file", file: { filename: file.filename ?? "file", file_data: data } };
}

function writeAssistant(message: Extract<Message, { role: "assistant" }>, dropped: Set<string>): JsonObject[] {
  const texts = message.content.filter((content) => content.type === "text");
  const calls = message.content.filter((content) => content.type === "tool-call");
  const reasoning: JsonObject = {};
  for (const content of message.content) {
    if (content.type !== "reasoning") continue;
    if (content.opaque?.protocol === "chat-completions") Object.assign(reasoning, content.opaque.data);
    else dropped.add("reasoning of another provider");
  }
  if (texts.length + calls.length === 0) return [];
  return [
    compact({
      role: "assistant",
      ...reasoning,
      content: texts.length === 0 ? null : joinTexts(texts),
      tool_calls:
        calls.length === 0
          ? undefined
          : calls.map(({ id, name, input }) => ({
              id,
              type: "function",
              function: { name, arguments: input.trim() === "" ? "{}" : input },
            })),
    }),
  ];
}

function writeResults(results: readonly ToolResultContent[]): JsonObject[] {
  const images: JsonObject[] = [];
  const messages = results.map((result): JsonObject => {
    const pictures = result.content.filter((item) => item.type === "image");
    const lines = result.content.flatMap((item) => (item.type === "text" ? item.text : []));
    if (pictures.length > 0) {
      lines.push("[image in the next message]");
      images.push({ type: "text", text: `Image from the result of tool call ${result.id}:` });
      images.push(...pictures.map(imagePart));
    }
    const text = lines.join("\n");
    return { role: "tool", tool_call_id: result.id, content: result.isError ? `[error] ${text}` : text };
  });
  return images.length === 0 ? messages : [...messages, { role: "user", content: images }];
}

function joinTexts(texts: readonly TextContent[]): string {
  return texts.map(({ text }) => text).join("\n\n");
}
