import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";
import type { Part } from "../../../src/protocols/canonical.ts";
import { messages } from "../../../src/protocols/messages/index.ts";
import { parseObject } from "../../../src/protocols/read-json.ts";
import { eventsOf } from "../events-of.ts";
import { withAnswer } from "../serve-answer.ts";

const options = { model: "claude-x", id: "msg_test" };
const ask = { model: "claude-x", max_tokens: 100, messages: [{ role: "user" as const, content: "hi" }] };

function client(origin: string): Anthropic {
  return new Anthropic({ apiKey: "test", authToken: null, baseURL: origin, maxRetries: 0 });
}

function streamOf(parts: readonly Part[]): string {
  const encoder = messages.createStreamEncoder(options);
  return parts.map((part) => encoder.encode(part)).join("");
}

/** What the official SDK makes of the encoded stream. */
function readStream(parts: readonly Part[]): Promise<Anthropic.Message> {
  const answer = { path: "/v1/messages", contentType: "text/event-stream" as const, body: streamOf(parts) };
  return withAnswer(answer, (origin) => client(origin).messages.stream(ask).finalMessage());
}

/** What the official SDK makes of the encoded whole answer. */
function readAnswer(parts: readonly Part[]): Promise<Anthropic.Message> {
  const body = JSON.stringify(messages.encodeAnswer(parts, options));
  const answer = { path: "/v1/messages", contentType: "application/json" as const, body };
  return withAnswer(answer, (origin) => client(origin).messages.create(ask));
}

const usage = { input: 120, output: 30, cachedInput: 100, reasoning: 12 };
const start: Part = { type: "response-start", id: "resp_1", model: "gpt" };

interface Case {
  readonly name: string;
  readonly parts: readonly Part[];
  readonly content: readonly object[];
  readonly stopReason: string;
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
    content: [{ type: "text", text: "Grüß dich\n👋" }],
    stopReason: "end_turn",
  },
  {
    name: "signed and redacted thinking, then text",
    parts: [
      start,
      { type: "reasoning-start", id: "r" },
      { type: "reasoning-delta", id: "r", text: "Hm. " },
      { type: "reasoning-delta", id: "r", text: "Yes." },
      {
        type: "reasoning-end",
        id: "r",
        opaque: { protocol: "messages", data: { type: "thinking", thinking: "Hm. Yes.", signature: "c2ln" } },
      },
      { type: "reasoning-start", id: "s" },
      {
        type: "reasoning-end",
        id: "s",
        opaque: { protocol: "messages", data: { type: "redacted_thinking", data: "AAEC" } },
      },
      { type: "text-start", id: "r" },
      { type: "text-delta", id: "r", text: "Done" },
      { type: "text-end", id: "r" },
      { type: "finish", reason: "length", usage },
    ],
    content: [
      { type: "thinking", thinking: "Hm. Yes.", signature: "c2ln" },
      { type: "redacted_thinking", data: "AAEC" },
      { type: "text", text: "Done" },
    ],
    stopReason: "max_tokens",
  },
  {
    name: "reasoning of another provider, without what only it can read",
    parts: [
      start,
      { type: "reasoning-start", id: "r" },
      { type: "reasoning-delta", id: "r", text: "Hm." },
      {
        type: "reasoning-end",
        id: "r",
        opaque: { protocol: "responses", data: { type: "reasoning", encrypted_content: "gAAA" } },
      },
      { type: "finish", reason: "other", usage },
    ],
    content: [{ type: "thinking", thinking: "Hm.", signature: "understudy" }],
    stopReason: "end_turn",
  },
  {
    name: "one tool call told in pieces",
    parts: [
      start,
      { type: "tool-input-start", id: "call|fc:1", name: "weather" },
      { type: "tool-input-delta", id: "call|fc:1", delta: '{"city":' },
      { type: "tool-input-delta", id: "call|fc:1", delta: '"Wien"}' },
      { type: "tool-call", id: "call|fc:1", name: "weather", input: '{"city":"Wien"}' },
      { type: "finish", reason: "tool-calls", usage },
    ],
    content: [
      {
        type: "tool_use",
        id: expect.stringMatching(/^call_fc_1_[0-9a-f]{16}$/),
        name: "weather",
        input: { city: "Wien" },
      },
    ],
    stopReason: "tool_use",
  },
  {
    name: "parallel tool calls whose pieces come mixed with each other and with text",
    parts: [
      start,
      { type: "text-start", id: "t" },
      { type: "text-delta", id: "t", text: "Both" },
      { type: "tool-input-start", id: "a", name: "f" },
      { type: "tool-input-start", id: "b", name: "g" },
      { type: "tool-input-delta", id: "b", delta: '{"y":' },
      { type: "tool-input-delta", id: "a", delta: '{"x":1}' },
      { type: "text-delta", id: "t", text: "." },
      { type: "tool-input-delta", id: "b", delta: "2}" },
      { type: "text-end", id: "t" },
      { type: "tool-call", id: "b", name: "g", input: '{"y":2}' },
      { type: "tool-call", id: "a", name: "f", input: '{"x":1}' },
      { type: "finish", reason: "tool-calls", usage },
    ],
    content: [
      { type: "text", text: "Both." },
      { type: "tool_use", id: "a", name: "f", input: { x: 1 } },
      { type: "tool_use", id: "b", name: "g", input: { y: 2 } },
    ],
    stopReason: "tool_use",
  },
  {
    name: "whole tool calls, one of them without input",
    parts: [
      start,
      { type: "tool-call", id: "a", name: "f", input: '{"x":[1,{"y":null}]}' },
      { type: "tool-call", id: "b", name: "g", input: "" },
      { type: "finish", reason: "tool-calls", usage },
    ],
    content: [
      { type: "tool_use", id: "a", name: "f", input: { x: [1, { y: null }] } },
      { type: "tool_use", id: "b", name: "g", input: {} },
    ],
    stopReason: "tool_use",
  },
  {
    name: "blocks that were never ended",
    parts: [
      { type: "text-start", id: "0" },
      { type: "text-delta", id: "0", text: "Now" },
      { type: "tool-input-start", id: "a", name: "f" },
      { type: "tool-input-delta", id: "a", delta: "{}" },
      { type: "tool-input-start", id: "b", name: "g" },
      { type: "tool-input-delta", id: "b", delta: '{"y":1}' },
      { type: "finish", reason: "tool-calls", usage },
    ],
    content: [
      { type: "text", text: "Now" },
      { type: "tool_use", id: "a", name: "f", input: {} },
      { type: "tool_use", id: "b", name: "g", input: { y: 1 } },
    ],
    stopReason: "tool_use",
  },
  {
    name: "a refusal, with empty blocks left out and an open one closed",
    parts: [
      { type: "text-start", id: "0" },
      { type: "text-end", id: "0" },
      { type: "reasoning-start", id: "0" },
      { type: "reasoning-end", id: "0" },
      { type: "text-start", id: "1" },
      { type: "text-delta", id: "1", text: "I can't" },
      { type: "finish", reason: "content-filter", usage },
    ],
    content: [{ type: "text", text: "I can't" }],
    stopReason: "refusal",
  },
];

