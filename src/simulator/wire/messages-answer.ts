import { type Answer, splitText } from "../answer.ts";
import type { After } from "../behaviour.ts";
import type { InStreamName } from "../faults.ts";
import { sse } from "../reply.ts";
import { type AnswerWriter, EventList, type WireContext, type WireEvent, type WirePart } from "./dialect.ts";
import { inStreamErrors, type MessagesErrorType } from "./messages-errors.ts";
import { signaturePrefix } from "./messages-request.ts";

type Fields = Record<string, unknown>;

const stopReasons = { stop: "end_turn", "tool-calls": "tool_use", length: "max_tokens", refused: "refusal" } as const;

/** Writes one answer of the Messages API. */
export class MessagesAnswer implements AnswerWriter {
  readonly #answer: Answer;
  readonly #context: WireContext;
  readonly #id: string;
  readonly #signature: string;

  constructor(answer: Answer, context: WireContext) {
    this.#answer = answer;
    this.#context = context;
    this.#id = context.nextId("msg_");
    this.#signature = context.nextId(signaturePrefix);
  }

  events(): WireEvent[] {
    const list = new EventList();
    const { input } = this.#answer.usage;
    const message = { ...this.#message([], null), usage: usage(input, 1) };
    list.frame("start", event("message_start", { message }));
    for (const [index, block] of this.#blocks().entries()) this.#sendBlock(list, block, index);
    for (const text of this.#ending(this.#answer.finish)) list.frame("end", text);
    return list.events;
  }

  body(): Fields {
    const { finish, usage: spent } = this.#answer;
    return { ...this.#message(this.#blocks(), stopReasons[finish]), usage: usage(spent.input, spent.output) };
  }

  failureEvents(name: InStreamName, _sent: number, _after: After): string[] {
    if (name === "soft-content-policy") return this.#ending("refused");
    const error = inStreamErrors(this.#context)[name];
    if (error === null) throw new Error(`the Messages API has no ${name}`);
    return [errorEvent(error.type, error.message)];
  }

  failureBody(name: InStreamName): Fields | null {
    if (name !== "soft-content-policy") return null;
    const { input } = this.#answer.usage;
    return { ...this.#message([], "refusal"), usage: usage(input, 1) };
  }

  #sendBlock(list: EventList, block: Fields, index: number): void {
    const part: WirePart = block.type === "thinking" ? "reasoning" : block.type === "text" ? "text" : "tool-call";
    const opened =
      part === "reasoning"
        ? { ...block, thinking: "", signature: "" }
        : part === "text"
          ? { ...block, text: "" }
          : { ...block, input: {} };
    const delta = (value: Fields): string => event("content_block_delta", { index, delta: value });
    list.frame(part, event("content_block_start", { index, content_block: opened }));
    if (index === 0) list.frame(part, event("ping", {}));
    switch (part) {
      case "reasoning":
        for (const thinking of splitText(String(block.thinking))) {
          list.delta(part, delta({ type: "thinking_delta", thinking }));
        }
        list.frame(part, delta({ type: "signature_delta", signature: block.signature }));
        break;
      case "text":
        for (const text of splitText(String(block.text))) list.delta(part, delta({ type: "text_delta", text }));
        break;
      default:
        list.frame(part, delta({ type: "input_json_delta", partial_json: "" }));
        for (const partial_json of splitText(JSON.stringify(block.input))) {
          list.delta(part, delta({ type: "input_json_delta", partial_json }));
        }
    }
    list.frame(part, event("content_block_stop", { index }));
  }

  #ending(finish: Answer["finish"]): string[] {
    const delta = { stop_reason: stopReasons[finish], stop_sequence: null };
    return [
      event("message_delta", { delta, usage: { output_tokens: this.#answer.usage.output } }),
      event("message_stop", {}),
    ];
  }

  #blocks(): Fields[] {
    const { reasoning, text, toolCalls } = this.#answer;
    const blocks: Fields[] = [];
    if (reasoning !== null) blocks.push({ type: "thinking", thinking: reasoning, signature: this.#signature });
    if (text !== null) blocks.push({ type: "text", text });
    for (const call of toolCalls) {
      blocks.push({ type: "tool_use", id: call.id, name: call.name, input: JSON.parse(call.input) as unknown });
    }
    return blocks;
  }

  #message(content: Fields[], stopReason: string | null): Fields {
    return {
      id: this.#id,
      type: "message",
      role: "assistant",
      model: this.#context.request.model,
      content,
      stop_reason: stopReason,
      stop_sequence: null,
    };
  }
}

function usage(input_tokens: number, output_tokens: number): Fields {
  return { input_tokens, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens };
}

function event(type: string, fields: Fields): string {
  return sse({ type, ...fields }, type);
}

function errorEvent(type: MessagesErrorType, message: string): string {
  return event("error", { error: { type, message } });
}
