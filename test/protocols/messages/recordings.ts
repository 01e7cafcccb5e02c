import type { Part } from "../../../src/protocols/canonical.ts";

/** One stream as it stands on the wire, what each event means, and the parts it holds. */
export interface Recording {
  readonly name: string;
  readonly text: string;
  /** One letter per event: p preamble, c content, e end, f failure. */
  readonly verdicts: string;
  readonly parts: readonly Part[];
}

function event(type: string, fields: object = {}): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

function start(usage: object = { input_tokens: 25, output_tokens: 1 }): string {
  const message = {
    id: "msg_01",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-4-5",
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage,
  };
  return event("message_start", { message });
}

function open(index: number, content_block: object): string {
  return event("content_block_start", { index, content_block });
}

function delta(index: number, fields: object): string {
  return event("content_block_delta", { index, delta: fields });
}

function close(index: number): string {
  return event("content_block_stop", { index });
}

function end(stop_reason: string, usage: object): string {
  return event("message_delta", { delta: { stop_reason, stop_sequence: null }, usage }) + event("message_stop");
}

const responseStart: Part = { type: "response-start", id: "msg_01", model: "claude-sonnet-4-5" };

export const text: Recording = {
  name: "text with a ping and characters of several bytes",
  text:
    start() +
    open(0, { type: "text", text: "" }) +
    event("ping") +
    delta(0, { type: "text_delta", text: "Grüß " }) +
    delta(0, { type: "text_delta", text: "dich 👋" }) +
    close(0) +
    end("end_turn", { output_tokens: 15 }),
  verdicts: "pppccppe",
  parts: [
    responseStart,
    { type: "text-start", id: "text-0" },
    { type: "text-delta", id: "text-0", text: "Grüß " },
    { type: "text-delta", id: "text-0", text: "dich 👋" },
    { type: "text-end", id: "text-0" },
    { type: "finish", reason: "stop", usage: { input: 25, output: 15, cachedInput: 0, reasoning: 0 } },
  ],
};

export const thinkingAndTools: Recording = {
  name: "signed thinking, then two tool calls",
  text:
    start({ input_tokens: 10, cache_read_input_tokens: 300, cache_creation_input_tokens: 40, output_tokens: 2 }) +
    open(0, { type: "thinking", thinking: "", signature: "" }) +
    delta(0, { type: "thinking_delta", thinking: "Two cities" }) +
    delta(0, { type: "thinking_delta", thinking: ", two calls." }) +
    delta(0, { type: "signature_delta", signature: "EqQBCg==" }) +
    close(0) +
    open(1, { type: "tool_use", id: "toolu_1", name: "weather", input: {} }) +
    delta(1, { type: "input_json_delta", partial_json: "" }) +
    delta(1, { type: "input_json_delta", partial_json: '{"city": "Wi' }) +
    delta(1, { type: "input_json_delta", partial_json: 'en"}' }) +
    close(1) +
    open(2, { type: "tool_use", id: "toolu_2", name: "clock", input: {} }) +
    close(2) +
    end("tool_use", { output_tokens: 60, output_tokens_details: { thinking_tokens: 20 } }),
  verdicts: "ppppppccccpcppe",
  parts: [
    responseStart,
    { type: "reasoning-start", id: "reasoning-0" },
    { type: "reasoning-delta", id: "reasoning-0", text: "Two cities" },
    { type: "reasoning-delta", id: "reasoning-0", text: ", two calls." },
    {
      type: "reasoning-end",
      id: "reasoning-0",
      opaque: {
        protocol: "messages",
        data: { type: "thinking", thinking: "Two cities, two calls.", signature: "EqQBCg==" },
      },
    },
    { type: "tool-input-start", id: "toolu_1", name: "weather" },
    { type: "tool-input-delta", id: "toolu_1", delta: '{"city": "Wi' },
    { type: "tool-input-delta", id: "toolu_1", delta: 'en"}' },
    { type: "tool-call", id: "toolu_1", name: "weather", input: '{"city": "Wien"}' },
    { type: "tool-input-start", id: "toolu_2", name: "clock" },
    { type: "tool-input-delta", id: "toolu_2", delta: "{}" },
    { type: "tool-call", id: "toolu_2", name: "clock", input: "{}" },
    { type: "finish", reason: "tool-calls", usage: { input: 350, output: 60, cachedInput: 300, reasoning: 20 } },
  ],
};

