import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isUnderstudyError } from "../../../src/core/error.ts";
import type { CanonicalRequest, JsonObject, Message } from "../../../src/protocols/canonical.ts";
import { responses } from "../../../src/protocols/responses/index.ts";

const png = "data:image/png;base64,iVBORw0KGgo=";
const user = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });
const system = (text: string): Message => ({ role: "system", content: [{ type: "text", text }] });
const encode = (messages: Message[], more: Partial<CanonicalRequest> = {}): JsonObject =>
  responses.encodeRequest({ messages, stream: true, ...more }, "gpt-5.5").body;
const input = (messages: Message[], more: Partial<CanonicalRequest> = {}): unknown => encode(messages, more)["input"];
const sealed: JsonObject = {
  type: "reasoning",
  summary: [{ type: "summary_text", text: "hm" }],
  encrypted_content: "x",
};

describe("encodeRequest", () => {
  it("stores nothing at the provider and asks for encrypted reasoning", () => {
    expect(encode([user("hi")])).toEqual({
      model: "gpt-5.5",
      input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] }],
      store: false,
      include: ["reasoning.encrypted_content"],
      stream: true,
    });
  });

  it("makes what the system says first the instructions, and leaves the rest in place", () => {
    const body = encode([system("Be kind."), system("Be brief."), user("hi"), system("Now be quick.")]);
    expect(body["instructions"]).toBe("Be kind.\n\nBe brief.");
    expect(body["input"]).toMatchObject([
      { role: "user" },
      { role: "developer", content: [{ type: "input_text", text: "Now be quick." }] },
    ]);
  });

  it("carries text, images and files of the user", () => {
    expect(
      input([
        {
          role: "user",
          content: [
            { type: "text", text: "see" },
            { type: "image", url: png },
            { type: "file", mediaType: "application/pdf", data: "JVBERi0=", filename: "a.pdf" },
            { type: "file", mediaType: "application/pdf", data: "JVBERi0=" },
            { type: "file", mediaType: "image/png", data: "iVBORw0KGgo=" },
          ],
        },
      ]),
    ).toEqual([
      {
        type: "message",
        role: "user",
        content: [
          { type: "input_text", text: "see" },
          { type: "input_image", image_url: png, detail: "auto" },
          { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" },
          { type: "input_file", filename: "file.pdf", file_data: "data:application/pdf;base64,JVBERi0=" },
          { type: "input_image", image_url: png, detail: "auto" },
        ],
      },
    ]);
  });

  it("carries what the model said in its order, with encrypted reasoning as it was but for its id", () => {
    expect(
      input([
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "hm", opaque: { protocol: "responses", data: { ...sealed, id: "rs_1" } } },
            { type: "text", text: "a" },
            { type: "text", text: "b" },
            { type: "tool-call", id: "call_1", name: "exec", input: '{"n":1.0}' },
            { type: "text", text: "c" },
          ],
        },
        { role: "tool", content: [{ type: "tool-result", id: "call_1", isError: false, content: [] }] },
      ]),
    ).toEqual([
      sealed,
      {
        type: "message",
        role: "assistant",
        content: [
          { type: "output_text", text: "a" },
          { type: "output_text", text: "b" },
        ],
      },
      { type: "function_call", call_id: "call_1", name: "exec", arguments: '{"n":1.0}' },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "c" }] },
      { type: "function_call_output", call_id: "call_1", output: "" },
    ]);
  });

  it.each<[string, Message["content"][number], string]>([
    [
      "of another protocol",
      { type: "reasoning", text: "hm", opaque: { protocol: "messages", data: { signature: "s" } } },
      "reasoning that another provider or model wrote",
    ],
    ["without encryption", { type: "reasoning", text: "hm" }, "reasoning that another provider or model wrote"],
  ])("drops reasoning %s, once said", (_name, part, note) => {
    const assistant = { role: "assistant", content: [part, part, { type: "text", text: "so" }] } as Message;
    const { body, dropped } = responses.encodeRequest({ messages: [user("hi"), assistant], stream: true }, "m");
    expect(body["input"]).toMatchObject([{ role: "user" }, { role: "assistant" }]);
    expect(dropped).toEqual([note]);
  });

  it("drops encrypted reasoning that nothing follows", () => {
    const reasoning = {
      type: "reasoning" as const,
      text: "",
      opaque: { protocol: "responses" as const, data: sealed },
    };
    const { body, dropped } = responses.encodeRequest(
      {
        messages: [{ role: "assistant", content: [{ type: "text", text: "a" }, reasoning] }, user("go on")],
        stream: true,
      },
      "m",
    );
    expect(body["input"]).toMatchObject([{ role: "assistant" }, { role: "user" }]);
    expect(dropped).toEqual(["reasoning that led to nothing"]);
  });

  const call = (id: string): Message => ({
    role: "assistant",
    content: [{ type: "tool-call", id, name: "exec", input: "{}" }],
  });
  const result = (id: string, text = "done"): Message => ({
    role: "tool",
    content: [{ type: "tool-result", id, isError: false, content: [{ type: "text", text }] }],
  });

  it("closes a call that has no result, and drops a result that has no call", () => {
    const { body, dropped } = responses.encodeRequest(
      { messages: [call("a"), user("never mind"), result("b")], stream: true },
      "m",
    );
    expect(body["input"]).toMatchObject([
      { type: "function_call", call_id: "a" },
      { type: "function_call_output", call_id: "a", output: "no result: the call was interrupted" },
      { role: "user" },
    ]);
    expect(dropped).toEqual(["a tool result without its call"]);
  });

  it.each(["toolu|01", "x".repeat(65), "call 1", "", "ä"])(
    "rewrites the id %j in the call and its result alike",
    (id) => {
      const items = input([call(id), result(id)]) as JsonObject[];
      expect(items[0]?.["call_id"]).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      expect(items[0]?.["call_id"]).not.toBe(id);
      expect(items[1]).toMatchObject({ type: "function_call_output", call_id: items[0]?.["call_id"], output: "done" });
      expect(input([call(id), result(id)])).toEqual(items);
    },
  );

  it("gives a result as text, and as a list where a picture is in it", () => {
    const content = [
      { type: "text" as const, text: "a" },
      { type: "text" as const, text: "b" },
      { type: "image" as const, url: png },
    ];
    const outputs = [content.slice(0, 2), content.slice(1), []].map((shown) => {
      const told: Message = {
        role: "tool",
        content: [{ type: "tool-result", id: "a", isError: true, content: shown }],
      };
      return (input([call("a"), told]) as JsonObject[])[1]?.["output"];
    });
    expect(outputs).toEqual([
      "a\nb",
      [
        { type: "input_text", text: "b" },
        { type: "input_image", image_url: png, detail: "auto" },
      ],
      "the tool failed and said nothing",
    ]);
  });

  it("carries tools and settings, and says that it has no stop sequences", () => {
    const { body, dropped } = responses.encodeRequest(
      {
        messages: [user("hi")],
        tools: [
          { name: "exec", description: "Runs.", schema: { type: "object" } },
          { name: "strict", schema: { type: "object" }, strict: true },
        ],
        toolChoice: { name: "exec" },
        parallelToolCalls: false,
        maxOutputTokens: 100,
        temperature: 0,
        topP: 0.5,
        stop: ["END"],
        reasoningEffort: "xhigh",
        responseFormat: { schema: { type: "object" }, name: "out", strict: true },
        stream: false,
      },
      "m",
    );
    expect(body).toMatchObject({
      tools: [
        { type: "function", name: "exec", description: "Runs.", parameters: { type: "object" }, strict: false },
        { type: "function", name: "strict", parameters: { type: "object" }, strict: true },
      ],
      tool_choice: { type: "function", name: "exec" },
      parallel_tool_calls: false,
      max_output_tokens: 100,
      temperature: 0,
      top_p: 0.5,
      reasoning: { effort: "xhigh" },
      text: { format: { type: "json_schema", name: "out", schema: { type: "object" }, strict: true } },
      stream: false,
    });
    expect(body).not.toHaveProperty("stop");
    expect(dropped).toEqual(["stop sequences"]);
  });

  it("asks for plain JSON without a schema, names a schema that has no name, and leaves tool settings out without tools", () => {
    expect(encode([user("hi")], { responseFormat: {} })["text"]).toEqual({ format: { type: "json_object" } });
    expect(encode([user("hi")], { responseFormat: { schema: {} } })["text"]).toEqual({
      format: { type: "json_schema", name: "answer", schema: {}, strict: false },
    });
    const body = encode([user("hi")], { toolChoice: "required", parallelToolCalls: true, tools: [] });
    expect(body).not.toHaveProperty("tools");
    expect(body).not.toHaveProperty("tool_choice");
    expect(body).not.toHaveProperty("parallel_tool_calls");
  });

  it.each([
    [1, 16],
    [16, 16],
    [17, 17],
  ])("raises %d output tokens to %d, the least that is accepted", (wanted, sent) => {
    expect(encode([user("hi")], { maxOutputTokens: wanted })["max_output_tokens"]).toBe(sent);
  });
});

