import type { JsonObject, Message, ToolResultContent } from "../canonical.ts";
import { compact } from "../read-json.ts";
import { tidyHistory } from "../tidy-history.ts";
import { writeFile, writeImage } from "./content.ts";
import { inputObject, toolIdRule } from "./tool-use.ts";

/** What was said at the end of a history that a model without prefill can't go on from. */
const goOn = "Continue exactly where you stopped.";

/** A history as the `system` and `messages` of a request. */
export interface WireHistory {
  readonly system: JsonObject[];
  readonly messages: JsonObject[];
  readonly dropped: Set<string>;
}

/** A message being built: its blocks are still added to. */
interface WireMessage {
  readonly role: "user" | "assistant";
  readonly content: JsonObject[];
}

/**
 * A canonical history → Anthropic's:
 *
 * - System messages before the first other message become `system`. Later ones stay in their place, as text of the
 *   user between `<system-note>` tags: moving them to the front would change what they refer to.
 * - Neighbours of one role become one message, tool results first, as Anthropic demands.
 * - Thinking is kept only as the block Anthropic signed; a message never ends with it.
 * - An image in the result of a failed call moves behind all results: Anthropic refuses it inside.
 * - What Anthropic can't read leaves a bracketed word in its place, so that the model knows of it.
 * - A history of nothing but system messages becomes one user message: Anthropic wants at least one.
 */
export function writeHistory(canonical: readonly Message[], options: { prefill: boolean }): WireHistory {
  const { messages: history, dropped } = tidyHistory(canonical, toolIdRule);
  const first = history.findIndex((message) => message.role !== "system");
  const head = first < 0 ? history : history.slice(0, first);
  const system = head.flatMap((message) => (message.role === "system" ? message.content.map(textBlock) : []));

  const messages: WireMessage[] = [];
  for (const message of first < 0 ? [] : history.slice(first)) {
    const role = message.role === "assistant" ? "assistant" : "user";
    const blocks = writeBlocks(message, dropped);
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else if (blocks.length > 0) messages.push({ role, content: blocks });
  }
  if (messages.length === 0) return { system: [], messages: [{ role: "user", content: system }], dropped };
  endWithUser(messages, options.prefill);
  return { system, messages: messages.map(({ role, content }) => ({ role, content })), dropped };
}

function writeBlocks(message: Message, dropped: Set<string>): JsonObject[] {
  switch (message.role) {
    case "system":
      return message.content.map(({ text }) => textBlock({ text: `<system-note>\n${text}\n</system-note>` }));
    case "user":
      return message.content.map((content) => {
        if (content.type === "text") return textBlock(content);
        const block = content.type === "image" ? writeImage(content) : writeFile(content);
        return block ?? placeholder(content.type === "image" ? "image" : `file of type ${content.mediaType}`, dropped);
      });
    case "assistant":
      return writeAssistant(message, dropped);
    case "tool":
      return writeResults(message.content, dropped);
  }
}

function writeAssistant(message: Extract<Message, { role: "assistant" }>, dropped: Set<string>): JsonObject[] {
  const blocks = message.content.flatMap((content): JsonObject[] => {
    switch (content.type) {
      case "text":
        return [textBlock(content)];
      case "tool-call":
        return [{ type: "tool_use", id: content.id, name: content.name, input: inputObject(content.input) }];
      case "reasoning":
        if (content.opaque?.protocol === "messages") return [content.opaque.data];
        dropped.add("reasoning of another provider");
        return [];
    }
  });
  while (isThinking(blocks.at(-1))) blocks.pop();
  return blocks;
}

function writeResults(results: readonly ToolResultContent[], dropped: Set<string>): JsonObject[] {
  const moved: JsonObject[] = [];
  const blocks = results.map((result) => {
    const content = result.content.flatMap((item): JsonObject[] => {
      if (item.type === "text") return [textBlock(item)];
      const image = writeImage(item) ?? placeholder("image", dropped);
      if (!result.isError || image["type"] !== "image") return [image];
      moved.push(image);
      return [];
    });
    return compact({
      type: "tool_result",
      tool_use_id: result.id,
      content: content.length === 0 ? undefined : content,
      is_error: result.isError || undefined,
    });
  });
  return [...blocks, ...moved];
}

/** Without prefill the last word must be the user's; with it, the text gone on from must not end in blanks. */
function endWithUser(messages: WireMessage[], prefill: boolean): void {
  const last = messages.at(-1);
  if (last?.role !== "assistant") return;
  if (!prefill) {
    messages.push({ role: "user", content: [textBlock({ text: goOn })] });
    return;
  }
  const block = last.content.at(-1);
  if (typeof block?.["text"] === "string") last.content.splice(-1, 1, { ...block, text: block["text"].trimEnd() });
}

export function isThinking(block: JsonObject | undefined): boolean {
  return block?.["type"] === "thinking" || block?.["type"] === "redacted_thinking";
}

function textBlock({ text }: { readonly text: string }): JsonObject {
  return { type: "text", text };
}

function placeholder(what: string, dropped: Set<string>): JsonObject {
  dropped.add(`${what}: Anthropic can't read it`);
  return textBlock({ text: `[${what} left out]` });
}
