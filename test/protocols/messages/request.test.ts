import { describe, expect, it } from "vitest";
import { isUnderstudyError } from "../../../src/core/error.ts";
import type { CanonicalRequest, JsonObject, Message } from "../../../src/protocols/canonical.ts";
import { messages } from "../../../src/protocols/messages/index.ts";
import { interruptedResult } from "../../../src/protocols/tidy-history.ts";

const model = "claude-sonnet-4-5";
const hello: Message = { role: "user", content: [{ type: "text", text: "hello" }] };

function encode(request: Partial<CanonicalRequest>, name = model): { body: JsonObject; dropped: string[] } {
  return messages.encodeRequest({ messages: [hello], stream: true, ...request }, name);
}

function history(...list: Message[]): unknown {
  return encode({ messages: list }).body["messages"];
}

const signed = { type: "thinking", thinking: "hm", signature: "c2ln" };
const fullHistory: Message[] = [
  { role: "system", content: [{ type: "text", text: "Be brief." }] },
  {
    role: "user",
    content: [
      { type: "text", text: "What is this?" },
      { type: "image", url: "data:image/png;base64,iVBORw0KGgo=" },
      { type: "image", url: "https://example.org/cat.jpg" },
      { type: "file", mediaType: "application/pdf", data: "JVBERi0=", filename: "a.pdf" },
      { type: "file", mediaType: "text/plain", data: "R3LDvMOf" },
    ],
  },
  {
    role: "assistant",
    content: [
      { type: "reasoning", text: "hm", opaque: { protocol: "messages", data: signed } },
      { type: "text", text: "Let me look." },
      { type: "tool-call", id: "toolu_1", name: "look", input: '{"at":[1,2]}' },
      { type: "tool-call", id: "toolu_2", name: "look", input: "{}" },
    ],
  },
  {
    role: "tool",
    content: [
      {
        type: "tool-result",
        id: "toolu_1",
        isError: false,
        content: [
          { type: "text", text: "a cat" },
          { type: "image", url: "data:image/webp;base64,UklGRg==" },
        ],
      },
      { type: "tool-result", id: "toolu_2", isError: true, content: [{ type: "text", text: "too dark" }] },
    ],
  },
  { role: "user", content: [{ type: "text", text: "And?" }] },
];

