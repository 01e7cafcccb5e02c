import type { Usage } from "../../core/events.ts";
import type { FinishReason, JsonObject, Opaque, Part } from "../canonical.ts";
import type { EncodeOptions, StreamEncoder } from "../protocol.ts";
import { compact, stringAt } from "../read-json.ts";
import { formatJsonEvent } from "../sse.ts";
import { fitToolId } from "../tool-id.ts";
import { callIdRule } from "./call-id.ts";
import { ownReasoningPrefix } from "./clean.ts";
import { type CallForm, callForm, unwrapFreeText } from "./tools.ts";
import { writeUsage } from "./usage.ts";

/** Where a stream stands that is gone on in. */
export interface BegunStream {
  /** The response as its author describes it. */
  readonly response: JsonObject;
  /** The number that the next event gets. */
  readonly sequence: number;
  /** The items that are done, by their place. */
  readonly output: readonly JsonObject[];
  /** The message that is open at the place behind them. */
  readonly message: BegunMessage | null;
}

export interface BegunMessage {
  readonly id: string;
  readonly text: string;
  /** The id of the parts that grow it; null when its text is done and only its end is missing. */
  readonly partId: string | null;
  /** True when the end of its content part was told, too. */
  readonly isPartDone: boolean;
}

/** Parts → Responses stream. `begun`: it goes on in a stream that stands so. */
export function createStreamEncoder(options: EncodeOptions, begun: BegunStream | null = null): StreamEncoder {
  const encoder = new AnswerEncoder(options, begun);
  return {
    encode(part) {
      const more = part.type === "text-delta" ? encoder.moreText(part.id, part.text) : null;
      if (more !== null) return more;
      let text = "";
      for (const event of encoder.encode(part)) text += formatJsonEvent(event, stringAt(event, "type"));
      return text;
    },
  };
}

/** Parts → a whole answer. Without a finish part its status is `incomplete`: a cut answer is not a complete one. */
export function encodeAnswer(parts: readonly Part[], options: EncodeOptions): JsonObject {
  const encoder = new AnswerEncoder(options);
  for (const part of parts) encoder.encode(part);
  return encoder.answer();
}

/**
 * An output item that is being written, at its `output_index`. `text` is what it holds so far; `moreText` is what stands in each event
 * of a message between its number and its words.
 */
type OpenItem = { readonly id: string; readonly output_index: number; text: string; moreText?: string } & (
  | { readonly kind: "message" }
  | { readonly kind: "reasoning" }
  | { readonly kind: "call"; readonly callId: string; readonly form: CallForm }
);
type OpenCall = Extract<OpenItem, { kind: "call" }>;

/**
 * Writes the events in the order in which OpenAI sends them, which the official SDK checks: every item is added, grows and is
 * done at the place where it was added, and every event has the next sequence number. A block without words becomes no item.
 */
class AnswerEncoder {
  readonly #options: EncodeOptions;
  /** Items that are not done yet, by the id of their parts. */
  readonly #open = new Map<string, OpenItem>();
  readonly #output: JsonObject[] = [];
  #events: JsonObject[] = [];
  #added = 0;
  #sequence = 0;
  #answer: JsonObject | null = null;
  readonly #begun: BegunStream | null;