describe("what the official SDK reads", () => {
  it.each(cases)("of an encoded stream: $name", async ({ parts, content, stopReason }) => {
    const message = await readStream(parts);
    expect(message).toMatchObject({
      id: "msg_test",
      model: "claude-x",
      role: "assistant",
      content,
      stop_reason: stopReason,
    });
    expect(message.content).toHaveLength(content.length);
    expect(message.usage).toMatchObject({
      input_tokens: 20,
      cache_read_input_tokens: 100,
      output_tokens: 30,
      output_tokens_details: { thinking_tokens: 12 },
    });
  });

  it.each(cases)("of an encoded answer: $name", async ({ parts, content, stopReason }) => {
    const message = await readAnswer(parts);
    expect(message).toMatchObject({
      id: "msg_test",
      model: "claude-x",
      role: "assistant",
      content,
      stop_reason: stopReason,
    });
    expect(message.content).toHaveLength(content.length);
    expect(message.usage).toMatchObject({ input_tokens: 20, cache_read_input_tokens: 100, output_tokens: 30 });
  });

  it("of an error event: its type and message", async () => {
    const { event } = messages.encodeError({ status: 529, type: "overloaded_error", code: null, message: "all busy" });
    const answer = { path: "/v1/messages", contentType: "text/event-stream" as const, body: streamOf([start]) + event };
    const read = withAnswer(answer, (origin) => client(origin).messages.stream(ask).finalMessage());
    await expect(read).rejects.toMatchObject({
      type: "overloaded_error",
      message: expect.stringContaining("all busy"),
    });
  });

  it("of an error answer: status, type and message", async () => {
    const { body } = messages.encodeError({ status: 429, type: "rate_limit_error", code: null, message: "wait" });
    const text = JSON.stringify(body);
    const answer = { path: "/v1/messages", contentType: "application/json" as const, body: text, status: 429 };
    const read = withAnswer(answer, (origin) => client(origin).messages.create(ask));
    await expect(read).rejects.toMatchObject({
      status: 429,
      error: { error: { type: "rate_limit_error", message: "wait" } },
    });
  });
});

describe("an encoded Messages stream", () => {
  it.each(cases)("has one start, blocks one after another, one end: $name", ({ parts }) => {
    const events = eventsOf(streamOf(parts)).map(({ event, data }) => ({ event, data: parseObject(data) }));
    expect(events.every(({ event, data }) => event === data?.["type"])).toBe(true);
    const types = events.map(({ event }) => event);
    expect(types[0]).toBe("message_start");
    expect(types.slice(-2)).toEqual(["message_delta", "message_stop"]);
    expect(types.filter((type) => type === "message_start")).toHaveLength(1);

    let open: unknown = null;
    let next = 0;
    for (const { event, data } of events) {
      if (event === "content_block_start") {
        expect([open, data?.["index"]]).toEqual([null, next++]);
        open = data?.["index"];
      } else if (event?.startsWith("content_block") === true) {
        expect(data?.["index"]).toBe(open);
        if (event === "content_block_stop") open = null;
      }
    }
    expect(open).toBeNull();
  });

  it("says nothing after the end", () => {
    const encoder = messages.createStreamEncoder(options);
    const finish: Part = { type: "finish", reason: "stop", usage: null };
    expect(encoder.encode(finish)).toContain("message_stop");
    expect(encoder.encode({ type: "text-delta", id: "1", text: "late" }) + encoder.encode(finish)).toBe("");
  });

  it("takes the model from the answer when it was given none", () => {
    const encoder = messages.createStreamEncoder({ model: "", id: "m" });
    expect(encoder.encode(start)).toContain('"model":"gpt"');
  });
});
