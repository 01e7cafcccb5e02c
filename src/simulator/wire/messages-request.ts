import type { ModelRequest } from "../answer.ts";
import type { Objection } from "./dialect.ts";
import { arrayOf, type Fields, fieldsOf, textOf } from "./fields.ts";

/** Every signature the simulator makes begins with this; a thinking block with another one is refused. */
export const signaturePrefix = "ErUBCkYI-simulated-";

/** Reads a Messages request and objects to what Anthropic's API objects to. */
export function readMessagesRequest(body: Fields): ModelRequest | Objection {
  const messages = arrayOf(body.messages).map(fieldsOf);
  const objection =
    checkFrame(body, messages) ?? checkBlocks(messages) ?? checkToolUse(messages) ?? checkThinking(body, messages);
  if (objection !== null) return objection;
  const people = messages.filter((message) => message.role === "user" && textOf(message.content) !== "");
  return {
    model: String(body.model),
    stream: body.stream === true,
    prompt: textOf(people.at(-1)?.content),
    tools: arrayOf(body.tools)
      .map(fieldsOf)
      .filter((tool) => typeof tool.name === "string")
      .map((tool) => ({ name: String(tool.name), schema: tool.input_schema })),
    includeUsage: true,
    sealed: blocksOf(messages).flatMap(({ block }) => (typeof block.signature === "string" ? [block.signature] : [])),
    body,
  };
}

function checkFrame(body: Fields, messages: readonly Fields[]): Objection | null {
  if (typeof body.model !== "string" || body.model === "") return refuse("model: Field required");
  if (body.max_tokens === undefined) return refuse("max_tokens: Field required");
  if (!Number.isInteger(body.max_tokens) || Number(body.max_tokens) < 1) {
    return refuse("max_tokens: Input should be greater than or equal to 1");
  }
  if (messages.length === 0) return refuse("messages: at least one message is required");
  const thinking = fieldsOf(body.thinking);
  if (thinking.type !== "enabled") return null;
  const budget = Number(thinking.budget_tokens);
  if (!(budget >= 1_024))
    return refuse("thinking.enabled.budget_tokens: Input should be greater than or equal to 1024");
  return budget < Number(body.max_tokens)
    ? null
    : refuse("`max_tokens` must be greater than `thinking.budget_tokens`.");
}

function checkBlocks(messages: readonly Fields[]): Objection | null {
  for (const [index, message] of messages.entries()) {
    if (message.role !== "user" && message.role !== "assistant") {
      return refuse(`messages.${index}.role: Input should be 'user' or 'assistant'`);
    }
    if (typeof message.content !== "string" && !Array.isArray(message.content)) {
      return refuse(`messages.${index}.content: Input should be a valid list`);
    }
    if (message.content.length === 0 && (message.role === "user" || index < messages.length - 1)) {
      return refuse(
        `messages.${index}: all messages must have non-empty content except for the optional final assistant message`,
      );
    }
  }
  const used = new Set<unknown>();
  for (const { block, at } of blocksOf(messages)) {
    if (block.type === "text" && block.text === "") return refuse("messages: text content blocks must be non-empty");
    if (block.type === "text" && String(block.text).trim() === "") {
      return refuse("messages: text content blocks must contain non-whitespace text");
    }
    if (block.type === "thinking" && !String(block.signature).startsWith(signaturePrefix)) {
      return refuse(`${at}: Invalid \`signature\` in \`thinking\` block`);
    }
    const id = block.type === "tool_use" ? block.id : block.type === "tool_result" ? block.tool_use_id : undefined;
    if (block.type !== "tool_use" && block.type !== "tool_result") continue;
    if (typeof id !== "string" || !/^[a-zA-Z0-9_-]+$/.test(id)) {
      return refuse(`${at}.${block.type}.id: String should match pattern '^[a-zA-Z0-9_-]+$'`);
    }
    if (block.type === "tool_use" && used.has(id)) return refuse(`${at}: \`tool_use\` ids must be unique`);
    if (block.type === "tool_use") used.add(id);
  }
  return null;
}

/** Every call of one message is answered by the next, and nothing is answered that was not called. */
function checkToolUse(messages: readonly Fields[]): Objection | null {
  for (const [index, message] of messages.entries()) {
    const called = idsOf(message, "tool_use", "id");
    const answered = new Set(idsOf(messages[index + 1] ?? {}, "tool_result", "tool_use_id"));
    const open = called.filter((id) => !answered.has(id));
    if (open.length > 0) {
      return refuse(
        `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
      );
    }
    const before = new Set(idsOf(messages[index - 1] ?? {}, "tool_use", "id"));
    const stray = idsOf(message, "tool_result", "tool_use_id").find((id) => !before.has(id));
    if (stray !== undefined) {
      return refuse(`messages.${index}.content: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${stray}.`);
    }
  }
  return null;
}

/** With a token budget, a tool loop that is still running began with thinking. */
function checkThinking(body: Fields, messages: readonly Fields[]): Objection | null {
  if (fieldsOf(body.thinking).type !== "enabled") return null;
  const index = messages.findLastIndex((message) => message.role === "assistant");
  const blocks = arrayOf(messages[index]?.content).map(fieldsOf);
  const first = String(blocks[0]?.type);
  if (!blocks.some((block) => block.type === "tool_use") || /^(?:redacted_)?thinking$/.test(first)) return null;
  return refuse(
    `messages.${index}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block.`,
  );
}

function idsOf(message: Fields, type: string, field: string): string[] {
  const blocks = arrayOf(message.content).map(fieldsOf);
  return blocks.filter((block) => block.type === type).map((block) => String(block[field]));
}

function blocksOf(messages: readonly Fields[]): { block: Fields; at: string }[] {
  return messages.flatMap((message, index) =>
    arrayOf(message.content).map((block, place) => ({
      block: fieldsOf(block),
      at: `messages.${index}.content.${place}`,
    })),
  );
}

function refuse(message: string): Objection {
  return { status: 400, message };
}
