import { statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createGateway, readOrCreateClientKey } from "../../src/gateway.ts";
import { clientKey, dialects, openGatewayRig } from "./rig.ts";

const hello = { model: "coding", input: "hello" };

describe("who may ask", () => {
  it.each(dialects)("nobody without the client key, in $name", async ({ path, target, ask }) => {
    await using rig = await openGatewayRig();
    for (const key of [null, "", "wrong", `${clientKey}x`, clientKey.slice(1), clientKey.toUpperCase()]) {
      const reply = await rig.ask(path, { body: ask("hello", target, true), key });
      expect(reply.status).toBe(401);
      expect(reply.headers["x-should-retry"]).toBe("false");
      expect(reply.text).toContain("understudy serve --print-key");
    }
    expect(rig.stage.simulator.requests).toEqual([]);
  });

  it("whoever brings it as a bearer or as x-api-key", async () => {
    await using rig = await openGatewayRig();
    expect((await rig.ask("/v1/models")).status).toBe(200);
    expect((await rig.ask("/v1/models", { key: null, headers: { "x-api-key": clientKey } })).status).toBe(200);
    expect(
      (await rig.ask("/v1/models", { key: null, headers: { authorization: `bearer  ${clientKey} ` } })).status,
    ).toBe(200);
    expect((await rig.ask("/v1/models", { key: null, headers: { authorization: `Basic ${clientKey}` } })).status).toBe(
      401,
    );
  });

  it("nobody with the key in the address, and it is not repeated", async () => {
    await using rig = await openGatewayRig();
    for (const name of ["key", "api_key", "API-Key", "access_token"]) {
      const reply = await rig.ask(`/v1/models?${name}=${clientKey}`);
      expect([reply.status, reply.text.includes(clientKey)]).toEqual([400, false]);
    }
  });

  it.each([
    ["evil.example", 403],
    ["evil.example:4141", 403],
    ["127.0.0.1.evil.example", 403],
    ["localhost.evil.example", 403],
    ["evil.example@127.0.0.1", 403],
    ["localhost:1", 200],
    ["LOCALHOST.", 200],
    ["app.localhost", 200],
    ["[::1]:4141", 200],
    ["127.0.0.1", 200],
    ["192.168.1.9:4141", 200],
    ["gateway.lan:4141", 200],
  ])("a Host of %j gets %i", async (host, status) => {
    await using rig = await openGatewayRig({ gateway: { allowedHosts: ["Gateway.LAN"] } });
    expect((await rig.ask("/v1/models", { headers: { host } })).status).toBe(status);
    expect((await rig.ask("/health", { headers: { host } })).status).toBe(status);
  });

  it("no web page but its own", async () => {
    await using rig = await openGatewayRig();
    const ask = (origin: string) => rig.ask("/v1/responses", { body: hello, headers: { origin } });
    for (const origin of ["https://evil.example", "http://localhost:3000", "null", "file://"]) {
      const reply = await ask(origin);
      expect([reply.status, reply.headers["access-control-allow-origin"]]).toEqual([403, undefined]);
    }
    expect((await ask(rig.gateway.url)).status).toBe(200);
    expect(
      (await rig.ask("/v1/responses", { method: "OPTIONS", headers: { origin: "https://evil.example" } })).status,
    ).toBe(403);
  });
});

describe("where it listens", () => {
  it("only on this machine, unless somebody says otherwise", async () => {
    await using rig = await openGatewayRig();
    const { workspace } = rig.stage;
    await expect(createGateway({ workspace, clientKey, host: "0.0.0.0", port: 0 })).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("--expose"),
    });
    const exposed = await createGateway({
      workspace,
      clientKey,
      host: "0.0.0.0",
      port: 0,
      exposeToOtherMachines: true,
    });
    await exposed.close();
  });

  it("never without a key", async () => {
    await using rig = await openGatewayRig();
    await expect(createGateway({ workspace: rig.stage.workspace, clientKey: " ", port: 0 })).rejects.toMatchObject({
      code: "usage",
    });
  });

  it("names the port that is taken", async () => {
    await using rig = await openGatewayRig();
    const { port } = rig.gateway;
    await expect(createGateway({ workspace: rig.stage.workspace, clientKey, port })).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(`port ${port} is taken`),
    });
  });
});