describe("decodeRequest", () => {
  const decode = (body: JsonObject): { request: CanonicalRequest; dropped: string[] } => responses.decodeRequest(body);

  it("reads text as what the user says", () => {
    expect(decode({ model: "m", input: "hi", instructions: "Be kind." })).toEqual({
      request: { messages: [system("Be kind."), user("hi")], stream: false },
      dropped: [],
    });
  });

  it("reads items of every kind that has a meaning elsewhere", () => {
    const { request, dropped } = decode({
      input: [
        { type: "message", role: "developer", content: [{ type: "input_text", text: "Rules." }] },
        { role: "user", content: "easy" },
        {
          role: "user",
          content: [
            { type: "input_text", text: "see" },
            { type: "input_image", image_url: png },
            { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" },
            { type: "input_file", filename: "b.txt", file_data: "aGk=" },
          ],
        },
        { ...sealed, id: "rs_1" },
        { type: "message", id: "msg_1", role: "assistant", content: [{ type: "output_text", text: "ok" }] },
        { type: "message", role: "assistant", content: [{ type: "refusal", refusal: "no" }] },
        { type: "function_call", call_id: "a", name: "exec", arguments: '{"n":1.0}' },
        { type: "custom_tool_call", call_id: "b", name: "patch", input: '+ "x"' },
        { type: "function_call", call_id: "c", name: "read", namespace: "fs", arguments: "" },
        { type: "function_call_output", call_id: "a", output: "done" },
        { type: "custom_tool_call_output", call_id: "b", output: [{ type: "input_text", text: "patched" }] },
        { type: "function_call_output", call_id: "c", output: [{ type: "input_image", image_url: png }] },
        { role: "user", content: "thanks" },
      ],
    });
    expect(dropped).toEqual([]);
    expect(request.messages).toEqual([
      system("Rules."),
      user("easy"),
      {
        role: "user",
        content: [
          { type: "text", text: "see" },
          { type: "image", url: png },
          { type: "file", mediaType: "application/pdf", data: "JVBERi0=", filename: "a.pdf" },
          { type: "file", mediaType: "application/octet-stream", data: "aGk=", filename: "b.txt" },
        ],
      },
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "hm", opaque: { protocol: "responses", data: { ...sealed, id: "rs_1" } } },
          { type: "text", text: "ok" },
          { type: "text", text: "no" },
          { type: "tool-call", id: "a", name: "exec", input: '{"n":1.0}' },
          { type: "tool-call", id: "b", name: "patch", input: '{"input":"+ \\"x\\""}' },
          { type: "tool-call", id: "c", name: "fs__read", input: "{}" },
        ],
      },
      {
        role: "tool",
        content: [
          { type: "tool-result", id: "a", isError: false, content: [{ type: "text", text: "done" }] },
          { type: "tool-result", id: "b", isError: false, content: [{ type: "text", text: "patched" }] },
          { type: "tool-result", id: "c", isError: false, content: [{ type: "image", url: png }] },
        ],
      },
      user("thanks"),
    ]);
  });

  it("says what it drops", () => {
    const { request, dropped } = decode({
      input: [
        { role: "user", content: [{ type: "input_image", file_id: "file_1" }, { type: "input_audio" }] },
        { role: "user", content: [{ type: "input_file", file_url: "https://example.com/a.pdf" }] },
        { type: "item_reference", id: "msg_1" },
        { type: "web_search_call", id: "ws_1" },
        { type: "compaction", encrypted_content: "x" },
        { role: "user", content: "hi" },
      ],
      tools: [{ type: "web_search" }, { type: "function", name: "exec", parameters: { type: "object" } }],
      tool_choice: { type: "web_search" },
      service_tier: "flex",
      background: false,
      truncation: null,
      text: { verbosity: "low" },
      metadata: { a: "b" },
    });
    expect(request).toEqual({
      messages: [user("hi")],
      tools: [{ name: "exec", schema: { type: "object" } }],
      stream: false,
    });
    expect(dropped).toEqual([
      "service_tier",
      "an image that only its provider holds",
      "content input_audio",
      "a file that only its provider holds",
      "input item item_reference",
      "input item web_search_call",
      "input item compaction",
      "the tool web_search, which only its provider can run",
      "tool_choice web_search",
      "text.verbosity",
    ]);
  });

  it("finds tools among the items, where newer Codex models send them", () => {
    const { request } = decode({
      input: [
        { type: "additional_tools", role: "developer", tools: [{ type: "function", name: "exec_command" }] },
        { role: "user", content: "hi" },
      ],
      tools: [{ type: "function", name: "other" }],
    });
    expect(request.tools?.map((tool) => tool.name)).toEqual(["other", "exec_command"]);
  });

  it.each<[JsonObject, string]>([
    [{}, "input"],
    [{ input: 5 }, "input"],
    [{ input: [5] }, "input[0]"],
    [{ input: [{ role: "robot", content: "hi" }] }, "input[0].role"],
    [{ input: [{ role: "user", content: 5 }] }, "input[0].content"],
    [
      {
        input: [
          { role: "user", content: "" },
          { type: "function_call", name: "x" },
        ],
      },
      "input[1].call_id",
    ],
    [{ input: [{ type: "function_call", call_id: "x" }] }, "input[0].name"],
    [{ input: [{ type: "function_call_output", output: "x" }] }, "input[0].call_id"],
    [{ input: "hi", tools: [{ type: "function" }] }, "tools[0].name"],
    [{ input: "hi", temperature: "warm" }, "temperature"],
    [{ input: "hi", stream: "yes" }, "stream"],
    [{ input: "hi", instructions: ["x"] }, "instructions"],
    [{ input: "hi", previous_response_id: "resp_1" }, "previous_response_id"],
    [{ input: "hi", conversation: { id: "conv_1" } }, "conversation"],
    [{ input: "hi", prompt: { id: "pmpt_1" } }, "prompt"],
  ])("refuses %j and names the field %s", (body, field) => {
    let thrown: unknown;
    try {
      decode(body);
    } catch (error) {
      thrown = error;
    }
    expect(isUnderstudyError(thrown, "request_refused")).toBe(true);
    expect((thrown as Error).message.startsWith(`${field}: `)).toBe(true);
  });

  it("takes null for not given", () => {
    const keys = [
      "instructions",
      "tools",
      "tool_choice",
      "temperature",
      "top_p",
      "max_output_tokens",
      "reasoning",
      "text",
    ];
    const body = Object.fromEntries(
      [...keys, "stream", "previous_response_id", "parallel_tool_calls"].map((key) => [key, null]),
    );
    expect(decode({ ...body, input: "hi" })).toEqual({
      request: { messages: [user("hi")], stream: false },
      dropped: [],
    });
  });
});

