import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { backendNames, type BackendName, type Simulator, startSimulator } from "../../src/testing.ts";
import { type Caller, callersOf, now } from "./callers.ts";
import { eventsOf, type RawEvent } from "./raw-client.ts";

let simulator: Simulator;
let callers: Record<BackendName, Caller>;

beforeEach(async () => {
  simulator = await startSimulator({ now: () => now });
  callers = callersOf(simulator);
});
afterEach(() => simulator.close());

const text = "The simulator heard: Say hello to the audience";

/** Consecutive events of the same name count as one. */
function order(events: readonly RawEvent[], name: (event: RawEvent) => string): string[] {
  return events.map(name).filter((value, index, all) => value !== all[index - 1]);
}

const typeOf = (event: RawEvent): string => String(event.data.type);

describe("a streamed answer of the Responses backends", () => {
  const message = [
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
  ];
  const call = [
    "response.output_item.added",
    "response.function_call_arguments.delta",
    "response.function_call_arguments.done",
    "response.output_item.done",
  ];
  const reasoning = [
    "response.output_item.added",
    "response.reasoning_summary_part.added",
    "response.reasoning_summary_text.delta",
    "response.reasoning_summary_text.done",
    "response.reasoning_summary_part.done",
    "response.output_item.done",
  ];

  it.each([
    ["answer", message],
    ["reasoning", [...reasoning, ...message]],
    ["tool-call", call],
    ["parallel-tool-calls", [...call, ...call]],
    ["long-answer", message],
  ] as const)("has the events of %s in order, each with its number", async (name, content) => {
    callers.openai.backend.script(name);
    const answer = await callers.openai.call();
    expect(answer).toMatchObject({ status: 200, ended: "whole" });
    expect(answer.headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    const events = eventsOf(answer.text);
    expect(order(events, typeOf)).toEqual([
      "response.created",
      "response.in_progress",
      ...content,
      "response.completed",
    ]);
    expect(events.map((event) => event.event)).toEqual(events.map(typeOf));
    expect(events.map((event) => event.data.sequence_number)).toEqual(events.map((_, index) => index));
  });

  it("says the same in its deltas, its items and its end", async () => {
    const events = eventsOf((await callers.openai.call()).text);
    const deltas = events.filter((event) => typeOf(event) === "response.output_text.delta");
    expect(deltas.length).toBeGreaterThan(1);
    expect(deltas.map((event) => event.data.delta).join("")).toBe(text);
    const item = events.find((event) => typeOf(event) === "response.output_item.done")?.data.item;
    expect(item).toMatchObject({ type: "message", status: "completed", content: [{ type: "output_text", text }] });
    expect(events.at(-1)?.data.response).toMatchObject({
      object: "response",
      created_at: now / 1_000,
      status: "completed",
      error: null,
      output: [item],
      usage: { input_tokens_details: { cached_tokens: 0 }, output_tokens_details: { reasoning_tokens: 0 } },
    });
  });

  it("ends with response.incomplete at the output limit", async () => {
    callers.openai.backend.script("output-limit");
    const last = eventsOf((await callers.openai.call()).text).at(-1);
    expect(last?.event).toBe("response.incomplete");
    expect(last?.data.response).toMatchObject({
      status: "incomplete",
      incomplete_details: { reason: "max_output_tokens" },
    });
  });

  it("leaves the terminal output of Codex empty, or null when told so", async () => {
    callers.codex.backend.script({ name: "answer", terminalOutput: "null" }, { times: 1 });
    const asked = eventsOf((await callers.codex.call()).text).at(-1);
    expect(asked?.data.response).toMatchObject({ status: "completed", output: null });
    const usual = eventsOf((await callers.codex.call()).text);
    expect(usual.at(-1)?.data.response).toMatchObject({ status: "completed", output: [] });
    expect(usual.map((event) => event.event)).toContain("codex.rate_limits");
  });

  it("carries Codex's rate headers and a turn state that stays with the turn", async () => {
    simulator.codex.setLimits("alice", { primary: { usedPercent: 91.5, windowMinutes: 300, resetsInS: 60 } });
    const first = await callers.codex.call();
    expect(first.headers).toMatchObject({
      "x-codex-plan-type": "plus",
      "x-codex-primary-used-percent": "91.5",
      "x-codex-primary-window-minutes": "300",
      "x-codex-primary-reset-at": String(now / 1_000 + 60),
      "x-codex-secondary-window-minutes": "10080",
      "x-codex-credits-has-credits": "False",
    });
    const state = first.headers["x-codex-turn-state"] ?? "";
    expect(state).not.toBe("");
    const second = await callers.codex.call({ headers: { "x-codex-turn-state": state } });
    expect(second.headers["x-codex-turn-state"]).toBe(state);
    expect(simulator.codex.foreignTurnStates).toBe(0);
    await callers.codex.call({ headers: { "x-codex-turn-state": "ts.somebody-else" } });
    expect(simulator.codex.foreignTurnStates).toBe(1);
  });
});

describe("a streamed answer of the Messages backend", () => {
  const block = ["content_block_start", "content_block_delta", "content_block_stop"];
  const firstBlock = ["content_block_start", "ping", "content_block_delta", "content_block_stop"];

  it.each([
    ["answer", firstBlock, "end_turn"],
    ["reasoning", [...firstBlock, ...block], "end_turn"],
    ["tool-call", firstBlock, "tool_use"],
    ["parallel-tool-calls", [...firstBlock, ...block], "tool_use"],
    ["output-limit", firstBlock, "max_tokens"],
  ] as const)("has the events of %s in order", async (name, content, stopReason) => {
    callers.messages.backend.script(name);
    const answer = await callers.messages.call();
    expect(answer).toMatchObject({ status: 200, ended: "whole" });
    const events = eventsOf(answer.text);
    expect(order(events, typeOf)).toEqual(["message_start", ...content, "message_delta", "message_stop"]);
    expect(events.map((event) => event.event)).toEqual(events.map(typeOf));
    expect(events.at(-2)?.data).toMatchObject({ delta: { stop_reason: stopReason, stop_sequence: null } });
  });

  it("signs its thinking and begins a tool call with an empty piece", async () => {
    callers.messages.backend.script({
      name: "reasoning",
      toolCalls: [{ name: "pull_curtain", input: { slowly: true } }],
    });
    const deltas = eventsOf((await callers.messages.call()).text)
      .filter((event) => typeOf(event) === "content_block_delta")
      .map((event) => event.data.delta as Record<string, string>);
    expect(new Set(deltas.map((delta) => delta.type))).toEqual(
      new Set(["thinking_delta", "signature_delta", "input_json_delta"]),
    );
    const pieces = deltas.filter((delta) => delta.type === "input_json_delta").map((delta) => delta.partial_json);
    expect(pieces[0]).toBe("");
    expect(pieces.join("")).toBe('{"slowly":true}');
  });
});

describe("a streamed answer of the chat backend", () => {
  const kindOf = (event: RawEvent): string => {
    if (event.raw === "[DONE]") return "done";
    const choice = (event.data.choices as { delta: object; finish_reason: string | null }[])[0];
    if (choice === undefined) return "usage";
    return choice.finish_reason === null ? Object.keys(choice.delta).join("+") : `finish ${choice.finish_reason}`;
  };

  it.each([
    ["answer", ["role+content", "content", "finish stop", "done"]],
    ["reasoning", ["role+content", "reasoning_content", "content", "finish stop", "done"]],
    ["tool-call", ["role+content", "tool_calls", "finish tool_calls", "done"]],
    ["parallel-tool-calls", ["role+content", "tool_calls", "finish tool_calls", "done"]],
    ["output-limit", ["role+content", "content", "finish length", "done"]],
  ] as const)("has the chunks of %s in order", async (name, expected) => {
    callers.chat.backend.script(name);
    const answer = await callers.chat.call();
    expect(answer).toMatchObject({ status: 200, ended: "whole" });
    const events = eventsOf(answer.text);
    expect(events.every((event) => event.event === null)).toBe(true);
    expect(order(events, kindOf)).toEqual(expected);
  });

  it("sends the usage when it is asked for", async () => {
    const events = eventsOf((await callers.chat.call({ body: { stream_options: { include_usage: true } } })).text);
    const { data } = events.at(-2) ?? { data: {} };
    expect(data).toMatchObject({
      object: "chat.completion.chunk",
      choices: [],
      usage: { prompt_tokens: expect.any(Number) },
    });
  });
});

describe("an answer that is no stream", () => {
  it("is a whole response", async () => {
    callers.openai.backend.script({
      name: "reasoning",
      toolCalls: [{ name: "bow", input: { depth: 2 } }],
      text: "Now.",
    });
    const answer = await callers.openai.call({ stream: false });
    expect(answer.headers["content-type"]).toBe("application/json");
    expect(answer.headers["content-length"]).toBe(String(Buffer.byteLength(answer.text)));
    expect(JSON.parse(answer.text)).toMatchObject({
      object: "response",
      status: "completed",
      output: [
        { type: "reasoning", encrypted_content: expect.stringMatching(/^gAAAAA/) },
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "Now." }] },
        { type: "function_call", name: "bow", arguments: '{"depth":2}', call_id: expect.stringMatching(/^call_/) },
      ],
    });
  });

  it("is a whole message", async () => {
    callers.messages.backend.script({ toolCalls: [{ name: "bow", input: { depth: 2 } }], text: "Now." });
    const answer = await callers.messages.call({ stream: false });
    expect(JSON.parse(answer.text)).toMatchObject({
      type: "message",
      role: "assistant",
      content: [
        { type: "text", text: "Now." },
        { type: "tool_use", id: expect.stringMatching(/^toolu_/), name: "bow", input: { depth: 2 } },
      ],
      stop_reason: "tool_use",
      usage: { output_tokens: expect.any(Number) },
    });
  });

  it("is a whole completion", async () => {
    callers.chat.backend.script({ toolCalls: [{ name: "bow", input: { depth: 2 } }] });
    const answer = await callers.chat.call({ stream: false });
    expect(JSON.parse(answer.text)).toMatchObject({
      object: "chat.completion",
      choices: [
        {
          message: {
            role: "assistant",
            content: null,
            tool_calls: [{ function: { name: "bow", arguments: '{"depth":2}' } }],
          },
          finish_reason: "tool_calls",
        },
      ],
    });
  });
});

