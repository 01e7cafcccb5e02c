import { describe, expect, it } from "vitest";
import type { JsonObject, Part } from "../../../src/protocols/canonical.ts";
import { messages } from "../../../src/protocols/messages/index.ts";
import { objectsAt } from "../../../src/protocols/read-json.ts";

const thinking = { type: "thinking", thinking: "hm", signature: "c2ln" };
const redacted = { type: "redacted_thinking", data: "AAEC" };
const toolUse = { type: "tool_use", id: "a", name: "f", input: {} };
const toolResult = { type: "tool_result", tool_use_id: "a" };
const text = { type: "text", text: "hi" };

describe("repairing a Messages request", () => {
  it("takes thinking out and leaves the rest, and the given body, as they were", () => {
    const body = {
      model: "m",
      thinking: { type: "adaptive" },
      messages: [
        { role: "user", content: "hello" },
        { role: "assistant", content: [thinking, redacted, text] },
        { role: "user", content: "on" },
      ],
    };
    const before = structuredClone(body);
    expect(messages.repairRequest(body)).toEqual({
      model: "m",
      thinking: { type: "adaptive" },
      messages: [
        { role: "user", content: "hello" },
        { role: "assistant", content: [text] },
        { role: "user", content: "on" },
      ],
    });
    expect(body).toEqual(before);
  });

  it("takes a message away that held nothing else, and joins its neighbours", () => {
    const repaired = messages.repairRequest({
      messages: [
        { role: "user", content: "one" },
        { role: "assistant", content: [thinking] },
        { role: "user", content: [{ type: "text", text: "two" }] },
        { role: "assistant", content: "three" },
      ],
    });
    expect(repaired?.["messages"]).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "one" },
          { type: "text", text: "two" },
        ],
      },
      { role: "assistant", content: "three" },
    ]);
  });

  it("switches a budget off in a running tool loop, with the context edits that need it", () => {
    const body = {
      thinking: { type: "enabled", budget_tokens: 2_000 },
      context_management: { edits: [{ type: "clear_thinking_20251015" }, { type: "clear_tool_uses_20250919" }] },
      messages: [
        { role: "user", content: "go" },
        { role: "assistant", content: [thinking, toolUse] },
        { role: "user", content: [toolResult] },
      ],
    };
    expect(messages.repairRequest(body)).toEqual({
      context_management: { edits: [{ type: "clear_tool_uses_20250919" }] },
      messages: [
        { role: "user", content: "go" },
        { role: "assistant", content: [toolUse] },
        { role: "user", content: [toolResult] },
      ],
    });
  });

  it("does the same to thinking of every origin", () => {
    const marked = { type: "thinking", thinking: "hm", signature: "understudy" };
    const body = { messages: [{ role: "assistant", content: [marked, thinking, text] }] };
    expect(messages.repairRequest(body)).toEqual({ messages: [{ role: "assistant", content: [text] }] });
  });

  it.each([
    [{ messages: [{ role: "assistant", content: [text] }] }],
    [{ messages: [{ role: "user", content: [thinking] }] }],
    [{ messages: "nonsense" }],
    [{}],
  ] as [JsonObject][])("has nothing to do for %j", (body) => {
    expect(messages.repairRequest(body)).toBeNull();
  });
});

