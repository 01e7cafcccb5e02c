import { describe, expect, it } from "vitest";
import { type DialectCase, dialects, type GatewayRig, openGatewayRig, type RigOptions } from "./rig.ts";

/** Three targets that speak the caller's dialect first and the two others after it. */
function openFor(dialect: DialectCase, options: RigOptions = {}): Promise<GatewayRig> {
  const others = dialects.filter(({ name }) => name !== dialect.name).map(({ target }) => target);
  return openGatewayRig({ ...options, routes: { show: [dialect.target, ...others] } });
}

/** Event that opens an answer, and the one that ends it, in each dialect. */
const frames = {
  responses: { start: '"type":"response.created"', end: '"type":"response.completed"', error: "event: error" },
  "chat-completions": { start: '"role":"assistant"', end: "data: [DONE]", error: '"error":{' },
  messages: { start: '"type":"message_start"', end: '"type":"message_stop"', error: "event: error" },
} as const;

function count(text: string, part: string): number {
  return text.split(part).length - 1;
}

describe.each(dialects)("in $name", (dialect) => {
  const { path, backend, ask, name } = dialect;
  const { start, end, error } = frames[name];
  const body = ask("hello", "show", true);

  it.each([
    ["soft-quota", "reasoning"],
    ["overloaded-in-stream", "at-once"],
    ["no-terminal", "reasoning"],
    ["reset", "reasoning"],
    ["malformed-event", "at-once"],
  ] as const)("%s after %s is not seen, at any chunk split", async (fault, after) => {
    await using rig = await openFor(dialect);
    for (const chunk of ["event", "byte", 5] as const) {
      const upstream = rig.stage.simulator[backend];
      if (!upstream.supports(fault)) continue;
      upstream.setBehaviour("*", { name: fault, after, chunk });
      const reply = await rig.ask(path, { body });
      expect(reply.status).toBe(200);
      expect([count(reply.text, start), count(reply.text, end), count(reply.text, error)]).toEqual([1, 1, 0]);
      expect(reply.text.replaceAll(/"[^"]{0,60}"/g, (word) => word)).toContain("simulator");
    }
  });

  it("a cut after the beginning ends in the dialect's own error and never looks complete", async () => {
    await using rig = await openFor(dialect);
    rig.stage.simulator[backend].setBehaviour("*", { name: "cut-mid-text", chunk: 3 });
    const reply = await rig.ask(path, { body });
    expect(reply.status).toBe(200);
    expect([count(reply.text, start), count(reply.text, end)]).toEqual([1, 0]);
    expect(reply.text).toContain(error);
    expect(reply.text).toContain("the answer broke off");
    const others = dialects.filter((one) => one.name !== name).map((one) => rig.stage.simulator[one.backend].requests);
    expect(others.flat()).toEqual([]);
  });

  it("a waiting client gets signs of life, then the answer, begun once", async () => {
    await using rig = await openFor(dialect, { gateway: { limits: { keepAliveMs: 20 } } });
    const upstream = rig.stage.simulator[backend];
    upstream.script("slow-first-event");
    const line = await rig.dial();
    const text = JSON.stringify(body);
    line.socket.write(
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer uk-a-key-for-the-clients-of-a-test\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
    const alive = name === "messages" ? "event: ping" : ": keep-alive";
    await line.until(() => count(line.received, alive) >= 2);
    expect(line.received).not.toContain(start);
    rig.stage.simulator.release();
    await line.until(() => line.closed);
    expect([count(line.received, start), count(line.received, end)]).toEqual([1, 1]);
    expect(line.received).toMatch(/x-understudy-turn: turn_/i);
    expect(line.received).toContain(": x-understudy-turn=turn_");
    expect(line.received).toMatch(/^: .*x-understudy-served-by=/m);
  });

  it("after a sign of life, that nobody can answer is told inside the stream", async () => {
    await using rig = await openFor(dialect, {
      limits: { firstEventMs: 60 },
      gateway: { limits: { keepAliveMs: 10 } },
    });
    for (const one of dialects) rig.stage.simulator[one.backend].setBehaviour("*", "silence");
    const reply = await rig.ask(path, { body });
    expect(reply.status).toBe(200);
    expect([count(reply.text, start), count(reply.text, end)]).toEqual([0, 0]);
    expect(reply.text).toContain(error);
    expect(reply.text).toContain("nobody on route show could answer");
  });
});

it("Codex gets a data event as a sign of life, since it counts nothing else", async () => {
  await using rig = await openGatewayRig({ gateway: { limits: { keepAliveMs: 5 } } });
  const { openai } = rig.stage.simulator;
  openai.script("slow-first-event");
  const headers = { "x-codex-turn-metadata": "{}" };
  const body = { model: "openai/gpt-5.5", input: "hello", stream: true };
  const reply = rig.ask("/v1/responses", { body, headers });
  await openai.until(() => openai.held > 0);
  const later = performance.now() + 40;
  while (performance.now() < later) await new Promise((resolve) => setImmediate(resolve));
  rig.stage.simulator.release();
  expect((await reply).text).toMatch(/^event: keepalive\ndata: \{"type":"keepalive"\}\n\n/);
});

describe("the official SDKs", () => {
  it.each([0, 25, 10_000])(
    "pass over signs of life, also before the first event (%i ms of interim answers)",
    async (interimMs) => {
      await using rig = await openGatewayRig({ gateway: { limits: { keepAliveMs: 5, interimMs } } });
      const { simulator } = rig.stage;
      const release = async (role: (typeof dialects)[number]["backend"]): Promise<void> => {
        await simulator[role].until(() => simulator[role].held > 0);
        const alive = performance.now() + 60;
        while (performance.now() < alive) await new Promise((resolve) => setImmediate(resolve));
        simulator.release();
      };
      for (const { backend } of dialects) simulator[backend].setBehaviour("*", "slow-first-event");
      const params = { messages: [{ role: "user" as const, content: "hello" }] };
      const response = rig.openai.responses.stream({ model: "openai/gpt-5.5", input: "hello" }).finalResponse();
      await release("openai");
      expect((await response).output_text).toBe("The simulator heard: hello");
      const chat = rig.openai.chat.completions.stream({ ...params, model: "local/qwen3" }).finalContent();
      await release("chat");
      expect(await chat).toBe("The simulator heard: hello");
      const text = rig.anthropic.messages
        .stream({ ...params, model: "anthropic/claude-opus-4-8", max_tokens: 99 })
        .finalText();
      await release("messages");
      expect(await text).toBe("The simulator heard: hello");
    },
  );
});
