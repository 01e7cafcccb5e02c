import { describe, expect, it } from "vitest";
import type { CanonicalRequest, JsonObject, Message } from "../../../src/protocols/canonical.ts";
import { messages } from "../../../src/protocols/messages/index.ts";

const hello: Message = { role: "user", content: [{ type: "text", text: "hello" }] };
const call: Message = { role: "assistant", content: [{ type: "tool-call", id: "a", name: "f", input: "{}" }] };
const result: Message = { role: "tool", content: [{ type: "tool-result", id: "a", isError: false, content: [] }] };

function encode(model: string, request: Partial<CanonicalRequest>): { body: JsonObject; dropped: string[] } {
  const tools = [{ name: "f", schema: {} }];
  return messages.encodeRequest({ messages: [hello], tools, stream: true, ...request }, model);
}

describe("how an effort becomes thinking", () => {
  it.each([
    // Models with a budget.
    ["claude-sonnet-4-5", "minimal", { type: "enabled", budget_tokens: 1_024 }, undefined],
    ["claude-sonnet-4-20250514", "low", { type: "enabled", budget_tokens: 4_096 }, undefined],
    ["claude-opus-4-5-20251101", "medium", { type: "enabled", budget_tokens: 8_192 }, undefined],
    ["anthropic/claude-3.7-sonnet", "high", { type: "enabled", budget_tokens: 16_384 }, undefined],
    ["claude-haiku-4-5", "xhigh", { type: "enabled", budget_tokens: 24_000 }, undefined],
    ["MiniMax-M2", "unheard-of", { type: "enabled", budget_tokens: 8_192 }, undefined],
    ["MiniMax-M2", "none", { type: "disabled" }, undefined],
    // Models that can't think.
    ["claude-3-5-haiku-20241022", "high", undefined, undefined],
    // Models that decide by themselves.
    ["claude-opus-4-6", "minimal", { type: "adaptive" }, { effort: "low" }],
    ["claude-sonnet-4-6", "xhigh", { type: "adaptive" }, { effort: "high" }],
    ["claude-opus-4-7", "xhigh", { type: "adaptive" }, { effort: "xhigh" }],
    ["anthropic/claude-opus-4.8", "medium", { type: "adaptive" }, { effort: "medium" }],
    ["claude-fable-5", "low", { type: "adaptive" }, { effort: "low" }],
    ["claude-mythos-preview", "high", { type: "adaptive" }, { effort: "high" }],
    ["claude-sonnet-5", "none", undefined, undefined],
    ["claude-sonnet-4-5", undefined, undefined, undefined],
  ])("%s, effort %s", (model, effort, thinking, outputConfig) => {
    const { body } = encode(model, effort === undefined ? {} : { reasoningEffort: effort });
    expect(body["thinking"]).toEqual(thinking);
    expect(body["output_config"]).toEqual(outputConfig);
  });

  it.each(["minimal", "low", "medium", "high", "xhigh"])(
    "leaves room for an answer at effort %s",
    (reasoningEffort) => {
      for (const maxOutputTokens of [1_366, 5_000, 20_000, 100_000]) {
        const { body } = encode("claude-sonnet-4-5", { reasoningEffort, maxOutputTokens });
        const budget = (body["thinking"] as { budget_tokens: number }).budget_tokens;
        expect(body["max_tokens"]).toBe(maxOutputTokens);
        expect(budget).toBeGreaterThanOrEqual(1_024);
        expect(budget).toBeLessThanOrEqual((maxOutputTokens * 3) / 4);
      }
    },
  );

  it("goes without thinking when the limit is too small for any", () => {
    expect(encode("claude-sonnet-4-5", { reasoningEffort: "high", maxOutputTokens: 1_300 })).toMatchObject({
      body: expect.not.objectContaining({ thinking: expect.anything() }),
      dropped: ["thinking: the output limit is too small"],
    });
  });

  it.each(["claude-sonnet-4-5", "claude-opus-4-7"])("lets a forced tool win over thinking: %s", (model) => {
    const { body, dropped } = encode(model, { reasoningEffort: "high", toolChoice: "required" });
    expect(body).not.toHaveProperty("thinking");
    expect(body["tool_choice"]).toEqual({ type: "any" });
    expect(dropped).toEqual(["thinking: a tool is forced"]);
  });

  it("goes without a budget in a tool loop that began elsewhere, but not without adaptive thinking", () => {
    const request = { messages: [hello, call, result], reasoningEffort: "high" };
    expect(encode("claude-sonnet-4-5", request)).toMatchObject({
      body: expect.not.objectContaining({ thinking: expect.anything() }),
      dropped: ["thinking: the running tool loop began without it"],
    });
    expect(encode("claude-opus-4-7", request).body["thinking"]).toEqual({ type: "adaptive" });
  });

  it("keeps the budget in a tool loop whose thinking is there", () => {
    const data = { type: "thinking", thinking: "", signature: "c2ln" };
    const thought: Message = {
      role: "assistant",
      content: [{ type: "reasoning", text: "", opaque: { protocol: "messages", data } }, ...call.content] as never,
    };
    const { body } = encode("claude-sonnet-4-5", { messages: [hello, thought, result], reasoningEffort: "low" });
    expect(body["thinking"]).toEqual({ type: "enabled", budget_tokens: 4_096 });
  });
});

describe("how thinking becomes an effort", () => {
  it.each([
    [{ thinking: { type: "disabled" } }, "none"],
    [{ thinking: { type: "enabled", budget_tokens: 512 } }, "minimal"],
    [{ thinking: { type: "enabled", budget_tokens: 10_000 } }, "medium"],
    [{ thinking: { type: "enabled", budget_tokens: 63_999 } }, "xhigh"],
    [{ thinking: { type: "adaptive" } }, undefined],
    [{ thinking: { type: "adaptive" }, output_config: { effort: "low" } }, "low"],
    [{ output_config: { effort: "max" } }, "xhigh"],
    [{}, undefined],
  ] as [JsonObject, string | undefined][])("%j", (fields, effort) => {
    expect(messages.decodeRequest({ messages: [], ...fields }).request.reasoningEffort).toBe(effort);
  });
});