describe("a canonical request as a Messages request", () => {
  it("comes back the same with everything the protocol can carry", () => {
    const request: CanonicalRequest = {
      messages: fullHistory,
      tools: [
        { name: "look", description: "Looks.", schema: { type: "object", properties: { at: {} } }, strict: true },
        { name: "bare", schema: { type: "object" } },
      ],
      toolChoice: "auto",
      parallelToolCalls: false,
      maxOutputTokens: 50_000,
      stop: ["END"],
      reasoningEffort: "high",
      responseFormat: { schema: { type: "object" } },
      stream: false,
    };
    const { body, dropped } = messages.encodeRequest(request, model);
    expect(dropped).toEqual([]);
    expect(messages.decodeRequest(body)).toEqual({ request, dropped: [] });
  });

  it("has the wire shape of the documentation", () => {
    expect(encode({ messages: fullHistory, maxOutputTokens: 10 }).body).toEqual({
      model,
      max_tokens: 10,
      stream: true,
      system: [{ type: "text", text: "Be brief." }],
      messages: [
        {
          role: "user",
          content: [
            { type: "text", text: "What is this?" },
            { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } },
            { type: "image", source: { type: "url", url: "https://example.org/cat.jpg" } },
            {
              type: "document",
              source: { type: "base64", media_type: "application/pdf", data: "JVBERi0=" },
              title: "a.pdf",
            },
            { type: "document", source: { type: "text", media_type: "text/plain", data: "Grüß" } },
          ],
        },
        {
          role: "assistant",
          content: [
            signed,
            { type: "text", text: "Let me look." },
            { type: "tool_use", id: "toolu_1", name: "look", input: { at: [1, 2] } },
            { type: "tool_use", id: "toolu_2", name: "look", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            {
              type: "tool_result",
              tool_use_id: "toolu_1",
              content: [
                { type: "text", text: "a cat" },
                { type: "image", source: { type: "base64", media_type: "image/webp", data: "UklGRg==" } },
              ],
            },
            {
              type: "tool_result",
              tool_use_id: "toolu_2",
              content: [{ type: "text", text: "too dark" }],
              is_error: true,
            },
            { type: "text", text: "And?" },
          ],
        },
      ],
    });
  });

  it("sends the default limit when the caller named none", () => {
    expect(encode({}).body["max_tokens"]).toBe(32_000);
  });

  it.each([
    [{ toolChoice: "auto" }, { type: "auto" }],
    [{ toolChoice: "none", parallelToolCalls: false }, { type: "none" }],
    [{ toolChoice: "required", parallelToolCalls: true }, { type: "any" }],
    [
      { toolChoice: { name: "f" }, parallelToolCalls: false },
      { type: "tool", name: "f", disable_parallel_tool_use: true },
    ],
    [{ parallelToolCalls: false }, { type: "auto", disable_parallel_tool_use: true }],
    [{ parallelToolCalls: true }, undefined],
    [{}, undefined],
  ] as [Partial<CanonicalRequest>, unknown][])("maps %j to tool_choice %j", (request, expected) => {
    const tools = [{ name: "f", schema: {} }];
    expect(encode({ ...request, tools }).body["tool_choice"]).toEqual(expected);
    expect(encode(request).body["tool_choice"]).toBeUndefined();
  });

  it("gives a tool without a schema the schema of an object", () => {
    expect(encode({ tools: [{ name: "f", schema: {} }] }).body["tools"]).toEqual([
      { name: "f", input_schema: { type: "object" } },
    ]);
  });

  it("limits temperature, and sends top_p only without it", () => {
    expect(encode({ temperature: 1.7, topP: 0.5 })).toMatchObject({
      body: { temperature: 1 },
      dropped: ["top_p: not taken together with temperature", "temperature above 1"],
    });
    expect(encode({ temperature: 0.3, topP: 0.5 }).body).not.toHaveProperty("top_p");
    expect(encode({ topP: 0.5 })).toMatchObject({ body: { top_p: 0.5 }, dropped: [] });
    expect(encode({ temperature: 0.3 }, "claude-opus-4-7").body).not.toHaveProperty("temperature");
    expect(encode({ temperature: 0.3, reasoningEffort: "low" }).body).not.toHaveProperty("temperature");
  });

  it("says that JSON without a schema and blank stop sequences could not be carried", () => {
    const { body, dropped } = encode({ responseFormat: {}, stop: ["\n\n", "END"] });
    expect(dropped).toEqual(["JSON output without a schema", "stop sequences of nothing but blanks"]);
    expect(body["stop_sequences"]).toEqual(["END"]);
    expect(body).not.toHaveProperty("output_config");
  });
});

