import { readFileSync } from "node:fs";
import { Agent, createServer, type IncomingMessage, request } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { type CliStage, openCliStage, type Running } from "../cli/rig.ts";

/** What came to the provider: whose key, and over which connection. */
interface Asked {
  readonly key: string;
  readonly over: Socket;
}

describe("the workers of a gateway", () => {
  const asked: Asked[] = [];
  const provider = createServer((incoming: IncomingMessage, response) => {
    const key = incoming.headers.authorization?.replace("Bearer ", "") ?? "";
    asked.push({ key, over: incoming.socket });
    incoming.resume().on("end", () => {
      if (key === "sk-the-first-key") return void response.writeHead(429, { "retry-after": "600" }).end("{}");
      const message = { role: "assistant", content: `by ${key}` };
      const body = { id: "c", object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }] };
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  let stage: CliStage;
  let serving: Running;
  let url: string;
  let key: string;

  beforeAll(async () => {
    await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
    const { port } = provider.address() as AddressInfo;
    stage = await openCliStage(
      () => `
routes: { local: [local/m], codex: [codex/gpt-5.5] }
providers: { local: { protocol: chat-completions, baseUrl: "http://127.0.0.1:${port}/v1" } }
limits: { maxWaitMs: 0 }
`,
    );
    await stage.withWorkspace(async ({ store }) => {
      for (const label of ["first", "second"]) {
        const source = { from: "stored", secret: new Secret(`sk-the-${label}-key`) } as const;
        await store.addApiKey({ provider: "local", label, source, at: Date.now() });
      }
    });
    const { account } = await stage.addCodexLogin("ann");
    stage.simulator.codexIssuer.revokeAccess(account);
    serving = stage.start(["serve", "--port", "0", "--json", "--workers", "2"]);
    await serving.until(/"type":"listening"/);
    url = (JSON.parse(serving.stdout.split("\n")[0] ?? "") as { url: string }).url;
    key = readFileSync(join(stage.home, "client.key"), "utf8").trim();
  });

  afterAll(async () => {
    serving.child.kill("SIGTERM");
    await serving.ended;
    await stage[Symbol.asyncDispose]();
    provider.closeAllConnections();
    provider.close();
  });

  /** A connection of its own goes to the worker whose turn it is. */
  function ask(model: string, agent: Agent): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = { authorization: `Bearer ${key}` };
      const asking = request(`${url}/v1/chat/completions`, { method: "POST", headers, agent }, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve(`${response.statusCode} ${text}`)).on("error", reject);
      });
      asking.on("error", reject).end(JSON.stringify({ model, messages: [{ role: "user", content: "hello" }] }));
    });
  }

  const workersAsking = (): number => new Set(asked.map(({ over }) => over)).size;

  it("use one pool: a key that was refused to one of them rests for the other at once", async () => {
    const clients: Agent[] = [];
    try {
      // The second worker may begin to listen a moment after the first, which is asked alone until then.
      while (clients.length < 100 && workersAsking() < 2) {
        const client = new Agent({ keepAlive: true, maxSockets: 1 });
        clients.push(client);
        expect(await ask("local", client)).toContain("by sk-the-second-key");
      }
      for (const client of clients) expect(await ask("local", client)).toContain("by sk-the-second-key");
    } finally {
      for (const client of clients) client.destroy();
    }
    const [first, ...others] = asked.map(({ key: used }) => used);
    expect([first, ...new Set(others)]).toEqual(["sk-the-first-key", "sk-the-second-key"]);
    // Each keeps connections of its own: both have asked.
    expect(workersAsking()).toBe(2);
  });

  it("spend a refresh token once between them, however many turns need it at the same time", async () => {
    const { codexIssuer } = stage.simulator;
    const clients = Array.from({ length: 8 }, () => new Agent());
    const answers = await Promise.all(clients.map((client) => ask("codex", client)));
    expect(answers.map((answer) => answer.slice(0, 3))).toEqual(clients.map(() => "200"));
    expect([codexIssuer.counters.refreshes, codexIssuer.presentedTwice]).toEqual([1, 0]);
  });
});
