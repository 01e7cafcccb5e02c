import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BackendName, type Simulator, startSimulator } from "../../src/testing.ts";
import { type Caller, callersOf, now } from "./callers.ts";
import { eventsOf, sendRaw } from "./raw-client.ts";

let time = now;
let simulator: Simulator;
let callers: Record<BackendName, Caller>;

beforeEach(async () => {
  time = now;
  simulator = await startSimulator({ now: () => time });
  callers = callersOf(simulator);
});
afterEach(() => simulator.close());

type Row = readonly [BackendName, string, object, number, object];

const call = { type: "function_call", call_id: "call_1", name: "bow", arguments: "{}" };
const output = { type: "function_call_output", call_id: "call_1", output: "done" };
const toolUse = { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "bow", input: {} }] };
const toolResult = { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "done" }] };
const user = { role: "user", content: "hi" };
const assistant = { role: "assistant", content: "ho" };
const toolCalls = {
  role: "assistant",
  content: null,
  tool_calls: [{ id: "call_1", type: "function", function: { name: "bow", arguments: "{}" } }],
};
const tool = { role: "tool", tool_call_id: "call_1", content: "done" };

const error = (message: string, more: object = {}) => ({
  error: { message: expect.stringContaining(message), ...more },
});
const detail = (text: string) => ({ detail: text });

