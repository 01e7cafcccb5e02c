import { type Answer, splitText } from "../answer.ts";
import type { After } from "../behaviour.ts";
import type { InStreamName } from "../faults.ts";
import { sse } from "../reply.ts";
import { chatStreamErrors } from "./chat-errors.ts";
import { type AnswerWriter, EventList, type WireContext, type WireEvent } from "./dialect.ts";

type Fields = Record<string, unknown>;

const finishReasons = {
  stop: "stop",
  "tool-calls": "tool_calls",
  length: "length",
  refused: "content_filter",
} as const;

/** Writes one answer of the Chat Completions API. Reasoning goes out as `reasoning_content`, as open models' servers have it. */
export class ChatAnswer implements AnswerWriter {
  readonly #answer: Answer;
  readonly #context: WireContext;
  readonly #id: string;

  constructor(answer: Answer, context: WireContext) {
    this.#answer = answer;
    this.#context = context;
    this.#id = context.nextId("chatcmpl-");
  }

  events(): WireEvent[] {
    const list = new EventList();
    const { reasoning, text, toolCalls, finish } = this.#answer;
    list.frame("start", this.#chunk({ role: "assistant", content: "" }));
    for (const piece of splitText(reasoning ?? "")) list.delta("reasoning", this.#chunk({ reasoning_content: piece }));
    for (const content of splitText(text ?? "")) list.delta("text", this.#chunk({ content }));
    for (const [index, call] of toolCalls.entries()) {
      const opened = { index, id: call.id, type: "function", function: { name: call.name, arguments: "" } };
      list.frame("tool-call", this.#chunk({ tool_calls: [opened] }));
      for (const piece of splitText(call.input)) {
        list.delta("tool-call", this.#chunk({ tool_calls: [{ index, function: { arguments: piece } }] }));
      }
    }
    for (const ending of this.#ending(finish)) list.frame("end", ending);
    return list.events;
  }

  body(): Fields {
    const { reasoning, text, toolCalls, finish } = this.#answer;
    const message: Fields = { role: "assistant", content: text, refusal: null };
    if (reasoning !== null) message.reasoning_content = reasoning;
    if (toolCalls.length > 0) {
      message.tool_calls = toolCalls.map((call) => ({
        id: call.id,
        type: "function",
        function: { name: call.name, arguments: call.input },
      }));
    }
    return this.#completion(message, finish);
  }

  failureEvents(name: InStreamName, _sent: number, _after: After): string[] {
    if (name === "soft-content-policy") return this.#ending("refused");
    const error = chatStreamErrors(this.#context)[name];
    if (error === null) throw new Error(`Chat Completions has no ${name}`);
    return [sse({ error })];
  }

  failureBody(name: InStreamName): Fields | null {
    if (name !== "soft-content-policy") return null;
    return this.#completion({ role: "assistant", content: "", refusal: null }, "refused");
  }

  #completion(message: Fields, finish: Answer["finish"]): Fields {
    return {
      id: this.#id,
      object: "chat.completion",
      created: this.#created(),
      model: this.#context.request.model,
      choices: [{ index: 0, message, logprobs: null, finish_reason: finishReasons[finish] }],
      usage: this.#usage(),
      service_tier: "default",
      system_fingerprint: "fp_simulated",
    };
  }

  #ending(finish: Answer["finish"]): string[] {
    const usage = sse({ ...this.#frame(), choices: [], usage: this.#usage() });
    const last = this.#chunk({}, finishReasons[finish]);
    return [last, ...(this.#context.request.includeUsage ? [usage] : []), sse("[DONE]")];
  }

  #chunk(delta: Fields, finish_reason: string | null = null): string {
    const usage = this.#context.request.includeUsage ? { usage: null } : {};
    return sse({ ...this.#frame(), choices: [{ index: 0, delta, logprobs: null, finish_reason }], ...usage });
  }

  #frame(): Fields {
    return {
      id: this.#id,
      object: "chat.completion.chunk",
      created: this.#created(),
      model: this.#context.request.model,
      service_tier: "default",
      system_fingerprint: "fp_simulated",
    };
  }

  #created(): number {
    return Math.floor(this.#context.now / 1_000);
  }

  #usage(): Fields {
    const { input, output, reasoning } = this.#answer.usage;
    return {
      prompt_tokens: input,
      completion_tokens: output,
      total_tokens: input + output,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: reasoning },
    };
  }
}
