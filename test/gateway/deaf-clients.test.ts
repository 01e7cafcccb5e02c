import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientKey, type GatewayRig, openGatewayRig, type RawConnection } from "./rig.ts";

/** More than what the systems' buffers on both sides of the gateway ever take: there are four, and one may grow to 32 MiB. */
const answerBytes = 48 * 1024 * 1024;
const chunk = {
  id: "c",
  choices: [{ index: 0, delta: { content: "All the world's a stage. " }, finish_reason: null }],
};
const piece = Buffer.from(`data: ${JSON.stringify(chunk)}\n\n`.repeat(500));
const last = `${JSON.stringify({ ...chunk, choices: [{ index: 0, delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`;

/** What the provider could write of its answer. */
let written = 0;
const provider = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { "content-type": "text/event-stream" });
  const more = (): void => {
    while (written < answerBytes && !response.destroyed) {
      written += piece.length;
      if (!response.write(piece)) return void response.once("drain", more);
    }
    response.end(`data: ${last}`);
  };
  more();
});

beforeAll(() => new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve)));
afterAll(() => {
  provider.closeAllConnections();
  return new Promise((resolve) => provider.close(resolve));
});

/** A client that asks and reads nothing, when nothing more can be written to it. */
async function askAndReadNothing(rig: GatewayRig, path: string): Promise<RawConnection> {
  written = 0;
  const line = await rig.dial();
  line.socket.pause();
  const messages = [{ role: "user", content: "hello" }];
  const body = JSON.stringify({ model: "local/qwen3", stream: true, max_tokens: 9, messages });
  line.socket.write(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${clientKey}\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  let seen = 0;
  for (let still = 0; still < 4; still = seen > 0 && seen === written ? still + 1 : 0) {
    seen = written;
    await sleep(40);
  }
  return line;
}

function openRig(drainMs: number): Promise<GatewayRig> {
  const baseUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/v1`;
  const local = { protocol: "chat-completions", baseUrl, apiKeyEnv: "LOCAL_KEY" } as const;
  return openGatewayRig({ providers: { local }, gateway: { limits: { drainMs } } });
}

describe("a client that reads nothing", () => {
  it("makes the provider wait, and gets all of it when it reads", async () => {
    await using rig = await openRig(30_000);
    const line = await askAndReadNothing(rig, "/v1/chat/completions");
    expect(written).toBeLessThan(answerBytes);
    line.socket.resume();
    await line.until(() => line.closed);
    expect(written).toBeGreaterThanOrEqual(answerBytes);
    expect(line.received.slice(-200)).toContain("[DONE]");
  });

  it.each(["/v1/chat/completions", "/v1/messages"])("keeps a gateway no longer than it may, at %s", async (path) => {
    await using rig = await openRig(30);
    const line = await askAndReadNothing(rig, path);
    expect(rig.gateway.openTurns).toBe(1);
    await rig.gateway.close();
    expect(rig.gateway.openTurns).toBe(0);
    line.socket.resume();
    await line.until(() => line.closed);
    expect((await rig.stage.workspace.store.listTurns(1)).map(({ outcome }) => outcome)).toEqual(["cancelled"]);
  });
});