describe("a request that goes to this wire and back", () => {
  it("keeps tools of its own kinds as they were declared, and calls of them as they were made", () => {
    const body: JsonObject = {
      model: "m",
      input: [
        { type: "message", role: "user", content: [{ type: "input_text", text: "hi" }] },
        { type: "custom_tool_call", call_id: "a", name: "patch", input: '+ "x"' },
        { type: "function_call", call_id: "b", namespace: "fs", name: "read", arguments: "{}" },
        { type: "custom_tool_call_output", call_id: "a", output: "ok" },
        { type: "function_call_output", call_id: "b", output: "ok" },
      ],
      tools: [
        { type: "custom", name: "patch", format: { type: "grammar", syntax: "lark", definition: "x" } },
        {
          type: "namespace",
          name: "fs",
          description: "Files.",
          tools: [
            { type: "function", name: "read", parameters: { type: "object" }, strict: false },
            { type: "custom", name: "write" },
          ],
        },
        { type: "function", name: "exec", parameters: { type: "object" }, strict: true },
      ],
      tool_choice: { type: "custom", name: "patch" },
      store: false,
      include: ["reasoning.encrypted_content"],
      stream: true,
    };
    const { request, dropped } = responses.decodeRequest(body);
    expect(responses.encodeRequest(request, "m").body).toEqual(body);
    expect(dropped).toEqual([]);
  });

  it("comes back as it was", () => {
    fc.assert(
      fc.property(canonicalRequest, (request) => {
        const { body, dropped } = responses.encodeRequest(request, "gpt-5");
        expect(dropped).toEqual([]);
        const back = responses.decodeRequest(JSON.parse(JSON.stringify(body)) as JsonObject);
        expect(back).toEqual({ request, dropped: [] });
      }),
    );
  });
});

