import { expect } from "vitest";
import type { JsonObject } from "../../src/protocols/canonical.ts";
import { chatCompletions } from "../../src/protocols/chat-completions/index.ts";
import { plainSchemas } from "../../src/protocols/plain-schemas.ts";
import { responses } from "../../src/protocols/responses/index.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { cacheKeyOf } from "../../src/turn/cache-key.ts";
import { forwardRequestHeaders } from "../../src/turn/forwarded-headers.ts";
import { better, notApplicable, type PeerCase, same, shownBy } from "./peer-case.ts";
import { place } from "./places.ts";
import {
  answerOf,
  asReasoning,
  body,
  call,
  completed,
  created,
  done,
  effort,
  failed,
  finish,
  inputOf,
  message,
  parts,
  sealed,
  sentTo,
  stream,
  system,
  text,
  tool,
  user,
  xai,
} from "./responses-parts.ts";
import { playOnce, well } from "./theatre.ts";

const agentLoop =
  "what an agent does with an answer (goes on, asks again, compresses, shows) is the agent's; here a turn is one answer";
const xaiOnly = "headers and tools of xAI's own API are the caller's to send; they pass through untouched";
const xaiLogin = "the login of xAI is left out; xAI takes a key";
const otherLogin = "this login is left out, and said so when it is asked for";
const ownBuilder = "asserts the arguments of the peer's own builder and client library";
const limits = "limits are named in the configuration, which refuses what is no whole number of milliseconds";

