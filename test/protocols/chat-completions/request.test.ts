import { describe, expect, it } from "vitest";
import { isUnderstudyError } from "../../../src/core/error.ts";
import type { CanonicalRequest, JsonObject, Message } from "../../../src/protocols/canonical.ts";
import { chatCompletions } from "../../../src/protocols/chat-completions/index.ts";
import { interruptedResult } from "../../../src/protocols/tidy-history.ts";

const hello: Message = { role: "user", content: [{ type: "text", text: "hello" }] };

function encode(request: Partial<CanonicalRequest>, model = "deepseek-chat"): { body: JsonObject; dropped: string[] } {
  return chatCompletions.encodeRequest({ messages: [hello], stream: true, ...request }, model);
}

function history(...list: Message[]): unknown {
  return encode({ messages: list }).body["messages"];
}

const fullHistory: Message[] = [
  { role: "system", content: [{ type: "text", text: "Be brief." }] },
  {
    role: "user",
    content: [
      { type: "text", text: "What is this?" },
      { type: "image", url: "data:image/png;base64,iVBORw0KGgo=" },
      { type: "file", mediaType: "application/pdf", data: "JVBERi0=", filename: "a.pdf" },
    ],
  },
  {
    role: "assistant",
    content: [
      {
        type: "reasoning",
        text: "hm",
        opaque: {
          protocol: "chat-completions",
          data: { reasoning_content: "hm", reasoning_details: [{ text: "hm" }] },
        },
      },
      { type: "text", text: "Let me look." },
      { type: "tool-call", id: "call_1", name: "look", input: '{"at": [1, 2]}' },
      { type: "tool-call", id: "call_2", name: "look", input: "{}" },
    ],
  },
  {
    role: "tool",
    content: [
      { type: "tool-result", id: "call_1", isError: false, content: [{ type: "text", text: "a cat" }] },
      { type: "tool-result", id: "call_2", isError: false, content: [] },
    ],
  },
  { role: "system", content: [{ type: "text", text: "Be briefer." }] },
  { role: "user", content: [{ type: "text", text: "And?" }] },
];

describe("a canonical request as a Chat Completions request", () => {
  it("comes back the same with everything the protocol can carry", () => {
    const request: CanonicalRequest = {
      messages: fullHistory,
      tools: [
        { name: "look", description: "Looks.", schema: { type: "object", properties: { at: {} } }, strict: true },
        { name: "bare", schema: {} },
      ],
      toolChoice: { name: "look" },
      parallelToolCalls: false,
      maxOutputTokens: 500,
      temperature: 1.5,
      topP: 0.9,
      stop: ["END", "\n\n"],
      reasoningEffort: "high",
      responseFormat: { name: "cat", schema: { type: "object" }, strict: true },
      stream: true,
    };
    const { body, dropped } = chatCompletions.encodeRequest(request, "deepseek-chat");
    expect(dropped).toEqual([]);
    expect(chatCompletions.decodeRequest(body)).toEqual({ request, dropped: [] });
  });

  it("has the wire shape of the documentation", () => {
    const tools = [{ name: "look", schema: { type: "object" } }];
    expect(encode({ messages: fullHistory, tools, toolChoice: { name: "look" }, maxOutputTokens: 9 }).body).toEqual({
      model: "deepseek-chat",
      max_tokens: 9,
      stream: true,
      stream_options: { include_usage: true },
      tools: [{ type: "function", function: { name: "look", parameters: { type: "object" } } }],
      tool_choice: { type: "function", function: { name: "look" } },
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0KGgo=" } },
            { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" } },
          ],
        },
        {
          role: "assistant",
          reasoning_content: "hm",
          reasoning_details: [{ text: "hm" }],
          content: "Let me look.",
          tool_calls: [
            { id: "call_1", type: "function", function: { name: "look", arguments: '{"at": [1, 2]}' } },
            { id: "call_2", type: "function", function: { name: "look", arguments: "{}" } },
          ],
        },
        { role: "tool", tool_call_id: "call_1", content: "a cat" },
        { role: "tool", tool_call_id: "call_2", content: "" },
        { role: "system", content: "Be briefer." },
        { role: "user", content: "And?" },
      ],
    });
  });

  it.each([
    ["gpt-4o", "max_tokens", true],
    ["qwen/qwen3-coder", "max_tokens", true],
    ["gpt-5.5", "max_completion_tokens", false],
    ["openai/gpt-6-mini", "max_completion_tokens", false],
    ["o3-mini", "max_completion_tokens", false],
    ["olmo-2", "max_tokens", true],
  ])("names the limit for %s %s", (model, field, sampling) => {
    const { body, dropped } = encode({ maxOutputTokens: 7, temperature: 0.2, topP: 0.5 }, model);
    expect(Object.keys(body).filter((key) => key.startsWith("max_"))).toEqual([field]);
    expect(body[field]).toBe(7);
    expect("temperature" in body && "top_p" in body).toBe(sampling);
    expect(dropped).toEqual(sampling ? [] : ["temperature and top_p: not taken by this model"]);
  });

  it("keeps the temperature of an OpenAI model that does not reason", () => {
    expect(encode({ temperature: 0.2, reasoningEffort: "none" }, "gpt-5.5").body).toMatchObject({ temperature: 0.2 });
  });

  it.each(["auto", "none", "required"] as const)("sends what concerns tools only with tools: %s", (toolChoice) => {
    const wish = { toolChoice, parallelToolCalls: false };
    expect(encode({ ...wish, tools: [{ name: "f", schema: {} }] }).body).toMatchObject({
      tool_choice: toolChoice,
      parallel_tool_calls: false,
    });
    expect(Object.keys(encode(wish).body)).toEqual(["model", "messages", "stream", "stream_options"]);
  });

  it("asks a whole answer for no stream options, and for JSON without a schema", () => {
    expect(encode({ stream: false, responseFormat: {} }).body).toEqual({
      model: "deepseek-chat",
      messages: [{ role: "user", content: "hello" }],
      stream: false,
      response_format: { type: "json_object" },
    });
  });
});

