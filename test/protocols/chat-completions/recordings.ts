import type { Part } from "../../../src/protocols/canonical.ts";

/** One stream as it stands on the wire, what each event means, and the parts it holds. */
export interface Recording {
  readonly name: string;
  readonly text: string;
  /** One letter per event: p preamble, c content, e end, f failure. */
  readonly verdicts: string;
  readonly parts: readonly Part[];
  /** Whether the stream counts as complete after its last byte. */
  readonly complete: boolean;
}

function chunk(delta: object, finish_reason: string | null = null, more: object = {}): string {
  return raw({ ...envelope, choices: [{ index: 0, delta, logprobs: null, finish_reason }], ...more });
}

function raw(data: object): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

const envelope = { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1_760_000_000, model: "gpt-x" };
const done = "data: [DONE]\n\n";
const role = chunk({ role: "assistant", content: "", refusal: null });
const wireUsage = {
  prompt_tokens: 100,
  completion_tokens: 20,
  total_tokens: 120,
  prompt_tokens_details: { cached_tokens: 64 },
  completion_tokens_details: { reasoning_tokens: 7 },
};
const usage = { input: 100, output: 20, cachedInput: 64, reasoning: 7 };
const responseStart: Part = { type: "response-start", id: "chatcmpl-1", model: "gpt-x" };

function textParts(id: string, ...texts: string[]): Part[] {
  return [
    { type: "text-start", id },
    ...texts.map((text): Part => ({ type: "text-delta", id, text })),
    { type: "text-end", id },
  ];
}

function callParts(id: string, name: string, ...deltas: string[]): Part[] {
  return [
    { type: "tool-input-start", id, name },
    ...deltas.map((delta): Part => ({ type: "tool-input-delta", id, delta })),
    { type: "tool-call", id, name, input: deltas.join("") },
  ];
}

export const text: Recording = {
  name: "text with the usage after the finish reason",
  text:
    role +
    chunk({ content: "Grüß " }) +
    ": keep-alive\n\n" +
    chunk({ content: "dich 👋" }) +
    chunk({}, "stop") +
    raw({ ...envelope, choices: [], usage: wireUsage }) +
    done,
  verdicts: "pccppe",
  parts: [responseStart, ...textParts("text-0", "Grüß ", "dich 👋"), { type: "finish", reason: "stop", usage }],
  complete: true,
};

export const parallelTools: Recording = {
  name: "text, then two parallel tool calls",
  text:
    chunk({ role: "assistant", content: null }) +
    chunk({ content: "Both:" }) +
    chunk({ tool_calls: [{ index: 0, id: "call_a", type: "function", function: { name: "f", arguments: "" } }] }) +
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"x":' } }] }) +
    chunk({ tool_calls: [{ index: 0, function: { arguments: "1}" } }] }) +
    chunk({ tool_calls: [{ index: 1, id: "call_b", type: "function", function: { name: "g", arguments: "" } }] }) +
    chunk({ tool_calls: [{ index: 1, function: { arguments: "{}" } }] }) +
    chunk({}, "tool_calls", { usage: wireUsage }) +
    done,
  verdicts: "pccccccpe",
  parts: [
    responseStart,
    ...textParts("text-0", "Both:"),
    ...callParts("call_a", "f", '{"x":', "1}"),
    ...callParts("call_b", "g", "{}"),
    { type: "finish", reason: "tool-calls", usage },
  ],
  complete: true,
};

export const reasoning: Recording = {
  name: "reasoning, then text, then reasoning again, from a server without [DONE] and without usage",
  text:
    chunk({ role: "assistant", reasoning_content: "Hm" }) +
    chunk({ reasoning_content: ".", reasoning: "." }) +
    chunk({ content: "Yes" }) +
    chunk({ reasoning: "Sure?" }) +
    chunk({ content: "!" }, "length"),
  verdicts: "ppcpc",
  parts: [
    responseStart,
    { type: "reasoning-start", id: "reasoning-0" },
    { type: "reasoning-delta", id: "reasoning-0", text: "Hm" },
    { type: "reasoning-delta", id: "reasoning-0", text: "." },
    { type: "reasoning-end", id: "reasoning-0" },
    ...textParts("text-1", "Yes"),
    { type: "reasoning-start", id: "reasoning-2" },
    { type: "reasoning-delta", id: "reasoning-2", text: "Sure?" },
    { type: "reasoning-end", id: "reasoning-2" },
    ...textParts("text-3", "!"),
    { type: "finish", reason: "length", usage: null },
  ],
  complete: true,
};

export const refusal: Recording = {
  name: "a refusal, and a content filter as the reason",
  text: role + chunk({ refusal: "I can't " }) + chunk({ refusal: "help." }) + chunk({}, "content_filter") + done,
  verdicts: "pccpe",
  parts: [
    responseStart,
    ...textParts("text-0", "I can't ", "help."),
    { type: "finish", reason: "content-filter", usage: null },
  ],
  complete: true,
};

