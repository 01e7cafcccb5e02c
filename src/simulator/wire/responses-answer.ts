import { type Answer, splitText } from "../answer.ts";
import type { After } from "../behaviour.ts";
import type { InStreamName } from "../faults.ts";
import { sse } from "../reply.ts";
import { type AnswerWriter, EventList, type WireContext, type WireEvent, type WirePart } from "./dialect.ts";
import { type ResponsesFailure, responsesFailures, type ResponsesFlavour } from "./responses-failures.ts";

type Item = Record<string, unknown>;

/** Writes one answer of the Responses API. */
export class ResponsesAnswer implements AnswerWriter {
  readonly #answer: Answer;
  readonly #context: WireContext;
  readonly #flavour: ResponsesFlavour;
  readonly #id: string;
  readonly #sealed: string | null;
  #sequence = 0;

  /** `store` keeps the ids of items that can be referred to later. */
  constructor(
    answer: Answer,
    context: WireContext,
    flavour: ResponsesFlavour,
    { seal, store }: { seal: (context: WireContext) => string; store: (id: string) => void },
  ) {
    this.#answer = answer;
    this.#context = context;
    this.#flavour = flavour;
    this.#id = context.nextId("resp_");
    this.#sealed = answer.reasoning === null ? null : seal(context);
    for (const { id } of this.#items()) store(String(id));
  }

  events(): WireEvent[] {
    const list = new EventList();
    this.#sequence = 0;
    const send = (part: WirePart, type: string, fields: Item, delta = false): void => {
      const text = this.#event(type, fields);
      if (delta) list.delta(part, text);
      else list.frame(part, text);
    };
    send("start", "response.created", { response: this.#response("in_progress", []) });
    send("start", "response.in_progress", { response: this.#response("in_progress", []) });
    if (this.#flavour === "codex") list.frame("start", rateLimitsEvent(this.#context));
    for (const [index, item] of this.#items().entries()) this.#sendItem(send, item, index);
    const finished = this.#finished();
    send("end", finished.type, { response: finished.response });
    return list.events;
  }

  body(): Item {
    return this.#finished("full").response;
  }

  failureEvents(name: InStreamName, sent: number, after: After): string[] {
    // The frame of the stream counts with the rest, except for the one event that has no number.
    this.#sequence = this.#flavour === "codex" ? Math.max(0, sent - 1) : sent;
    const failure = responsesFailures(this.#context, this.#flavour)[name];
    if (failure.event === "error") {
      return [this.#event("error", { code: failure.error?.code, message: failure.error?.message, param: null })];
    }
    return [this.#event(failure.event, { response: this.#failed(failure, after) })];
  }

  failureBody(name: InStreamName, after: After): Item | null {
    const failure = responsesFailures(this.#context, this.#flavour)[name];
    return failure.event === "error" ? null : this.#failed(failure, after);
  }

  #failed(failure: ResponsesFailure, after: After): Item {
    const response = this.#response(failure.status, this.#partialItems(after));
    const { status, ...withoutStatus } = response;
    return { ...withoutStatus, ...(failure.status === null ? {} : { status }), error: failure.error };
  }

  #finished(terminalOutput = this.#context.behaviour.terminalOutput ?? (this.#flavour === "codex" ? "empty" : "full")) {
    const items = terminalOutput === "full" ? this.#items() : terminalOutput === "empty" ? [] : null;
    const { reasoning, input, output } = this.#answer.usage;
    const usage = {
      input_tokens: input,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: output,
      output_tokens_details: { reasoning_tokens: reasoning },
      total_tokens: input + output,
    };
    const incomplete = this.#answer.finish === "length";
    const response = {
      ...this.#response(incomplete ? "incomplete" : "completed", items),
      incomplete_details: incomplete ? { reason: "max_output_tokens" } : null,
      usage,
    };
    return { type: incomplete ? "response.incomplete" : "response.completed", response };
  }

  #sendItem(
    send: (part: WirePart, type: string, fields: Item, delta?: boolean) => void,
    item: Item,
    output_index: number,
  ): void {
    const item_id = item.id;
    switch (item.type) {
      case "reasoning": {
        const at = { item_id, output_index, summary_index: 0 };
        const text = this.#answer.reasoning ?? "";
        const opened = { id: item.id, type: item.type, summary: [] };
        send("reasoning", "response.output_item.added", { output_index, item: opened });
        send("reasoning", "response.reasoning_summary_part.added", { ...at, part: { type: "summary_text", text: "" } });
        for (const delta of splitText(text))
          send("reasoning", "response.reasoning_summary_text.delta", { ...at, delta }, true);
        send("reasoning", "response.reasoning_summary_text.done", { ...at, text });
        send("reasoning", "response.reasoning_summary_part.done", { ...at, part: { type: "summary_text", text } });
        send("reasoning", "response.output_item.done", { output_index, item });
        break;
      }
      case "message": {
        const at = { item_id, output_index, content_index: 0 };
        const text = this.#answer.text ?? "";
        const part = { type: "output_text", text, annotations: [], logprobs: [] };
        send("text", "response.output_item.added", {
          output_index,
          item: { ...item, status: "in_progress", content: [] },
        });
        send("text", "response.content_part.added", { ...at, part: { ...part, text: "" } });
        for (const delta of splitText(text))
          send("text", "response.output_text.delta", { ...at, delta, logprobs: [] }, true);
        send("text", "response.output_text.done", { ...at, text, logprobs: [] });
        send("text", "response.content_part.done", { ...at, part });
        send("text", "response.output_item.done", { output_index, item });
        break;
      }
      default: {
        const at = { item_id, output_index };
        const text = String(item.arguments);
        send("tool-call", "response.output_item.added", {
          output_index,
          item: { ...item, status: "in_progress", arguments: "" },
        });
        for (const delta of splitText(text))
          send("tool-call", "response.function_call_arguments.delta", { ...at, delta }, true);
        send("tool-call", "response.function_call_arguments.done", { ...at, name: item.name, arguments: text });
        send("tool-call", "response.output_item.done", { output_index, item });
      }
    }
  }

  #items(): Item[] {
    const { reasoning, text, toolCalls, finish } = this.#answer;
    const suffix = this.#id.slice("resp_".length);
    const status = finish === "length" ? "incomplete" : "completed";
    const items: Item[] = [];
    if (reasoning !== null) {
      items.push({
        id: `rs_${suffix}`,
        type: "reasoning",
        summary: [{ type: "summary_text", text: reasoning }],
        encrypted_content: this.#sealed,
      });
    }
    if (text !== null) items.push(message(`msg_${suffix}`, text, status));
    for (const [index, call] of toolCalls.entries()) {
      items.push({
        id: `fc_${suffix}${index}`,
        type: "function_call",
        status: "completed",
        call_id: call.id,
        name: call.name,
        arguments: call.input,
      });
    }
    return items;
  }

  /** What was there when it failed: whole items before the part that broke off, and half of that if it was text. */
  #partialItems(after: After): Item[] {
    if (after === "at-once" || after === "reasoning") return [];
    const items = this.#items();
    if (after === "end") return items;
    if (after === "tool-call") return items.filter((item) => item.type !== "function_call");
    const pieces = splitText(this.#answer.text ?? "");
    const half = pieces.slice(0, Math.ceil(pieces.length / 2)).join("");
    return items
      .filter((item) => item.type !== "function_call")
      .map((item) => (item.type === "message" ? message(String(item.id), half, "incomplete") : item));
  }

  #response(status: string | null, output: Item[] | null): Item {
    const { body, model } = this.#context.request;
    return {
      id: this.#id,
      object: "response",
      created_at: Math.floor(this.#context.now / 1_000),
      status,
      background: false,
      error: null,
      incomplete_details: null,
      instructions: body.instructions ?? null,
      max_output_tokens: body.max_output_tokens ?? null,
      metadata: {},
      model,
      output,
      parallel_tool_calls: body.parallel_tool_calls ?? true,
      previous_response_id: null,
      reasoning: body.reasoning ?? { effort: null, summary: null },
      store: body.store ?? true,
      temperature: 1,
      text: { format: { type: "text" } },
      tool_choice: body.tool_choice ?? "auto",
      tools: body.tools ?? [],
      top_p: 1,
      truncation: "disabled",
      usage: null,
    };
  }

  #event(type: string, fields: Item): string {
    return sse({ type, sequence_number: this.#sequence++, ...fields }, type);
  }
}

function message(id: string, text: string, status: string): Item {
  return {
    id,
    type: "message",
    status,
    role: "assistant",
    content: [{ type: "output_text", text, annotations: [], logprobs: [] }],
  };
}

/** Codex's own event, which is no part of the public API and carries no number. */
function rateLimitsEvent(context: WireContext): string {
  const window = (used_percent: number, window_minutes: number) => ({
    used_percent,
    window_minutes,
    reset_at: Math.floor(context.now / 1_000) + window_minutes * 60,
  });
  const type = "codex.rate_limits";
  const limits = { primary: window(10, 300), secondary: window(20, 10_080) };
  return sse({ type, plan_type: context.plan, rate_limits: limits, credits: null, metered_limit_name: "codex" }, type);
}
