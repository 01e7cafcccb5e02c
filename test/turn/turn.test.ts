import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import type { BehaviourSpec } from "../../src/simulator/behaviour.ts";
import { openStage } from "../rig/stage.ts";

describe("the story of the pull request", () => {
  it("a plan that runs dry in mid-thought is answered by the next account, and the caller sees one clean answer", async () => {
    await using stage = await openStage();
    await stage.addCodexLogin("ann");
    await stage.addCodexLogin("ben");
    stage.simulator.codex.script({ name: "soft-quota", after: "reasoning", resetsInS: 3 * 3_600 }, { for: "ann" });
    const answer = await stage.turn("hello");
    expect(stage.story).toEqual(["ann quota", "ben ok"]);
    expect(answer).toMatchObject({ text: "The simulator heard: hello", reasoning: "", attempts: 2, switched: true });
    const [cooldown] = await stage.workspace.store.listCooldowns("codex");
    expect(cooldown).toMatchObject({ reason: "quota", model: "", stated: true });
    expect(Math.abs((cooldown?.until ?? 0) - Date.now() - 3 * 3_600_000)).toBeLessThan(60_000);
  });

  it("a refresh token that another client used names the login and the command, and the next provider answers", async () => {
    await using stage = await openStage();
    await stage.addCodexLogin("ben");
    await stage.addKey("anthropic", "claude-key");
    stage.simulator.codexIssuer.consumeRefreshToken("ben");
    stage.simulator.codexIssuer.revokeAccess("ben");
    const answer = await stage.turn("hello");
    expect(stage.story).toEqual(["ben auth", "ben relogin_required", "claude-key ok"]);
    expect(answer.servedBy.provider).toBe("anthropic");
    expect(stage.events.find((event) => event.type === "relogin-required")).toMatchObject({
      candidate: { credential: { label: "ben" } },
      failure: { code: "refresh_token_reused" },
      command: "understudy auth add codex --force-new-login",
    });
    // The dead token is not sent again, and the dead login is not called again.
    await stage.turn("again");
    expect(stage.story).toEqual(["claude-key ok"]);
    expect(stage.simulator.codexIssuer.presentedTwice).toBe(0);
  });

  it("an overload inside the stream moves on to the next provider", async () => {
    await using stage = await openStage();
    await stage.addKey("anthropic", "claude-key");
    await stage.addKey("local", "local-key");
    stage.simulator.messages.script("overloaded-in-stream");
    expect((await stage.turn("hello")).text).toBe("The simulator heard: hello");
    expect(stage.story).toEqual(["claude-key overloaded", "local-key ok"]);
  });
});

describe("a pool", () => {
  it("ten keys of which nine are exhausted answer with ten attempts, and after a restart with one", async () => {
    await using stage = await openStage({ routes: { ten: ["openai/gpt-5.5"] } });
    for (let i = 1; i <= 10; i++) {
      await stage.addKey("openai", `key-${i}`);
      if (i < 10) stage.simulator.openai.setBehaviour(`key-${i}`, "quota-exhausted");
    }
    expect((await stage.turn("hello", "ten")).attempts).toBe(10);
    await stage.restart();
    expect((await stage.turn("hello", "ten")).attempts).toBe(1);
    expect(stage.story).toEqual(["key-10 ok"]);
  });

  it("an expired access token is refreshed before the call, once", async () => {
    await using stage = await openStage();
    await stage.addCodexLogin("ann", { expiresInS: -10 });
    const answers = await Promise.all(Array.from({ length: 20 }, () => stage.turn("hello")));
    expect(answers.every((answer) => answer.attempts === 1)).toBe(true);
    expect(stage.simulator.codexIssuer.counters.refreshes).toBe(1);
  });

  it("a 401 refreshes and goes on with the same login", async () => {
    await using stage = await openStage();
    await stage.addCodexLogin("ann");
    stage.simulator.codexIssuer.revokeAccess("ann");
    expect((await stage.turn("hello")).text).toBe("The simulator heard: hello");
    expect(stage.story).toEqual(["ann auth", "ann ok"]);
    expect(await stage.workspace.store.listCooldowns()).toEqual([]);
  });

  it("a key that the provider revoked benches itself and no other", async () => {
    await using stage = await openStage();
    await stage.addKey("anthropic", "old");
    await stage.addKey("anthropic", "new");
    stage.simulator.messages.keys.revoke("old");
    await stage.turn("hello");
    expect(stage.story).toEqual(["old auth", "new ok"]);
    await stage.turn("again");
    expect(stage.story).toEqual(["new ok"]);
  });

  it("round robin spreads turns over the pool, also over a restart", async () => {
    await using stage = await openStage({ pools: { anthropic: { strategy: "round_robin" } } });
    for (const name of ["a", "b", "c"]) await stage.addKey("anthropic", name);
    const served: string[] = [];
    for (let i = 0; i < 6; i++) {
      served.push((await stage.turn("hello")).servedBy.credential.label);
      if (i === 2) await stage.restart();
    }
    expect(served).toEqual(["a", "b", "c", "a", "b", "c"]);
  });
});

