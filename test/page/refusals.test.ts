import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isThisMachine } from "../../src/gateway/page/admin-guard.ts";
import { adminKeyFile, readOrCreateAdminKey } from "../../src/gateway/page/admin-key.ts";
import { findPageFolder, readAssets } from "../../src/gateway/page/assets.ts";
import { understudyHome } from "../../src/platform/home.ts";
import { type AskOptions, GatewayRig } from "../gateway/rig.ts";
import { adminKey, buildPageIfOld, clientKey, openPageStage, type PageStage } from "./rig.ts";

const enteredKey = "sk-ant-canary-of-an-entered-key-0123456789";

let stage: PageStage;
let rig: GatewayRig;
let id = "";

beforeAll(async () => {
  buildPageIfOld();
  stage = await openPageStage();
  id = (await stage.stage.addCodexLogin("ann")).id;
  rig = new GatewayRig(stage.stage, stage.gateway, [], []);
});
afterAll(() => stage?.[Symbol.asyncDispose]());

/** What the page's own code sends. */
function own(options: AskOptions = {}): AskOptions {
  const { url } = stage.gateway;
  const change: Record<string, string> = options.body === undefined ? {} : { origin: url };
  return { key: adminKey, ...options, headers: { "x-understudy-page": "1", ...change, ...options.headers } };
}

const pause = (): string => `/admin/credentials/${id}/pause`;
const isPaused = async (): Promise<boolean | undefined> =>
  (await stage.stage.workspace.store.getCredential(id))?.paused;