describe("a request that the real backend would refuse", () => {
  const rows: readonly Row[] = [
    ["codex", "no stream", { stream: false }, 400, detail("Stream must be set to true")],
    ["codex", "store left out", { store: undefined }, 400, detail("Store must be set to false")],
    ["codex", "store true", { store: true }, 400, detail("Store must be set to false")],
    ["codex", "an output limit", { max_output_tokens: 8 }, 400, detail("Unsupported parameter: max_output_tokens")],
    [
      "codex",
      "a previous response",
      { previous_response_id: "resp_1" },
      400,
      detail("Unsupported parameter: previous_response_id"),
    ],
    ["openai", "no model", { model: undefined }, 400, error("'model'", { param: "model" })],
    ["openai", "no input", { input: undefined }, 400, error("'input'")],
    ["openai", "a call without output", { input: [call] }, 400, error("No tool output found for function call call_1")],
    [
      "openai",
      "an output without call",
      { input: [output] },
      400,
      error("No tool call found for function call output with call_id call_1"),
    ],
    [
      "openai",
      "a call id too long",
      { input: [{ ...call, call_id: "c".repeat(65) }] },
      400,
      error("maximum length 64"),
    ],
    [
      "openai",
      "foreign sealed reasoning",
      { input: [{ type: "reasoning", summary: [], encrypted_content: "gAAAAA-other" }, assistant] },
      400,
      error("could not be verified", { code: "invalid_encrypted_content" }),
    ],
    [
      "openai",
      "reasoning that led to nothing",
      { input: [{ type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAAAA" }, user] },
      400,
      error("'rs_1' of type 'reasoning' was provided without its required following item"),
    ],
    [
      "openai",
      "reasoning without a summary",
      { input: [{ type: "reasoning", encrypted_content: "gAAAAA" }, assistant] },
      400,
      error("'input[0].summary'"),
    ],
    [
      "openai",
      "reasoning that it would have had to store",
      { input: [{ type: "reasoning", id: "rs_1", summary: [] }, assistant], store: false },
      404,
      error("Item with id 'rs_1' not found. Items are not persisted when `store` is set to false"),
    ],
    [
      "codex",
      "a reference to an item",
      { input: [{ type: "item_reference", id: "rs_1" }] },
      404,
      error("Item with id 'rs_1' not found"),
    ],
    [
      "openai",
      "the id of another kind of item",
      { input: [{ ...call, id: "call_1" }, output] },
      400,
      error("Expected an ID that begins with 'fc'", { param: "input[0].id" }),
    ],
    [
      "messages",
      "a text of nothing but blanks",
      { messages: [{ role: "user", content: [{ type: "text", text: " \n" }] }] },
      400,
      error("non-whitespace"),
    ],
    [
      "messages",
      "a message without content",
      { messages: [user, { role: "assistant", content: [] }, user] },
      400,
      error("messages.1: all messages must have non-empty content"),
    ],
    [
      "messages",
      "one tool id for two calls",
      { messages: [user, toolUse, toolResult, toolUse, toolResult] },
      400,
      error("`tool_use` ids must be unique"),
    ],
    [
      "messages",
      "a tool loop that began without thinking",
      { messages: [user, toolUse, toolResult], thinking: { type: "enabled", budget_tokens: 2_000 }, max_tokens: 4_000 },
      400,
      error("Expected `thinking` or `redacted_thinking`, but found `tool_use`"),
    ],
    [
      "chat",
      "no calls in a list of calls",
      { messages: [user, { ...assistant, tool_calls: [] }] },
      400,
      error("empty"),
    ],
    [
      "messages",
      "no max_tokens",
      { max_tokens: undefined },
      400,
      error("max_tokens: Field required", { type: "invalid_request_error" }),
    ],
    ["messages", "no messages", { messages: [] }, 400, error("at least one message")],
    ["messages", "a system role", { messages: [{ role: "system", content: "x" }] }, 400, error("messages.0.role")],
    [
      "messages",
      "an empty text",
      { messages: [{ role: "user", content: [{ type: "text", text: "" }] }] },
      400,
      error("non-empty"),
    ],
    [
      "messages",
      "a call without result",
      { messages: [user, toolUse, user] },
      400,
      error("`tool_use` ids were found without `tool_result`"),
    ],
    ["messages", "a result without call", { messages: [user, toolResult] }, 400, error("unexpected `tool_use_id`")],
    [
      "messages",
      "a bad tool id",
      { messages: [user, { role: "assistant", content: [{ type: "tool_use", id: "a.b", name: "x", input: {} }] }] },
      400,
      error("should match pattern"),
    ],
    [
      "messages",
      "a foreign signature",
      { messages: [user, { role: "assistant", content: [{ type: "thinking", thinking: "", signature: "abc" }] }] },
      400,
      error("Invalid `signature`"),
    ],
    [
      "messages",
      "a small thinking budget",
      { thinking: { type: "enabled", budget_tokens: 1_000 } },
      400,
      error("1024"),
    ],
    [
      "messages",
      "a budget above the limit",
      { thinking: { type: "enabled", budget_tokens: 2_000 }, max_tokens: 2_000 },
      400,
      error("greater than"),
    ],
    ["chat", "no model", { model: undefined }, 400, error("model parameter")],
    ["chat", "no messages", { messages: [] }, 400, error("empty array", { param: "messages" })],
    ["chat", "an unknown role", { messages: [{ role: "robot", content: "x" }] }, 400, error("Supported values")],
    [
      "chat",
      "an assistant that says nothing",
      { messages: [user, { role: "assistant", content: null }] },
      400,
      error("'content'"),
    ],
    [
      "chat",
      "a call without result",
      { messages: [user, toolCalls, user] },
      400,
      error("did not have response messages: call_1"),
    ],
    [
      "chat",
      "a result without call",
      { messages: [user, tool] },
      400,
      error("must be a response to a preceding message"),
    ],
    [
      "chat",
      "a call id too long",
      { messages: [user, { role: "assistant", tool_calls: [{ id: "c".repeat(41) }] }] },
      400,
      error("maximum length 40"),
    ],
  ];

  it.each(rows)("%s: %s", async (name, _, body, status, expected) => {
    callers[name].backend.script("server-error");
    const answer = await callers[name].call({ body: body as Record<string, unknown> });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject(expected);
    expect(callers[name].backend.refused).toHaveLength(1);
    expect(callers[name].backend.unplayed).toEqual(["server-error"]);
  });

  it("a model that takes no prefill or no images says so", async () => {
    const { backend } = callers.messages;
    backend.takesPrefill = false;
    backend.takesImages = false;
    const image = { type: "image", source: { type: "url", url: "https://example.test/a.png" } };
    const refusals = [[user, assistant], [{ role: "user", content: [image] }]];
    for (const messages of refusals) expect((await callers.messages.call({ body: { messages } })).status).toBe(400);
    expect(backend.refused.map((request) => request.refused)).toEqual([
      expect.stringContaining("prefill"),
      expect.stringContaining("image input"),
    ]);
    expect((await callers.messages.call({ body: { messages: [user, assistant, user] } })).status).toBe(200);
  });

  it.each([
    ["codex", { input: [call, output] }],
    ["openai", { input: [{ role: "user", content: [{ type: "input_text", text: "hi" }] }, call, output] }],
    ["messages", { messages: [user, toolUse, toolResult] }],
    ["chat", { messages: [user, toolCalls, tool] }],
  ] as const)("%s takes a call with its result", async (name, body) => {
    expect((await callers[name].call({ body })).status).toBe(200);
    expect(callers[name].backend.refused).toEqual([]);
  });

  it.each(["openai", "messages", "chat"] as const)("%s wants JSON and says so", async (name) => {
    const { headers = {} } = callers[name].request();
    const broken = await sendRaw(callers[name].url(), { headers, body: '{"model":' });
    expect(broken.status).toBe(400);
    const other = await sendRaw(callers[name].url(), {
      headers: { ...headers, "content-type": "text/plain" },
      body: "{}",
    });
    expect(other.status).toBe(415);
  });
});

describe("a credential that is not good", () => {
  it.each([
    ["openai", { authorization: "Bearer sk-nobody" }, 401, error("Incorrect API key", { code: "invalid_api_key" })],
    ["openai", { authorization: "" }, 401, error("didn't provide an API key")],
    ["chat", { authorization: "Bearer sk-nobody" }, 401, error("Incorrect API key")],
    ["messages", { "x-api-key": "" }, 401, error("invalid x-api-key")],
    ["messages", { "x-api-key": "sk-nobody" }, 401, error("invalid x-api-key", { type: "authentication_error" })],
    ["codex", { authorization: "Bearer not-a-token" }, 401, error("Could not parse", { code: "invalid_token" })],
    ["codex", { authorization: "" }, 401, detail("Unauthorized")],
    ["codex", { "chatgpt-account-id": "acct-other" }, 403, detail("The account does not belong to this token")],
  ] as const)("%s refuses %j", async (name, headers, status, expected) => {
    const answer = await callers[name].call({ headers });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject(expected);
    expect(callers[name].backend.requests[0]).toMatchObject({ behaviour: null, refused: expect.any(String) });
  });

  it("codex wants the account id, and messages its version header", async () => {
    const { headers: codexHeaders = {}, body } = callers.codex.request();
    const { "chatgpt-account-id": _, ...withoutAccount } = codexHeaders;
    expect(await sendRaw(callers.codex.url(), { headers: withoutAccount, body })).toMatchObject({ status: 401 });
    const version = await sendRaw(callers.messages.url(), {
      headers: { "x-api-key": callers.messages.secret },
      body: {},
    });
    expect(version).toMatchObject({ status: 400, text: expect.stringContaining("anthropic-version") });
  });

  it("is a key that was revoked", async () => {
    simulator.openai.keys.revoke("alice");
    expect((await callers.openai.call()).status).toBe(401);
  });

  it("is a token that is over or was invalidated, each with its code", async () => {
    time = now + 3_600_000;
    expect(JSON.parse((await callers.codex.call()).text)).toMatchObject({ error: { code: "token_expired" } });
    time = now;
    expect((await callers.codex.call()).status).toBe(200);
    simulator.codexIssuer.revokeAccess("alice");
    const answer = await callers.codex.call();
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toMatchObject({ error: { code: "token_invalidated" } });
  });

  it("is asked for nowhere when the server needs no key", async () => {
    simulator.chat.requireKey = false;
    const { body } = callers.chat.request();
    expect(await sendRaw(callers.chat.url(), { body })).toMatchObject({ status: 200 });
    expect(simulator.chat.requests[0]?.credential).toBe("anonymous");
  });
});

describe("sealed reasoning", () => {
  it.each(["codex", "openai"] as const)(
    "of %s is good for the credential it was made for, and for nobody else",
    async (name) => {
      const caller = callers[name];
      caller.backend.script("reasoning");
      const events = eventsOf((await caller.call()).text);
      const items = events
        .filter((event) => event.event === "response.output_item.done")
        .map((event) => event.data.item);
      const input = [...items, { role: "user", content: "and then?" }];
      expect((await caller.call({ body: { input } })).status).toBe(200);
      const account = simulator.codexIssuer.addAccount({
        name: "bob",
        email: "bob@example.test",
        accountId: "acct-bob",
      });
      const headers = {
        codex: {
          authorization: `Bearer ${simulator.codexIssuer.issueTokens(account).accessToken}`,
          "chatgpt-account-id": "acct-bob",
        },
        openai: { authorization: `Bearer ${simulator.openai.keys.add("bob")}` },
      };
      const moved = await caller.call({ body: { input }, headers: headers[name] });
      expect(moved.status).toBe(400);
      expect(JSON.parse(moved.text)).toMatchObject({ error: { code: "invalid_encrypted_content" } });
    },
  );

  it("is looked up by its id only if it was stored, and only by who had it stored", async () => {
    const { backend } = callers.openai;
    backend.script("reasoning", { times: 2 });
    const ask = async (body: Record<string, unknown>, key?: string) => {
      const headers = key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } };
      return callers.openai.call({ stream: false, body, ...headers });
    };
    const inputOf = async (store: boolean): Promise<unknown[]> => {
      const { output } = JSON.parse((await ask({ store })).text) as { output: Record<string, unknown>[] };
      return output.map((item) => ({ ...item, encrypted_content: undefined }));
    };
    const [kept, forgotten] = [await inputOf(true), await inputOf(false)];
    const other = simulator.openai.keys.add("bob");
    expect((await ask({ input: kept })).status).toBe(200);
    expect((await ask({ input: kept }, other)).status).toBe(404);
    expect((await ask({ input: forgotten })).status).toBe(404);
  });

  it("of messages comes back signed", async () => {
    callers.messages.backend.script("reasoning");
    const { content } = JSON.parse((await callers.messages.call({ stream: false })).text) as { content: object[] };
    expect(content[0]).toMatchObject({ type: "thinking" });
    const messages = [user, { role: "assistant", content }, user];
    expect((await callers.messages.call({ body: { messages } })).status).toBe(200);
  });
});

describe("what there is besides model calls", () => {
  it("lists the models, for Codex only with the account's id", async () => {
    const get = (name: BackendName, path: string, headers = callers[name].request().headers ?? {}) =>
      sendRaw(callers[name].backend.baseUrl + path, { method: "GET", headers });
    expect(JSON.parse((await get("openai", "/models")).text)).toMatchObject({
      object: "list",
      data: [{ id: "gpt-5.5" }, {}],
    });
    expect(JSON.parse((await get("chat", "/models")).text)).toMatchObject({ data: [{ id: "llama-4-70b" }, {}] });
    expect(JSON.parse((await get("messages", "/v1/models")).text)).toMatchObject({
      data: [{ id: "claude-opus-4-8" }, {}],
    });
    const codex = await get("codex", "/models?client_version=1.0.0");
    expect(codex.headers.etag).toMatch(/^W\//);
    expect(JSON.parse(codex.text)).toMatchObject({ models: [{ slug: "gpt-5.5", visibility: "list" }, {}, {}, {}] });
    const blind = await get("codex", "/models?client_version=1.0.0", {
      authorization: `Bearer ${callers.codex.secret}`,
    });
    expect(blind).toMatchObject({ status: 200, text: '{"models":[]}' });
    expect((await get("codex", "/models")).status).toBe(400);
  });

  it("tells an account's usage", async () => {
    simulator.codex.setLimits("alice", { primary: { usedPercent: 100, windowMinutes: 300, resetsInS: 120 } });
    const { headers = {} } = callers.codex.request();
    const answer = await sendRaw(`${simulator.codex.origin}/backend-api/wham/usage`, { method: "GET", headers });
    expect(JSON.parse(answer.text)).toMatchObject({
      plan_type: "plus",
      rate_limit: {
        allowed: false,
        limit_reached: true,
        primary_window: {
          used_percent: 100,
          limit_window_seconds: 18_000,
          reset_after_seconds: 120,
          reset_at: now / 1_000 + 120,
        },
        secondary_window: { used_percent: 20, limit_window_seconds: 604_800 },
      },
      credits: { has_credits: false },
    });
  });

  it("counts tokens without a limit in the body", async () => {
    const { headers = {} } = callers.messages.request();
    const url = `${simulator.messages.baseUrl}/v1/messages/count_tokens`;
    const answer = await sendRaw(url, { headers, body: { model: "claude-opus-4-8", messages: [user] } });
    expect(JSON.parse(answer.text)).toEqual({ input_tokens: expect.any(Number) });
    expect((await sendRaw(url, { headers, body: { messages: [user] } })).status).toBe(400);
  });
});
