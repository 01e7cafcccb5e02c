import type {
  LanguageModelV4CallOptions,
  LanguageModelV4Message,
  LanguageModelV4ToolResultOutput,
} from "@ai-sdk/provider";
import { describe, expect, it } from "vitest";
import { writeCall } from "../../src/ai-sdk/request.ts";
import type { Route } from "../../src/core/target.ts";

const route: Route = {
  name: "coding",
  strict: false,
  targets: [
    { provider: "codex", model: "gpt-5.5" },
    { provider: "anthropic", model: "claude-opus-4-8" },
  ],
};
const hello: LanguageModelV4Message = { role: "user", content: [{ type: "text", text: "hello" }] };

const write = (options: Partial<LanguageModelV4CallOptions>) => {
  const { request, warnings, preferredCredentialId } = writeCall({ prompt: [hello], ...options }, route, true);
  return { request, warnings: warnings.list, preferredCredentialId };
};
/** The messages of a prompt, and what was warned of. */
const messagesOf = (...prompt: LanguageModelV4Message[]) => {
  const { request, warnings } = write({ prompt });
  return {
    messages: request.messages,
    warned: warnings.map((warning) => ("feature" in warning ? warning.feature : "")),
  };
};

describe("the settings of a call", () => {
  it("go over as they are", () => {
    const { request, warnings } = write({
      maxOutputTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      stopSequences: ["END"],
      reasoning: "high",
      headers: { "user-agent": "ai/7.0.0" },
    });
    expect(request).toEqual({
      messages: [hello],
      maxOutputTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      stop: ["END"],
      reasoningEffort: "high",
      stream: true,
    });
    expect(warnings).toEqual([]);
  });

  it("of which the protocols share no notion are warned of, each once", () => {
    const { warnings } = write({
      topK: 3,
      presencePenalty: 1,
      frequencyPenalty: 1,
      seed: 7,
      includeRawChunks: true,
      headers: { "user-agent": "ai/7.0.0", "x-mine": "1" },
    });
    expect(warnings.map((warning) => warning.type === "unsupported" && warning.feature)).toEqual([
      "topK",
      "presencePenalty",
      "frequencyPenalty",
      "seed",
      "includeRawChunks",
      "headers",
    ]);
    expect(warnings.at(-1)).toMatchObject({ details: expect.stringMatching(/^x-mine:/) });
  });

  it.each([
    [{}, undefined, []],
    [{ reasoning: "provider-default" }, undefined, []],
    [{ reasoning: "none" }, "none", []],
    [{ reasoning: "max" }, "xhigh", ["compatibility"]],
    [{ reasoning: "low", providerOptions: { understudy: { reasoningEffort: "medium" } } }, "medium", []],
    [{ providerOptions: { openai: { reasoningEffort: "medium" } } }, undefined, []],
    [{ providerOptions: { understudy: { effort: "medium" } } }, undefined, ["unsupported"]],
  ] as const)("%j asks for the effort %s", (options, effort, warned) => {
    const { request, warnings } = write(options);
    expect(request.reasoningEffort).toBe(effort);
    expect(warnings.map(({ type }) => type)).toEqual(warned);
  });

  it("a schema goes over with its name and description; strictness only when asked for", () => {
    const schema = { type: "object" as const, properties: {} };
    const json = { type: "json" as const, schema, name: "city", description: "A city" };
    expect(write({ responseFormat: { type: "text" } }).request.responseFormat).toBeUndefined();
    expect(write({ responseFormat: { type: "json" } }).request.responseFormat).toEqual({});
    expect(write({ responseFormat: json }).request.responseFormat).toEqual({
      name: "city",
      schema: { description: "A city", ...schema },
    });
    const strict = write({ responseFormat: json, providerOptions: { understudy: { strictJsonSchema: true } } });
    expect(strict.request.responseFormat?.strict).toBe(true);
  });
});

describe("the tools of a call", () => {
  const look = {
    type: "function" as const,
    name: "look",
    description: "Looks",
    inputSchema: { type: "object" as const, properties: {} },
    strict: true,
  };
  const search = { type: "provider" as const, id: "openai.web_search" as const, name: "web_search", args: {} };

  it("go over; those of one provider are warned of, and so are examples", () => {
    const { request, warnings } = write({ tools: [{ ...look, inputExamples: [{ input: {} }] }, search] });
    expect(request.tools).toEqual([
      { name: "look", description: "Looks", schema: { type: "object", properties: {} }, strict: true },
    ]);
    expect(warnings).toMatchObject([{ feature: "inputExamples" }, { feature: "tool openai.web_search" }]);
  });

  it.each([
    [{ type: "auto" }, "auto"],
    [{ type: "none" }, "none"],
    [{ type: "required" }, "required"],
    [{ type: "tool", toolName: "look" }, { name: "look" }],
    [{ type: "tool", toolName: "web_search" }, undefined],
    [undefined, undefined],
  ] as const)("the choice %j becomes %j", (toolChoice, expected) => {
    expect(write({ tools: [look, search], ...(toolChoice && { toolChoice }) }).request.toolChoice).toEqual(expected);
  });

  it("without a tool that can be carried there is no choice", () => {
    const { request } = write({ tools: [search], toolChoice: { type: "required" } });
    expect([request.tools, request.toolChoice]).toEqual([undefined, undefined]);
  });

  it("one call at a time, when asked for", () => {
    const { request } = write({ tools: [look], providerOptions: { understudy: { parallelToolCalls: false } } });
    expect(request.parallelToolCalls).toBe(false);
  });
});

