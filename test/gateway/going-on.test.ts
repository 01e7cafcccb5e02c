import { describe, expect, it } from "vitest";
import type { Route } from "../../src/core/target.ts";
import { goOnInstruction } from "../../src/protocols/go-on.ts";
import { explainTurn } from "../../src/turn/explain-turn.ts";
import type { BehaviourSpec } from "../../src/simulator/behaviour.ts";
import { type DialectCase, dialects, type GatewayRig, openGatewayRig, type RigOptions } from "./rig.ts";

const first = "The curtain rises on an empty stage, and for a while nothing at all happens. ";
const second = "Then the understudy steps out and says the line.";

/** How a stream of text can break off. */
const breaks: readonly BehaviourSpec[] = [
  { name: "cut-mid-text" },
  { name: "reset", after: "text" },
  { name: "no-terminal", after: "text" },
  { name: "overloaded-in-stream", after: "text", pause: true },
  { name: "stall-mid-text" },
];

function openFor(dialect: DialectCase, next: DialectCase, options: RigOptions = {}): Promise<GatewayRig> {
  const show = { targets: [dialect.target, next.target], continue: "text" as const };
  return openGatewayRig({ ...options, limits: { idleMs: 150, ...options.limits }, routes: { show } });
}

/** What the official SDK of this dialect reads as the answer's text. Throws where the SDK does. */
async function readBySdk(rig: GatewayRig, { name }: DialectCase): Promise<string> {
  const messages = [{ role: "user" as const, content: "hello" }];
  if (name === "responses") {
    return (await rig.openai.responses.stream({ model: "show", input: "hello" }).finalResponse()).output_text;
  }
  if (name === "messages") {
    return rig.anthropic.messages.stream({ model: "show", max_tokens: 99, messages }).finalText();
  }
  return (await rig.openai.chat.completions.stream({ model: "show", messages }).finalContent()) ?? "";
}

/** Lets what was held back go on as soon as it is held: a failure that comes after what the caller has seen. */
async function readAndRelease(rig: GatewayRig, dialect: DialectCase): Promise<string> {
  const text = readBySdk(rig, dialect);
  void rig.stage.simulator[dialect.backend]
    .until(() => rig.stage.simulator[dialect.backend].held > 0)
    .then(async () => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      rig.stage.simulator.release();
    });
  return text;
}

const pairs = dialects.flatMap((dialect) =>
  dialects.filter(({ name }) => name !== dialect.name).map((next) => [dialect, next] as const),
);

describe.each(pairs)("an answer of $name that $1.name goes on in", (dialect, next) => {
  it("is one answer to the official SDK, however the first breaks off", async () => {
    await using rig = await openFor(dialect, next);
    for (const broken of breaks) {
      const upstream = rig.stage.simulator[dialect.backend];
      if (!upstream.supports(broken.name ?? "answer")) continue;
      upstream.script({ ...broken, text: first });
      rig.stage.simulator[next.backend].script({ text: second });
      const text = await (broken.pause === true ? readAndRelease(rig, dialect) : readBySdk(rig, dialect));
      const kept = text.slice(0, text.indexOf(second));
      expect(text, broken.name).toBe(`${kept}${second}`);
      expect([first.startsWith(kept), kept.length > 0], broken.name).toEqual([true, true]);
      const asked = JSON.stringify(rig.stage.simulator[next.backend].requests.at(-1)?.body);
      expect(asked).toContain(JSON.stringify(kept).slice(1, -1));
      expect(asked).toContain(goOnInstruction);
      const [turn] = await rig.stage.workspace.store.listTurns(1);
      expect(turn).toMatchObject({
        outcome: "answered",
        attempts: [{ decision: { action: "next_target" } }, { failure: null }],
      });
      expect(turn?.attempts[0]?.failure).not.toBeNull();
      await rig.stage.workspace.store.clearCooldowns({});
    }
  });
});