export const looseCalls: Recording = {
  name: "whole calls at one index with different ids, a call without an id, `stop` as the reason",
  text:
    chunk({ tool_calls: [{ index: 0, id: "g1", function: { name: "f", arguments: '{"a":1}' } }] }) +
    chunk({ tool_calls: [{ index: 0, id: "g2", function: { name: "f", arguments: { a: 2 } } }] }) +
    chunk({ tool_calls: [{ index: 1, function: { name: "h" } }] }) +
    chunk({}, "stop") +
    done,
  verdicts: "cccpe",
  parts: [
    responseStart,
    { type: "tool-input-start", id: "g1", name: "f" },
    { type: "tool-input-delta", id: "g1", delta: '{"a":1}' },
    { type: "tool-call", id: "g1", name: "f", input: '{"a":1}' },
    { type: "tool-input-start", id: "g2", name: "f" },
    { type: "tool-input-delta", id: "g2", delta: '{"a":2}' },
    { type: "tool-call", id: "g2", name: "f", input: '{"a":2}' },
    ...callParts("call_6f6d7a43626a9df5", "h", "{}"),
    { type: "finish", reason: "tool-calls", usage: null },
  ],
  complete: true,
};

export const mixedCalls: Recording = {
  name: "three calls whose pieces come mixed, a name after the first arguments",
  text:
    chunk({ tool_calls: [{ index: 1, id: "b", function: { arguments: '{"y"' } }] }) +
    chunk({ tool_calls: [{ index: 0, id: "a", function: { name: "f", arguments: '{"x"' } }] }) +
    chunk({ tool_calls: [{ index: 1, function: { name: "g", arguments: ":2}" } }] }) +
    chunk({ tool_calls: [{ index: 2, id: "c", function: { name: "h", arguments: "" } }] }) +
    chunk({ tool_calls: [{ index: 0, function: { arguments: ":1}" } }] }) +
    chunk({}, "tool_calls") +
    done,
  verdicts: "cccccpe",
  parts: [
    responseStart,
    { type: "tool-input-start", id: "a", name: "f" },
    { type: "tool-input-delta", id: "a", delta: '{"x"' },
    { type: "tool-input-start", id: "b", name: "g" },
    { type: "tool-input-delta", id: "b", delta: '{"y":2}' },
    { type: "tool-call", id: "b", name: "g", input: '{"y":2}' },
    { type: "tool-input-start", id: "c", name: "h" },
    { type: "tool-input-delta", id: "a", delta: ":1}" },
    { type: "tool-call", id: "a", name: "f", input: '{"x":1}' },
    { type: "tool-input-delta", id: "c", delta: "{}" },
    { type: "tool-call", id: "c", name: "h", input: "{}" },
    { type: "finish", reason: "tool-calls", usage: null },
  ],
  complete: true,
};

export const legacyCall: Recording = {
  name: "a function call of the older kind, usage within the choice",
  text:
    chunk({ role: "assistant", function_call: { name: "f", arguments: "" } }) +
    chunk({ function_call: { arguments: "{}" } }) +
    raw({ ...envelope, choices: [{ index: 0, delta: {}, finish_reason: "function_call", usage: wireUsage }] }) +
    done,
  verdicts: "ccpe",
  parts: [
    responseStart,
    ...callParts("call_83bf0e971e6a02f1", "f", "{}"),
    { type: "finish", reason: "tool-calls", usage },
  ],
  complete: true,
};

export const doneWithoutReason: Recording = {
  name: "[DONE] without a finish reason",
  text: role + chunk({ content: "Hal" }) + done,
  verdicts: "pcp",
  parts: [responseStart, { type: "text-start", id: "text-0" }, { type: "text-delta", id: "text-0", text: "Hal" }],
  complete: false,
};

export const cut: Recording = {
  name: "a stream that is cut within its text",
  text: role + chunk({ content: "Hal" }) + chunk({ content: "lo" }).slice(0, 60),
  verdicts: "pc",
  parts: doneWithoutReason.parts,
  complete: false,
};

export const errorFirst: Recording = {
  name: "an error before any content",
  text: role + raw({ error: { message: "Rate limit reached", type: "requests", code: "rate_limit_exceeded" } }),
  verdicts: "pf",
  parts: [responseStart],
  complete: false,
};

export const errorLater: Recording = {
  name: "OpenRouter's error after content",
  text:
    ": OPENROUTER PROCESSING\n\n" +
    role +
    chunk({ content: "Hal" }) +
    chunk({ content: "" }, "error", { error: { code: 502, message: "Provider disconnected" } }),
  verdicts: "pcf",
  parts: doneWithoutReason.parts,
  complete: false,
};

export const errorReason: Recording = {
  name: "an error that only the finish reason tells of",
  text: role + chunk({}, "error") + done,
  verdicts: "pfp",
  parts: [responseStart],
  complete: false,
};

export const recordings: readonly Recording[] = [
  text,
  parallelTools,
  reasoning,
  refusal,
  looseCalls,
  mixedCalls,
  legacyCall,
  doneWithoutReason,
  cut,
  errorFirst,
  errorLater,
  errorReason,
];