describe("the files of a prompt", () => {
  const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a]);
  const base64 = "iVBORw0K";

  it.each([
    ["an image's bytes", png, "image/png", { type: "image", url: `data:image/png;base64,${base64}` }],
    ["an image of no said type", base64, "image", { type: "image", url: `data:image/png;base64,${base64}` }],
    ["an image of any type", "/9j/4AAQ", "image/*", { type: "image", url: "data:image/jpeg;base64,/9j/4AAQ" }],
    ["a document", "JVBERi0=", "application/pdf", { type: "file", mediaType: "application/pdf", data: "JVBERi0=" }],
    ["a text as base64", "aGVsbG8=", "text/plain", { type: "text", text: "hello" }],
    ["a text as bytes", new TextEncoder().encode("grüß"), "text/markdown", { type: "text", text: "grüß" }],
  ])("%s", (_what, data, mediaType, expected) => {
    const { messages, warned } = messagesOf({
      role: "user",
      content: [{ type: "file", mediaType, data: { type: "data", data } }],
    });
    expect(messages).toEqual([{ role: "user", content: [expected] }]);
    expect(warned).toEqual([]);
  });

  it("bytes of a megabyte come through whole", () => {
    const data = new Uint8Array(1_000_003).map((_, index) => index % 251);
    const { messages } = messagesOf({
      role: "user",
      content: [{ type: "file", mediaType: "application/pdf", data: { type: "data", data } }],
    });
    expect(messages[0]?.content[0]).toMatchObject({ data: Buffer.from(data).toString("base64") });
  });

  it("an image keeps its address, and a file its name", () => {
    const { messages } = messagesOf({
      role: "user",
      content: [
        { type: "file", mediaType: "image/png", data: { type: "url", url: new URL("https://example.com/a.png") } },
        { type: "file", mediaType: "text/csv", filename: "a.csv", data: { type: "text", text: "a,b" } },
        { type: "file", mediaType: "application/pdf", filename: "a.pdf", data: { type: "data", data: "JVBERi0=" } },
      ],
    });
    expect(messages[0]?.content).toEqual([
      { type: "image", url: "https://example.com/a.png" },
      { type: "text", text: "[file a.csv]\na,b" },
      { type: "file", mediaType: "application/pdf", filename: "a.pdf", data: "JVBERi0=" },
    ]);
  });

  it("one that can't travel leaves a word in its place and a warning", () => {
    const { messages, warned } = messagesOf({
      role: "user",
      content: [
        { type: "file", mediaType: "image/png", data: { type: "reference", reference: { openai: "file-1" } } },
        {
          type: "file",
          mediaType: "application/pdf",
          filename: "a.pdf",
          data: { type: "url", url: new URL("https://example.com/a.pdf") },
        },
      ],
    });
    expect(messages[0]?.content).toEqual([
      { type: "text", text: "[file of type image/png left out]" },
      { type: "text", text: "[file of type application/pdf (a.pdf) left out]" },
    ]);
    expect(warned).toEqual(["file of type image/png", "file of type application/pdf"]);
  });
});

