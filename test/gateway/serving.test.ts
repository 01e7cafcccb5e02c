import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { dialects, openGatewayRig } from "./rig.ts";

const hello = { model: "coding", input: "hello", stream: true };

describe("the gateway serves", () => {
  it.each(dialects)("$name byte for byte, at any chunk split", async ({ path, target, backend, ask }) => {
    await using rig = await openGatewayRig();
    const upstream = rig.stage.simulator[backend];
    const sent: string[] = [];
    for (const chunk of ["event", "byte", 7] as const) {
      upstream.script({ name: "tool-call", chunk });
      const reply = await rig.ask(path, { body: ask("héllo 🎭", target, true) });
      expect(reply.status).toBe(200);
      expect(reply.headers["content-type"]).toContain("text/event-stream");
      // Ids differ from answer to answer, everything else does not.
      sent.push(reply.text.replaceAll(/"(id|item_id|call_id|tool_use_id)":"[^"]*"|"created(_at)?":\d+/g, ""));
    }
    expect(new Set(sent).size).toBe(1);
    expect(sent[0]?.length).toBeGreaterThan(300);
  });

  it("the very bytes that the provider wrote", async () => {
    await using rig = await openGatewayRig();
    const { simulator } = rig.stage;
    simulator.chat.setBehaviour("*", { name: "answer", text: "The same 🎭 bytes.", chunk: "byte" });
    const body = JSON.stringify({ model: "qwen3", stream: true, messages: [{ role: "user", content: "x" }] });
    const direct = await fetch(`${simulator.baseUrls.chat}/chat/completions`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${simulator.chat.keys.list()[0]?.value ?? ""}`,
        "content-type": "application/json",
      },
      body,
    });
    const there = (await direct.text()).replaceAll(/"id":"[^"]*"|"created":\d+/g, "");
    const here = await rig.ask("/v1/chat/completions", { body: body.replace("qwen3", "local/qwen3") });
    expect(here.text.replaceAll(/"id":"[^"]*"|"created":\d+/g, "")).toBe(there);
  });

  it.each([
    ["gzip", gzipSync],
    ["br", brotliCompressSync],
    ["zstd", zstdCompressSync],
  ] as const)("a request body in %s", async (encoding, compress) => {
    await using rig = await openGatewayRig();
    const headers = { "content-encoding": encoding };
    const body = compress(Buffer.from(JSON.stringify({ ...hello, stream: false })));
    const reply = await rig.ask("/v1/responses", { body, headers });
    expect([reply.status, reply.text]).toEqual([200, expect.stringContaining("The simulator heard: hello")]);
  });

  it("fields that nobody knows, to a provider of the same dialect", async () => {
    await using rig = await openGatewayRig();
    const body = { ...hello, from_the_future: { deep: [1, 2.5e300, "x"] }, max_output_tokens: 5 };
    await rig.ask("/v1/responses", { body });
    expect(rig.stage.simulator.codex.requests[0]?.body).toMatchObject({
      from_the_future: { deep: [1, 2.5e300, "x"] },
      model: "gpt-5.5",
      store: false,
    });
    expect(rig.stage.simulator.codex.requests[0]?.body).not.toHaveProperty("max_output_tokens");
  });

  it("the backend behind ChatGPT logins as it is to Codex, and as OpenAI's API would write it to everybody else", async () => {
    await using rig = await openGatewayRig();
    const codex = await rig.ask("/v1/responses", { body: hello, headers: { "x-codex-turn-metadata": "{}" } });
    expect(codex.text).toContain("codex.rate_limits");
    const other = await rig.ask("/v1/responses", { body: hello });
    expect(other.text).not.toContain("codex.");
    const events = other.text.trim().split("\n\n");
    expect(events.length).toBe(codex.text.trim().split("\n\n").length - 1);
    const helper = rig.openai.responses.stream({ model: "coding", input: "hello" });
    expect((await helper.finalResponse()).output_text).toBe("The simulator heard: hello");
  });

  it("a path with a query, as Claude Code sends it", async () => {
    await using rig = await openGatewayRig();
    const body = { model: "coding", max_tokens: 10, messages: [{ role: "user", content: "hello" }] };
    const reply = await rig.ask("/v1/messages?beta=true", { body });
    expect(JSON.parse(reply.text)).toMatchObject({ type: "message", role: "assistant" });
  });

  it("every answer with what became of the turn, also a failed one", async () => {
    await using rig = await openGatewayRig();
    rig.stage.simulator.codex.setBehaviour("ann", "quota-exhausted");
    const good = await rig.ask("/v1/responses", { body: hello });
    expect(good.headers).toMatchObject({
      "x-understudy-turn": expect.stringMatching(/^turn_/),
      "x-understudy-served-by": "codex/gpt-5.5/ben",
      "x-understudy-attempts": "2",
      "x-understudy-switched": "true",
    });
    for (const backend of [rig.stage.simulator.codex, rig.stage.simulator.messages, rig.stage.simulator.chat]) {
      backend.setBehaviour("*", "quota-exhausted");
      backend.clearBehaviour("ann");
    }
    const bad = await rig.ask("/v1/responses", { body: hello });
    expect(bad.status).toBe(429);
    expect(bad.headers).toMatchObject({
      "x-understudy-turn": expect.stringMatching(/^turn_/),
      "x-understudy-served-by": "none",
      "x-understudy-switched": "false",
    });
  });

  it("what could not be carried to another dialect is said", async () => {
    await using rig = await openGatewayRig();
    const body = { model: "anthropic/claude-opus-4-8", input: "hello", service_tier: "flex", stream: false };
    const reply = await rig.ask("/v1/responses", { body });
    expect(reply.status).toBe(200);
    expect(decodeURI(String(reply.headers["x-understudy-dropped"]))).toContain("service_tier");
  });

  it("models in a list that both families of clients read", async () => {
    await using rig = await openGatewayRig();
    const ids = async (list: AsyncIterable<{ id: string }>): Promise<string[]> => {
      const found: string[] = [];
      for await (const { id } of list) found.push(id);
      return found;
    };
    const expected = ["coding", "codex/gpt-5.5", "anthropic/claude-opus-4-8", "local/qwen3"];
    expect(await ids(rig.openai.models.list())).toEqual(expected);
    expect(await ids(rig.anthropic.models.list())).toEqual(expected);
  });

  it("token counts from the first target that speaks Messages, and 404 where there is none", async () => {
    await using rig = await openGatewayRig({ routes: { alone: ["codex/gpt-5.5"] } });
    const params = { messages: [{ role: "user" as const, content: "hello" }] };
    expect(await rig.anthropic.messages.countTokens({ ...params, model: "coding" })).toEqual({
      input_tokens: expect.any(Number),
    });
    await expect(rig.anthropic.messages.countTokens({ ...params, model: "alone" })).rejects.toMatchObject({
      status: 404,
      error: { type: "error", error: { type: "not_found_error" } },
    });
  });

  it("health, readiness, a hint and HEAD without a key; metrics with one", async () => {
    await using rig = await openGatewayRig();
    await rig.ask("/v1/responses", { body: hello });
    expect((await rig.ask("/health", { key: null })).text).toBe('{"status":"ok"}');
    expect((await rig.ask("/ready", { key: null })).status).toBe(200);
    expect((await rig.ask("/", { key: null })).text).toContain("understudy serve --print-key");
    expect((await rig.ask("/", { key: null, method: "HEAD" })).status).toBe(200);
    expect((await rig.ask("/metrics", { key: null })).status).toBe(401);
    const { text } = await rig.ask("/metrics");
    expect(text).toContain('understudy_attempts_total{provider="codex"} 1');
    expect(text).toContain('understudy_turns_total{outcome="answered"} 1');
    expect(text).toContain("understudy_first_event_seconds_count 1");
    expect(text).toContain("understudy_open_turns 0");
  });

  it("426 to a WebSocket", async () => {
    await using rig = await openGatewayRig();
    const line = await rig.dial();
    line.socket.write(
      "GET /v1/responses HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    await line.until(() => line.closed);
    expect(line.received).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
  });

  it("Codex's turn state to the account that gave it, and to no other", async () => {
    await using rig = await openGatewayRig();
    const { codex } = rig.stage.simulator;
    const first = await rig.ask("/v1/responses", { body: hello });
    const state = String(first.headers["x-codex-turn-state"]);
    const again = await rig.ask("/v1/responses", { body: hello, headers: { "x-codex-turn-state": state } });
    expect(again.headers["x-codex-turn-state"]).toBe(state);
    expect(codex.requests[1]?.headers["x-codex-turn-state"]).toMatch(/^ts\./);
    codex.setBehaviour("ann", "quota-exhausted");
    const moved = await rig.ask("/v1/responses", { body: hello, headers: { "x-codex-turn-state": state } });
    expect(moved.headers["x-understudy-served-by"]).toBe("codex/gpt-5.5/ben");
    expect(codex.foreignTurnStates).toBe(0);
    await rig.ask("/v1/responses", { body: hello, headers: { "x-codex-turn-state": "from-somewhere-else" } });
    expect(codex.foreignTurnStates).toBe(0);
  });
});
