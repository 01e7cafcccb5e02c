import type { ProtocolName } from "../../../src/core/target.ts";

/** Every word of an answer names the attempt that said it, so that no two answers can be mixed unseen. */
export function word(attempt: number, index: number): string {
  return `<a${attempt}.${index}>`;
}

/** A model's answer as the wire carries it, in pieces that a fault can stand between. */
export interface WireAnswer {
  /** Before any content: created, reasoning, the opening of a block. */
  readonly opening: readonly string[];
  /** One event for each word. */
  readonly words: readonly string[];
  /** Closing of the block and the terminal event. */
  readonly closing: readonly string[];
  /** The same without a stream. */
  readonly whole: string;
}

/** The answer of one attempt in `dialect`. `bare`: a terminal event without the output, as the Codex backend sends it. */
export function writeAnswer(dialect: ProtocolName, attempt: number, count: number, bare: boolean): WireAnswer {
  const said = Array.from({ length: count }, (_, index) => word(attempt, index));
  switch (dialect) {
    case "responses":
      return responses(attempt, said, bare);
    case "chat-completions":
      return chatCompletions(attempt, said);
    case "messages":
      return messages(attempt, said);
  }
}

function sse(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

function named(data: { readonly type: string; readonly [field: string]: unknown }): string {
  return `event: ${data.type}\n${sse(data)}`;
}

function responses(attempt: number, said: readonly string[], bare: boolean): WireAnswer {
  const id = `resp_${attempt}`;
  const at = { item_id: `msg_${attempt}`, output_index: 0, content_index: 0 };
  const item = { id: at.item_id, type: "message", role: "assistant", status: "completed" };
  const content = [{ type: "output_text", text: said.join(""), annotations: [] }];
  const usage = { input_tokens: 3, output_tokens: said.length, total_tokens: 3 + said.length };
  const response = { id, object: "response", status: "completed", model: "m", usage };
  const created = { id, object: "response", status: "in_progress", output: [] };
  return {
    opening: [
      named({ type: "response.created", response: created }),
      named({ type: "response.output_item.added", output_index: 0, item: { ...item, content: [] } }),
    ],
    words: said.map((delta) => named({ type: "response.output_text.delta", ...at, delta })),
    closing: [
      named({ type: "response.output_item.done", output_index: 0, item: { ...item, content } }),
      named({
        type: "response.completed",
        response: { ...response, output: bare ? [] : [{ ...item, content }] },
      }),
    ],
    whole: JSON.stringify({ ...response, output: [{ ...item, content }] }),
  };
}

function chatCompletions(attempt: number, said: readonly string[]): WireAnswer {
  const frame = { id: `chat_${attempt}`, object: "chat.completion.chunk", created: 1, model: "m" };
  const usage = { prompt_tokens: 3, completion_tokens: said.length, total_tokens: 3 + said.length };
  const message = { role: "assistant", content: said.join("") };
  return {
    opening: [
      sse({ ...frame, choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }] }),
    ],
    words: said.map((content) => sse({ ...frame, choices: [{ index: 0, delta: { content }, finish_reason: null }] })),
    closing: [
      sse({ ...frame, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }),
      sse({ ...frame, choices: [], usage }),
      "data: [DONE]\n\n",
    ],
    whole: JSON.stringify({
      ...frame,
      object: "chat.completion",
      choices: [{ index: 0, message, finish_reason: "stop" }],
      usage,
    }),
  };
}

function messages(attempt: number, said: readonly string[]): WireAnswer {
  const head = { id: `msg_${attempt}`, type: "message", role: "assistant", model: "m" };
  const usage = { input_tokens: 3, output_tokens: said.length };
  return {
    opening: [
      named({ type: "message_start", message: { ...head, content: [], usage } }),
      named({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
    ],
    words: said.map((text) => named({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } })),
    closing: [
      named({ type: "content_block_stop", index: 0 }),
      named({ type: "message_delta", delta: { stop_reason: "end_turn" }, usage }),
      named({ type: "message_stop" }),
    ],
    whole: JSON.stringify({
      ...head,
      content: [{ type: "text", text: said.join("") }],
      stop_reason: "end_turn",
      usage,
    }),
  };
}

/** What a caller holds in its hands: which attempts' words are in it, in which order, and whether it looks complete. */
export interface CallerView {
  readonly words: readonly { readonly attempt: number; readonly index: number }[];
  readonly looksComplete: boolean;
  readonly tellsError: boolean;
}

/**
 * Reads an answer as a client of `dialect` would, by the signs of its end alone. Shares no code with the readers under test.
 */
export function readAsCaller(dialect: ProtocolName, streamed: boolean, text: string): CallerView {
  const words = [...text.matchAll(/<a(\d+)\.(\d+)>/g)].map((match) => ({
    attempt: Number(match[1]),
    index: Number(match[2]),
  }));
  return { words, looksComplete: looksComplete(dialect, streamed, text), tellsError: /"error"\s*:\s*\{/.test(text) };
}

function looksComplete(dialect: ProtocolName, streamed: boolean, text: string): boolean {
  switch (dialect) {
    case "responses":
      return streamed
        ? text.includes('"type":"response.completed"')
        : (JSON.parse(text) as { status?: unknown }).status === "completed";
    case "chat-completions":
      return streamed
        ? text.includes('"finish_reason":"stop"') && text.includes("data: [DONE]")
        : text.includes('"finish_reason":"stop"');
    case "messages":
      return streamed ? text.includes('"type":"message_stop"') : text.includes('"stop_reason":"end_turn"');
  }
}
