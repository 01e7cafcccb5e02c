import { getEventListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { resolveRoute } from "../../src/config/resolve-route.ts";
import { TransportError } from "../../src/core/transport.ts";
import { runTurn } from "../../src/turn/run-turn.ts";
import { openWorkspace } from "../../src/workspace.ts";

const folder = mkdtempSync(join(tmpdir(), "understudy-transport-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("a transport of an application's own", () => {
  it("is given signals that fetch takes, and that say when the caller gives up", async () => {
    const controller = new AbortController();
    let given: unknown;
    const workspace = await openWorkspace({
      config: { limits: { maxWaitMs: 0 } },
      env: { UNDERSTUDY_HOME: folder, OPENAI_API_KEY: "key-of-openai-123" },
      transport: {
        send({ signal }) {
          given = signal;
          controller.abort(new Error("enough"));
          return Promise.reject(signal?.reason);
        },
        close: () => Promise.resolve(),
      },
    });
    const { runtime, config } = workspace;
    const body = JSON.stringify({ model: "openai/b", input: "hello" });
    const request = { dialect: "responses", body, stream: false, headers: {} } as const;
    const route = resolveRoute(config, "openai/b");
    expect(await runTurn(runtime, request, { route, signal: controller.signal })).toMatchObject({
      outcome: "cancelled",
    });
    expect(given).toBeInstanceOf(AbortSignal);
    expect(given).toMatchObject({ aborted: true, reason: new Error("enough") });
    await workspace.close();
  });
});

describe("a transport that throws where it should reject", () => {
  it("has failed: the turn goes on to the next one, and leaves nothing behind", async () => {
    const asked: string[] = [];
    const workspace = await openWorkspace({
      config: { routes: { both: ["anthropic/a", "openai/b"] }, limits: { maxWaitMs: 0 } },
      env: { UNDERSTUDY_HOME: folder, ANTHROPIC_API_KEY: "key-of-anthropic-1", OPENAI_API_KEY: "key-of-openai-123" },
      random: () => 0,
      transport: {
        send({ url }) {
          asked.push(new URL(url).hostname);
          throw new TransportError("connect", "ECONNREFUSED", "nobody is there");
        },
        close: () => Promise.resolve(),
      },
    });
    const { signal } = new AbortController();
    const { runtime, config } = workspace;
    const body = JSON.stringify({ model: "both", input: "hello" });
    const request = { dialect: "responses", body, stream: false, headers: {} } as const;
    const result = await runTurn(runtime, request, { route: resolveRoute(config, "both"), signal });
    expect(result).toMatchObject({ ok: false, failure: { reason: "network" } });
    expect(new Set(asked)).toEqual(new Set(["api.anthropic.com", "api.openai.com"]));
    expect(getEventListeners(signal, "abort")).toEqual([]);
    await workspace.close();
  });
});