describe("a target that a route names twice, once for one login and once for all", () => {
  it("asks nobody twice", async () => {
    const anthropic = "anthropic/claude-opus-4-8";
    await using stage = await openStage({
      routes: { twice: [{ target: anthropic, credential: "b" }, anthropic, "local/qwen3"] },
    });
    for (const name of ["a", "b"]) await stage.addKey("anthropic", name);
    await stage.addKey("local", "l");
    stage.simulator.messages.setBehaviour("*", "overloaded");
    await stage.turn("hello", "twice");
    expect(stage.story).toEqual(["b overloaded", "a overloaded", "l ok"]);
  });
});

describe("whose failure it is", () => {
  it("the caller's own mistake is given back, asks nobody else and benches nobody (R4)", async () => {
    await using stage = await openStage();
    await stage.addKey("anthropic", "k");
    await stage.addKey("local", "l");
    stage.simulator.messages.script("invalid-request");
    await expect(stage.turn("hello")).rejects.toMatchObject({ code: "request_refused" });
    expect(stage.story).toEqual(["k invalid_request"]);
    expect(await stage.workspace.store.listCooldowns()).toEqual([]);
  });

  it.each(["content-policy", "soft-content-policy", "context-overflow"] as const)(
    "%s is not routed around",
    async (fault) => {
      await using stage = await openStage();
      await stage.addKey("openai", "k");
      await stage.addKey("openai", "l");
      stage.simulator.openai.setBehaviour("*", fault);
      await expect(stage.turn("hello", "openai/gpt-5.5")).rejects.toMatchObject({ code: "request_refused" });
      expect(stage.simulator.openai.requests).toHaveLength(1);
    },
  );

  it("a caller who gives up blames nobody, and the upstream is told", async () => {
    await using stage = await openStage();
    await stage.addKey("anthropic", "k");
    stage.simulator.messages.script("silence");
    const controller = new AbortController();
    const turn = stage.turn("hello", undefined, controller.signal);
    const { messages } = stage.simulator;
    await messages.until(() => messages.held === 1);
    controller.abort();
    await expect(turn).rejects.toMatchObject({ code: "cancelled" });
    expect(await stage.workspace.store.listCooldowns()).toEqual([]);
    const [record] = await stage.workspace.store.listTurns(1);
    expect(record?.outcome).toBe("cancelled");
    await messages.until(() => messages.aborted === 1);
  });
});

describe("faults before the commit point are not seen", () => {
  const faults: BehaviourSpec[] = [
    { name: "server-error" },
    { name: "html-502" },
    { name: "waf-page" },
    { name: "broken-json-200" },
    { name: "empty-stream" },
    { name: "html-200" },
    { name: "cut-before-headers" },
    { name: "cut-in-head" },
    { name: "no-terminal", after: "at-once" },
    { name: "reset" },
    { name: "silence" },
    { name: "no-headers" },
    { name: "burst-limit", retryAfterS: 60 },
    { name: "billing" },
    { name: "overloaded" },
    { name: "forbidden" },
    { name: "redirect" },
    { name: "model-not-found" },
    { name: "huge-event" },
    { name: "error-event" },
  ];
  it.each(faults)("$name of the first provider: the second answers", async (fault) => {
    await using stage = await openStage({
      routes: { two: ["openai/gpt-5.5", "local/qwen3"] },
      limits: { firstEventMs: 250, idleMs: 250 },
    });
    await stage.addKey("openai", "k");
    await stage.addKey("local", "l");
    stage.simulator.openai.setBehaviour("*", fault);
    const answer = await stage.turn("hello", "two");
    expect(answer).toMatchObject({ text: "The simulator heard: hello", servedBy: { provider: "local" } });
  });
});

