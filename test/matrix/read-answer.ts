import type { ProtocolName } from "../../src/core/target.ts";

/**
 * What a caller makes of an answer, by the rules of its protocol alone: written without any code of the package, so that it can
 * bear witness against it, and so that other gateways can be read with it.
 */
export interface Reading {
  /**
   * `answer`: complete, by the protocol's own mark. `cut`: something came, and then it was told (an error event, a broken connection)
   * that it is not complete. `error`: nothing came but an error. `truncated`: it ended as if it were complete, and is not.
   */
  readonly kind: "answer" | "cut" | "error" | "truncated";
  readonly text: string;
  readonly calls: readonly { readonly name: string; readonly input: string }[];
  /** The protocol's own word for how it ended; null when it gave none. */
  readonly finish: string | null;
  /** The model that the answer names. */
  readonly model: string | null;
  readonly hasUsage: boolean;
  /** The message of the error; null without one. */
  readonly told: string | null;
  /** What no well-behaved server sends: events that are no JSON, events after the end, a text told twice. */
  readonly oddities: readonly string[];
}

export interface RawAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly text: string;
  /** True when the connection broke before the body ended. */
  readonly broken: boolean;
}

type Fields = Record<string, unknown>;

/** A reading under way. */
class Draft {
  text = "";
  readonly calls: { name: string; input: string }[] = [];
  finish: string | null = null;
  model: string | null = null;
  hasUsage = false;
  told: string | null = null;
  complete = false;
  readonly oddities: string[] = [];

  read(broken: boolean): Reading {
    const { text, calls, finish, model, hasUsage, oddities } = this;
    const something = text !== "" || calls.length > 0;
    const told = this.told ?? (broken ? "the connection broke" : null);
    const kind = told !== null ? (something ? "cut" : "error") : this.complete ? "answer" : "truncated";
    if (told !== null && this.complete) oddities.push("complete, and an error as well");
    return { kind, text, calls, finish, model, hasUsage, told, oddities };
  }
}

export function readAnswer(dialect: ProtocolName, raw: RawAnswer): Reading {
  const draft = new Draft();
  if (raw.contentType.includes("text/event-stream")) {
    for (const { event, data } of eventsOf(raw.text)) readEvent(dialect, draft, event, data);
    return draft.read(raw.broken);
  }
  const body = parse(raw.text);
  if (body === null) draft.oddities.push(`a body that is no JSON: ${raw.text.slice(0, 80)}`);
  const error = body === null ? null : errorOf(body);
  if (raw.status >= 400 || error !== null) draft.told = error ?? `status ${raw.status}`;
  else if (body !== null) readWhole[dialect](draft, body);
  return draft.read(raw.broken);
}

function readEvent(dialect: ProtocolName, draft: Draft, event: string | null, data: string): void {
  if (dialect === "chat-completions" && data === "[DONE]") return;
  const fields = parse(data);
  if (fields === null) {
    draft.oddities.push(`an event that is no JSON: ${data.slice(0, 80)}`);
    return;
  }
  if (draft.complete && !mayFollow(dialect, fields)) draft.oddities.push(`after the end: ${data.slice(0, 80)}`);
  readStreamed[dialect](draft, fields, event);
}

/** Chat Completions sends the usage after the finish reason. */
function mayFollow(dialect: ProtocolName, fields: Fields): boolean {
  return dialect === "chat-completions" && arrayOf(fields.choices).length === 0 && fields.error === undefined;
}