describe("cleaning a Messages request that is passed on as it is", () => {
  const clean = (text: string): string => messages.cleanRequest?.(text) ?? "";

  /** What a caller holds in its history after another provider answered. */
  function foreignAnswer(): JsonObject[] {
    const parts: Part[] = [
      { type: "reasoning-start", id: "r" },
      { type: "reasoning-delta", id: "r", text: "hm" },
      { type: "reasoning-end", id: "r", opaque: { protocol: "responses", data: { encrypted_content: "gAAA" } } },
      { type: "tool-call", id: "a", name: "f", input: "{}" },
      { type: "finish", reason: "tool-calls", usage: null },
    ];
    return objectsAt(messages.encodeAnswer(parts, { model: "m", id: "i" }), "content");
  }

  it("takes out thinking that another provider's answer has left there, and no other", () => {
    const own = [thinking, text];
    const body = {
      model: "m",
      messages: [
        { role: "assistant", content: own },
        { role: "user", content: "on" },
        { role: "assistant", content: foreignAnswer() },
        { role: "user", content: [toolResult] },
      ],
    };
    expect(JSON.stringify(body.messages[2])).toContain("hm");
    expect(JSON.parse(clean(JSON.stringify(body)))).toEqual({
      model: "m",
      messages: [
        { role: "assistant", content: own },
        { role: "user", content: "on" },
        { role: "assistant", content: [toolUse] },
        { role: "user", content: [toolResult] },
      ],
    });
  });

  it("switches a budget off when the running tool loop began elsewhere", () => {
    const body = {
      thinking: { type: "enabled", budget_tokens: 2_000 },
      context_management: { edits: [{ type: "clear_thinking_20251015" }] },
      messages: [
        { role: "user", content: "go" },
        { role: "assistant", content: foreignAnswer() },
        { role: "user", content: [toolResult] },
      ],
    };
    expect(JSON.parse(clean(JSON.stringify(body)))).toEqual({
      context_management: { edits: [] },
      messages: [
        { role: "user", content: "go" },
        { role: "assistant", content: [toolUse] },
        { role: "user", content: [toolResult] },
      ],
    });
  });

  it("leaves every other member of the body as it stands, byte for byte", () => {
    const messagesText = JSON.stringify([{ role: "assistant", content: [...foreignAnswer(), text] }]);
    const cleaned = clean(`{ "seed": 12345678901234567890,\n"messages": ${messagesText} }`);
    expect(cleaned.startsWith('{ "seed": 12345678901234567890,\n"messages": [')).toBe(true);
    expect(cleaned).not.toContain("understudy");
  });

  it("gives calls ids that Anthropic takes, each its own, and their results the same", () => {
    const use = (id: string): object => ({ type: "tool_use", id, name: "f", input: {} });
    const result = (id: string): object => ({ type: "tool_result", tool_use_id: id, content: id });
    const asked = (...ids: string[]): object[] => [
      { role: "assistant", content: ids.map(use) },
      { role: "user", content: ids.map(result) },
    ];
    const history = [
      ...asked("f.f:0", "f.f:1"),
      ...asked("f.f:0"),
      ...asked("toolu_1"),
      ...asked("toolu_1", "toolu_1"),
    ];
    const text = `{"seed": 1.0, "messages": ${JSON.stringify(history)} }`;
    const cleaned = clean(text);
    const body = JSON.parse(cleaned) as { messages: { content: { id?: string; tool_use_id?: string }[] }[] };
    const ids = body.messages.map(({ content }) => content.map((block) => block.id ?? block.tool_use_id ?? ""));
    expect(cleaned.startsWith('{"seed": 1.0, "messages": [')).toBe(true);
    const uses = ids.filter((_, index) => index % 2 === 0);
    expect(ids.filter((_, index) => index % 2 === 1)).toEqual(uses);
    expect(uses.flat().every((id) => /^[\w-]{1,64}$/.test(id))).toBe(true);
    expect(new Set(uses.flat()).size).toBe(6);
    expect(uses[2]).toEqual(["toolu_1"]);
    // The next request of this conversation begins with the same bytes.
    const longer = clean(`{"seed": 1.0, "messages": ${JSON.stringify([...history, ...asked("toolu_2")])} }`);
    expect(longer.startsWith(cleaned.slice(0, cleaned.lastIndexOf("]")))).toBe(true);
  });

  it.each([
    [
      "thinking that Anthropic signed",
      JSON.stringify({ messages: [{ role: "assistant", content: [thinking, text] }] }),
    ],
    [
      "thinking that a copy of the protocol left unsigned",
      JSON.stringify({
        messages: [{ role: "assistant", content: [{ type: "thinking", thinking: "hm", signature: "" }] }],
      }),
    ],
    ["a call whose id is fine", JSON.stringify({ messages: [{ role: "assistant", content: [toolUse] }] })],
    ["the mark as a word of the conversation", '{"messages":[{"role":"user","content":"understudy"}]}'],
    ["text that is no JSON", "understudy"],
  ])("does not touch %s", (_, body) => {
    expect(clean(body)).toBe(body);
  });
});