describe("a canonical history in a Chat Completions request", () => {
  it("joins texts into one string", () => {
    expect(
      history({
        role: "user",
        content: [
          { type: "text", text: "one" },
          { type: "text", text: "  " },
          { type: "text", text: "two" },
        ],
      }),
    ).toEqual([{ role: "user", content: "one\n\ntwo" }]);
  });

  it("moves images of tool results into a message of the user and marks failed calls", () => {
    expect(
      history(
        hello,
        {
          role: "assistant",
          content: [
            { type: "tool-call", id: "a", name: "shot", input: "" },
            { type: "tool-call", id: "b", name: "shot", input: "{}" },
          ],
        },
        {
          role: "tool",
          content: [
            { type: "tool-result", id: "a", isError: false, content: [{ type: "image", url: "https://x.org/a.png" }] },
            { type: "tool-result", id: "b", isError: true, content: [{ type: "text", text: "no screen" }] },
          ],
        },
      ),
    ).toEqual([
      { role: "user", content: "hello" },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "a", type: "function", function: { name: "shot", arguments: "{}" } },
          { id: "b", type: "function", function: { name: "shot", arguments: "{}" } },
        ],
      },
      { role: "tool", tool_call_id: "a", content: "[image in the next message]" },
      { role: "tool", tool_call_id: "b", content: "[error] no screen" },
      {
        role: "user",
        content: [
          { type: "text", text: "Image from the result of tool call a:" },
          { type: "image_url", image_url: { url: "https://x.org/a.png" } },
        ],
      },
    ]);
  });

  it("drops reasoning of other providers and a message that holds nothing else", () => {
    const { body, dropped } = encode({
      messages: [
        hello,
        {
          role: "assistant",
          content: [{ type: "reasoning", text: "hm", opaque: { protocol: "messages", data: { signature: "c2ln" } } }],
        },
      ],
    });
    expect(body["messages"]).toEqual([{ role: "user", content: "hello" }]);
    expect(dropped).toEqual(["reasoning of another provider"]);
  });

  it("shortens long tool ids alike on call and result, and closes a call that has no result", () => {
    const id = "x".repeat(41);
    const encoded = history(
      hello,
      {
        role: "assistant",
        content: [
          { type: "tool-call", id, name: "f", input: "{}" },
          { type: "tool-call", id: "lost", name: "f", input: "{}" },
        ],
      },
      { role: "tool", content: [{ type: "tool-result", id, isError: false, content: [{ type: "text", text: "ok" }] }] },
    ) as { tool_calls: { id: string }[]; tool_call_id: string; content: string }[];
    const short = encoded[1]?.tool_calls[0]?.id;
    expect(short).toHaveLength(40);
    expect(encoded.slice(2)).toEqual([
      { role: "tool", tool_call_id: short, content: "ok" },
      { role: "tool", tool_call_id: "lost", content: `[error] ${interruptedResult}` },
    ]);
  });
});

