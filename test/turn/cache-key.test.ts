import { describe, expect, it } from "vitest";
import type { CanonicalRequest, Message } from "../../src/protocols/canonical.ts";
import { cacheKeyOf } from "../../src/turn/cache-key.ts";
import { openStage } from "../rig/stage.ts";
import { lastRequest } from "./crossing.ts";

const say = (role: "system" | "user" | "assistant", text: string): Message => ({
  role,
  content: [{ type: "text", text }],
});
const conversation = (...messages: Message[]): CanonicalRequest => ({ messages, stream: true });
const opening = [say("system", "be brief"), say("user", "hello")];

describe("the key that a conversation is cached under", () => {
  it("is the same in all its turns, and shows nothing of it", () => {
    const first = cacheKeyOf(conversation(...opening));
    expect(cacheKeyOf(conversation(...opening, say("assistant", "hi"), say("user", "go on")))).toBe(first);
    expect(first).toMatch(/^us_[0-9a-f]{16}$/);
  });

  it.each<[string, CanonicalRequest]>([
    ["other instructions", conversation(say("system", "be long"), say("user", "hello"))],
    ["other first words", conversation(say("system", "be brief"), say("user", "good day"))],
    [
      "a long text that differs only in its length",
      conversation(say("system", "be brief"), say("user", `hello${"x".repeat(9_000)}`)),
    ],
    ["tools", { ...conversation(...opening), tools: [{ name: "t", schema: {} }] }],
  ])("is another one with %s", (_, other) => {
    expect(cacheKeyOf(other)).not.toBe(cacheKeyOf(conversation(...opening)));
  });

  it("goes with what is translated for a provider that knows it, and leaves a caller's own body alone", async () => {
    await using stage = await openStage();
    await stage.addKey("openai", "k");
    await stage.addKey("anthropic", "a");
    await stage.addKey("local", "l");
    await stage.turn("hello", "openai/gpt-5.5");
    expect(lastRequest(stage)).toMatch(/"prompt_cache_key":"us_[0-9a-f]{16}"/);
    for (const route of ["anthropic/claude-opus-4-8", "local/qwen3"]) {
      await stage.turn("hello", route);
      expect(lastRequest(stage)).not.toContain("prompt_cache_key");
    }
    const own = { model: "x", input: "hello", prompt_cache_key: "mine" };
    await stage.turn({ protocol: "responses", body: own }, "openai/gpt-5.5");
    expect(lastRequest(stage)).toContain('"prompt_cache_key":"mine"');
    await stage.turn({ protocol: "responses", body: { model: "x", input: "hello" } }, "openai/gpt-5.5");
    expect(lastRequest(stage)).not.toContain("prompt_cache_key");
  });
});