/** D: the Responses transport, normalisation, recovery of logins. */
export const transportCases: readonly PeerCase[] = [
  same("D1", "the transport of Codex", "Responses", () =>
    expect(findProvider(builtInProviders, "codex")?.protocol).toBe("responses"),
  ),
  same("D2", "looked up by its name", "found", () =>
    expect(findProvider(builtInProviders, "openai-codex")?.id).toBe("codex"),
  ),
  same("D4", "a system message and one of the user", "instructions, input, store false", () =>
    expect(body({ messages: [system("be brief"), user("hi")] })).toMatchObject({
      model: "gpt-5.5",
      instructions: "be brief",
      input: [{ role: "user" }],
      store: false,
    }),
  ),
  same("D5", "a system message", "it becomes the instructions", () =>
    expect(body({ messages: [system("Custom system prompt"), user("x")] })["instructions"]).toBe(
      "Custom system prompt",
    ),
  ),
  better("D6", "no system message", "instructions of the peer's own", () =>
    expect(body({})["instructions"]).toBeUndefined(),
  ),
  same("D8", "reasoning off", "no effort asked for", () => expect(body({})["reasoning"]).toBeUndefined()),
  same("D9", "a session", "a key of what it holds, not of its id", () =>
    expect(cacheKeyOf({ messages: [system("be brief"), user("hi")], stream: true })).toMatch(/^us_[0-9a-f]{16}$/),
  ),
  same(
    "D10",
    "two sessions with the same beginning",
    "the same key",
    shownBy("turn/cache-key.test.ts", "is the same in all its turns, and shows nothing of it"),
  ),
  ...notApplicable(
    xaiOnly,
    ["D12", "xAI and a session", "the key in the body, a header with the session"],
    ["D13", "the caller has its own", "that one"],
    ["D20", "a session", "x-grok-conv-id"],
    ["D21", "headers of the caller", "merged"],
    ["D24", "the client tools read_file and web_search", "xAI's own search in place of the second"],
    ["D25", "only read_file", "nothing added"],
    ["D26", "only web_search", "exactly one entry"],
  ),
  same("D14", "4,096 tokens at most", "max_output_tokens", () =>
    expect(body({ maxOutputTokens: 4_096 })["max_output_tokens"]).toBe(4_096),
  ),
  ...notApplicable("a turn has no session id of its own; what the caller sends under these names goes on", [
    "D16",
    "a session",
    "session_id and x-client-request-id",
  ]),
  same("D17", "no session", "no such headers", () =>
    expect(forwardRequestHeaders(Object.entries({ authorization: "x" }))).toEqual({}),
  ),
  same("D18", "headers of the caller", "they go on", () =>
    expect(forwardRequestHeaders(Object.entries({ session_id: "s", "x-codex-test": "t" }))).toEqual({
      session_id: "s",
      "x-codex-test": "t",
    }),
  ),
  same("D22", "effort minimal", "low", () => expect(effort("minimal", "gpt-5.5")).toBe("low")),
  same("D28", "Grok, reasoning off", "no effort", () => expect(body({}, "grok-4.3")["reasoning"]).toBeUndefined()),
  same("D29", "Grok, minimal", "low", () => expect(effort("minimal", "grok-4.3")).toBe("low")),
  same("D30", "grok-4 and grok-4-0709, high", "no effort; encrypted reasoning is asked for", () => {
    for (const model of ["grok-4", "grok-4-0709"]) {
      expect(body({ reasoningEffort: "high" }, model)).toMatchObject({ include: ["reasoning.encrypted_content"] });
      expect(effort("high", model)).toBeUndefined();
    }
  }),
  same("D32", "grok-3", "no effort", () => expect(effort("high", "grok-3")).toBeUndefined()),
  same("D33", "grok-3-mini and -fast", "high", () =>
    expect(["grok-3-mini", "grok-3-mini-fast"].map((model) => effort("high", model))).toEqual(["high", "high"]),
  ),
  same("D34", "grok-4.20-0309", "no effort", () => expect(effort("high", "grok-4.20-0309-reasoning")).toBeUndefined()),
  same("D36", "grok-code-fast-1", "no effort", () => expect(effort("high", "grok-code-fast-1")).toBeUndefined()),
  same("D37", "the same behind an aggregator", "the same", () =>
    expect([effort("high", "x-ai/grok-3-mini"), effort("high", "x-ai/grok-4-0709")]).toEqual(["high", undefined]),
  ),
  same("D38", "nothing", "no answer", () => expect(responses.readAnswer(null).kind).toBe("failure")),
  same("D40", "a message", "an answer", () =>
    expect(responses.readAnswer(answerOf([message("hi")])).kind).toBe("answer"),
  ),
  same("D41", "no output, but output_text", "left to whoever reads the text", () =>
    expect(parts({ ...answerOf([]), output: null, output_text: "hi" }).some((part) => part.type === "text-delta")).toBe(
      true,
    ),
  ),
  same("D42", "completed", "stop", () => expect(finish(answerOf([message("hi")]))).toMatchObject({ reason: "stop" })),
  better("D44", "failed", "stop", () => expect(failed({ message: "x" }).message).toBe("x")),
  better("D45", "a status nobody knows", "stop", () =>
    expect(
      stream({ type: "response.completed", response: { status: "odd", error: {}, output: [message("hi")] } }),
    ).toBe("failure"),
  ),
  same("D46", "a message of two words", "they and stop", () => {
    const read = parts(answerOf([message("Hello world")]));
    expect(read).toContainEqual({ type: "text-delta", id: expect.any(String) as string, text: "Hello world" });
    expect(read.at(-1)).toMatchObject({ type: "finish", reason: "stop" });
  }),
  same("D48", "a call", "tool calls; its name and arguments", () => {
    expect(parts(answerOf([call]))).toContainEqual({
      type: "tool-call",
      id: "call_1",
      name: "terminal",
      input: '{"a":1}',
    });
    expect(finish(answerOf([call]))).toMatchObject({ reason: "tool-calls" });
  }),
  ...notApplicable(
    limits,
    ["D49", "600.0", "kept"],
    ["D50", "zero, nothing, infinite, true", "left out"],
    ["D54", "an override", "450"],
    ["D116", "600", "kept"],
    ["D117", "0, −1, infinite, true, text", "dropped"],
  ),
  same("D56", "service_tier at Codex", "kept", () => expect(sentTo("codex")).toContain('"service_tier":"priority"')),
  same("D57", "service_tier elsewhere", "kept", () => expect(sentTo("openai")).toContain('"service_tier":"priority"')),
  better("D58", "Grok, an enum with slashes in a tool", "the enum is taken out", () => {
    const schema = { type: "object", properties: { a: { type: "string", enum: ["x/y"] } } };
    const request = body({ tools: [{ name: "t", schema }] }, "grok-4.3");
    expect(JSON.stringify(request["tools"])).toContain("x/y");
    expect(xai(400, "Invalid arguments passed to the model.").next).toBe("repair");
    expect(JSON.stringify(plainSchemas(request))).not.toContain("x/y");
  }),
  same("D60", "another model", "the enum stays", () => {
    const schema = { type: "object", properties: { a: { type: "string", enum: ["x/y"] } } };
    expect(JSON.stringify(body({ tools: [{ name: "t", schema }] })["tools"])).toContain("x/y");
  }),
  ...notApplicable(
    "temporary reasoning ids are the peer's own marking of a stream that broke off",
    ["D61", "reasoning rs_tmp_… and rs_456, a message", "only the second is kept"],
    ["D62", "only such reasoning", "incomplete"],
  ),
  ...notApplicable(agentLoop, ["D64", "a message in progress in a completed response", "incomplete"]),
  same("D65", "function tools and a native web search", "both pass", () => {
    const body = '{"input":"x","tools":[{"type":"function","name":"t"},{"type":"web_search"}]}';
    expect(responses.cleanRequest?.(body)).toBe(body);
  }),
  better("D66", "a tool of an unknown type", "an error before anything is sent", () => {
    const body = '{"input":"x","tools":[{"type":"brand_new"}]}';
    expect(responses.cleanRequest?.(body)).toBe(body);
  }),
  same("D68", "an error with a message", "it", () => expect(failed({ message: "m" }).message).toBe("m")),
  same("D69", "a code, an empty message", "the code", () => expect(failed({ code: "c", message: "" }).code).toBe("c")),
  same("D70", "a code alone", "the code", () => expect(failed({ code: "c" }).code).toBe("c")),
  same("D72", "no error, failed or cancelled", "a sentence with the status", () =>
    expect([failed(null).message, failed(null, "cancelled").message]).toEqual([
      "the response ended as failed",
      "the response ended as cancelled",
    ]),
  ),
  same("D73", "an error that is text", "the text", () =>
    expect(failed("opaque sentinel").message).toBe("opaque sentinel"),
  ),
  same("D74", "code 500, no message", "500", () => expect(failed({ code: 500, message: null }).status).toBe(500)),
  same("D76", "failed with a message", "the turn fails with it", () =>
    expect(failed({ message: "model error" }).message).toBe("model error"),
  ),
  same("D77", "Codex at another URL", "Responses", () =>
    expect(
      place("openai-codex/gpt-5.5", "providers: { codex: { baseUrl: https://openrouter.ai/api/v1 } }").protocol,
    ).toBe("responses"),
  ),
  same("D78", "OpenAI-Codex", "the provider in any case", () =>
    expect(findProvider(builtInProviders, "OpenAI-Codex")?.id).toBe("codex"),
  ),
  ...notApplicable(
    otherLogin,
    ["D80", "Copilot over ACP", "Chat Completions"],
    ["D88", "Copilot, gpt-4.1", "no reasoning"],
    ["D104", "401 of Copilot", "refreshed once"],
    ["D106", "a new GitHub token", "a new client"],
  ),
  better(
    "D81",
    "a custom relay, gpt-5.4",
    "Chat Completions, by guess",
    shownBy("config/resolve.test.ts", "speaks the protocol that was said, whatever its address looks like"),
  ),
  better(
    "D82",
    "a custom provider at api.openai.com",
    "Responses, by its host",
    shownBy("config/resolve.test.ts", "speaks the protocol that was said, whatever its address looks like"),
  ),
  ...notApplicable(ownBuilder, ["D84", "a request to Codex", "its whole list of arguments"]),
  same("D85", "minimal", "low", () => expect(effort("minimal", "gpt-5.3-codex")).toBe("low")),
  same("D86", "low to xhigh", "unchanged", () =>
    expect(["low", "medium", "high", "xhigh"].map((one) => effort(one, "gpt-5.5"))).toEqual([
      "low",
      "medium",
      "high",
      "xhigh",
    ]),
  ),
  better(
    "D89",
    "xAI, a tool with slashes, pattern and format",
    "taken out of the request",
    shownBy("turn/habits.test.ts", "gets a plain one after one refusal"),
  ),
  same("D90", "the same", "the caller's own tools are not changed", () => {
    const request = { messages: [user("x")], tools: [tool], stream: true };
    const before = structuredClone(request);
    responses.encodeRequest(request, "grok-4.3");
    expect(request).toEqual(before);
  }),
  better("D92", "a stream that ends after an item, without its end", "completed", () =>
    expect(stream(created, done(message("hi")))).toBe("not complete"),
  ),
  same("D93", "response.failed", "failed, with its error", () =>
    expect(stream(created, { type: "response.failed", response: { status: "failed", error: { message: "m" } } })).toBe(
      "failure",
    ),
  ),
  same("D94", "created, in progress, completed", "completed", () =>
    expect(stream(created, done(message("hi")), completed)).toBe("end"),
  ),
  same("D96", "a turn with one message", "its text", async () =>
    expect((await playOnce({ pool: [well] })).reading).toMatchObject({ kind: "answer", text: "from k1" }),
  ),
  same("D97", "no output, output_text Hello from Codex", "that text", () =>
    expect(parts({ ...answerOf([]), output_text: "Hello from Codex" })).toContainEqual({
      type: "text-delta",
      id: expect.any(String) as string,
      text: "Hello from Codex",
    }),
  ),
  same("D98", "an answer of nothing, then a message", "asked again", () => {
    expect(stream(created, completed)).toBe("failure");
    expect(responses.readAnswer(answerOf([])).kind).toBe("failure");
  }),
  ...notApplicable(
    xaiLogin,
    ["D100", "the login of xAI", "its cache key and header"],
    ["D101", "401", "refreshed once"],
    ["D102", "a refresh", "a new client"],
  ),
  same(
    "D105",
    "401 of Codex",
    "refreshed, the same again",
    shownBy("turn/turn.test.ts", "a 401 refreshes and goes on with the same login"),
  ),
  same(
    "D108",
    "a call, its result, the answer",
    "one id through all of it",
    shownBy("turn/history.test.ts", "is accepted by everybody at the first try"),
  ),
  same("D109", "a call from the history", "call_id, no id", () => {
    const content = [{ type: "tool-call" as const, id: "call_abc123", name: "terminal", input: "{}" }];
    const results = [{ type: "tool-result" as const, id: "call_abc123", isError: false, content: [text("ok")] }];
    const input = inputOf([user("x"), { role: "assistant", content }, { role: "tool", content: results }]);
    expect(input.slice(1)).toMatchObject([
      { type: "function_call", call_id: "call_abc123" },
      { type: "function_call_output", call_id: "call_abc123" },
    ]);
    expect(input.some((item) => "id" in item)).toBe(false);
  }),
  ...notApplicable("ids of two parts are the peer's own; here they become one that every provider takes", [
    "D110",
    "id call_x|fc_x",
    "call_x",
  ]),
  same("D112", "an output without a call_id", "an error that names it", () =>
    expect(() => responses.decodeRequest({ input: [{ type: "function_call_output", output: "x" }] })).toThrow(
      /call_id/,
    ),
  ),
  better("D113", "a field nobody knows", "an error", () => {
    const body = '{"input":"x","brand_new":1}';
    expect(responses.cleanRequest?.(body)).toBe(body);
  }),
  same("D114", "reasoning, include, temperature, a limit", "kept", () => {
    const { request, dropped } = responses.decodeRequest({
      input: "x",
      temperature: 0.7,
      max_output_tokens: 99,
      reasoning: { effort: "low" },
    });
    expect([request.temperature, request.maxOutputTokens, request.reasoningEffort, dropped]).toEqual([
      0.7,
      99,
      "low",
      [],
    ]);
  }),
  same(
    "D118",
    "the second request",
    "call and output have one id, no other",
    shownBy("turn/history.test.ts", "Responses, items kept without ids"),
  ),
  ...notApplicable(
    agentLoop,
    ["D120", "cut at the output limit", "asked to go on, the rest is the answer"],
    ["D121", "a long tool output", "compressed once"],
    ["D122", "the same", "one summary row"],
    ["D124", "a final answer in an incomplete response", "stop"],
    ["D125", "none", "incomplete"],
    ["D126–127", "a final answer while the response goes on", "incomplete"],
    ["D128", "another message goes on", "incomplete"],
    ["D129", "a message in progress", "kept with its id and status"],
    ["D130", "a call that leaked into the text", "incomplete, no text"],
    ["D132", "a normal text", "stop"],
    ["D133–134", "no callback, or one that throws", "not taken for shown"],
    ["D136–138", "memory that leaked into the stream", "not shown"],
    ["D141", "commentary, a call, a message", "completed"],
    ["D142–143", "I'll look into it, and stop", "told to do it"],
    ["D149", "only reasoning, then a message", "asked again"],
    ["D152", "status incomplete or in_progress", "kept in the history"],
  ),
  same("D144–145", "the URL of either protocol", "…/responses and …/chat/completions", () =>
    expect([responses.endpoint("https://a.test/v1"), chatCompletions.endpoint("https://a.test/v1")]).toEqual([
      "https://a.test/v1/responses",
      "https://a.test/v1/chat/completions",
    ]),
  ),
  same(
    "D146",
    "secrets in key, body, error and answer",
    "in no file and no output",
    shownBy("turn/turn.test.ts", "no key or token is in any event, error or journal line"),
  ),
  same("D148", "reasoning and a message", "stop", () =>
    expect(finish(answerOf([sealed("rs_1", "x"), message("hi")]))).toMatchObject({ reason: "stop" }),
  ),
  same("D150", "encrypted reasoning", "kept for the next request", () =>
    expect(parts(answerOf([sealed("rs_1", "enc_opaque_blob"), message("hi")]))).toContainEqual({
      type: "reasoning-end",
      id: expect.any(String) as string,
      opaque: {
        protocol: "responses",
        data: expect.objectContaining({ encrypted_content: "enc_opaque_blob" }) as JsonObject,
      },
    }),
  ),
  same("D153", "two that look alike but for their encrypted text", "both kept", () => {
    const content = [asReasoning(sealed("a", "one")), asReasoning(sealed("b", "two")), text("hi")];
    expect(
      inputOf([user("x"), { role: "assistant", content }]).filter((item) => item["type"] === "reasoning"),
    ).toHaveLength(2);
  }),
  same("D154", "the same words twice", "both kept", () => {
    const content = [text("hi"), text("hi")];
    expect(JSON.stringify(inputOf([user("x"), { role: "assistant", content }])).match(/"hi"/g)).toHaveLength(2);
  }),
  ...notApplicable("a caller's history passes through; what it holds twice is its own", [
    "D156",
    "reasoning rs_xyz twice",
    "two items without ids",
  ]),
];
