import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { expect, it } from "vitest";
import { openStage } from "../rig/stage.ts";

/** A provider whose connections all die while they rest: whatever is sent over one for a second time is lost. */
async function openForgetful(): Promise<{ url: string; lost: () => number; close: () => Promise<void> }> {
  const used = new Set<Socket>();
  let lost = 0;
  const waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    request.resume();
    if (used.has(request.socket)) {
      lost += 1;
      request.socket.destroy();
      return;
    }
    used.add(request.socket);
    const answer = (): void => {
      response.setHeader("content-type", "application/json");
      const message = { role: "assistant", content: "here" };
      response.end(JSON.stringify({ id: "c", choices: [{ index: 0, message, finish_reason: "stop" }] }));
    };
    // The first four wait for each other, so that each has a connection.
    waiting.push(answer);
    if (waiting.length >= 4) for (const go of waiting.splice(0)) go();
    if (used.size > 4) answer();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    lost: () => lost,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it("a turn is answered though every connection that was kept open has died", async () => {
  const forgetful = await openForgetful();
  await using stage = await openStage({
    routes: { only: ["forgetful/m"] },
    providers: { forgetful: { protocol: "chat-completions", baseUrl: forgetful.url, apiKeyEnv: "FORGETFUL_KEY" } },
    env: { FORGETFUL_KEY: "sk-1234567890" },
  });
  await Promise.all(Array.from({ length: 4 }, () => stage.turn("hello", "only")));
  expect((await stage.turn("hello", "only")).text).toBe("here");
  expect(forgetful.lost()).toBe(1);
  await forgetful.close();
});