export const redactedAndServerTool: Recording = {
  name: "redacted thinking, a server tool, an unknown event and an unknown delta",
  text:
    start() +
    open(0, { type: "redacted_thinking", data: "AAEC" }) +
    close(0) +
    event("vendor_news", { index: 7 }) +
    open(1, { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} }) +
    delta(1, { type: "input_json_delta", partial_json: '{"query":"x"}' }) +
    close(1) +
    open(2, { type: "text", text: "" }) +
    delta(2, { type: "citations_delta", citation: { type: "web", url: "https://example.org" } }) +
    delta(2, { type: "text_delta", text: "Found." }) +
    close(2) +
    end("max_tokens", { input_tokens: 25, output_tokens: 9 }),
  verdicts: "ppppccppccppe",
  parts: [
    responseStart,
    { type: "reasoning-start", id: "reasoning-0" },
    {
      type: "reasoning-end",
      id: "reasoning-0",
      opaque: { protocol: "messages", data: { type: "redacted_thinking", data: "AAEC" } },
    },
    { type: "text-start", id: "text-2" },
    { type: "text-delta", id: "text-2", text: "Found." },
    { type: "text-end", id: "text-2" },
    { type: "finish", reason: "length", usage: { input: 25, output: 9, cachedInput: 0, reasoning: 0 } },
  ],
};

export const refusal: Recording = {
  name: "a refusal after some text",
  text:
    start() +
    open(0, { type: "text", text: "" }) +
    delta(0, { type: "text_delta", text: "I" }) +
    close(0) +
    end("refusal", { output_tokens: 3 }),
  verdicts: "ppcppe",
  parts: [
    responseStart,
    { type: "text-start", id: "text-0" },
    { type: "text-delta", id: "text-0", text: "I" },
    { type: "text-end", id: "text-0" },
    { type: "finish", reason: "content-filter", usage: { input: 25, output: 3, cachedInput: 0, reasoning: 0 } },
  ],
};

/** Made from the answer, the position and the name; fixed here, so that it stays the same over releases. */
const inventedId = "call_fdd1dc61bca3a9c7";

export const loose: Recording = {
  name: "a compatible server that names no events, opens no block and sends a tool's input whole",
  text: [
    { type: "message_start", message: { id: "m", model: "other" } },
    { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Hi" } },
    { type: "content_block_start", index: 1, content_block: { type: "tool_use", name: "f", input: { a: 1 } } },
    { type: "message_delta", delta: { stop_reason: "tool_use" }, usage: { input_tokens: 4, output_tokens: 2 } },
    { type: "message_stop" },
  ]
    .map((data) => `data: ${JSON.stringify(data)}\n\n`)
    .join(""),
  verdicts: "pccpe",
  parts: [
    { type: "response-start", id: "m", model: "other" },
    { type: "text-start", id: "text-0" },
    { type: "text-delta", id: "text-0", text: "Hi" },
    { type: "tool-input-start", id: inventedId, name: "f" },
    { type: "text-end", id: "text-0" },
    { type: "tool-input-delta", id: inventedId, delta: '{"a":1}' },
    { type: "tool-call", id: inventedId, name: "f", input: '{"a":1}' },
    { type: "finish", reason: "tool-calls", usage: { input: 4, output: 2, cachedInput: 0, reasoning: 0 } },
  ],
};

const overloaded = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };

export const errorFirst: Recording = {
  name: "an error before any content",
  text: `${start()}event: error\ndata: ${JSON.stringify(overloaded)}\n\n`,
  verdicts: "pf",
  parts: [responseStart],
};

export const errorLater: Recording = {
  name: "an error after content",
  text: `${start()}${delta(0, { type: "text_delta", text: "Hal" })}event: error\ndata: ${JSON.stringify(overloaded)}\n\n`,
  verdicts: "pcf",
  parts: [responseStart, { type: "text-start", id: "text-0" }, { type: "text-delta", id: "text-0", text: "Hal" }],
};

export const cut: Recording = {
  name: "a stream that is cut after its stop reason",
  text: text.text.slice(0, text.text.indexOf("event: message_stop")),
  verdicts: "pppccpp",
  parts: text.parts.slice(0, -1),
};

export const recordings: readonly Recording[] = [
  text,
  thinkingAndTools,
  redactedAndServerTool,
  refusal,
  loose,
  errorFirst,
  errorLater,
  cut,
];