describe("the admin API", () => {
  const change: AskOptions = { body: {} };
  it.each<[string, number, string, () => AskOptions]>([
    ["no key", 401, "admin_key_wrong", () => own({ ...change, key: null })],
    ["the client key", 401, "admin_key_wrong", () => own({ ...change, key: clientKey })],
    ["a key that is nearly right", 401, "admin_key_wrong", () => own({ ...change, key: `${adminKey}0` })],
    ["no header of the page's own", 403, "page_only", () => own({ ...change, headers: { "x-understudy-page": "" } })],
    ["another site's request", 403, "page_only", () => own({ ...change, headers: { "sec-fetch-site": "cross-site" } })],
    ["another port's request", 403, "page_only", () => own({ ...change, headers: { "sec-fetch-site": "same-site" } })],
    ["another site's Origin", 403, "origin_refused", () => own({ ...change, headers: { origin: "http://evil.test" } })],
    ["an opaque Origin", 403, "origin_refused", () => own({ ...change, headers: { origin: "null" } })],
    ["another name for this machine", 403, "host_refused", () => own({ ...change, headers: { host: "evil.test" } })],
    ["a key in the address", 400, "key_in_query", () => own(change)],
  ])("changes nothing for %s", async (what, status, code, options) => {
    const path = what === "a key in the address" ? `${pause()}?key=${adminKey}` : pause();
    const reply = await rig.ask(path, options());
    expect([reply.status, JSON.parse(reply.text).error.code]).toEqual([status, code]);
    expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
    expect(await isPaused()).toBe(false);
  });

  it("wants an Origin with every change", async () => {
    const options: AskOptions = { key: adminKey, method: "POST", headers: { "x-understudy-page": "1" } };
    expect((await rig.ask(pause(), options)).status).toBe(403);
    expect(await isPaused()).toBe(false);
  });

  it("takes what its own page sends, and only JSON of the right shape", async () => {
    expect((await rig.ask(pause(), own({ body: {} }))).status).toBe(200);
    expect(await isPaused()).toBe(true);
    const order = (body: unknown, headers = {}) => rig.ask("/admin/routes/coding/order", own({ body, headers }));
    expect((await order({ seen: ["codex/gpt-5.5"], order: [0], more: 1 })).status).toBe(400);
    expect((await order("no json")).status).toBe(400);
    expect((await order({}, { "content-type": "text/plain" })).status).toBe(415);
    const before = stage.configText;
    const stale = await order({ seen: ["codex/gpt-5.5", "local/qwen3"], order: [1, 0] });
    expect([stale.status, stale.text]).toEqual([409, expect.stringContaining("changed meanwhile")]);
    const seen = ["codex/gpt-5.5", "anthropic/claude-opus-4-8", "local/qwen3"];
    expect((await order({ seen, order: [0, 0, 1] })).status).toBe(409);
    const second = await rig.ask("/admin/routes", own({ body: { target: "codex/gpt-5.5" } }));
    expect([second.status, second.text]).toEqual([409, expect.stringContaining("there is a route already")]);
    expect((await rig.ask("/admin/providers/nobody/models", own({ body: {} }))).status).toBe(409);
    expect(stage.configText).toBe(before);
  });

  it("takes a key that can be one, once, and gives nothing of it back", async () => {
    const add = (body: Record<string, unknown>) =>
      rig.ask("/admin/keys", own({ body: { provider: "anthropic", key: enteredKey, ...body } }));
    const refusals: readonly [Record<string, unknown>, number, string][] = [
      [{ key: "two words" }, 409, "it holds blanks"],
      [{ key: "" }, 409, "no key was given"],
      [{ key: "sk-ant-oat01-abcdefgh" }, 409, "is for Claude Code and claude.ai only"],
      [{ provider: "codex" }, 409, "takes no key"],
      [{ provider: "nobody" }, 409, "takes no key"],
      [{ label: enteredKey }, 409, "the label looks like a key"],
      [{ label: "a\u0007b" }, 409, "control characters"],
      [{ key: 1 }, 400, "another shape"],
    ];
    for (const [body, status, said] of refusals) {
      const reply = await add(body);
      expect([reply.status, reply.text], said).toEqual([status, expect.stringContaining(said)]);
      expect(reply.text).not.toContain(enteredKey);
    }
    expect(await stage.stage.workspace.store.listCredentials("anthropic")).toEqual([]);
    expect(JSON.parse((await add({ key: ` ${enteredKey}\n` })).text)).toEqual({ label: "key-1", isNew: true });
    expect(JSON.parse((await add({ label: "work" })).text)).toEqual({ label: "work", isNew: false });
    const [stored] = await stage.stage.workspace.store.listCredentials("anthropic");
    expect(stored?.kind === "api_key" && stored.source.from === "stored" && stored.source.secret.reveal()).toBe(
      enteredKey,
    );
  });

  it.each([
    ["127.0.0.1", true],
    ["127.8.9.10", true],
    ["::1", true],
    ["::ffff:127.0.0.1", true],
    ["10.88.0.1", false],
    ["::ffff:10.0.0.7", false],
    ["1127.0.0.1", false],
    ["fe80::1", false],
    [undefined, false],
  ])("knows that a connection from %s comes from this machine: %s", (address, expected) => {
    expect(isThisMachine(address)).toBe(expected);
  });

  it("knows no address but its own", async () => {
    for (const path of [
      "/admin/",
      "/admin/turns",
      "/admin/turns/%ff",
      "/admin/__proto__/x/y",
      "/admin/credentials//pause",
    ]) {
      expect((await rig.ask(path, own())).status, path).toBe(404);
    }
  });

  it.each([
    ["turns/turn_nobody", undefined, "turn_unknown", "no turn with this id"],
    ["credentials/nobody/pause", {}, "credential_unknown", "no such account in the store"],
    ["credentials/nobody/resume", {}, "credential_unknown", "no such account in the store"],
    ["credentials/nobody/reset", {}, "credential_unknown", "no such account"],
    ["pools/nobody/reset", {}, "provider_unknown", "no provider is called so"],
    ["routes/nobody/order", { seen: [], order: [] }, "route_unknown", "no such route"],
  ])("says that there is nothing behind /admin/%s", async (path, body, code, words) => {
    const reply = await rig.ask(`/admin/${path}`, own({ body }));
    expect([reply.status, JSON.parse(reply.text).error]).toEqual([
      404,
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    ]);
  });

  it("ends the rests of an account, of one that is not in the store, and of a provider", async () => {
    const { store, runtime, config } = stage.stage.workspace;
    const [unstored] = config.providers.flatMap((provider) => runtime.environmentCredentials(provider.id));
    const cases = [
      [`credentials/${id}`, "codex", id],
      [`credentials/${unstored?.id}`, unstored?.provider ?? "", unstored?.id ?? ""],
      ["pools/codex", "codex", id],
    ] as const;
    for (const [path, provider, credentialId] of cases) {
      const since = Date.now();
      const rest = { reason: "quota", message: "", failures: 1, stated: false } as const;
      await store.putCooldown({ provider, credentialId, model: "", since, until: since + 60_000, ...rest });
      expect(await store.listCooldowns()).toHaveLength(1);
      expect((await rig.ask(`/admin/${path}/reset`, own({ body: {} }))).status, path).toBe(200);
      expect(await store.listCooldowns(), path).toEqual([]);
    }
  });

  it("gives its key no other door, and the client key not its own", async () => {
    expect((await rig.ask("/v1/models", { key: adminKey })).status).toBe(401);
    expect((await rig.ask("/metrics", { key: adminKey })).status).toBe(401);
    expect((await rig.ask("/admin/live", own({ key: clientKey }))).status).toBe(401);
  });
});