describe("the client key", () => {
  it("is made once, for its owner's eyes only, and is the same for everybody who reads it", async () => {
    await using rig = await openGatewayRig();
    const file = join(rig.stage.folder, "new", "client.key");
    const key = readOrCreateClientKey(file);
    expect(key).toMatch(/^uk-[\w-]{43}$/);
    expect(readOrCreateClientKey(file)).toBe(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(join(rig.stage.folder, "new")).mode & 0o777).toBe(0o700);
  });
});

describe("what goes upstream", () => {
  it("neither the client's key nor its cookies nor where it came from", async () => {
    await using rig = await openGatewayRig();
    await rig.ask("/v1/responses", {
      body: hello,
      headers: {
        cookie: "a=b",
        "x-forwarded-for": "10.0.0.1",
        forwarded: "for=10.0.0.1",
        "x-api-key": clientKey,
        "openai-organization": "org-mine",
        "session-id": "s-1",
      },
    });
    const [request] = rig.stage.simulator.codex.requests;
    expect(JSON.stringify(request)).not.toContain(clientKey);
    expect(Object.keys(request?.headers ?? {}).sort()).toEqual([
      "accept",
      "authorization",
      "chatgpt-account-id",
      "connection",
      "content-length",
      "content-type",
      "host",
      "originator",
      "session-id",
    ]);
    expect(request?.credential).toBe("ann");
  });

  it("no secret comes back, whatever the provider echoes", async () => {
    await using rig = await openGatewayRig({ routes: { alone: ["codex/gpt-5.5"], keyed: ["openai/gpt-5.5"] } });
    const { simulator } = rig.stage;
    simulator.codex.setBehaviour("*", "echo-key");
    simulator.openai.setBehaviour("*", "echo-key");
    const said: string[] = [];
    for (const model of ["alone", "keyed"]) {
      for (const stream of [true, false]) {
        const reply = await rig.ask("/v1/responses", { body: { ...hello, model, stream } });
        expect(reply.status).toBe(400);
        said.push(reply.text, JSON.stringify(reply.headers));
      }
    }
    const { text } = await rig.ask("/metrics");
    const everything = [...said, text, ...rig.notices, JSON.stringify(rig.events)].join("\n");
    expect(simulator.secrets.filter((secret) => everything.includes(secret))).toEqual([]);
  });

  it("no word of a conversation is in an error or in the journal, also when an answer breaks off", async () => {
    await using rig = await openGatewayRig();
    const { simulator, workspace } = rig.stage;
    const said: string[] = [];
    for (const backend of [simulator.codex, simulator.messages, simulator.chat]) {
      backend.setBehaviour("*", { name: "broken-json-200", text: "a private word, and more ".repeat(9) });
    }
    for (const stream of [true, false]) {
      const reply = await rig.ask("/v1/responses", { body: { model: "coding", input: "my private question", stream } });
      expect(reply.status).not.toBe(200);
      said.push(reply.text);
    }
    const everything = [...said, JSON.stringify(rig.events), JSON.stringify(await workspace.store.listTurns(9))].join();
    expect(everything).not.toContain("private");
  });

  it("a redirect is not followed, and the next provider answers", async () => {
    await using rig = await openGatewayRig();
    rig.stage.simulator.codex.setBehaviour("*", "redirect");
    const reply = await rig.ask("/v1/responses", { body: hello });
    expect([reply.status, reply.headers["x-understudy-switched"]]).toEqual([200, "true"]);
    expect(rig.stage.simulator.elsewhere.requests).toEqual([]);
  });
});