describe("a history", () => {
  it("keeps its order: system, person, words, calls", () => {
    const { messages, warned } = messagesOf({ role: "system", content: "Be brief." }, hello, {
      role: "assistant",
      content: [
        { type: "text", text: "I look." },
        { type: "tool-call", toolCallId: "c1", toolName: "look", input: { at: "it" } },
        { type: "tool-call", toolCallId: "c2", toolName: "look", input: "{not json" },
        { type: "tool-call", toolCallId: "c3", toolName: "look", input: undefined },
      ],
    });
    expect(messages).toEqual([
      { role: "system", content: [{ type: "text", text: "Be brief." }] },
      hello,
      {
        role: "assistant",
        content: [
          { type: "text", text: "I look." },
          { type: "tool-call", id: "c1", name: "look", input: '{"at":"it"}' },
          { type: "tool-call", id: "c2", name: "look", input: "{not json" },
          { type: "tool-call", id: "c3", name: "look", input: "{}" },
        ],
      },
    ]);
    expect(warned).toEqual([]);
  });

  it.each<[string, LanguageModelV4ToolResultOutput, boolean, unknown[]]>([
    ["text", { type: "text", value: "it" }, false, [{ type: "text", text: "it" }]],
    ["json", { type: "json", value: { at: [1] } }, false, [{ type: "text", text: '{"at":[1]}' }]],
    ["nothing", { type: "json", value: undefined as never }, false, [{ type: "text", text: "null" }]],
    ["an error", { type: "error-text", value: "no" }, true, [{ type: "text", text: "no" }]],
    ["an error as json", { type: "error-json", value: { no: 1 } }, true, [{ type: "text", text: '{"no":1}' }]],
    ["a denial", { type: "execution-denied", reason: "not now" }, true, [{ type: "text", text: "not now" }]],
    [
      "a denial without a reason",
      { type: "execution-denied" },
      true,
      [{ type: "text", text: "The person did not allow this call." }],
    ],
    [
      "words and pictures",
      {
        type: "content",
        value: [
          { type: "text", text: "see" },
          { type: "file", mediaType: "image/png", data: { type: "data", data: "iVBORw0K" } },
          { type: "file", mediaType: "text/plain", data: { type: "text", text: "note" } },
        ],
      },
      false,
      [
        { type: "text", text: "see" },
        { type: "image", url: "data:image/png;base64,iVBORw0K" },
        { type: "text", text: "note" },
      ],
    ],
  ])("a tool's result of %s", (_what, output, isError, content) => {
    const { messages, warned } = messagesOf({
      role: "tool",
      content: [{ type: "tool-result", toolCallId: "c1", toolName: "look", output }],
    });
    expect(messages).toEqual([{ role: "tool", content: [{ type: "tool-result", id: "c1", isError, content }] }]);
    expect(warned).toEqual([]);
  });

  it("a document in a tool's result leaves a word in its place", () => {
    const { messages, warned } = messagesOf({
      role: "tool",
      content: [
        {
          type: "tool-result",
          toolCallId: "c1",
          toolName: "look",
          output: {
            type: "content",
            value: [
              { type: "file", mediaType: "application/pdf", data: { type: "data", data: "JVBERi0=" } },
              { type: "custom" },
            ],
          },
        },
      ],
    });
    expect(messages[0]?.content[0]).toMatchObject({
      content: [{ type: "text", text: "[file of type application/pdf left out]" }],
    });
    expect(warned).toEqual(["file of type application/pdf", "custom content in tool results"]);
  });

  it("what a provider ran itself is left out, call and result", () => {
    const { messages, warned } = messagesOf({
      role: "assistant",
      content: [
        { type: "tool-call", toolCallId: "s1", toolName: "web_search", input: {}, providerExecuted: true },
        { type: "tool-result", toolCallId: "s1", toolName: "web_search", output: { type: "text", value: "found" } },
        { type: "custom", kind: "openai.compaction" },
        { type: "text", text: "Found." },
      ],
    });
    expect(messages).toEqual([{ role: "assistant", content: [{ type: "text", text: "Found." }] }]);
    expect(warned).toEqual(["tools that a provider runs", "content of kind openai.compaction"]);
  });
});

describe("what comes back with a stamp", () => {
  const opaque = { protocol: "responses", data: { type: "reasoning", encrypted_content: "sealed" } };
  const issuer = { provider: "codex", model: "gpt-5.5", credential: "c-1" };
  const reasoning = (understudy: unknown): LanguageModelV4Message => ({
    role: "assistant",
    content: [{ type: "reasoning", text: "Hm.", providerOptions: { understudy: understudy as never } }],
  });

  it("sealed reasoning goes on while its issuer is on the route", () => {
    const { messages } = messagesOf(reasoning({ issuer, opaque }));
    expect(messages[0]?.content).toEqual([{ type: "reasoning", text: "Hm.", opaque }]);
  });

  it.each([
    ["an issuer that is not on the route", { issuer: { ...issuer, provider: "xai" }, opaque }],
    ["another model of the issuer", { issuer: { ...issuer, model: "gpt-5.4" }, opaque }],
    ["no issuer", { opaque }],
    ["a protocol that seals nothing", { issuer, opaque: { ...opaque, protocol: "chat-completions" } }],
    ["a protocol that does not exist", { issuer, opaque: { ...opaque, protocol: "toString" } }],
    ["something that is no reasoning", { issuer, opaque: { protocol: "messages", data: { type: "tool_use" } } }],
    ["no object", "sealed"],
  ])("of %s only the words go on", (_what, understudy) => {
    const { messages } = messagesOf(reasoning(understudy));
    expect(messages[0]?.content).toEqual([{ type: "reasoning", text: "Hm." }]);
  });

  it("the one who gave the last answer is preferred", () => {
    const answer = (credential: string): LanguageModelV4Message => ({
      role: "assistant",
      content: [{ type: "text", text: "Hi.", providerOptions: { understudy: { issuer: { ...issuer, credential } } } }],
    });
    const foreign: LanguageModelV4Message = { role: "assistant", content: [{ type: "text", text: "Hi." }] };
    const preferred = (...prompt: LanguageModelV4Message[]) => write({ prompt }).preferredCredentialId;
    expect(preferred(hello, answer("c-1"), hello, answer("c-2"), hello)).toBe("c-2");
    expect(preferred(hello, answer("c-1"), hello, foreign, hello)).toBeUndefined();
    expect(preferred(hello)).toBeUndefined();
  });
});