describe("a canonical history in a Messages request", () => {
  it("keeps later system messages in their place, as a note of the user", () => {
    expect(
      history(
        hello,
        { role: "system", content: [{ type: "text", text: "The user is in a hurry." }] },
        { role: "assistant", content: [{ type: "text", text: "hi" }] },
        hello,
      ),
    ).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "hello" },
          { type: "text", text: "<system-note>\nThe user is in a hurry.\n</system-note>" },
        ],
      },
      { role: "assistant", content: [{ type: "text", text: "hi" }] },
      { role: "user", content: [{ type: "text", text: "hello" }] },
    ]);
  });

  it("is one user message when there are only system messages", () => {
    expect(encode({ messages: [{ role: "system", content: [{ type: "text", text: "Say hi." }] }] }).body).toMatchObject(
      {
        messages: [{ role: "user", content: [{ type: "text", text: "Say hi." }] }],
      },
    );
  });

  it("drops reasoning of other providers and says so", () => {
    const { body, dropped } = encode({
      messages: [
        hello,
        {
          role: "assistant",
          content: [
            { type: "reasoning", text: "hm", opaque: { protocol: "responses", data: { encrypted_content: "x" } } },
            { type: "reasoning", text: "unsigned" },
            { type: "text", text: "hi" },
          ],
        },
        hello,
      ],
    });
    expect(body["messages"]).toMatchObject([{}, { content: [{ type: "text", text: "hi" }] }, {}]);
    expect(dropped).toEqual(["reasoning of another provider"]);
  });

  it("never ends a message with thinking, and drops one that holds nothing else", () => {
    const thinking: Message = {
      role: "assistant",
      content: [{ type: "reasoning", text: "hm", opaque: { protocol: "messages", data: signed } }],
    };
    expect(history(hello, thinking, hello)).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "hello" },
          { type: "text", text: "hello" },
        ],
      },
    ]);
  });

  it("moves images out of the result of a failed call, behind all results", () => {
    expect(
      history(
        hello,
        {
          role: "assistant",
          content: [
            { type: "tool-call", id: "a", name: "f", input: "{}" },
            { type: "tool-call", id: "b", name: "f", input: "{}" },
          ],
        },
        {
          role: "tool",
          content: [
            {
              type: "tool-result",
              id: "a",
              isError: true,
              content: [{ type: "image", url: "https://example.org/a.png" }],
            },
            { type: "tool-result", id: "b", isError: false, content: [] },
          ],
        },
      ),
    ).toMatchObject([
      {},
      {},
      {
        content: [
          { type: "tool_result", tool_use_id: "a", is_error: true },
          { type: "tool_result", tool_use_id: "b" },
          { type: "image", source: { type: "url", url: "https://example.org/a.png" } },
        ],
      },
    ]);
  });

  it("rewrites tool ids alike on call and result, and closes a call that has no result", () => {
    const id = "call_1|fc_2";
    const encoded = history(
      hello,
      {
        role: "assistant",
        content: [
          { type: "tool-call", id, name: "f", input: "not json" },
          { type: "tool-call", id: "lost", name: "f", input: "{}" },
        ],
      },
      { role: "tool", content: [{ type: "tool-result", id, isError: false, content: [{ type: "text", text: "ok" }] }] },
    ) as { content: { id: string; tool_use_id: string }[] }[];
    const [call, lost] = encoded[1]?.content ?? [];
    const [result, closing] = encoded[2]?.content ?? [];
    expect(call?.id).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(call).toMatchObject({ input: { malformed_input: "not json" } });
    expect(result).toMatchObject({ tool_use_id: call?.id, content: [{ type: "text", text: "ok" }] });
    expect(closing).toMatchObject({
      tool_use_id: lost?.id,
      is_error: true,
      content: [{ type: "text", text: interruptedResult }],
    });
  });

  it("leaves a word where Anthropic can't read an image or a file", () => {
    const { body, dropped } = encode({
      messages: [
        {
          role: "user",
          content: [
            { type: "image", url: "data:image/svg+xml;base64,PHN2Zz4=" },
            { type: "image", url: "file:///etc/passwd" },
            { type: "file", mediaType: "application/zip", data: "UEs=" },
          ],
        },
      ],
    });
    expect(body["messages"]).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "[image left out]" },
          { type: "text", text: "[image left out]" },
          { type: "text", text: "[file of type application/zip left out]" },
        ],
      },
    ]);
    expect(dropped).toEqual([
      "image: Anthropic can't read it",
      "file of type application/zip: Anthropic can't read it",
    ]);
  });

  it("goes on from an assistant message where the model can, and asks where it can't", () => {
    const list: Message[] = [hello, { role: "assistant", content: [{ type: "text", text: "Once upon \n" }] }];
    expect(encode({ messages: list }).body["messages"]).toMatchObject([{}, { content: [{ text: "Once upon" }] }]);
    expect(encode({ messages: list }, "claude-opus-4-6").body["messages"]).toMatchObject([
      {},
      { content: [{ text: "Once upon \n" }] },
      { role: "user", content: [{ text: "Continue exactly where you stopped." }] },
    ]);
  });
});

