import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Simulator, startSimulator } from "../../src/testing.ts";

let simulator: Simulator;

beforeEach(async () => {
  simulator = await startSimulator({ chunk: 23 });
});
afterEach(async () => {
  expect(simulator.unplanned).toEqual([]);
  await simulator.close();
});

const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const heard = "The simulator heard: hello";

describe("the official OpenAI client", () => {
  const client = (name: "openai" | "chat"): OpenAI => {
    const backend = simulator[name];
    return new OpenAI({ apiKey: backend.keys.add("work"), baseURL: backend.baseUrl, maxRetries: 0 });
  };
  const tools = [{ type: "function" as const, name: "weather", parameters: schema, strict: false }];

  it("reads Responses answers, whole and streamed", async () => {
    const openai = client("openai");
    expect((await openai.responses.create({ model: "gpt-5.5", input: "hello" })).output_text).toBe(heard);
    const stream = openai.responses.stream({ model: "gpt-5.5", input: "hello" });
    const final = await stream.finalResponse();
    expect(final.output_text).toBe(heard);
    expect(final.usage?.total_tokens).toBeGreaterThan(0);
  });

  it("reads reasoning and a tool call, and sends both back", async () => {
    const openai = client("openai");
    simulator.openai.script({ name: "tool-call", reasoning: "I need the weather." });
    const first = await openai.responses.stream({ model: "gpt-5.5", input: "hello", tools }).finalResponse();
    const call = first.output.find((item) => item.type === "function_call");
    expect(call).toMatchObject({
      name: "weather",
      arguments: '{"city":"simulated"}',
    });
    const output = { type: "function_call_output" as const, call_id: call?.call_id ?? "", output: "sunny" };
    const input = [{ role: "user" as const, content: "hello" }, ...first.output, output];
    const second = await openai.responses.create({
      model: "gpt-5.5",
      input: input as OpenAI.Responses.ResponseInput,
      tools,
    });
    expect(second.output_text).toBe(heard);
  });

  it("reads Codex's stream as well", async () => {
    const account = simulator.codexIssuer.addAccount({ email: "alice@example.test" });
    const openai = new OpenAI({
      apiKey: simulator.codexIssuer.issueTokens(account).accessToken,
      baseURL: simulator.codex.baseUrl,
      defaultHeaders: { "chatgpt-account-id": account.accountId },
      maxRetries: 0,
    });
    let text = "";
    const stream = await openai.responses.create({ model: "gpt-5.5", input: "hello", store: false, stream: true });
    for await (const event of stream) if (event.type === "response.output_text.delta") text += event.delta;
    expect(text).toBe(heard);
  });

  it("reads Chat Completions, whole and streamed, and a tool call", async () => {
    const openai = client("chat");
    const messages = [{ role: "user" as const, content: "hello" }];
    const whole = await openai.chat.completions.create({ model: "m", messages });
    expect(whole.choices[0]?.message.content).toBe(heard);
    expect((await openai.chat.completions.stream({ model: "m", messages }).finalMessage()).content).toBe(heard);
    simulator.chat.script("parallel-tool-calls");
    const runner = openai.chat.completions.stream({
      model: "m",
      messages,
      tools: [{ type: "function", function: { name: "weather", parameters: schema } }],
      stream_options: { include_usage: true },
    });
    const completion = await runner.finalChatCompletion();
    expect(completion.choices[0]?.message.tool_calls).toMatchObject([
      { type: "function", function: { name: "weather", arguments: '{"city":"simulated"}' } },
      { type: "function", function: { name: "weather" } },
    ]);
    expect(completion.usage?.total_tokens).toBeGreaterThan(0);
  });

  it("understands the errors", async () => {
    const openai = client("openai");
    simulator.openai.script("quota-exhausted");
    await expect(openai.responses.create({ model: "m", input: "x" })).rejects.toMatchObject({
      status: 429,
      code: "insufficient_quota",
    });
    const chat = client("chat");
    simulator.chat.script({ name: "overloaded-in-stream", after: "text" });
    const stream = chat.chat.completions.stream({ model: "m", messages: [{ role: "user", content: "hello" }] });
    await expect(stream.finalMessage()).rejects.toThrow("currently overloaded");
  });
});

describe("the official Anthropic client", () => {
  const messages = [{ role: "user" as const, content: "hello" }];
  const frame = { model: "claude-opus-4-8", max_tokens: 4_096, messages };
  const client = (): Anthropic =>
    new Anthropic({ apiKey: simulator.messages.keys.add("work"), baseURL: simulator.messages.baseUrl, maxRetries: 0 });

  it("reads answers, whole and streamed, and counts tokens", async () => {
    const anthropic = client();
    expect((await anthropic.messages.create(frame)).content).toMatchObject([{ type: "text", text: heard }]);
    const final = await anthropic.messages.stream(frame).finalMessage();
    expect(final).toMatchObject({ content: [{ type: "text", text: heard }], stop_reason: "end_turn" });
    expect(final.usage.output_tokens).toBeGreaterThan(1);
    const counted = await anthropic.messages.countTokens({ model: frame.model, messages });
    expect(counted.input_tokens).toBeGreaterThan(0);
  });

  it("reads thinking and a tool call, and sends both back", async () => {
    const anthropic = client();
    simulator.messages.script({ name: "tool-call", reasoning: "I need the weather." });
    const tools = [{ name: "weather", input_schema: { ...schema, type: "object" as const } }];
    const first = await anthropic.messages.stream({ ...frame, tools }).finalMessage();
    expect(first.stop_reason).toBe("tool_use");
    expect(first.content).toMatchObject([
      { type: "thinking", thinking: "I need the weather.", signature: expect.any(String) },
      { type: "tool_use", name: "weather", input: { city: "simulated" } },
    ]);
    const call = first.content.find((block) => block.type === "tool_use");
    const result = { type: "tool_result" as const, tool_use_id: call?.id ?? "", content: "sunny" };
    const second = await anthropic.messages.create({
      ...frame,
      tools,
      messages: [...messages, { role: "assistant", content: first.content }, { role: "user", content: [result] }],
    });
    expect(second.content).toMatchObject([{ type: "text", text: heard }]);
  });

  it("understands the errors", async () => {
    const anthropic = client();
    simulator.messages.script("overloaded");
    await expect(anthropic.messages.create(frame)).rejects.toMatchObject({
      status: 529,
      error: { error: { type: "overloaded_error" } },
    });
    simulator.messages.script({ name: "overloaded-in-stream", after: "text" });
    await expect(anthropic.messages.stream(frame).finalMessage()).rejects.toThrow("Overloaded");
  });
});
