import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/protocols/canonical.ts";
import { responses } from "../../../src/protocols/responses/index.ts";
import { callItem, completed, created, customItem, messageItem, reasoningItem, sse, usage } from "./streams.ts";

const delta: JsonObject = { type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "hi" };
const added = (item: JsonObject): JsonObject => ({ type: "response.output_item.added", output_index: 0, item });
const done = (item: JsonObject): JsonObject => ({ type: "response.output_item.done", output_index: 0, item });

describe("the stream reader", () => {
  it.each<[string, JsonObject | string]>([
    ["response.created", created],
    ["response.queued", { type: "response.queued", response: { status: "queued" } }],
    ["response.in_progress", { type: "response.in_progress", response: { status: "in_progress" } }],
    ["codex.rate_limits", { type: "codex.rate_limits", rate_limits: {} }],
    ["a reasoning item", added({ type: "reasoning", id: "rs_1" })],
    ["a finished reasoning item", done(reasoningItem)],
    ["reasoning summary text", { type: "response.reasoning_summary_text.delta", delta: "hm" }],
    ["reasoning text", { type: "response.reasoning_text.delta", delta: "hm" }],
    ["a reasoning delta of a kind we don't know", { type: "response.reasoning_picture.delta", delta: "hm" }],
    ["a message that opens", added({ type: "message", content: [] })],
    ["a finished message without words", done({ type: "message", content: [{ type: "output_text", text: "" }] })],
    ["a content part that opens", { type: "response.content_part.added", part: { type: "output_text", text: "" } }],
    ["an empty delta", { ...delta, delta: "" }],
    ["an unknown event", { type: "response.brand_new", response: { status: "failed" } }],
    ["keepalive", { type: "keepalive" }],
    ["[DONE]", "[DONE]"],
    ["unparsable data", '{"type":"response.completed"'],
    ["data that is no object", "[1]"],
    ["data without a type", {}],
  ])("holds back at %s", (_name, event) => {
    expect(responses.createStreamReader().read(sse(event))).toMatchObject({ kind: "preamble" });
  });

  it.each<[string, JsonObject]>([
    ["text", delta],
    ["a refusal", { type: "response.refusal.delta", delta: "No" }],
    ["a function call", added({ ...callItem, arguments: "" })],
    ["a custom tool call", added({ ...customItem, input: "" })],
    ["a call that the provider runs", added({ type: "web_search_call", id: "ws_1" })],
    ["arguments", { type: "response.function_call_arguments.delta", delta: "{" }],
    ["custom tool input", { type: "response.custom_tool_call_input.delta", delta: "*" }],
    ["a finished message", done(messageItem)],
    ["a finished refusal", done({ type: "message", content: [{ type: "refusal", refusal: "No" }] })],
    ["a finished call", done(callItem)],
    ["a finished item of a kind we don't know", done({ type: "compaction", encrypted_content: "x" })],
    ["sound", { type: "response.audio.delta", delta: "UklGR" }],
    ["a picture", { type: "response.image_generation_call.partial_image", partial_image_b64: "iVBOR" }],
    ["an unknown delta", { type: "response.brand_new.delta", delta: { any: "thing" } }],
  ])("commits at %s", (_name, event) => {
    expect(responses.createStreamReader().read(sse(event))).toEqual({ kind: "content" });
  });

  it.each<[string, JsonObject]>([
    ["response.completed", completed([messageItem])],
    ["a bare response.completed", { type: "response.completed", response: { id: "r" } }],
    ["response.completed without a response", { type: "response.completed" }],
    ["response.completed that also has an old error", completed([], { error: { code: "x" } })],
    [
      "response.incomplete at the token limit",
      {
        type: "response.incomplete",
        response: { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
      },
    ],
    [
      "response.incomplete by the content filter",
      { type: "response.incomplete", response: { incomplete_details: { reason: "content_filter" } } },
    ],
    ["response.done", { ...completed([]), type: "response.done" }],
  ])("ends at %s", (_name, event) => {
    const reader = responses.createStreamReader();
    reader.read(sse(delta));
    expect(reader.read(sse(event))).toEqual({ kind: "end" });
    expect(reader.end()).toBeNull();
  });

  it.each<[string, JsonObject | null, string]>([
    ["nothing", null, "failure"],
    ["words", delta, "end"],
    ["a call", added({ type: "function_call", call_id: "a", name: "f", arguments: "" }), "end"],
    ["reasoning alone", done(reasoningItem), "end"],
  ])("takes a response that is completed and told %s as it is", (_, event, kind) => {
    for (const output of [[], null]) {
      const reader = responses.createStreamReader();
      if (event !== null) reader.read(sse(event));
      const last = { type: "response.completed", response: { status: "completed", output } };
      expect(reader.read(sse(last))).toMatchObject({ kind });
      expect(reader.end()).toEqual(
        kind === "end" ? null : expect.objectContaining({ message: expect.stringMatching(/^empty answer/) }),
      );
    }
    const words = { type: "message", content: [{ type: "output_text", text: "hi" }] };
    const whole = { type: "response.completed", response: { status: "completed", output: [words] } };
    expect(responses.createStreamReader().read(sse(whole))).toEqual({ kind: "end" });
  });

  const error = { code: "rate_limit_exceeded", message: "Slow down.", type: "tokens", param: null };
  it.each<[string, JsonObject, JsonObject]>([
    [
      "response.failed",
      { type: "response.failed", response: { status: "failed", error } },
      {
        event: "response.failed",
        code: "rate_limit_exceeded",
        type: "tokens",
        message: "Slow down.",
        finishReason: "failed",
      },
    ],
    [
      "response.failed without a status",
      { type: "response.failed", response: { error: { code: "server_error", message: "m" } } },
      { event: "response.failed", code: "server_error", message: "m", finishReason: "failed" },
    ],
    [
      "response.failed without anything",
      { type: "response.failed" },
      { event: "response.failed", message: "the response ended as failed", finishReason: "failed" },
    ],
    [
      "response.failed with a sentence as its error",
      { type: "response.failed", response: { status: "failed", error: "opaque sentence" } },
      { event: "response.failed", message: "opaque sentence", finishReason: "failed" },
    ],
    [
      "response.failed with null as its error",
      { type: "response.failed", response: { status: "failed", error: null, output: [messageItem] } },
      { event: "response.failed", message: "the response ended as failed", finishReason: "failed" },
    ],
    [
      "response.cancelled",
      { type: "response.cancelled", response: { id: "r" } },
      { event: "response.cancelled", message: "the response ended as cancelled", finishReason: "cancelled" },
    ],
    [
      "response.completed with the status failed",
      completed([messageItem], { status: "failed", error }),
      {
        event: "response.completed",
        code: "rate_limit_exceeded",
        type: "tokens",
        message: "Slow down.",
        finishReason: "failed",
      },
    ],
    [
      "response.completed with the status cancelled",
      completed([messageItem], { status: "cancelled" }),
      { event: "response.completed", message: "the response ended as cancelled", finishReason: "cancelled" },
    ],
    [
      "response.completed with an error and no status",
      { type: "response.completed", response: { error } },
      { event: "response.completed", code: "rate_limit_exceeded", type: "tokens", message: "Slow down." },
    ],
    [
      "an error event with its error inside",
      { type: "error", error: { ...error, param: "input" } },
      { event: "error", code: "rate_limit_exceeded", type: "tokens", message: "Slow down.", param: "input" },
    ],
    [
      "a flat error event",
      { type: "error", sequence_number: 3, code: "server_error", message: "m", param: "model" },
      { event: "error", code: "server_error", message: "m", param: "model" },
    ],
    [
      "an error event as it comes over a WebSocket",
      {
        type: "error",
        error: { type: "usage_limit_reached", message: "The usage limit has been reached", resets_at: 1_800_000_000 },
        status_code: 429,
        headers: { "X-Codex-Primary-Used-Percent": "100", "X-Codex-Primary-Window-Minutes": 300 },
      },
      {
        event: "error",
        status: 429,
        type: "usage_limit_reached",
        message: "The usage limit has been reached",
        headers: { "x-codex-primary-used-percent": "100", "x-codex-primary-window-minutes": "300" },
      },
    ],
  ])("fails at %s, before and after content", (_name, event, expected) => {
    const early = responses.createStreamReader();
    const common = { protocol: "responses", body: event };
    expect(early.read(sse(event))).toEqual({ kind: "failure", evidence: { phase: "head", ...common, ...expected } });

    const late = responses.createStreamReader();
    late.read(sse(delta));
    const verdict = late.read(sse(event));
    expect(verdict).toEqual({ kind: "failure", evidence: { phase: "stream", ...common, ...expected } });
    expect(late.end()).toEqual(verdict.kind === "failure" ? verdict.evidence : null);
  });

  it("takes the event's name for the type when the data has none", () => {
    const reader = responses.createStreamReader();
    expect(reader.read({ event: "response.output_text.delta", data: '{"delta":"x"}' })).toEqual({ kind: "content" });
    expect(reader.read({ event: "error", data: '{"message":"m"}' })).toMatchObject({ kind: "failure" });
  });

  it("says what is missing when the stream just ends", () => {
    const reader = responses.createStreamReader();
    reader.read(sse(created));
    reader.read(sse(delta));
    expect(reader.end()).toMatchObject({
      phase: "end",
      protocol: "responses",
      message: expect.stringContaining("completed"),
    });
    expect(reader.usage).toBeNull();
  });

  it("counts nothing after the terminal event", () => {
    const reader = responses.createStreamReader();
    reader.read(sse(completed([messageItem])));
    expect(reader.read(sse({ type: "error", message: "too late" }))).toEqual({ kind: "preamble" });
    expect(reader.read(sse(delta))).toEqual({ kind: "preamble" });
    expect(reader.end()).toBeNull();
  });

  it("knows the usage after the terminal event", () => {
    const reader = responses.createStreamReader();
    expect(reader.usage).toBeNull();
    reader.read(sse(completed(null)));
    expect(reader.usage).toEqual({ input: 120, output: 30, cachedInput: 100, reasoning: 12 });
  });
});

describe("readAnswer", () => {
  it.each<[string, JsonObject]>([
    ["completed", { object: "response", status: "completed", output: [messageItem], usage }],
    ["cut at the token limit", { object: "response", status: "incomplete", output: [], usage }],
    ["without a status", { output: [messageItem], usage }],
    ["still in progress", { object: "response", status: "queued", output: [], usage, error: null }],
  ])("takes an answer that is %s", (_name, body) => {
    expect(responses.readAnswer(body)).toEqual({
      kind: "answer",
      usage: { input: 120, output: 30, cachedInput: 100, reasoning: 12 },
    });
  });

  it.each<[string, unknown, JsonObject]>([
    [
      "failed with output",
      { object: "response", status: "failed", output: [messageItem], error: { code: "server_error", message: "m" } },
      { code: "server_error", message: "m", finishReason: "failed" },
    ],
    [
      "completed and empty",
      { object: "response", status: "completed", output: [] },
      { message: "empty answer: the response holds no item", status: 200 },
    ],
    [
      "failed with null as its error",
      { object: "response", status: "failed", output: [], error: null },
      { message: "the response ended as failed", finishReason: "failed" },
    ],
    ["cancelled", { object: "response", status: "cancelled", output: [] }, { finishReason: "cancelled" }],
    [
      "an error body",
      { error: { code: "insufficient_quota", message: "m" } },
      { code: "insufficient_quota", message: "m" },
    ],
    ["a detail body", { detail: "Store must be set to false" }, { message: "Store must be set to false" }],
    ["an answer of another protocol", { choices: [] }, {}],
    ["no object", ["x"], { message: "the answer is not a response" }],
    ["nothing", null, {}],
  ])("takes %s for a failure", (_name, body, expected) => {
    const verdict = responses.readAnswer(body);
    expect(verdict).toMatchObject({ kind: "failure", evidence: { phase: "head", protocol: "responses", ...expected } });
  });
});
