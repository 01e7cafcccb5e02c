import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createGateway, type Gateway } from "../../src/gateway.ts";
import type { ProtocolName } from "../../src/core/target.ts";
import { openWorkspace, type Workspace } from "../../src/workspace.ts";
import { readAnswer } from "./read-answer.ts";
import { scenarios } from "./scenarios.ts";
import { describeSetup, playAgainst, providerKey } from "./target-arena.ts";

const clientKey = "uk-the-key-of-a-gateway-under-test";
/** Those that take no time on a real clock. */
const quick = /S03|S05|S08|S10|S11|S12|S13|S14|S16/;

describe("the runner, pointed at a gateway that it knows only by its address", () => {
  let folder: string;
  let port: number;
  let workspace: Workspace;
  let gateway: Gateway;

  async function open(protocol: ProtocolName): Promise<void> {
    const base = `http://127.0.0.1:${port}${protocol === "messages" ? "" : "/v1"}`;
    workspace = await openWorkspace({
      env: { UNDERSTUDY_HOME: folder, MATRIX_KEY: providerKey },
      config: {
        providers: { scripted: { protocol, baseUrl: base, apiKeyEnv: "MATRIX_KEY" } },
        routes: Object.fromEntries(
          scenarios.map(({ id }) => {
            const name = id.toLowerCase();
            return [`matrix-${name}`, [`scripted/primary-${name}`, `scripted/fallback-${name}`]];
          }),
        ),
      },
      random: () => 0,
    });
    gateway = await createGateway({ workspace, clientKey, port: 0 });
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "understudy-target-"));
    port = await freePort();
  });
  afterEach(async () => {
    await gateway.close();
    await workspace.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(["chat-completions", "responses", "messages"] as const)("scores it over %s", async (dialect) => {
    await open(dialect);
    const verdicts = await playAgainst({
      url: gateway.url,
      model: "matrix-{id}",
      key: clientKey,
      dialect,
      stream: true,
      port,
      only: quick,
    });
    const scores = Object.fromEntries(verdicts.map(({ id, score }) => [id, score]));
    const [pass, safe] = ["pass", "safe"];
    expect(scores).toEqual({
      S03: pass,
      S05: pass,
      S08: safe,
      S10: pass,
      S11: pass,
      S12: safe,
      S13: pass,
      S14: safe,
      S16: pass,
    });
  });
});

describe("how a gateway has to be set up", () => {
  it("is said with every route it needs", () => {
    const text = describeSetup({ model: "m-{id}", dialect: "messages", port: 4199 });
    expect(text).toContain("http://127.0.0.1:4199, protocol messages");
    expect(text).toContain("m-s01: primary-s01, then fallback-s01");
    expect(describeSetup({ model: "m", dialect: "responses", port: 1 })).toContain("m: primary, then fallback");
  });
});

describe("the reader of answers", () => {
  const raw = (text: string, more: object = {}) => ({
    status: 200,
    contentType: "text/event-stream",
    text,
    broken: false,
    ...more,
  });
  const chat = (delta: object, finish: string | null = null): string =>
    `data: ${JSON.stringify({ choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

  it.each([
    ["complete", chat({ content: "a" }) + chat({}, "stop"), {}, "answer"],
    ["cut, and nobody says so", chat({ content: "a" }), {}, "truncated"],
    ["cut by the connection", chat({ content: "a" }), { broken: true }, "cut"],
    ["cut by an error event", `${chat({ content: "a" })}data: {"error":{"message":"no"}}\n\n`, {}, "cut"],
    ["an error before any word", 'data: {"error":{"message":"no"}}\n\n', {}, "error"],
    ["nothing", "", {}, "truncated"],
  ])("sees an answer that is %s", (_, text, more, kind) => {
    expect(readAnswer("chat-completions", raw(text, more)).kind).toBe(kind);
  });

  it("sees what no well-behaved server sends", () => {
    const late = chat({ content: "a" }) + chat({}, "stop") + chat({ content: "b" });
    expect(readAnswer("chat-completions", raw(late)).oddities).toHaveLength(1);
    expect(readAnswer("chat-completions", raw(`data: {"cho\n\n${chat({}, "stop")}`)).oddities).toHaveLength(1);
    const twice = [
      { type: "response.output_text.delta", delta: "a" },
      {
        type: "response.completed",
        response: { status: "completed", output: [{ type: "message", content: [{ text: "b" }] }] },
      },
    ];
    const events = twice.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("");
    expect(readAnswer("responses", raw(events))).toMatchObject({ text: "a", oddities: [expect.any(String)] });
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