describe("a Messages request as canonical", () => {
  it("reads what Claude Code sends and names what it can't carry", () => {
    const body: JsonObject = {
      model: "claude-opus-4-8",
      max_tokens: 64_000,
      stream: true,
      metadata: { user_id: "{}" },
      system: [{ type: "text", text: "You are Claude Code.", cache_control: { type: "ephemeral" } }],
      thinking: { type: "adaptive" },
      output_config: { effort: "max" },
      context_management: { edits: [] },
      tools: [
        { name: "Bash", description: "Runs.", input_schema: { type: "object" }, cache_control: { type: "ephemeral" } },
        { type: "web_search_20250305", name: "web_search" },
      ],
      tool_choice: { type: "any", disable_parallel_tool_use: true },
      messages: [
        { role: "user", content: "hi" },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "unsigned", signature: "" },
            { type: "redacted_thinking", data: "AAEC" },
            { type: "tool_use", id: "toolu_1", name: "Bash", input: { command: "ls" } },
            { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} },
          ],
        },
        {
          role: "user",
          content: [
            { type: "text", text: "<reminder>", cache_control: { type: "ephemeral" } },
            { type: "tool_result", tool_use_id: "toolu_1", content: "a.txt" },
          ],
        },
        { role: "system", content: "Note." },
      ],
    };
    expect(messages.decodeRequest(body)).toEqual({
      request: {
        stream: true,
        maxOutputTokens: 64_000,
        reasoningEffort: "xhigh",
        tools: [{ name: "Bash", description: "Runs.", schema: { type: "object" } }],
        toolChoice: "required",
        parallelToolCalls: false,
        messages: [
          { role: "system", content: [{ type: "text", text: "You are Claude Code." }] },
          { role: "user", content: [{ type: "text", text: "hi" }] },
          {
            role: "assistant",
            content: [
              { type: "reasoning", text: "unsigned" },
              {
                type: "reasoning",
                text: "",
                opaque: { protocol: "messages", data: { type: "redacted_thinking", data: "AAEC" } },
              },
              { type: "tool-call", id: "toolu_1", name: "Bash", input: '{"command":"ls"}' },
            ],
          },
          {
            role: "tool",
            content: [
              { type: "tool-result", id: "toolu_1", isError: false, content: [{ type: "text", text: "a.txt" }] },
            ],
          },
          { role: "user", content: [{ type: "text", text: "<reminder>" }] },
          { role: "system", content: [{ type: "text", text: "Note." }] },
        ],
      },
      dropped: [
        "metadata",
        "context_management",
        "cache_control",
        "content block server_tool_use",
        "tool of type web_search_20250305",
      ],
    });
  });

  it("reads documents of text, and leaves a word for sources only Anthropic has", () => {
    const content: JsonObject[] = [
      { type: "document", source: { type: "content", content: [{ type: "text", text: "a" }] }, title: "T" },
      { type: "document", source: { type: "file", file_id: "file_1" } },
      { type: "image", source: { type: "file", file_id: "file_2" } },
      {
        type: "tool_result",
        tool_use_id: "t",
        content: [{ type: "document", source: { type: "text", data: "inside" } }],
      },
    ];
    const { request, dropped } = messages.decodeRequest({ messages: [{ role: "user", content }] });
    expect(request.messages).toEqual([
      {
        role: "tool",
        content: [{ type: "tool-result", id: "t", isError: false, content: [{ type: "text", text: "inside" }] }],
      },
      {
        role: "user",
        content: [
          { type: "file", mediaType: "text/plain", data: "YQ==", filename: "T" },
          { type: "text", text: "[document left out]" },
          { type: "text", text: "[image left out]" },
        ],
      },
    ]);
    expect(dropped).toEqual(["the source of a document", "the source of an image"]);
  });

  it.each([
    [{}, "messages: "],
    [{ messages: [7] }, "messages[0]: "],
    [{ messages: [{ role: "wizard", content: "" }] }, "messages[0].role: "],
    [{ messages: [{ role: "user", content: 7 }] }, "messages[0].content: "],
    [{ messages: [{ role: "user", content: ["x"] }] }, "messages[0].content[0]: "],
    [{ messages: [{ role: "assistant", content: [{ type: "tool_use" }] }] }, "messages[0].content[0].id: "],
    [{ messages: [{ role: "user", content: [{ type: "tool_result" }] }] }, "messages[0].content[0].tool_use_id: "],
    [{ messages: [], system: 7 }, "system: "],
    [{ messages: [], tools: {} }, "tools: "],
    [{ messages: [], tools: [{ name: "f" }] }, "tools[0].input_schema: "],
    [{ messages: [], tool_choice: { type: "magic" } }, "tool_choice.type: "],
  ] as [JsonObject, string][])("refuses %j and names the field", (body, field) => {
    let refused: unknown;
    try {
      messages.decodeRequest(body);
    } catch (error) {
      refused = error;
    }
    expect(isUnderstudyError(refused, "request_refused")).toBe(true);
    expect((refused as Error).message.startsWith(field), (refused as Error).message).toBe(true);
  });
});

describe("the endpoint of Messages", () => {
  it.each([
    ["https://api.anthropic.com", "https://api.anthropic.com/v1/messages"],
    ["https://api.anthropic.com/", "https://api.anthropic.com/v1/messages"],
    ["https://api.anthropic.com/v1", "https://api.anthropic.com/v1/messages"],
    ["https://api.anthropic.com/v1//", "https://api.anthropic.com/v1/messages"],
    ["https://api.minimax.io/anthropic", "https://api.minimax.io/anthropic/v1/messages"],
    ["https://api.minimax.io/anthropic/v1/messages", "https://api.minimax.io/anthropic/v1/messages"],
  ])("for %s is %s", (base, url) => {
    expect(messages.endpoint(base)).toBe(url);
  });

  it("gets the key and the version", () => {
    expect(messages.headers("sk-1")).toEqual({
      "x-api-key": "sk-1",
      "anthropic-version": "2023-06-01",
      "content-type": "application/json",
    });
  });
});
