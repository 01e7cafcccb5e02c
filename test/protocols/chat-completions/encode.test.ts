import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { Part } from "../../../src/protocols/canonical.ts";
import { chatCompletions } from "../../../src/protocols/chat-completions/index.ts";
import { objectsAt, parseObject } from "../../../src/protocols/read-json.ts";
import { eventsOf } from "../events-of.ts";
import { withAnswer } from "../serve-answer.ts";

const options = { model: "gpt-x", id: "chatcmpl-test" };
const path = "/v1/chat/completions";
const ask = { model: "gpt-x", messages: [{ role: "user" as const, content: "hi" }] };

function client(origin: string): OpenAI {
  return new OpenAI({ apiKey: "test", baseURL: `${origin}/v1`, maxRetries: 0 });
}

function streamOf(parts: readonly Part[]): string {
  const encoder = chatCompletions.createStreamEncoder(options);
  return parts.map((part) => encoder.encode(part)).join("");
}

/** What the official SDK makes of the encoded stream. */
function readStream(parts: readonly Part[]): Promise<OpenAI.ChatCompletion> {
  const answer = { path, contentType: "text/event-stream" as const, body: streamOf(parts) };
  return withAnswer(answer, (origin) => client(origin).chat.completions.stream(ask).finalChatCompletion());
}

/** What the official SDK makes of the encoded whole answer. */
function readAnswer(parts: readonly Part[]): Promise<OpenAI.ChatCompletion> {
  const body = JSON.stringify(chatCompletions.encodeAnswer(parts, options));
  const answer = { path, contentType: "application/json" as const, body };
  return withAnswer(answer, (origin) => client(origin).chat.completions.create(ask));
}

const usage = { input: 120, output: 30, cachedInput: 100, reasoning: 12 };
const start: Part = { type: "response-start", id: "resp_1", model: "claude" };

interface Case {
  readonly name: string;
  readonly parts: readonly Part[];
  readonly message: object;
  readonly finishReason: string;
}

const cases: readonly Case[] = [
  {
    name: "text",
    parts: [
      start,
      { type: "text-start", id: "1" },
      { type: "text-delta", id: "1", text: "Grüß " },
      { type: "text-delta", id: "1", text: "dich\n👋" },
      { type: "text-end", id: "1" },
      { type: "finish", reason: "stop", usage },
    ],
    message: { content: "Grüß dich\n👋" },
    finishReason: "stop",
  },
  {
    name: "reasoning, then text",
    parts: [
      start,
      { type: "reasoning-start", id: "r" },
      { type: "reasoning-delta", id: "r", text: "Hm. " },
      { type: "reasoning-delta", id: "r", text: "Yes." },
      { type: "reasoning-end", id: "r", opaque: { protocol: "messages", data: { type: "thinking" } } },
      { type: "text-start", id: "t" },
      { type: "text-delta", id: "t", text: "Done" },
      { type: "text-end", id: "t" },
      { type: "finish", reason: "length", usage },
    ],
    message: { content: "Done" },
    finishReason: "length",
  },
  {
    name: "one tool call told in pieces, with an id that is too long",
    parts: [
      start,
      { type: "tool-input-start", id: `toolu_${"x".repeat(60)}`, name: "weather" },
      { type: "tool-input-delta", id: `toolu_${"x".repeat(60)}`, delta: '{"city":' },
      { type: "tool-input-delta", id: `toolu_${"x".repeat(60)}`, delta: '"Wien"}' },
      { type: "tool-call", id: `toolu_${"x".repeat(60)}`, name: "weather", input: '{"city":"Wien"}' },
      { type: "finish", reason: "tool-calls", usage },
    ],
    message: {
      tool_calls: [
        {
          id: expect.stringMatching(/^toolu_x{17}_[0-9a-f]{16}$/),
          type: "function",
          function: { name: "weather", arguments: '{"city":"Wien"}' },
        },
      ],
    },
    finishReason: "tool_calls",
  },
  {
    name: "parallel tool calls whose pieces come mixed, one of them without input",
    parts: [
      start,
      { type: "text-start", id: "t" },
      { type: "text-delta", id: "t", text: "Both" },
      { type: "text-end", id: "t" },
      { type: "tool-input-start", id: "a", name: "f" },
      { type: "tool-input-start", id: "b", name: "g" },
      { type: "tool-input-delta", id: "b", delta: '{"y":' },
      { type: "tool-input-delta", id: "a", delta: '{"x":1}' },
      { type: "tool-input-delta", id: "b", delta: "2}" },
      { type: "tool-call", id: "b", name: "g", input: '{"y":2}' },
      { type: "tool-call", id: "a", name: "f", input: '{"x":1}' },
      { type: "tool-call", id: "c", name: "h", input: "" },
      { type: "finish", reason: "tool-calls", usage },
    ],
    message: {
      content: "Both",
      tool_calls: [
        { id: "a", function: { name: "f", arguments: '{"x":1}' } },
        { id: "b", function: { name: "g", arguments: '{"y":2}' } },
        { id: "c", function: { name: "h", arguments: "{}" } },
      ],
    },
    finishReason: "tool_calls",
  },
  {
    name: "a refusal, without a start",
    parts: [
      { type: "text-start", id: "1" },
      { type: "text-delta", id: "1", text: "I can't" },
      { type: "text-end", id: "1" },
      { type: "finish", reason: "content-filter", usage },
    ],
    message: { content: "I can't" },
    finishReason: "content_filter",
  },
];