describe.each(dialects)("in $name", (dialect) => {
  const { path, backend, ask } = dialect;
  const others = dialects.filter(({ name }) => name !== dialect.name);
  const next = others[0] ?? dialect;

  it("the error ends the stream when the successor can't go on either", async () => {
    await using rig = await openFor(dialect, next);
    rig.stage.simulator[backend].setBehaviour("*", { name: "cut-mid-text", text: first });
    rig.stage.simulator[next.backend].setBehaviour("*", { name: "quota-exhausted" });
    const reply = await rig.ask(path, { body: ask("hello", "show", true) });
    expect(reply.text).toContain("the answer broke off");
    await expect(readBySdk(rig, dialect)).rejects.toThrow();
    const [turn] = await rig.stage.workspace.store.listTurns(1);
    expect(turn?.outcome).toBe("cut");
  });

  it("a tool call that has begun is never asked for again", async () => {
    await using rig = await openFor(dialect, next);
    rig.stage.simulator[backend].setBehaviour("*", "cut-mid-tool-call");
    const reply = await rig.ask(path, { body: ask("hello", "show", true) });
    expect(reply.text).toContain("the answer broke off");
    expect(rig.stage.simulator[next.backend].requests).toEqual([]);
  });

  it("a caller that wants no stream gets the next one's whole answer, and nothing of the first", async () => {
    await using rig = await openFor(dialect, next);
    rig.stage.simulator[backend].setBehaviour("*", { name: "cut-mid-text", text: first });
    rig.stage.simulator[next.backend].setBehaviour("*", { text: second });
    const reply = await rig.ask(path, { body: ask("hello", "show", false) });
    expect(reply.status).toBe(200);
    expect([reply.text.includes(second), reply.text.includes("The curtain")]).toEqual([true, false]);
  });
});

