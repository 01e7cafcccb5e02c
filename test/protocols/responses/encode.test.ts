import { APIError } from "openai";
import { describe, expect, it } from "vitest";
import type { JsonObject, Part, Tool } from "../../../src/protocols/canonical.ts";
import { responses } from "../../../src/protocols/responses/index.ts";
import { type SseEvent, SseParser } from "../../../src/protocols/sse.ts";
import { withClient } from "./sdk.ts";

const options = { id: "resp_7", model: "coding", createdAt: 1_700_000_000_999 };

const answer: Part[] = [
  { type: "response-start", id: "upstream-id", model: "upstream-model" },
  { type: "reasoning-start", id: "r" },
  { type: "reasoning-delta", id: "r", text: "Think " },
  { type: "reasoning-delta", id: "r", text: "twice." },
  { type: "reasoning-end", id: "r", opaque: { protocol: "responses", data: { encrypted_content: "sealed" } } },
  { type: "text-start", id: "t" },
  { type: "text-delta", id: "t", text: "Grüße, " },
  { type: "text-delta", id: "t", text: "世界" },
  { type: "text-end", id: "t" },
  { type: "tool-input-start", id: "call_1", name: "exec" },
  { type: "tool-input-delta", id: "call_1", delta: '{"cmd":' },
  { type: "tool-input-delta", id: "call_1", delta: '"ls"}' },
  { type: "tool-call", id: "call_1", name: "exec", input: '{"cmd":"ls"}' },
  { type: "tool-call", id: "call_2", name: "exec", input: "{}" },
  { type: "finish", reason: "tool-calls", usage: { input: 10, output: 5, cachedInput: 4, reasoning: 2 } },
];

function stream(parts: readonly Part[], more: { tools?: Tool[] } = {}): string {
  const encoder = responses.createStreamEncoder({ ...options, ...more });
  return parts.map((part) => encoder.encode(part)).join("");
}

function events(text: string): SseEvent[] {
  const parser = new SseParser();
  return [...parser.push(new TextEncoder().encode(text)), ...parser.end()];
}

const data = (text: string): JsonObject[] => events(text).map((event) => JSON.parse(event.data) as JsonObject);