describe("every backend", () => {
  it.each(backendNames)("%s calls the tool that the request offers, with what its schema requires", async (name) => {
    const schema = {
      type: "object",
      properties: { n: { type: "integer" }, to: { enum: ["left"] } },
      required: ["n", "to"],
    };
    const tools = {
      codex: [{ type: "function", name: "move", parameters: schema }],
      openai: [{ type: "function", name: "move", parameters: schema }],
      messages: [{ name: "move", input_schema: schema }],
      chat: [{ type: "function", function: { name: "move", parameters: schema } }],
    };
    callers[name].backend.script("tool-call");
    const { text: stream } = await callers[name].call({ body: { tools: tools[name] } });
    expect(stream).toContain('"name":"move"');
    const pieces = eventsOf(stream).map(({ data }) => {
      const delta = data.delta as string | { partial_json?: string } | undefined;
      const choices = data.choices as { delta: { tool_calls?: { function: { arguments: string } }[] } }[] | undefined;
      if (typeof delta === "string") return delta;
      return delta?.partial_json ?? choices?.[0]?.delta.tool_calls?.[0]?.function.arguments ?? "";
    });
    expect(JSON.parse(pieces.join(""))).toEqual({ n: 1, to: "left" });
  });

  it.each(backendNames)("%s sends the same bytes however they are split", async (name) => {
    const caller = callers[name];
    caller.backend.setBehaviour("*", { text: "Ein Käfer spielt Geige: 🎻" });
    const texts: string[] = [];
    for (const chunk of ["event", "byte", 7] as const) {
      // A fresh simulator each time: the same ids come again.
      await using other = await startSimulator({ now: () => now, chunk });
      const twin = callersOf(other)[name];
      twin.backend.setBehaviour("*", { text: "Ein Käfer spielt Geige: 🎻" });
      const answer = await twin.call();
      if (chunk === "byte") expect(answer.chunks.every((piece) => piece.length === 1)).toBe(true);
      if (chunk === 7) expect(answer.chunks.every((piece) => piece.length <= 7)).toBe(true);
      texts.push(answer.text);
    }
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).toBe(texts[0]);
    expect(texts[0]).toContain("🎻");
  });

  it.each(backendNames)("%s makes the same bytes again with the same seed, and others with another", async (name) => {
    const texts: string[] = [];
    for (const seed of [7, 7, 8]) {
      await using other = await startSimulator({ now: () => now, seed });
      const twin = callersOf(other)[name];
      texts.push((await twin.call()).text, twin.secret.slice(-40));
    }
    expect(texts.slice(2, 4)).toEqual(texts.slice(0, 2));
    expect(texts[4]).not.toBe(texts[0]);
  });
});
