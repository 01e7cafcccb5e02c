import { expect, it } from "vitest";
import { takesInterim } from "../../src/gateway/interim.ts";
import { clientKey, dialects, openGatewayRig } from "./rig.ts";

it.each<[Record<string, string>, string, boolean]>([
  [{ "x-stainless-runtime": "node", "user-agent": "OpenAI/JS 6.9.1" }, "1.1", true],
  [{ "x-stainless-runtime": "CPython", "user-agent": "Anthropic/Python 0.75.0" }, "1.1", true],
  [{ "user-agent": "ai/7.0.1 ai-sdk/provider-utils/5.0.1 runtime/node.js/24" }, "1.1", true],
  [{ "user-agent": "ai/7.0.1 ai-sdk/provider-utils/5.0.1 runtime/bun/1.3.14" }, "1.1", true],
  [{ "x-stainless-runtime": "node" }, "1.0", false],
  [{ "x-stainless-runtime": "go", "user-agent": "OpenAI/Go 3.1.0" }, "1.1", false],
  [{ "user-agent": "python-requests/2.32.5" }, "1.1", false],
  [{ "user-agent": "curl/8.14.1" }, "1.1", false],
  [{}, "1.1", false],
])("a client with %o over HTTP/%s: %s", (headers, httpVersion, expected) => {
  expect(takesInterim({ headers, httpVersion })).toBe(expected);
});

it("a client that waits for a whole answer hears that it is being made, and then its true status", async () => {
  await using rig = await openGatewayRig({ gateway: { limits: { keepAliveMs: 10 } } });
  for (const { path, target, backend, ask } of dialects) {
    const upstream = rig.stage.simulator[backend];
    for (const [ending, status] of [
      ["slow-first-event", /^HTTP\/1.1 200 /],
      ["no-headers", /^HTTP\/1.1 [45]/],
    ] as const) {
      upstream.setBehaviour("*", ending);
      const text = JSON.stringify(ask("hello", target, false));
      const line = await rig.dial();
      line.socket.write(
        `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer uk-a-key-for-the-clients-of-a-test\r\nx-stainless-runtime: node\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      );
      await line.until(() => line.received.split("HTTP/1.1 102 Processing\r\n\r\n").length > 2);
      const answering = setInterval(() => rig.stage.simulator.release(), 5);
      await line.until(() => line.closed);
      clearInterval(answering);
      expect(line.received.replaceAll("HTTP/1.1 102 Processing\r\n\r\n", "")).toMatch(status);
    }
  }
});

it("a client that waits for a stream keeps its status for a while, and gets the head with a sign of life after that", async () => {
  await using rig = await openGatewayRig({ gateway: { limits: { keepAliveMs: 10, interimMs: 30 } } });
  const [{ path, target, backend, ask }] = dialects;
  rig.stage.simulator[backend].setBehaviour("*", "slow-first-event");
  const text = JSON.stringify(ask("hello", target, true));
  const line = await rig.dial();
  line.socket.write(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${clientKey}\r\nx-stainless-runtime: node\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  await line.until(() => line.received.includes(": keep-alive"));
  rig.stage.simulator.release();
  await line.until(() => line.closed);
  expect(line.received).toMatch(/^(HTTP\/1\.1 102 Processing\r\n\r\n){3}HTTP\/1\.1 200 OK\r\n/);
  expect(line.received).toContain("response.completed");
});

it("an SDK that streams sees the true status of a turn that took a while to fail", async () => {
  await using rig = await openGatewayRig({ limits: { firstEventMs: 60 }, gateway: { limits: { keepAliveMs: 5 } } });
  const { codex, messages: anthropic, chat } = rig.stage.simulator;
  for (const backend of [codex, anthropic, chat]) backend.setBehaviour("*", "silence");
  const messages = [{ role: "user" as const, content: "hello" }];
  const asked = rig.anthropic.messages.create({ model: "coding", max_tokens: 9, messages, stream: true });
  await expect(asked).rejects.toMatchObject({ status: expect.any(Number) });
});

it("the official SDKs wait on, and see an error as one", async () => {
  await using rig = await openGatewayRig({ gateway: { limits: { keepAliveMs: 5 } } });
  const { simulator } = rig.stage;
  for (const { backend } of dialects) simulator[backend].setBehaviour("*", "slow-first-event");
  const messages = [{ role: "user" as const, content: "hello" }];
  const asks = [
    () => rig.openai.responses.create({ model: "openai/gpt-5.5", input: "hello" }).then((one) => one.output_text),
    () =>
      rig.openai.chat.completions
        .create({ model: "local/qwen3", messages })
        .then((one) => one.choices[0]?.message.content),
    () =>
      rig.anthropic.messages
        .create({ model: "anthropic/claude-opus-4-8", max_tokens: 9, messages })
        .then(({ content: [block] }) => (block?.type === "text" ? block.text : null)),
  ];
  const answers = asks.map((ask) => ask());
  for (const { backend } of dialects) await simulator[backend].until(() => simulator[backend].held > 0);
  const later = performance.now() + 40;
  while (performance.now() < later) await new Promise((resolve) => setImmediate(resolve));
  simulator.release();
  expect(await Promise.all(answers)).toEqual(asks.map(() => "The simulator heard: hello"));
  for (const { backend } of dialects) simulator[backend].setBehaviour("*", "quota-exhausted");
  for (const ask of asks) await expect(ask()).rejects.toThrow(/nobody on route/);
});