describe("faults after the commit point", () => {
  it.each(["cut-mid-text", "stall-mid-text"] as const)(
    "%s is told as a cut answer, never as a complete one",
    async (fault) => {
      await using stage = await openStage({ limits: { firstEventMs: 250, idleMs: 250 } });
      await stage.addKey("anthropic", "k");
      await stage.addKey("local", "l");
      stage.simulator.messages.script(fault);
      await expect(stage.turn("hello")).rejects.toMatchObject({ code: "answer_cut" });
      expect(stage.story).toEqual(["k ok"]);
      expect((await stage.workspace.store.listTurns(1))[0]?.outcome).toBe("cut");
    },
  );

  it("a caller who wants no stream never sees a cut: the whole answer is held", async () => {
    await using stage = await openStage({ routes: { two: ["codex/gpt-5.5", "local/qwen3"] } });
    await stage.addCodexLogin("ann");
    await stage.addKey("local", "l");
    stage.simulator.codex.setBehaviour("*", "cut-mid-text");
    const messages = [{ role: "user" as const, content: [{ type: "text" as const, text: "hello" }] }];
    const answer = await stage.turn({ messages, stream: false }, "two");
    expect(answer).toMatchObject({ text: "The simulator heard: hello", servedBy: { provider: "local" } });
  });
});

describe("when nobody is left", () => {
  it("one error names each candidate, its reason, and the commands that help", async () => {
    await using stage = await openStage();
    await stage.addCodexLogin("ann");
    await stage.addCodexLogin("ben");
    stage.simulator.codex.setBehaviour("ann", { name: "quota-exhausted", resetsInS: 7_200 });
    stage.simulator.codexIssuer.consumeRefreshToken("ben");
    stage.simulator.codexIssuer.revokeAccess("ben");
    const error = await stage.turn("hello").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "turn_failed" });
    const text = (error as Error).message;
    expect(text).toContain("codex/gpt-5.5 · ann: the plan's limit is reached, until");
    expect(text).toMatch(/codex\/gpt-5\.5 · ben: sign in again .*understudy auth add codex --force-new-login/);
    expect(text).toContain(
      "anthropic/claude-opus-4-8: no credential, and ANTHROPIC_API_KEY is not set: run understudy auth add anthropic",
    );
  });

  it("waits for a recovery that is near, and then answers", async () => {
    await using stage = await openStage({ limits: { maxWaitMs: 10_000 } });
    await stage.addKey("anthropic", "k");
    stage.simulator.messages.script({ name: "burst-limit", retryAfterS: 1 });
    expect((await stage.turn("hello", "anthropic/claude-opus-4-8")).text).toBe("The simulator heard: hello");
    expect(stage.story).toEqual(["k rate_limit", "k ok"]);
  });

  it("a strict route never falls back", async () => {
    await using stage = await openStage({
      routes: { only: { targets: ["anthropic/claude-opus-4-8", "local/qwen3"], strict: true } },
    });
    await stage.addKey("anthropic", "k");
    await stage.addKey("local", "l");
    stage.simulator.messages.setBehaviour("*", "billing");
    await expect(stage.turn("hello", "only")).rejects.toMatchObject({ code: "turn_failed" });
    expect(stage.simulator.chat.requests).toEqual([]);
  });
});

describe("what stays secret", () => {
  it("no key or token is in any event, error or journal line, also when the provider repeats it (R8)", async () => {
    await using stage = await openStage();
    await stage.addCodexLogin("ann");
    await stage.addKey("anthropic", "k");
    await stage.addKey("local", "l");
    stage.simulator.messages.setBehaviour("*", "echo-key");
    stage.simulator.codex.setBehaviour("*", "forbidden");
    await stage.turn("hello");
    await stage.turn("again");
    stage.simulator.chat.setBehaviour("*", "billing");
    const error = await stage.turn("more").then(
      () => new Error("it was answered"),
      (thrown: unknown) => thrown as Error,
    );
    const seen = JSON.stringify([stage.events, await stage.workspace.store.listTurns(10), error.message]);
    for (const secret of stage.simulator.secrets) expect(seen).not.toContain(secret);
    expect(stage.simulator.secrets.length).toBeGreaterThan(4);
  });
});

