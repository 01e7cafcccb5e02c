import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { backendNames, type BackendName, type Simulator, startSimulator } from "../../src/testing.ts";
import { type Caller, callersOf, now } from "./callers.ts";
import { sendRaw } from "./raw-client.ts";

let simulator: Simulator;
let callers: Record<BackendName, Caller>;

beforeEach(async () => {
  simulator = await startSimulator({ now: () => now });
  callers = callersOf(simulator);
});
afterEach(() => simulator.close());

describe("a server that is killed", () => {
  it.each(backendNames)("%s breaks its answer off and refuses the port until it is back", async (name) => {
    const { backend } = callers[name];
    const { origin } = backend;
    backend.script("stall-mid-text");
    const pending = callers[name].call();
    await backend.until(() => backend.held === 1);
    await backend.stop();
    const answer = await pending;
    expect(answer).toMatchObject({ status: 200, ended: "ECONNRESET" });
    expect(answer.text).toContain("The simulator");
    expect(backend.requests[0]?.ending).toBe("cut");
    expect(backend.aborted).toBe(0);
    expect(backend.running).toBe(false);
    expect((await callers[name].call()).ended).toBe("ECONNREFUSED");
    await backend.start();
    expect(backend.origin).toBe(origin);
    expect((await callers[name].call()).status).toBe(200);
  });

  it("opens the port it is told, for a program that is configured by hand", async () => {
    const port = Number(new URL(simulator.chat.origin).port);
    await simulator.chat.stop();
    await using other = await startSimulator({ ports: { chat: port } });
    expect(other.baseUrls.chat).toBe(`http://127.0.0.1:${port}/v1`);
  });

  it("leaves the others running", async () => {
    await simulator.messages.stop();
    expect((await callers.openai.call()).status).toBe(200);
  });
});

describe("a client that leaves", () => {
  it.each(["no-headers", "silence", "slow-first-event", "stall-mid-text"] as const)(
    "during %s is noticed and counted",
    async (fault) => {
      const { backend } = callers.messages;
      backend.script(fault);
      const leaving = new AbortController();
      const pending = callers.messages.call({ signal: leaving.signal });
      await backend.until(() => backend.held === 1);
      leaving.abort();
      expect((await pending).ended).toMatch(/ABORT|ECONNRESET/i);
      await backend.until(() => backend.aborted === 1);
      expect(backend.held).toBe(0);
      expect(backend.requests[0]?.ending).toBe("aborted");
    },
  );
});

describe("answers that are held", () => {
  it("go on in the order in which they were held", async () => {
    const { backend } = callers.openai;
    backend.setBehaviour("*", "slow-first-event");
    const finished: string[] = [];
    const ask = async (text: string): Promise<void> => {
      const answer = await callers.openai.call({ body: { input: text } });
      finished.push(answer.text.includes(`heard: ${text}`) ? text : "another");
    };
    const first = ask("first");
    await backend.until(() => backend.held === 1);
    const second = ask("second");
    await backend.until(() => backend.held === 2);
    expect(backend.release(1)).toBe(1);
    await first;
    expect(backend.held).toBe(1);
    expect(backend.release()).toBe(1);
    await second;
    expect(finished).toEqual(["first", "second"]);
    expect(backend.release()).toBe(0);
  });
});

describe("the log of requests", () => {
  it("is in the order of arrival over all roles, with names in the place of secrets", async () => {
    const tokens = simulator.codexIssuer.issueTokens("alice");
    const token = `${simulator.codexIssuer.origin}/oauth/token`;
    const fields = {
      grant_type: "refresh_token",
      client_id: "app_EMoamEEZ73f0CkXaXp7hrann",
      refresh_token: tokens.refreshToken,
    };
    await callers.messages.call({ body: { note: `my key is ${callers.messages.secret}` } });
    await sendRaw(token, { body: fields });
    await callers.codex.call();
    const wrong = { authorization: "Bearer sk-secret-of-somebody" };
    await callers.chat.call({ headers: wrong });
    const log = simulator.requests;
    expect(log.map((request) => request.path)).toEqual([
      "/v1/messages",
      "/oauth/token",
      "/backend-api/codex/responses",
      "/v1/chat/completions",
    ]);
    expect(log.map((request) => request.order)).toEqual([1, 2, 3, 4]);
    expect(log[0]).toMatchObject({
      headers: { "x-api-key": "<key alice>" },
      body: { note: "my key is <key alice>" },
      at: now,
    });
    expect(log[1]?.body).toEqual({ ...fields, refresh_token: "<refresh token 2 of alice>" });
    expect(log[2]?.headers.authorization).toBe("Bearer <access token 1 of alice>");
    expect(log[3]?.headers.authorization).toBe("Bearer <unknown>");
    expect(log.map((request) => request.credential)).toEqual(["alice", "alice", "alice", null]);
    const text = JSON.stringify(log);
    expect(simulator.secrets.length).toBeGreaterThan(8);
    expect(simulator.secrets.filter((secret) => text.includes(secret))).toEqual([]);
  });

  it("tells unplanned requests apart", async () => {
    await callers.openai.call();
    expect(simulator.unplanned).toEqual([]);
    const answer = await sendRaw(`${simulator.openai.baseUrl}/embeddings?x=1`, { body: {} });
    expect(answer.status).toBe(404);
    await sendRaw(callers.openai.url(), { method: "GET" });
    await sendRaw(`${simulator.codexIssuer.origin}/oauth/nothing`, { method: "DELETE" });
    expect(simulator.unplanned.map((request) => `${request.method} ${request.path}`)).toEqual([
      "DELETE /oauth/nothing",
      "POST /v1/embeddings",
      "GET /v1/responses",
    ]);
    expect(simulator.unplanned[1]?.query).toEqual({ x: "1" });
  });

  it("says how each request ended", async () => {
    await callers.chat.call();
    simulator.chat.script("cut-before-headers");
    await callers.chat.call();
    await simulator.chat.until(() => simulator.chat.requests.every((request) => request.ending !== null));
    expect(simulator.chat.requests).toMatchObject([
      { status: 200, ending: "complete" },
      { status: null, ending: "cut" },
    ]);
  });
});

describe("a simulator", () => {
  it("names its addresses for a configuration and for an environment", () => {
    const { baseUrls, env } = simulator;
    expect(baseUrls.codex).toBe(`${simulator.codex.origin}/backend-api/codex`);
    expect(env).toEqual({
      UNDERSTUDY_CODEX_ISSUER: baseUrls.codexIssuer,
      UNDERSTUDY_CODEX_BASE_URL: baseUrls.codex,
      OPENAI_BASE_URL: baseUrls.openai,
      ANTHROPIC_BASE_URL: baseUrls.messages,
      OPENROUTER_BASE_URL: baseUrls.chat,
    });
    expect(new Set(Object.values(baseUrls).map((url) => new URL(url).port)).size).toBe(5);
  });

  it("ends everything when it is closed, also what is held", async () => {
    const other = await startSimulator();
    const { openai } = callersOf(other);
    openai.backend.script("silence");
    const pending = openai.call();
    await openai.backend.until(() => openai.backend.held === 1);
    await other.close();
    expect((await pending).ended).toBe("ECONNRESET");
    expect(openai.backend.connections).toBe(0);
  });

  it("does not hide an error of its own", async () => {
    const broken = await startSimulator({
      now: () => {
        throw new Error("the clock is broken");
      },
    });
    await sendRaw(broken.chat.origin, { body: {} });
    await expect(broken.close()).rejects.toThrow("the simulator had errors of its own");
  });
});
