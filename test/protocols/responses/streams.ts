import type { JsonObject } from "../../../src/protocols/canonical.ts";
import { stringAt } from "../../../src/protocols/read-json.ts";
import { formatSse, type SseEvent } from "../../../src/protocols/sse.ts";

/** An event as it comes out of the parser. */
export function sse(data: JsonObject | string): SseEvent {
  return { event: null, data: typeof data === "string" ? data : JSON.stringify(data) };
}

/** Events as OpenAI writes them: named after their type. */
export function wire(events: readonly (JsonObject | string)[]): string {
  return events
    .map((event) =>
      typeof event === "string" ? formatSse(event) : formatSse(JSON.stringify(event), stringAt(event, "type")),
    )
    .join("");
}

export const usage: JsonObject = {
  input_tokens: 120,
  input_tokens_details: { cached_tokens: 100 },
  output_tokens: 30,
  output_tokens_details: { reasoning_tokens: 12 },
  total_tokens: 150,
};

export const created: JsonObject = {
  type: "response.created",
  sequence_number: 0,
  response: { id: "resp_1", object: "response", status: "in_progress", model: "gpt-5.5", output: [] },
};
export const inProgress: JsonObject = { ...created, type: "response.in_progress", sequence_number: 1 };

export const reasoningItem: JsonObject = {
  id: "rs_1",
  type: "reasoning",
  summary: [
    { type: "summary_text", text: "Look first." },
    { type: "summary_text", text: "Then leap." },
  ],
  encrypted_content: "gAAAA-sealed",
};
export const messageItem: JsonObject = {
  id: "msg_1",
  type: "message",
  status: "completed",
  role: "assistant",
  content: [{ type: "output_text", text: "Grüße, 世界 🎭", annotations: [] }],
};
export const callItem: JsonObject = {
  id: "fc_1",
  type: "function_call",
  status: "completed",
  call_id: "call_1",
  name: "exec_command",
  arguments: '{"cmd":"ls \\"é\\""}',
};
export const customItem: JsonObject = {
  id: "ctc_1",
  type: "custom_tool_call",
  status: "completed",
  call_id: "call_2",
  name: "apply_patch",
  input: '*** Begin Patch\n+ "Ü"\n*** End Patch',
};

export function completed(output: JsonObject[] | null, more: JsonObject = {}): JsonObject {
  return {
    type: "response.completed",
    response: { id: "resp_1", object: "response", status: "completed", model: "gpt-5.5", output, usage, ...more },
  };
}

const reasoning: JsonObject[] = [
  { type: "response.output_item.added", output_index: 0, item: { id: "rs_1", type: "reasoning", summary: [] } },
  { type: "response.reasoning_summary_part.added", item_id: "rs_1", output_index: 0, summary_index: 0, part: {} },
  { type: "response.reasoning_summary_text.delta", item_id: "rs_1", output_index: 0, summary_index: 0, delta: "Look " },
  {
    type: "response.reasoning_summary_text.delta",
    item_id: "rs_1",
    output_index: 0,
    summary_index: 0,
    delta: "first.",
  },
  {
    type: "response.reasoning_summary_text.done",
    item_id: "rs_1",
    output_index: 0,
    summary_index: 0,
    text: "Look first.",
  },
  { type: "response.reasoning_summary_part.added", item_id: "rs_1", output_index: 0, summary_index: 1, part: {} },
  {
    type: "response.reasoning_summary_text.delta",
    item_id: "rs_1",
    output_index: 0,
    summary_index: 1,
    delta: "Then leap.",
  },
  { type: "response.output_item.done", output_index: 0, item: reasoningItem },
];

const message: JsonObject[] = [
  {
    type: "response.output_item.added",
    output_index: 1,
    item: { id: "msg_1", type: "message", status: "in_progress", role: "assistant", content: [] },
  },
  {
    type: "response.content_part.added",
    item_id: "msg_1",
    output_index: 1,
    content_index: 0,
    part: { type: "output_text", text: "", annotations: [] },
  },
  { type: "response.output_text.delta", item_id: "msg_1", output_index: 1, content_index: 0, delta: "Grüße, " },
  { type: "response.output_text.delta", item_id: "msg_1", output_index: 1, content_index: 0, delta: "世界 🎭" },
  { type: "response.output_text.done", item_id: "msg_1", output_index: 1, content_index: 0, text: "Grüße, 世界 🎭" },
  {
    type: "response.content_part.done",
    item_id: "msg_1",
    output_index: 1,
    content_index: 0,
    part: { type: "output_text", text: "Grüße, 世界 🎭", annotations: [] },
  },
  { type: "response.output_item.done", output_index: 1, item: messageItem },
];

const call: JsonObject[] = [
  {
    type: "response.output_item.added",
    output_index: 2,
    item: { ...callItem, status: "in_progress", arguments: "" },
  },
  { type: "response.function_call_arguments.delta", item_id: "fc_1", output_index: 2, delta: '{"cmd":' },
  { type: "response.function_call_arguments.delta", item_id: "fc_1", output_index: 2, delta: '"ls \\"é\\""}' },
  {
    type: "response.function_call_arguments.done",
    item_id: "fc_1",
    output_index: 2,
    arguments: '{"cmd":"ls \\"é\\""}',
  },
  { type: "response.output_item.done", output_index: 2, item: callItem },
];

const custom: JsonObject[] = [
  { type: "response.output_item.added", output_index: 3, item: { ...customItem, status: "in_progress", input: "" } },
  { type: "response.custom_tool_call_input.delta", item_id: "ctc_1", output_index: 3, delta: '*** Begin Patch\n+ "' },
  { type: "response.custom_tool_call_input.delta", item_id: "ctc_1", output_index: 3, delta: 'Ü"\n*** End Patch' },
  {
    type: "response.custom_tool_call_input.done",
    item_id: "ctc_1",
    output_index: 3,
    input: stringAt(customItem, "input") ?? "",
  },
  { type: "response.output_item.done", output_index: 3, item: customItem },
];

const all = [reasoningItem, messageItem, callItem, customItem];

/** Streams as upstreams send them, by what is special about them. All but the last two tell the same answer, or a part of it. */
export const streams: Record<string, (JsonObject | string)[]> = {
  full: [created, inProgress, ...reasoning, ...message, ...call, ...custom, completed(all)],
  "Codex backend: limits in the stream, output null, [DONE]": [
    created,
    {
      type: "codex.rate_limits",
      plan_type: "plus",
      rate_limits: { primary: { used_percent: 12, window_minutes: 300 } },
    },
    inProgress,
    ...reasoning,
    ...message,
    ...call,
    ...custom,
    completed(null),
    "[DONE]",
  ],
  "unknown events and unparsable data in between": [
    created,
    { type: "response.metadata", anything: [1] },
    "{not json",
    ...reasoning,
    { type: "response.some_new_thing", output_index: 1 },
    ...message,
    ...call,
    "",
    ...custom,
    completed([messageItem]),
  ],
  "finished items only": [
    created,
    ...all.map((item, output_index) => ({ type: "response.output_item.done", output_index, item })),
    completed([]),
  ],
  "the terminal event only": [completed(all)],
  "failed after content": [
    created,
    ...message,
    {
      type: "response.failed",
      response: {
        id: "resp_1",
        status: "failed",
        error: { code: "server_error", message: "kaputt ü" },
        output: [messageItem],
      },
    },
  ],
  "cut without a terminal event": [created, inProgress, ...reasoning, ...message],
};