// Requests in the form that decodeRequest gives: what is equal in meaning but written otherwise would not come back equal.
const words = fc.string({ minLength: 1, maxLength: 12 }).filter((text) => text.trim() !== "");
const textPart = words.map((text) => ({ type: "text" as const, text }));
const imagePart = fc.constantFrom(png, "https://example.com/a.png").map((url) => ({ type: "image" as const, url }));
const filePart = fc.record({
  type: fc.constant("file" as const),
  mediaType: fc.constantFrom("application/pdf", "text/plain"),
  data: fc.base64String(),
  filename: words,
});
const reasoningPart = words.map((text) => ({
  type: "reasoning" as const,
  text,
  opaque: {
    protocol: "responses" as const,
    data: { type: "reasoning", summary: [{ type: "summary_text", text }], encrypted_content: "sealed" },
  },
}));
/** One round: the user, then the model with calls and their results, then the model's words. */
const round = fc.record({
  system: fc.option(textPart),
  user: fc.array(fc.oneof(textPart, imagePart, filePart), { minLength: 1, maxLength: 3 }),
  said: fc.array(fc.oneof(textPart, reasoningPart), { maxLength: 3 }),
  results: fc.array(fc.array(fc.oneof(textPart, imagePart), { maxLength: 2 }), { maxLength: 3 }),
  last: textPart,
});
const toolList = fc.uniqueArray(
  fc.record(
    {
      name: fc.stringMatching(/^[a-z_]{1,8}$/),
      description: words,
      schema: fc.constantFrom<JsonObject>(
        { type: "object" },
        { type: "object", properties: { a: { type: "string" } } },
      ),
      strict: fc.boolean(),
    },
    { requiredKeys: ["name", "schema", "strict"] },
  ),
  { selector: (tool) => tool.name, minLength: 1, maxLength: 3 },
);
const canonicalRequest: fc.Arbitrary<CanonicalRequest> = fc
  .record(
    {
      instructions: words,
      rounds: fc.array(round, { minLength: 1, maxLength: 3 }),
      tools: toolList,
      toolChoice: fc.constantFrom("auto" as const, "none" as const, "required" as const),
      parallelToolCalls: fc.boolean(),
      maxOutputTokens: fc.integer({ min: 16, max: 100_000 }),
      temperature: fc.double({ min: 0, max: 2, noNaN: true }).map((double) => double + 0),
      topP: fc.double({ min: 0, max: 1, noNaN: true }).map((double) => double + 0),
      reasoningEffort: fc.constantFrom("none", "minimal", "high"),
      responseFormat: fc.constantFrom({}, { name: "out", schema: { type: "object" }, strict: true }),
      stream: fc.boolean(),
    },
    { requiredKeys: ["rounds", "stream"] },
  )
  .map(({ instructions, rounds, tools, toolChoice, parallelToolCalls, ...rest }) => ({
    ...rest,
    messages: [
      ...(instructions === undefined ? [] : [system(instructions)]),
      ...rounds.flatMap((told, n) => messagesOf(told, n)),
    ],
    // Without tools their settings are not sent.
    ...(tools && {
      tools,
      ...(toolChoice && { toolChoice }),
      ...(parallelToolCalls !== undefined && { parallelToolCalls }),
    }),
  }));