describe("a target that can't be asked", () => {
  it("for want of a base URL is passed over", async () => {
    await using stage = await openStage({
      routes: { odd: ["azure-foundry/gpt-5.5", "local/qwen3"] },
      env: { AZURE_FOUNDRY_API_KEY: "azure-key-0123456789" },
    });
    await stage.addKey("local", "l");
    expect((await stage.turn("hello", "odd")).servedBy.provider).toBe("local");
  });

  it("for want of a way to say it in its protocol is passed over, and blames nobody", async () => {
    await using stage = await openStage({ routes: { two: ["anthropic/claude-opus-4-8", "openai/gpt-5.5"] } });
    await stage.addKey("anthropic", "k");
    await stage.addKey("openai", "l");
    const body = { model: "x", input: "hello", previous_response_id: "resp_1", stream: true };
    const answer = await stage.turn({ protocol: "responses", body }, "two");
    expect(answer.servedBy.provider).toBe("openai");
    expect(await stage.workspace.store.listCooldowns()).toEqual([]);
  });
});

describe("a rejected key", () => {
  it("is told with the command that adds another", async () => {
    await using stage = await openStage();
    await stage.addKey("anthropic", "k");
    stage.simulator.messages.keys.revoke("k");
    await expect(stage.turn("hello", "anthropic/claude-opus-4-8")).rejects.toMatchObject({
      message: expect.stringMatching(/· k: .*: run understudy auth add anthropic$/m) as string,
      facts: { command: "understudy auth add anthropic" },
    });
  });
});

describe("a provider that seems to live", () => {
  it("sends comments and no event: it is silent all the same", async () => {
    const timers: NodeJS.Timeout[] = [];
    const commenting = createServer((_, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      timers.push(setInterval(() => response.write(": still here\n\n"), 20));
    });
    await new Promise<void>((resolve) => commenting.listen(0, "127.0.0.1", resolve));
    const { port } = commenting.address() as AddressInfo;
    await using stage = await openStage({
      routes: { two: ["odd/m", "local/qwen3"] },
      providers: { odd: { protocol: "responses", baseUrl: `http://127.0.0.1:${port}` } },
      limits: { firstEventMs: 300 },
    });
    await stage.addKey("local", "l");
    expect((await stage.turn("hello", "two")).servedBy.provider).toBe("local");
    expect(stage.story).toEqual(["no key timeout", "l ok"]);
    for (const timer of timers) clearInterval(timer);
    commenting.closeAllConnections();
    commenting.close();
  });
});

describe("the token endpoint asks for patience", () => {
  it("and the only login waits for it, if it is not too long", async () => {
    await using stage = await openStage({ routes: { one: ["codex/gpt-5.5"] }, limits: { maxWaitMs: 10_000 } });
    await stage.addCodexLogin("ann", { expiresInS: -10 });
    stage.simulator.codexIssuer.script("server-error");
    expect((await stage.turn("hello", "one")).text).toBe("The simulator heard: hello");
    expect(stage.story).toEqual(["ann server_error", "ann ok"]);
  });
});

describe("an answer that the provider fails in the middle", () => {
  it("is told with its cause, kept in the journal, and an empty account rests", async () => {
    await using stage = await openStage();
    await stage.addKey("openai", "k");
    // So long that its beginning and its failure can't arrive together.
    stage.simulator.openai.script({ name: "soft-quota", after: "text", text: "word ".repeat(200_000) });
    await expect(stage.turn("hello", "openai/gpt-5.5")).rejects.toMatchObject({ code: "answer_cut" });
    const [record] = await stage.workspace.store.listTurns(1);
    expect(record).toMatchObject({ outcome: "cut", attempts: [{ failure: { reason: "billing" } }] });
    expect(stage.events.at(-1)).toMatchObject({ type: "turn-end", failure: { reason: "billing" } });
    expect(await stage.workspace.store.listCooldowns("openai")).toMatchObject([{ reason: "billing" }]);
  });
});

describe("letting go", () => {
  it("of everything gives up the answers that are still open", async () => {
    await using stage = await openStage();
    await stage.addKey("anthropic", "k");
    const { messages } = stage.simulator;
    messages.script("stall-mid-text");
    const turn = stage.turn("hello").catch((error: unknown) => error);
    await messages.until(() => messages.held === 1);
    await stage.workspace.close();
    expect(await turn).toMatchObject({ code: "cancelled" });
    await messages.until(() => messages.aborted === 1);
    await stage.restart();
  });
});
