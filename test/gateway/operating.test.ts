import { Agent, request } from "node:http";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createGateway, type Gateway } from "../../src/gateway.ts";
import { openCliStage } from "../cli/rig.ts";
import { parseMetrics } from "../rig/prometheus-text.ts";
import { openStage } from "../rig/stage.ts";

/** A key that looks like words: only who knows it can tell that it is one. */
const canary = "correct.horse.battery.staple";

/** Over a connection of its own, unless an agent keeps one: so any worker may get it. */
function ask(url: string, key: string, body?: object, agent: Agent | false = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}` };
    const method = body === undefined ? "GET" : "POST";
    const asking = request(url, { method, headers, agent }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve(text)).on("error", reject);
    });
    asking.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
  });
}

describe("a gateway of several workers", () => {
  it("gives the metrics of all of them whichever is asked, and writes no secret to its log", async () => {
    await using stage = await openCliStage(
      ({ baseUrls }) => `
routes: { coding: [local/qwen3] }
providers:
  local: { protocol: chat-completions, baseUrl: "${baseUrls.chat}", apiKeyEnv: LOCAL_KEY }
`,
    );
    const { chat } = stage.simulator;
    stage.setEnv({ LOCAL_KEY: chat.keys.add("local", canary), OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9" });
    const both = await stage.run(["serve", "--workers", "2", "--share-port"]);
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining("leave --workers out")]);
    const serving = stage.start(["serve", "--port", "0", "--json", "--workers", "2"]);
    await serving.until(/"type":"listening"/);
    const { url } = JSON.parse(serving.stdout.split("\n")[0] ?? "") as { url: string };
    const key = readFileSync(join(stage.home, "client.key"), "utf8").trim();
    const body = { model: "coding", messages: [{ role: "user", content: "hello" }] };
    for (let i = 0; i < 7; i += 1) {
      if (i === 6) chat.setBehaviour("*", "echo-key");
      await ask(`${url}/v1/chat/completions`, key, body);
    }

    for (let i = 0; i < 4; i += 1) {
      const metrics = parseMetrics(await ask(`${url}/metrics`, key));
      expect(metrics.value('understudy_turns_total{outcome="answered"}')).toBe(6);
      expect(metrics.value('understudy_turns_total{outcome="failed"}')).toBe(1);
      expect(metrics.value('understudy_build_info{version="0.1.0"}')).toBe(1);
    }
    serving.child.kill("SIGTERM");
    const { stdout, stderr } = stage.expectNoSecret(await serving.ended);
    expect(stdout + stderr).not.toContain(canary);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; failure?: { message: string } });
    const refused = events.find(({ type }) => type === "attempt-failed");
    expect(refused?.failure?.message).toContain("[secret]");
    // The packages for sending traces are not installed here; the gateway says so and serves.
    expect(stderr).toMatch(/no traces: OTEL_EXPORTER_OTLP_ENDPOINT is set.*npm install/);
  });
});

describe("two gateways on one port", () => {
  it("hand over: new connections go to the other, and what comes over an open one is still answered", async () => {
    await using stage = await openStage({ routes: { coding: ["local/qwen3"] } });
    await stage.addKey("local", "k");
    const options = { workspace: stage.workspace, clientKey: "uk-a-key-of-this-test", sharePort: true };
    const limits = { handOverMs: 300 };
    const old = await createGateway({ ...options, port: 0, limits });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const body = { model: "coding", messages: [{ role: "user", content: "hello" }] };
    const path = `${old.url}/v1/chat/completions`;
    try {
      expect(await ask(path, options.clientKey, body, agent)).toContain("The simulator heard");
      await using next = await disposable(createGateway({ ...options, port: old.port }));
      const closed = old.close();
      // The open connection leads to the old one, a new one only to the next.
      expect(await ask(path, options.clientKey, body, agent)).toContain("The simulator heard");
      expect(await ask(path, options.clientKey, body)).toContain("The simulator heard");
      await closed;
      expect(await ask(path, options.clientKey, body, agent)).toContain("The simulator heard");
      const turns = async (gateway: Gateway): Promise<number> => {
        const families = await gateway.metrics();
        return families.find(({ name }) => name === "understudy_first_event_seconds")?.samples.at(-1)?.[1] ?? 0;
      };
      expect([await turns(old), await turns(next.gateway)]).toEqual([2, 2]);
    } finally {
      agent.destroy();
    }
  });

  it("not unless both say so", async () => {
    await using stage = await openStage();
    const options = { workspace: stage.workspace, clientKey: "uk-a-key-of-this-test" };
    await using first = await disposable(createGateway({ ...options, port: 0, sharePort: true }));
    await expect(createGateway({ ...options, port: first.gateway.port })).rejects.toThrow(
      /is taken by another program/,
    );
  });
});

async function disposable(opening: Promise<Gateway>): Promise<AsyncDisposable & { readonly gateway: Gateway }> {
  const gateway = await opening;
  return { gateway, [Symbol.asyncDispose]: () => gateway.close() };
}