describe("the stream encoder", () => {
  it("names events after their type and numbers them without a gap", () => {
    const told = events(stream(answer));
    expect(told.map(({ event }) => event)).toEqual(data(stream(answer)).map(({ type }) => type));
    expect(data(stream(answer)).map((event) => event["sequence_number"])).toEqual(told.map((_, i) => i));
  });

  it("writes the events in OpenAI's order", () => {
    const reasoning =
      "reasoning_summary_part.added reasoning_summary_text.delta reasoning_summary_text.delta \
      reasoning_summary_text.done reasoning_summary_part.done";
    const text = "content_part.added output_text.delta output_text.delta output_text.done content_part.done";
    const call = "function_call_arguments.delta function_call_arguments.delta function_call_arguments.done";
    const callInOnePiece = "function_call_arguments.delta function_call_arguments.done";
    const items = [reasoning, text, call, callInOnePiece].map((told) => `output_item.added ${told} output_item.done`);
    expect(data(stream(answer)).map(({ type }) => type)).toEqual(
      `created in_progress ${items.join(" ")} completed`.split(/\s+/).map((type) => `response.${type}`),
    );
  });

  it("shows the caller its own id and model, not the upstream's", () => {
    const text = stream(answer);
    expect(text).not.toContain("upstream");
    expect(data(text)[0]).toMatchObject({ response: { id: "resp_7", model: "coding", created_at: 1_700_000_000 } });
  });

  it("is read back as the same parts by the decoder", () => {
    const decoder = responses.createStreamDecoder();
    const parts = events(stream(answer)).flatMap((event) => decoder.decode(event));
    const kinds = (list: readonly Part[]): string[] => list.map((part) => part.type);
    const expected = answer.filter((part) => part.type !== "tool-call" || part.id === "call_1");
    expect(kinds(parts.filter((part) => !("id" in part) || part.id !== "call_2"))).toEqual(kinds(expected));
    expect(parts.at(-1)).toEqual(answer.at(-1));
  });

  it("writes no item for a block without words", () => {
    const parts: Part[] = [
      { type: "response-start", id: null, model: null },
      { type: "text-start", id: "t" },
      { type: "text-end", id: "t" },
      { type: "reasoning-start", id: "r" },
      { type: "reasoning-delta", id: "r", text: "" },
      { type: "reasoning-end", id: "r", opaque: { protocol: "messages", data: { signature: "foreign" } } },
      { type: "finish", reason: "stop", usage: null },
    ];
    expect(data(stream(parts)).map(({ type }) => type)).toEqual([
      "response.created",
      "response.in_progress",
      "response.completed",
    ]);
  });

  it.each([
    ["stop", "response.completed", null],
    ["tool-calls", "response.completed", null],
    ["other", "response.completed", null],
    ["length", "response.incomplete", { reason: "max_output_tokens" }],
    ["content-filter", "response.incomplete", { reason: "content_filter" }],
  ] as const)("finishes %s with %s", (reason, type, incomplete_details) => {
    const status = type.replace("response.", "");
    expect(data(stream([{ type: "finish", reason, usage: null }])).at(-1)).toMatchObject({
      type,
      response: { status, incomplete_details, usage: null },
    });
  });

  it("tells a call that was cut as incomplete", () => {
    const told = data(
      stream([
        { type: "tool-input-start", id: "call_1", name: "exec" },
        { type: "tool-input-delta", id: "call_1", delta: '{"cm' },
        { type: "finish", reason: "length", usage: null },
      ]),
    );
    const item = { type: "function_call", call_id: "call_1", arguments: '{"cm', status: "incomplete" };
    expect(told.at(-2)).toMatchObject({ type: "response.output_item.done", item });
    expect(told.at(-1)).toMatchObject({ response: { status: "incomplete", output: [item] } });
  });

  it("makes an empty object of a call without arguments", () => {
    const told = data(stream([{ type: "tool-call", id: "call_1", name: "exec", input: "" }]));
    expect(told.at(-1)).toMatchObject({ item: { type: "function_call", arguments: "{}", status: "completed" } });
  });

  it("says nothing after the finish", () => {
    const encoder = responses.createStreamEncoder(options);
    encoder.encode({ type: "finish", reason: "stop", usage: null });
    expect(encoder.encode({ type: "text-delta", id: "t", text: "late" })).toBe("");
    expect(encoder.encode({ type: "finish", reason: "stop", usage: null })).toBe("");
  });

  it("writes a call the way the caller declared its tool", () => {
    const { request } = responses.decodeRequest({
      input: "hi",
      tools: [
        { type: "custom", name: "apply_patch", format: { type: "text" } },
        { type: "namespace", name: "mcp__fs", tools: [{ type: "function", name: "read", parameters: {} }] },
      ],
    });
    const told = data(
      stream(
        [
          { type: "tool-input-start", id: "a", name: "apply_patch" },
          { type: "tool-input-delta", id: "a", delta: '{"input":"line\\n' },
          { type: "tool-input-delta", id: "a", delta: '\\"2\\""}' },
          { type: "tool-call", id: "a", name: "apply_patch", input: '{"input":"line\\n\\"2\\""}' },
          { type: "tool-call", id: "b", name: "mcp__fs__read", input: '{"path":"/"}' },
          { type: "finish", reason: "tool-calls", usage: null },
        ],
        { tools: [...(request.tools ?? [])] },
      ),
    );
    expect(told.find(({ type }) => type === "response.custom_tool_call_input.delta")).toMatchObject({
      delta: 'line\n"2"',
    });
    expect(told.at(-1)).toMatchObject({
      response: {
        output: [
          { type: "custom_tool_call", call_id: "a", name: "apply_patch", input: 'line\n"2"' },
          { type: "function_call", call_id: "b", namespace: "mcp__fs", name: "read", arguments: '{"path":"/"}' },
        ],
      },
    });
  });
});

describe("encodeAnswer", () => {
  it("is the response at the end of the stream", () => {
    expect(responses.encodeAnswer(answer, options)).toEqual(data(stream(answer)).at(-1)?.["response"]);
  });

  it("never calls an answer without its finish complete", () => {
    const cut = answer.slice(0, 7);
    expect(responses.encodeAnswer(cut, options)).toMatchObject({
      status: "incomplete",
      output: [{ type: "reasoning" }, { type: "message", status: "incomplete", content: [{ text: "Grüße, " }] }],
    });
    expect(responses.encodeAnswer([], options)).toMatchObject({ status: "incomplete", output: [] });
  });
});