  constructor(options: EncodeOptions, begun: BegunStream | null = null) {
    this.#options = options;
    this.#begun = begun;
    if (begun === null) return;
    this.#sequence = begun.sequence;
    this.#output.push(...begun.output);
    this.#added = this.#output.length;
    if (begun.message === null) return;
    const { id, text, partId, isPartDone } = begun.message;
    const item: OpenItem = { kind: "message", id, output_index: this.#added++, text };
    if (partId !== null) {
      this.#open.set(partId, item);
      return;
    }
    if (!isPartDone) {
      this.#emit("response.content_part.done", { ...place(item), content_index: 0, part: textPart(text) });
    }
    this.#done("", item, writeItem(item, "completed"));
  }

  /** The events of this part. None after the finish. */
  encode(part: Part): JsonObject[] {
    if (this.#answer !== null) return [];
    if (this.#sequence === 0 && this.#begun === null) {
      this.#emit("response.created", { response: this.#response("in_progress") });
      this.#emit("response.in_progress", { response: this.#response("in_progress") });
    }
    this.#write(part);
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /**
   * What `encode` gives as SSE text, for one more piece of a message that has begun: they come by the hundred, and nothing but the number and
   * the words differs. Null for any other part.
   */
  moreText(partId: string, delta: string): string | null {
    const item = this.#answer === null && delta !== "" ? this.#open.get(partId) : undefined;
    if (item?.kind !== "message" || item.text === "") return null;
    item.moreText ??= `,${JSON.stringify({ ...place(item), content_index: 0 }).slice(1, -1)},"delta":`;
    item.text += delta;
    return `${moreTextHead}${this.#sequence++}${item.moreText}${JSON.stringify(delta)},"logprobs":[]}\n\n`;
  }

  /** The whole response: as finished, or as far as it came. */
  answer(): JsonObject {
    if (this.#answer !== null) return this.#answer;
    const output = [...this.#output];
    for (const item of this.#open.values()) output[item.output_index] = writeItem(item, "incomplete");
    return this.#response("incomplete", { output });
  }

  #write(part: Part): void {
    switch (part.type) {
      case "response-start":
      case "text-start":
      case "reasoning-start":
        return;
      case "text-delta":
        return this.#grow(part.id, "message", part.text);
      case "reasoning-delta":
        return this.#grow(part.id, "reasoning", part.text);
      case "text-end":
        return this.#end(part.id);
      case "reasoning-end":
        return this.#endReasoning(part.id, part.opaque);
      case "tool-input-start":
        this.#addCall(part.id, part.name);
        return;
      case "tool-input-delta":
        return this.#growCall(part.id, part.delta);
      case "tool-call":
        return this.#call(part.id, part.name, part.input);
      case "finish":
        return this.#finish(part.reason, part.usage);
    }
  }

  #grow(partId: string, kind: "message" | "reasoning", delta: string): void {
    if (delta === "") return;
    const item = this.#open.get(partId) ?? this.#add(partId, kind);
    const { item_id, output_index } = place(item);
    if (kind === "message") {
      if (item.text === "")
        this.#emit("response.content_part.added", { ...place(item), content_index: 0, part: textPart("") });
      this.#emit("response.output_text.delta", { item_id, output_index, content_index: 0, delta, logprobs: [] });
    } else {
      const summary = { item_id, output_index, summary_index: 0 };
      if (item.text === "") this.#emit("response.reasoning_summary_part.added", { ...summary, part: summaryPart("") });
      this.#emit("response.reasoning_summary_text.delta", { ...summary, delta });
    }
    item.text += delta;
  }

  #add(partId: string, kind: "message" | "reasoning"): OpenItem {
    const item: OpenItem = { kind, id: this.#itemId(kind), output_index: this.#added++, text: "" };
    this.#open.set(partId, item);
    this.#emit("response.output_item.added", { output_index: item.output_index, item: writeItem(item, "in_progress") });
    return item;
  }

  #endReasoning(partId: string, opaque: Opaque | undefined): void {
    const encrypted = opaque?.protocol === "responses" ? stringAt(opaque.data, "encrypted_content") : undefined;
    if (encrypted !== undefined && !this.#open.has(partId)) this.#add(partId, "reasoning");
    this.#end(partId, encrypted === undefined ? {} : { encrypted_content: encrypted });
  }

  /** Ends a message or a reasoning item; nothing to do for a block that held no words. */
  #end(partId: string, more: JsonObject = {}): void {
    const item = this.#open.get(partId);
    if (item === undefined) return;
    const { text } = item;
    if (item.kind === "message") {
      const content = { ...place(item), content_index: 0 };
      this.#emit("response.output_text.done", { ...content, text, logprobs: [] });
      this.#emit("response.content_part.done", { ...content, part: textPart(text) });
    } else if (text !== "") {
      const summary = { ...place(item), summary_index: 0 };
      this.#emit("response.reasoning_summary_text.done", { ...summary, text });
      this.#emit("response.reasoning_summary_part.done", { ...summary, part: summaryPart(text) });
    }
    this.#done(partId, item, { ...writeItem(item, "completed"), ...more });
  }

  #addCall(callId: string, name: string): OpenCall {
    const form = callForm(name, this.#options.tools ?? []);
    const id = this.#itemId(form.type);
    const item: OpenCall = { kind: "call", id, output_index: this.#added++, text: "", callId, form };
    this.#open.set(callId, item);
    this.#emit("response.output_item.added", { output_index: item.output_index, item: writeItem(item, "in_progress") });
    return item;
  }

  #growCall(callId: string, delta: string): void {
    const item = this.#open.get(callId);
    // Free text can't be taken out of JSON that is still growing: it follows in one piece with the whole call.
    if (item?.kind !== "call" || item.form.type === "custom_tool_call" || delta === "") return;
    this.#emit("response.function_call_arguments.delta", { ...place(item), delta });
    item.text += delta;
  }

  #call(callId: string, name: string, input: string): void {
    const open = this.#open.get(callId);
    const item = open?.kind === "call" ? open : this.#addCall(callId, name);
    const freeText = item.form.type === "custom_tool_call";
    const whole = freeText ? unwrapFreeText(input) : input || "{}";
    const wire = freeText ? "response.custom_tool_call_input" : "response.function_call_arguments";
    if (item.text === "" && whole !== "") this.#emit(`${wire}.delta`, { ...place(item), delta: whole });
    item.text = whole;
    const told: JsonObject = freeText ? { input: whole } : { name: item.form.name, arguments: whole };
    this.#emit(`${wire}.done`, { ...place(item), ...told });
    this.#done(callId, item, writeItem(item, "completed"));
  }

  #done(partId: string, item: OpenItem, written: JsonObject): void {
    this.#open.delete(partId);
    this.#output[item.output_index] = written;
    this.#emit("response.output_item.done", { output_index: item.output_index, item: written });
  }

  #finish(reason: FinishReason, usage: Usage | null): void {
    for (const [partId, item] of this.#open) this.#done(partId, item, writeItem(item, "incomplete"));
    const cut = cutReasons[reason];
    this.#answer = this.#response(cut === undefined ? "completed" : "incomplete", {
      output: this.#output,
      incomplete_details: cut === undefined ? null : { reason: cut },
      usage: usage && writeUsage(usage),
    });
    this.#emit(cut === undefined ? "response.completed" : "response.incomplete", { response: this.#answer });
  }

  #emit(type: string, fields: JsonObject): void {
    this.#events.push({ type, sequence_number: this.#sequence++, ...fields });
  }

  #itemId(kind: keyof typeof idPrefixes): string {
    return `${idPrefixes[kind]}_${this.#options.id.replace(/^resp_/, "")}_${this.#added}`;
  }

  #response(status: string, fields: JsonObject = {}): JsonObject {
    const response: JsonObject = {
      id: this.#options.id,
      object: "response",
      created_at: Math.floor((this.#options.createdAt ?? 0) / 1000),
      status,
      background: false,
      error: null,
      incomplete_details: null,
      instructions: null,
      max_output_tokens: null,
      metadata: {},
      model: this.#options.model,
      output: [],
      parallel_tool_calls: true,
      previous_response_id: null,
      reasoning: { effort: null, summary: null },
      store: false,
      temperature: null,
      text: { format: { type: "text" } },
      tool_choice: "auto",
      tools: [],
      top_p: null,
      truncation: "disabled",
      usage: null,
    };
    return { ...response, ...this.#begun?.response, status, ...fields };
  }
}

const moreTextHead = 'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":';

const idPrefixes = { message: "msg", reasoning: ownReasoningPrefix, function_call: "fc", custom_tool_call: "ctc" };

const cutReasons: Partial<Record<FinishReason, string>> = {
  length: "max_output_tokens",
  "content-filter": "content_filter",
};

function place(item: OpenItem): { item_id: string; output_index: number } {
  return { item_id: item.id, output_index: item.output_index };
}

function textPart(text: string): JsonObject {
  return { type: "output_text", text, annotations: [], logprobs: [] };
}

function summaryPart(text: string): JsonObject {
  return { type: "summary_text", text };
}

function writeItem(item: OpenItem, status: "in_progress" | "completed" | "incomplete"): JsonObject {
  const { id, text } = item;
  if (item.kind === "message") {
    return { id, type: "message", status, role: "assistant", content: text === "" ? [] : [textPart(text)] };
  }
  if (item.kind === "reasoning") return { id, type: "reasoning", summary: text === "" ? [] : [summaryPart(text)] };
  const { type, name, namespace } = item.form;
  const input = type === "custom_tool_call" ? { input: text } : { arguments: text };
  return compact({ id, type, status, call_id: fitToolId(item.callId, callIdRule), name, namespace, ...input });
}