describe("the page's files", () => {
  const html = { headers: { accept: "text/html,*/*" }, key: null };

  it("come with a policy that lets nothing in and nothing out", async () => {
    const reply = await rig.ask("/", html);
    expect(reply.status).toBe(200);
    const policy = String(reply.headers["content-security-policy"]);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(reply.headers).toMatchObject({
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
      "x-frame-options": "DENY",
    });
    expect(reply.text).not.toMatch(/<script>|<style|style=|onload=/);
  });

  it("leave the plain text to whoever is no browser", async () => {
    const reply = await rig.ask("/", { key: null });
    expect(reply.headers["content-type"]).toContain("text/plain");
    expect(reply.text).toContain("base URL");
  });

  it("are not a way to other files", async () => {
    for (const path of ["/assets/../index.html", "/assets/%2e%2e/%2e%2e/package.json", "/assets/nothing.js"]) {
      // A client that doesn't tidy the address first.
      const connection = await rig.dial();
      connection.socket.write(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n`);
      await connection.until(() => connection.closed);
      expect(connection.received, path).toMatch(/^HTTP\/1.1 404 /);
    }
  });

  it("weigh less than 60 kB, compressed, all together", () => {
    const folder = findPageFolder() ?? "";
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      statSync(join(folder, name)).isFile(),
    );
    const size = files.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
    expect(size).toBeGreaterThan(10_000);
    expect(size).toBeLessThan(60_000);
  });

  it("are missing in a plain sentence when nobody has built them", () => {
    const empty = mkdtempSync(join(tmpdir(), "understudy-no-page-"));
    expect(findPageFolder(empty)).toBeNull();
    expect(readAssets(findPageFolder(empty))).toBeNull();
    rmSync(empty, { recursive: true });
  });

  it("know of the gateway nothing but types", () => {
    const folder = resolve(import.meta.dirname, "../../page");
    for (const name of readdirSync(folder).filter((one) => /\.tsx?$/.test(one))) {
      for (const line of readFileSync(join(folder, name), "utf8").split("\n")) {
        if (line.includes('"../'))
          expect(line, name).toMatch(/^import type .* from "\.\.\/src\/gateway\/page\/view\.ts";$/);
      }
    }
  });
});

describe("the admin key", () => {
  it("is made at the first start, for its owner only, and is another one than the clients'", () => {
    const folder = mkdtempSync(join(tmpdir(), "understudy-key-"));
    const file = adminKeyFile(understudyHome({ UNDERSTUDY_HOME: folder }));
    const key = readOrCreateAdminKey(file);
    expect(key).toMatch(/^ua-[\w-]{43}$/);
    expect(readOrCreateAdminKey(file)).toBe(key);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    rmSync(folder, { recursive: true });
  });
});