describe("the official client", () => {
  const request = { model: "coding", input: "hi" };
  const output = [
    { type: "reasoning", summary: [{ type: "summary_text", text: "Think twice." }], encrypted_content: "sealed" },
    { type: "message", role: "assistant", content: [{ type: "output_text", text: "Grüße, 世界" }] },
    { type: "function_call", call_id: "call_1", name: "exec", arguments: '{"cmd":"ls"}', status: "completed" },
    { type: "function_call", call_id: "call_2", name: "exec", arguments: "{}", status: "completed" },
  ];
  const usage = {
    input_tokens: 10,
    output_tokens: 5,
    total_tokens: 15,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens_details: { reasoning_tokens: 2 },
  };
  const expected = { id: "resp_7", model: "coding", status: "completed", output_text: "Grüße, 世界", output, usage };

  it("reads a stream, event by event and folded", async () => {
    await withClient({ type: "text/event-stream", body: stream(answer) }, async (client) => {
      let text = "";
      for await (const event of await client.responses.create({ ...request, stream: true })) {
        if (event.type === "response.output_text.delta") text += event.delta;
      }
      expect(text).toBe("Grüße, 世界");
      expect(await client.responses.stream(request).finalResponse()).toMatchObject(expected);
    });
  });

  it("reads a whole answer", async () => {
    const body = JSON.stringify(responses.encodeAnswer(answer, options));
    await withClient({ type: "application/json", body }, async (client) => {
      expect(await client.responses.create(request)).toMatchObject(expected);
    });
  });

  it("reads a folded stream as the same answer", async () => {
    const body = JSON.stringify(responses.foldStream(events(stream(answer))));
    await withClient({ type: "application/json", body }, async (client) => {
      expect(await client.responses.create(request)).toMatchObject(expected);
    });
  });

  it("reads an upstream refusal that went through parts as text", async () => {
    const refusal = {
      type: "message",
      id: "m",
      role: "assistant",
      content: [{ type: "refusal", refusal: "I won't." }],
    };
    const parts = responses.decodeAnswer({ id: "r", status: "completed", output: [refusal] });
    await withClient({ type: "text/event-stream", body: stream(parts) }, async (client) => {
      const response = await client.responses.stream(request).finalResponse();
      expect(response).toMatchObject({ status: "completed", output_text: "I won't." });
    });
  });

  it("reads calls and text that grow side by side", async () => {
    const parts: Part[] = [
      { type: "text-start", id: "t" },
      { type: "text-delta", id: "t", text: "one " },
      { type: "tool-input-start", id: "a", name: "exec" },
      { type: "tool-input-start", id: "b", name: "exec" },
      { type: "tool-input-delta", id: "b", delta: "[2" },
      { type: "text-delta", id: "t", text: "two" },
      { type: "tool-input-delta", id: "a", delta: "[1]" },
      { type: "tool-input-delta", id: "b", delta: "]" },
      { type: "tool-call", id: "b", name: "exec", input: "[2]" },
      { type: "text-end", id: "t" },
      { type: "tool-call", id: "a", name: "exec", input: "[1]" },
      { type: "finish", reason: "tool-calls", usage: null },
    ];
    await withClient({ type: "text/event-stream", body: stream(parts) }, async (client) => {
      expect((await client.responses.stream(request).finalResponse()).output).toMatchObject([
        { type: "message", content: [{ text: "one two" }] },
        { call_id: "a", arguments: "[1]" },
        { call_id: "b", arguments: "[2]" },
      ]);
    });
  });

  it("reads custom tool calls", async () => {
    const tools =
      responses.decodeRequest({ input: "hi", tools: [{ type: "custom", name: "patch" }] }).request.tools ?? [];
    const body = stream(
      [
        { type: "tool-call", id: "a", name: "patch", input: '{"input":"+ x"}' },
        { type: "finish", reason: "tool-calls", usage: null },
      ],
      { tools: [...tools] },
    );
    await withClient({ type: "text/event-stream", body }, async (client) => {
      expect((await client.responses.stream(request).finalResponse()).output).toMatchObject([
        { type: "custom_tool_call", call_id: "a", name: "patch", input: "+ x" },
      ]);
    });
  });

  const error = {
    status: 429,
    type: "usage_limit_reached",
    code: "usage_limit_reached",
    message: "Both codex logins are out of quota until 14:00.",
    resetsAt: 1_800_000_000_500,
  };

  it("throws the error of an answer", async () => {
    const { body } = responses.encodeError(error);
    const thrown = await withClient({ type: "application/json", body: JSON.stringify(body), status: 429 }, (client) =>
      client.responses.create(request).then(
        () => null,
        (cause: unknown) => cause,
      ),
    );
    expect(thrown).toBeInstanceOf(APIError);
    expect(thrown).toMatchObject({
      status: 429,
      code: "usage_limit_reached",
      type: "usage_limit_reached",
      error: { resets_at: 1_800_000_001 },
    });
    expect(String(thrown)).toContain(error.message);
  });

  it.each(["before anything else", "after content"])("throws the error of a stream that comes %s", async (when) => {
    const begun = when === "after content" ? stream(answer.slice(0, 8)) : "";
    const body = begun + responses.encodeError(error).event;
    await withClient({ type: "text/event-stream", body }, async (client) => {
      for (const read of [
        async () => {
          for await (const _ of await client.responses.create({ ...request, stream: true }));
        },
        async () => {
          await client.responses.stream(request).finalResponse();
        },
      ]) {
        const thrown = await read().then(
          () => null,
          (cause: unknown) => cause,
        );
        expect(thrown).toBeInstanceOf(APIError);
        expect(thrown).toMatchObject({ code: "usage_limit_reached", type: "usage_limit_reached" });
        expect(String(thrown)).toContain(error.message);
      }
    });
  });
});