const wireUsage = {
  prompt_tokens: 120,
  completion_tokens: 30,
  total_tokens: 150,
  prompt_tokens_details: { cached_tokens: 100 },
  completion_tokens_details: { reasoning_tokens: 12 },
};

describe("what the official SDK reads", () => {
  it.each(cases)("of an encoded stream: $name", async ({ parts, message, finishReason }) => {
    expect(await readStream(parts)).toMatchObject({
      id: "chatcmpl-test",
      model: "gpt-x",
      choices: [{ index: 0, finish_reason: finishReason, message: { role: "assistant", ...message } }],
      usage: wireUsage,
    });
  });

  it.each(cases)("of an encoded answer: $name", async ({ parts, message, finishReason }) => {
    expect(await readAnswer(parts)).toMatchObject({
      id: "chatcmpl-test",
      object: "chat.completion",
      model: "gpt-x",
      choices: [{ index: 0, finish_reason: finishReason, message: { role: "assistant", refusal: null, ...message } }],
      usage: wireUsage,
    });
  });

  it("of reasoning, chunk by chunk and in a whole answer (its helper for streams keeps no unknown fields together)", async () => {
    const parts = cases.find(({ name }) => name.startsWith("reasoning"))?.parts ?? [];
    const answer = { path, contentType: "text/event-stream" as const, body: streamOf(parts) };
    const deltas = await withAnswer(answer, async (origin) => {
      const seen: unknown[] = [];
      const stream = await client(origin).chat.completions.create({ ...ask, stream: true });
      for await (const chunk of stream) seen.push(chunk.choices[0]?.delta);
      return seen;
    });
    expect(deltas).toEqual([
      { role: "assistant", content: "" },
      { reasoning_content: "Hm. " },
      { reasoning_content: "Yes." },
      { content: "Done" },
      {},
      undefined,
    ]);
    expect(await readAnswer(parts)).toMatchObject({ choices: [{ message: { reasoning_content: "Hm. Yes." } }] });
  });

  it("of an error chunk: its code and message", async () => {
    const error = { status: 429, type: "rate_limit_error", code: "rate_limit_exceeded", message: "all busy" };
    const { event } = chatCompletions.encodeError(error);
    expect(event).not.toContain("[DONE]");
    const answer = { path, contentType: "text/event-stream" as const, body: streamOf([start]) + event };
    const read = withAnswer(answer, (origin) => client(origin).chat.completions.stream(ask).finalChatCompletion());
    await expect(read).rejects.toMatchObject({
      code: "rate_limit_exceeded",
      message: expect.stringContaining("all busy"),
    });
  });

  it("of an error answer: status, type, code and message", async () => {
    const error = { status: 429, type: "rate_limit_error", code: null, message: "wait" };
    const text = JSON.stringify(chatCompletions.encodeError(error).body);
    const answer = { path, contentType: "application/json" as const, body: text, status: 429 };
    const read = withAnswer(answer, (origin) => client(origin).chat.completions.create(ask));
    await expect(read).rejects.toMatchObject({
      status: 429,
      type: "rate_limit_error",
      code: null,
      message: expect.stringContaining("wait"),
    });
  });
});

describe("an encoded Chat Completions stream", () => {
  it.each(cases)("has the role first, one finish reason, the usage, [DONE]: $name", ({ parts }) => {
    const events = eventsOf(streamOf(parts));
    expect(events.at(-1)?.data).toBe("[DONE]");
    const chunks = events.slice(0, -1).map(({ data }) => parseObject(data) ?? {});
    const choices = chunks.map((chunk) => objectsAt(chunk, "choices"));
    expect(choices[0]?.[0]?.["delta"]).toMatchObject({ role: "assistant" });
    expect(choices.slice(1).some(([choice]) => JSON.stringify(choice)?.includes('"role"'))).toBe(false);
    expect(
      choices.map(([choice]) => choice?.["finish_reason"]).filter((reason) => typeof reason === "string"),
    ).toHaveLength(1);
    expect(choices.at(-2)?.[0]?.["finish_reason"]).toEqual(expect.any(String));
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: wireUsage });
  });

  it("sends no usage that it does not know, and nothing after the end", () => {
    const encoder = chatCompletions.createStreamEncoder(options);
    const finish: Part = { type: "finish", reason: "stop", usage: null };
    expect(encoder.encode(finish)).not.toContain("usage");
    expect(encoder.encode({ type: "text-delta", id: "1", text: "late" }) + encoder.encode(finish)).toBe("");
  });

  it("takes the model from the answer when it was given none", () => {
    const encoder = chatCompletions.createStreamEncoder({ model: "", id: "m" });
    expect(encoder.encode(start)).toContain('"model":"claude"');
  });
});