function messagesOf(told: typeof round extends fc.Arbitrary<infer T> ? T : never, n: number): Message[] {
  const ids = told.results.map((_, i) => `call_${n}_${i}`);
  const calls = ids.map((id) => ({ type: "tool-call" as const, id, name: "exec", input: `{"id":"${id}"}` }));
  const results = told.results.map((content, i) => ({
    type: "tool-result" as const,
    id: ids[i] ?? "",
    isError: false,
    // Words come back as one text, and a result always says something.
    content: content.some((part) => part.type === "image")
      ? content
      : [content[0] ?? { type: "text" as const, text: "" }],
  }));
  const last: Message = { role: "assistant", content: [told.last] };
  return [
    { role: "user", content: told.user },
    ...(told.system === null ? [] : [{ role: "system" as const, content: [told.system] }]),
    ...(calls.length === 0
      ? [{ role: "assistant" as const, content: [...told.said, told.last] }]
      : [
          { role: "assistant" as const, content: [...told.said, ...calls] },
          { role: "tool" as const, content: results },
          last,
        ]),
  ];
}

describe("the effort of a translated request", () => {
  it.each([
    ["gpt-5.5", "high", "high"],
    ["gpt-5.5", "minimal", "low"],
    ["gpt-5.3-codex", "minimal", "low"],
    ["gpt-5-mini", "minimal", "minimal"],
    ["openai/gpt-5-2025-08-07", "minimal", "minimal"],
    ["grok-3-mini-fast", "high", "high"],
    ["grok-4.3", "minimal", "low"],
    ["grok-4-0709", "high", null],
    ["grok-3", "high", null],
    ["x-ai/grok-code-fast-1", "low", null],
    ["grok-4.20-0309-reasoning", "high", null],
  ])("for %s asked as %s is %s", (model, reasoningEffort, effort) => {
    const { body, dropped } = responses.encodeRequest({ messages: [user("hi")], reasoningEffort, stream: true }, model);
    expect(body["reasoning"]).toEqual(effort === null ? undefined : { effort });
    expect(dropped).toEqual(effort === null ? ["reasoning effort: this model takes none"] : []);
    expect(body["include"]).toEqual(["reasoning.encrypted_content"]);
  });
});
