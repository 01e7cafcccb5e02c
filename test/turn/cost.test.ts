import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { TurnLog } from "../../src/turn/turn-log.ts";
import { openStage } from "../rig/stage.ts";

const usage = {
  prompt_tokens: 1_000,
  completion_tokens: 100,
  cost: 0.25,
  prompt_tokens_details: { cached_tokens: 400 },
};

/** A server that answers every chat completion and says what it cost. */
async function openSeller(): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      const message = { role: "assistant", content: "hello" };
      const body = {
        id: "c",
        object: "chat.completion",
        choices: [{ index: 0, message, finish_reason: "stop" }],
        usage,
      };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve()).closeAllConnections()),
  };
}

describe("what a turn cost", () => {
  it("is what a provider reports that counts in dollars, unless a price is set; of others nothing is believed", async () => {
    await using seller = await openSeller();
    await using stage = await openStage({
      providers: {
        openrouter: { baseUrl: seller.url },
        local: { protocol: "chat-completions", baseUrl: seller.url, apiKeyEnv: "LOCAL_KEY" },
      },
      prices: { "openrouter/priced": { input: 10, cachedInput: 1, output: 100 } },
      env: { OPENROUTER_API_KEY: "sk-or-of-a-test", LOCAL_KEY: "key-of-a-test" },
    });
    const costs: unknown[] = [];
    for (const target of ["openrouter/some", "openrouter/priced", "local/some"]) {
      const { turnId } = await stage.turn("hello", target);
      const [turn] = await stage.workspace.store.listTurns(1);
      expect(turn?.id).toBe(turnId);
      costs.push(turn?.cost);
    }
    // 600 × $10 + 400 × $1 + 100 × $100, per million.
    const reckoned = expect.closeTo(0.0164, 10) as number;
    expect(costs).toEqual([{ usd: 0.25, from: "provider" }, { usd: reckoned, from: "prices" }, null]);
  });
});

it("a wait counts towards the attempt that comes after it, and only that one", () => {
  let now = 1_000;
  const log = new TurnLog("t", "r", { now: () => now, sleep: () => Promise.resolve() }, undefined);
  const candidate = { provider: "p", model: "m", credential: { id: "c", label: "l" } };
  const attempt = { candidate, startedAt: now, called: true, failure: null, decision: null };
  log.add(attempt);
  now += 300;
  log.waited(200);
  log.waited(100);
  log.add(attempt);
  log.add(attempt);
  const { attempts } = log.end("answered", { usage: null, cost: null });
  expect(attempts.map(({ waitedMs }) => waitedMs)).toEqual([undefined, 300, undefined]);
});