const readStreamed: Readonly<Record<ProtocolName, (draft: Draft, fields: Fields, event: string | null) => void>> = {
  responses(draft, fields, event) {
    const type = stringOf(fields.type) ?? event ?? "";
    const response = fieldsOf(fields.response);
    draft.model ??= stringOf(response.model);
    if (type === "response.output_text.delta") draft.text += stringOf(fields.delta) ?? "";
    if (type === "response.output_item.added" && fieldsOf(fields.item).type === "function_call") {
      draft.calls.push({ name: stringOf(fieldsOf(fields.item).name) ?? "", input: "" });
    }
    if (type === "response.function_call_arguments.delta") addInput(draft, fields.delta);
    if (type === "error") draft.told ??= errorOf(fields) ?? stringOf(fields.message) ?? "error";
    if (type === "response.failed" || type === "response.cancelled") draft.told ??= errorOf(response) ?? type;
    if (type !== "response.completed" && type !== "response.incomplete") return;
    const streamed = draft.text;
    const whole = new Draft();
    readWhole.responses(whole, response);
    if (whole.text !== "" && streamed !== "" && whole.text !== streamed) {
      draft.oddities.push("the terminal event tells another text than the deltas");
    }
    draft.text = streamed || whole.text;
    draft.complete = true;
    draft.finish = stringOf(response.status);
    draft.hasUsage = isFields(response.usage);
  },
  "chat-completions"(draft, fields) {
    draft.model ??= stringOf(fields.model);
    if (isFields(fields.usage)) draft.hasUsage = true;
    if (fields.error !== undefined) {
      draft.told ??= errorOf(fields) ?? "error";
      return;
    }
    const choice = fieldsOf(arrayOf(fields.choices)[0]);
    const delta = fieldsOf(choice.delta);
    draft.text += stringOf(delta.content) ?? "";
    for (const call of arrayOf(delta.tool_calls).map(fieldsOf)) {
      const made = fieldsOf(call.function);
      if (stringOf(call.id) !== null) draft.calls.push({ name: stringOf(made.name) ?? "", input: "" });
      addInput(draft, made.arguments);
    }
    if (stringOf(choice.finish_reason) !== null) {
      draft.finish = stringOf(choice.finish_reason);
      draft.complete = true;
    }
  },
  messages(draft, fields, event) {
    const type = stringOf(fields.type) ?? event ?? "";
    const delta = fieldsOf(fields.delta);
    const block = fieldsOf(fields.content_block);
    if (type === "message_start") {
      if (draft.model !== null) draft.oddities.push("a second message_start");
      draft.model = stringOf(fieldsOf(fields.message).model) ?? "";
    }
    if (type === "content_block_start" && block.type === "tool_use") {
      draft.calls.push({ name: stringOf(block.name) ?? "", input: "" });
    }
    if (type === "content_block_delta") {
      draft.text += stringOf(delta.text) ?? "";
      addInput(draft, delta.partial_json);
    }
    if (type === "message_delta") {
      draft.finish = stringOf(delta.stop_reason);
      draft.hasUsage = isFields(fields.usage);
    }
    if (type === "message_stop") draft.complete = true;
    if (type === "error") draft.told ??= errorOf(fields) ?? "error";
  },
};

const readWhole: Readonly<Record<ProtocolName, (draft: Draft, body: Fields) => void>> = {
  responses(draft, body) {
    draft.model = stringOf(body.model);
    draft.finish = stringOf(body.status);
    draft.hasUsage = isFields(body.usage);
    for (const item of arrayOf(body.output).map(fieldsOf)) {
      if (item.type === "message") for (const part of arrayOf(item.content)) draft.text += textOf(part);
      if (item.type === "function_call") {
        draft.calls.push({ name: stringOf(item.name) ?? "", input: stringOf(item.arguments) ?? "" });
      }
    }
    draft.complete = draft.finish === "completed" || draft.finish === "incomplete";
  },
  "chat-completions"(draft, body) {
    const choice = fieldsOf(arrayOf(body.choices)[0]);
    const message = fieldsOf(choice.message);
    draft.model = stringOf(body.model);
    draft.finish = stringOf(choice.finish_reason);
    draft.hasUsage = isFields(body.usage);
    draft.text = stringOf(message.content) ?? "";
    for (const call of arrayOf(message.tool_calls).map((one) => fieldsOf(fieldsOf(one).function))) {
      draft.calls.push({ name: stringOf(call.name) ?? "", input: stringOf(call.arguments) ?? "" });
    }
    draft.complete = draft.finish !== null;
  },
  messages(draft, body) {
    draft.model = stringOf(body.model);
    draft.finish = stringOf(body.stop_reason);
    draft.hasUsage = isFields(body.usage);
    for (const block of arrayOf(body.content).map(fieldsOf)) {
      if (block.type === "text") draft.text += textOf(block);
      if (block.type === "tool_use") draft.calls.push({ name: String(block.name), input: JSON.stringify(block.input) });
    }
    draft.complete = draft.finish !== null;
  },
};

/** The words of an error, wherever the three protocols put them. */
function errorOf(body: Fields): string | null {
  const { error } = body;
  if (isFields(error)) return stringOf(error.message) ?? stringOf(error.code) ?? "error";
  if (typeof error === "string") return error;
  return stringOf(body.detail);
}

/** By the rules of the HTML standard, as far as answers of models use them. */
function eventsOf(text: string): { event: string | null; data: string }[] {
  const events: { event: string | null; data: string }[] = [];
  for (const block of text.split(/\r?\n\r?\n/)) {
    let event: string | null = null;
    const data: string[] = [];
    for (const line of block.split(/\r?\n/)) {
      if (line.startsWith("event:")) event = line.slice(6).trim();
      if (line.startsWith("data:")) data.push(line.slice(5).replace(/^ /, ""));
    }
    if (data.length > 0) events.push({ event, data: data.join("\n") });
  }
  return events;
}

function addInput(draft: Draft, piece: unknown): void {
  const last = draft.calls.at(-1);
  if (last !== undefined) last.input += stringOf(piece) ?? "";
}

function textOf(part: unknown): string {
  return stringOf(fieldsOf(part).text) ?? "";
}

function parse(text: string): Fields | null {
  try {
    const value: unknown = JSON.parse(text);
    return isFields(value) ? value : null;
  } catch {
    return null;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function stringOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}