describe("who goes on", () => {
  const [, chat, messages] = dialects;
  const body = chat.ask("hello", "show", true);

  it("is another login of the same provider first, and the conversation stays with it", async () => {
    const show = { targets: ["codex/gpt-5.5", "anthropic/claude-opus-4-8"], continue: "text" as const };
    await using rig = await openGatewayRig({ routes: { show } });
    const { codex } = rig.stage.simulator;
    codex.script({ name: "cut-mid-text", text: first }, { for: "ann" });
    codex.script({ text: second }, { for: "ben" });
    const ask = (): Promise<string> =>
      rig.openai.responses
        .stream({ model: "show", input: "hello", prompt_cache_key: "c" })
        .finalResponse()
        .then(({ output_text }) => output_text);
    expect(await ask()).toMatch(/^The curtain.*Then the understudy steps out and says the line\.$/);
    await ask();
    expect(codex.requests.map(({ credential }) => credential)).toEqual(["ann", "ben", "ben"]);
    expect(rig.events.filter(({ type }) => type === "switched")).toHaveLength(1);
  });

  it("is the one after it when the next can't take what was said, but nobody when what was asked is refused", async () => {
    const show = { targets: dialects.map(({ target }) => target), continue: "text" as const };
    await using rig = await openGatewayRig({ routes: { show } });
    const { openai, chat: local, messages: anthropic } = rig.stage.simulator;
    const [responses] = dialects;
    anthropic.setBehaviour("*", { text: second });
    for (const [fault, isGoneOn] of [
      ["invalid-request", true],
      ["context-overflow", true],
      ["content-policy", false],
    ] as const) {
      openai.script({ name: "cut-mid-text", text: first });
      local.script(fault);
      const reply = await rig.ask(responses.path, { body: responses.ask("hello", "show", true) });
      expect([reply.text.includes("response.completed"), reply.text.includes("the answer broke off")], fault).toEqual([
        isGoneOn,
        !isGoneOn,
      ]);
    }
    expect(anthropic.requests).toHaveLength(2);
  });

  it("is told, and what of the request it was not given: in the stream, in an event and in the journal", async () => {
    await using rig = await openFor(chat, messages);
    const { chat: local, messages: anthropic } = rig.stage.simulator;
    local.script({ name: "cut-mid-text", text: first });
    anthropic.script({ text: second });
    const reply = await rig.ask(chat.path, { body: { ...body, seed: 7, "a\u001b[31m": 1 } });
    expect(reply.headers["x-understudy-dropped"]).toBeUndefined();
    expect(reply.text).toContain(
      ": x-understudy-continued-by=anthropic/claude-opus-4-8/k\n\n: x-understudy-dropped=seed;%20a%1B%5B31m\n\n",
    );
    const committed = rig.events.filter((event) => event.type === "committed");
    expect(committed.map(({ dropped }) => dropped)).toEqual([undefined, ["seed", "a [31m"]]);
    const [turn] = await rig.stage.workspace.store.listTurns(1);
    expect(turn?.attempts).toMatchObject([{ cut: true }, { dropped: ["seed", "a [31m"] }]);
    if (turn === undefined) return;
    const lines = explainTurn(turn, [], turn.endedAt).map(({ parts }) => parts.map(({ text }) => text).join(""));
    expect(lines).toEqual([
      expect.stringMatching(/ · answered after /),
      expect.stringMatching(
        /^1\. local\/qwen3 · l: network after .*: the answer broke off: the connection to the provider broke \(/,
      ),
      expect.stringMatching(/^decided by row network, .*then: the next provider$/),
      "2. anthropic/claude-opus-4-8 · k: answered",
      "left out of the request: seed; a [31m",
      expect.stringMatching(/^tokens: /),
    ]);
  });

  it("is the same credential again when there is nobody else", async () => {
    const show = { targets: ["local/qwen3"], continue: "text" as const };
    await using rig = await openGatewayRig({ routes: { show } });
    rig.stage.simulator.chat.script({ name: "cut-mid-text", text: first });
    rig.stage.simulator.chat.script({ text: second });
    expect(await readBySdk(rig, chat)).toContain(second);
  });

  it("is nobody where the route does not say so", async () => {
    await using rig = await openGatewayRig({ routes: { show: ["local/qwen3", "openai/gpt-5.5"] } });
    rig.stage.simulator.chat.script({ name: "cut-mid-text", text: first });
    const reply = await rig.ask(chat.path, { body });
    expect(reply.text).toContain("the answer broke off");
    expect(rig.stage.simulator.openai.requests).toEqual([]);
  });

  it("is nobody when the answer has to be JSON", async () => {
    await using rig = await openFor(chat, messages);
    rig.stage.simulator.chat.script({ name: "cut-mid-text", text: '{"a": "The curtain rises"}' });
    const reply = await rig.ask(chat.path, { body: { ...body, response_format: { type: "json_object" } } });
    expect(reply.text).toContain("the answer broke off");
    expect(rig.stage.simulator.messages.requests).toEqual([]);
  });

  it("gets the text as the beginning of its own answer where the model takes that, and in words when it is refused", async () => {
    for (const takesPrefill of [true, false]) {
      const show = { targets: ["local/qwen3", "anthropic/claude-sonnet-4-5"], continue: "text" as const };
      await using rig = await openGatewayRig({ routes: { show } });
      rig.stage.simulator.messages.takesPrefill = takesPrefill;
      // Half of it ends in a word, not in a blank.
      rig.stage.simulator.chat.script({ name: "cut-mid-text", text: "Abracadabraabracadabra" });
      rig.stage.simulator.messages.setBehaviour("*", { text: "cadabra" });
      expect(await readBySdk(rig, chat)).toMatch(/^Abracadabra.*cadabra$/);
      const roles = rig.stage.simulator.messages.requests.map(({ body }) =>
        (body as { messages: { role: string }[] }).messages.map(({ role }) => role).join(" "),
      );
      expect(roles).toEqual(takesPrefill ? ["user assistant"] : ["user assistant", "user assistant user"]);
    }
  });

  it("is looked for no longer than the caller waits", async () => {
    await using rig = await openFor(chat, messages);
    rig.stage.simulator.chat.script({ name: "cut-mid-text", text: first });
    rig.stage.simulator.messages.setBehaviour("*", "no-headers");
    const controller = new AbortController();
    const reply = rig.ask(chat.path, { body, signal: controller.signal }).catch(() => null);
    await rig.stage.simulator.messages.until(() => rig.stage.simulator.messages.held > 0);
    controller.abort();
    await reply;
    await rig.stage.simulator.messages.until(() => rig.stage.simulator.messages.aborted === 1);
    await rig.gateway.close();
    const [turn] = await rig.stage.workspace.store.listTurns(1);
    expect(turn?.outcome).toBe("cancelled");
  });
});

it("a route without the option has none", async () => {
  await using rig = await openGatewayRig({ routes: { show: { targets: ["local/qwen3"], continue: "text" } } });
  const routes: readonly Route[] = rig.stage.workspace.config.routes;
  expect(routes.map((route) => [route.name, route.continue])).toEqual([
    ["coding", undefined],
    ["show", "text"],
  ]);
});