describe("a Chat Completions request as canonical", () => {
  it("reads the variants of the field and names what it can't carry", () => {
    const body: JsonObject = {
      model: "x",
      seed: 1,
      user: null,
      n: 2,
      max_tokens: 10,
      max_completion_tokens: 20,
      stop: "END",
      stream_options: { include_usage: true },
      reasoning: { effort: "low" },
      response_format: { type: "json_object" },
      tool_choice: { type: "allowed_tools", allowed_tools: { mode: "required", tools: [] } },
      tools: [
        { type: "custom", custom: { name: "patch" } },
        { type: "function", function: { name: "f" } },
      ],
      messages: [
        { role: "developer", content: [{ type: "text", text: "Be brief." }] },
        { role: "user", name: "ann", content: "hi" },
        {
          role: "user",
          content: [
            { type: "image_url", image_url: "https://x.org/a.png" },
            { type: "input_audio", input_audio: { data: "AA==" } },
            { type: "file", file: { file_id: "file_1" } },
            { type: "text", text: "see", cache_control: { type: "ephemeral" } },
          ],
        },
        {
          role: "assistant",
          content: [{ type: "refusal", refusal: "no" }],
          reasoning: "hm",
          tool_calls: [
            { id: "a", type: "function", function: { name: "f", arguments: "{}" } },
            { id: "b", type: "custom", custom: { name: "patch", input: "*** Begin" } },
          ],
        },
        { role: "tool", tool_call_id: "a", content: [{ type: "text", text: "1" }] },
        { role: "tool", tool_call_id: "b", content: "2" },
        { role: "assistant", content: null, refusal: "never" },
        { role: "assistant", content: null },
      ],
    };
    expect(chatCompletions.decodeRequest(body)).toEqual({
      request: {
        stream: false,
        maxOutputTokens: 20,
        stop: ["END"],
        reasoningEffort: "low",
        responseFormat: {},
        toolChoice: "required",
        tools: [{ name: "f", schema: { type: "object", properties: {} } }],
        messages: [
          { role: "system", content: [{ type: "text", text: "Be brief." }] },
          { role: "user", content: [{ type: "text", text: "hi" }] },
          {
            role: "user",
            content: [
              { type: "image", url: "https://x.org/a.png" },
              { type: "text", text: "see" },
            ],
          },
          {
            role: "assistant",
            content: [
              { type: "reasoning", text: "hm", opaque: { protocol: "chat-completions", data: { reasoning: "hm" } } },
              { type: "text", text: "no" },
              { type: "tool-call", id: "a", name: "f", input: "{}" },
              { type: "tool-call", id: "b", name: "patch", input: '{"input":"*** Begin"}' },
            ],
          },
          {
            role: "tool",
            content: [
              { type: "tool-result", id: "a", isError: false, content: [{ type: "text", text: "1" }] },
              { type: "tool-result", id: "b", isError: false, content: [{ type: "text", text: "2" }] },
            ],
          },
          { role: "assistant", content: [{ type: "text", text: "never" }] },
        ],
      },
      dropped: [
        "seed",
        "n: one answer is given",
        "name of a message",
        "content part input_audio",
        "a file that only its provider has",
        "cache_control",
        "tool of type custom",
      ],
    });
  });

  it("drops no number of answers that says nothing", () => {
    for (const n of [1, null]) {
      expect(chatCompletions.decodeRequest({ n, messages: [{ role: "user", content: "hi" }] }).dropped).toEqual([]);
    }
  });

  it("reads function calls of the older kind as tool calls", () => {
    const { request } = chatCompletions.decodeRequest({
      functions: [{ name: "f", parameters: { type: "object" } }],
      function_call: { name: "f" },
      messages: [
        { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } },
        { role: "function", name: "f", content: "1" },
      ],
    });
    const [assistant, result] = request.messages;
    const call = assistant?.content[0];
    expect(request).toMatchObject({ tools: [{ name: "f" }], toolChoice: { name: "f" } });
    expect(call).toMatchObject({ type: "tool-call", name: "f", id: expect.stringMatching(/^call_[0-9a-f]{16}$/) });
    expect(result).toMatchObject({ role: "tool", content: [{ id: (call as { id: string }).id }] });
  });

  it.each([
    [{}, "messages: "],
    [{ messages: [7] }, "messages[0]: "],
    [{ messages: [{ role: "wizard" }] }, "messages[0].role: "],
    [{ messages: [{ role: "user", content: 7 }] }, "messages[0].content: "],
    [{ messages: [{ role: "user", content: ["x"] }] }, "messages[0].content[0]: "],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].tool_call_id: "],
    [{ messages: [{ role: "assistant", tool_calls: [{}] }] }, "messages[0].tool_calls[0].id: "],
    [{ messages: [{ role: "assistant", tool_calls: [{ id: "a" }] }] }, "messages[0].tool_calls[0].function: "],
    [{ messages: [], tools: {} }, "tools: "],
    [{ messages: [], tools: [{ type: "function" }] }, "tools[0].function.name: "],
    [{ messages: [], tool_choice: "magic" }, "tool_choice: "],
  ] as [JsonObject, string][])("refuses %j and names the field", (body, field) => {
    let refused: unknown;
    try {
      chatCompletions.decodeRequest(body);
    } catch (error) {
      refused = error;
    }
    expect(isUnderstudyError(refused, "request_refused")).toBe(true);
    expect((refused as Error).message.startsWith(field), (refused as Error).message).toBe(true);
  });
});

describe("repairing a Chat Completions request", () => {
  it("takes reasoning out of the assistant's messages and leaves the given body as it was", () => {
    const body: JsonObject = {
      model: "m",
      messages: [
        { role: "user", content: "hi", reasoning: "mine" },
        { role: "assistant", content: "a", reasoning_content: "x", reasoning_details: [{}], reasoning: "x" },
      ],
    };
    const before = structuredClone(body);
    expect(chatCompletions.repairRequest(body)).toEqual({
      model: "m",
      messages: [
        { role: "user", content: "hi", reasoning: "mine" },
        { role: "assistant", content: "a" },
      ],
    });
    expect(body).toEqual(before);
  });

  it.each([[{ messages: [{ role: "assistant", content: "a" }] }], [{ messages: 7 }], [{}]] as [JsonObject][])(
    "has nothing to do for %j",
    (body) => {
      expect(chatCompletions.repairRequest(body)).toBeNull();
    },
  );
});

describe("cleaning a Chat Completions request", () => {
  const clean = (text: string): string => chatCompletions.cleanRequest?.(text) ?? "";
  const history = (id: string): object[] => [
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id, type: "function", function: { name: "f", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: id, content: "o" },
  ];

  it("gives a call and its result a shorter id where OpenAI would not take theirs", () => {
    const cleaned = clean(
      `{"seed": 1.0, "messages": ${JSON.stringify([...history("c".repeat(41)), ...history("d")])} }`,
    );
    const body = JSON.parse(cleaned) as { messages: { tool_call_id?: string; tool_calls?: { id: string }[] }[] };
    const ids = body.messages.map((message) => message.tool_calls?.[0]?.id ?? message.tool_call_id ?? "");
    expect(cleaned.startsWith('{"seed": 1.0, "messages": [')).toBe(true);
    expect(ids[0]).toHaveLength(40);
    expect(ids).toEqual([ids[0], ids[0], "d", "d"]);
  });

  it.each([
    JSON.stringify({ messages: history("c".repeat(40)) }),
    '{"messages":[{"role":"user","content":"tool_call_id"}], "n":1.0}',
    '{"tool_call_id":"has a blank","messages":7}',
  ])("leaves %s as it is", (text) => {
    expect(clean(text)).toBe(text);
  });
});

describe("the endpoint of Chat Completions", () => {
  it.each([
    ["https://api.deepseek.com", "https://api.deepseek.com/chat/completions"],
    ["https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"],
    ["http://127.0.0.1:8080/v1/chat/completions", "http://127.0.0.1:8080/v1/chat/completions"],
  ])("for %s is %s", (base, url) => {
    expect(chatCompletions.endpoint(base)).toBe(url);
  });

  it("gets the key as a bearer token", () => {
    expect(chatCompletions.headers("sk-1")).toEqual({
      authorization: "Bearer sk-1",
      "content-type": "application/json",
    });
  });
});
