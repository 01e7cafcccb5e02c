import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createUnsignedJwt } from "../../src/simulator/issuer/jwt.ts";
import type { IssuedTokens } from "../../src/simulator/issuer/account.ts";
import { type CliStage, openCliStage } from "./rig.ts";

let stage: CliStage;
afterEach(() => stage[Symbol.asyncDispose]());

const hasScript = spawnSync("script", ["--version"]).status === 0;
const key = "sk-canary-0123456789abcdef";

async function open(config = "# mine\n"): Promise<void> {
  stage = await openCliStage();
  stage.writeConfig(config);
  stage.canaries.push(key);
}

function tokensOf(name: string, expiresInS = 3_600): IssuedTokens {
  const { codexIssuer } = stage.simulator;
  const known = codexIssuer.accounts.some((one) => one.name === name);
  const account = known ? codexIssuer.account(name) : codexIssuer.addAccount({ email: `${name}@example.test`, name });
  return codexIssuer.issueTokens(account, { expiresInS });
}

/** A file of another tool: `.codex/auth.json` below the home folder. */
function write(path: string, content: unknown): string {
  const file = join(stage.home, path);
  mkdirSync(join(file, ".."), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content, null, 2));
  return file;
}

function codexFile(tokens: Partial<IssuedTokens>, more: Record<string, unknown> = {}): Record<string, unknown> {
  const { accessToken, refreshToken, idToken } = tokens;
  return {
    auth_mode: "chatgpt",
    OPENAI_API_KEY: null,
    tokens: { access_token: accessToken, refresh_token: refreshToken, id_token: idToken, ...more },
    last_refresh: "2026-07-01T00:00:00Z",
  };
}

/** Everything about another tool's folder that a writer would change. */
function look(folder: string): string[] {
  return readdirSync(join(stage.home, folder)).map((name) => {
    const path = join(stage.home, folder, name);
    const digest = createHash("sha256").update(readFileSync(path)).digest("hex");
    return `${name} ${statSync(path).mtimeMs} ${statSync(path).mode} ${digest}`;
  });
}

interface Item {
  place: string;
  action: string;
  what: string | null;
  reason: string | null;
}

async function dryRun(...args: string[]): Promise<Item[]> {
  const { stdout, stderr } = await stage.run(["auth", "import", ...args, "--dry-run", "--json"]);
  const report = JSON.parse(stdout === "" ? "{}" : stdout) as { items?: Item[]; imported?: boolean };
  expect(report.imported, stderr).toBe(false);
  return report.items ?? [];
}

const stored = () => stage.withWorkspace(({ store }) => store.listCredentials());

describe("auth import codex", () => {
  it("shows, without a terminal says why two tools must not share a login, and with the word given shares it", async () => {
    await open();
    const tokens = tokensOf("ann");
    write(".codex/auth.json", codexFile(tokens, { account_id: stage.simulator.codexIssuer.account("ann").accountId }));
    const before = look(".codex");
    expect(await dryRun("codex")).toEqual([
      { place: "tokens", action: "add", what: "codex · ann@example.test", reason: null },
    ]);
    const asked = await stage.run(["auth", "import", "codex"]);
    expect(asked).toMatchObject({ code: 2, stdout: "tokens  comes over  codex · ann@example.test\n" });
    expect(asked.stderr).toContain("refresh token works once");
    expect(asked.stderr).toContain("understudy auth add codex --force-new-login");
    expect(await stored()).toEqual([]);

    const shared = await stage.run(["auth", "import", "codex", "--share-login"]);
    expect(shared.code).toBe(0);
    expect(shared.stderr).toContain("Imported codex · ann@example.test.");
    const [login] = await stored();
    expect(login?.kind === "oauth" && login.grant.refreshToken?.reveal()).toBe(tokens.refreshToken);
    expect(login).toMatchObject({ account: { email: "ann@example.test", plan: "plus" }, grant: { generation: 1 } });
    expect(await stage.run(["ask", "--route", "codex/gpt-5.5", "hello"])).toMatchObject({ code: 0 });
    const again = await stage.run(["auth", "import", "codex", "--share-login"]);
    expect(again).toMatchObject({ code: 0 });
    expect(again.stdout).toContain("this very login is here already, as ann@example.test");
    expect(look(".codex")).toEqual(before);
    expect(stage.simulator.codexIssuer.counters.refreshes).toBe(0);
  });

  it("leaves there what is expired, a placeholder, half, of two accounts, of another issuer or of nobody", async () => {
    await open();
    const ann = tokensOf("ann");
    const ben = tokensOf("ben");
    const nobody = createUnsignedJwt({ exp: Math.floor(Date.now() / 1_000) + 3_600 });
    const issuer = stage.simulator.codexIssuer.origin;
    const cases: readonly [unknown, RegExp][] = [
      [codexFile(tokensOf("ann", -10)), /its access token has expired/],
      [codexFile({ ...ann, accessToken: "changeme" }), /access token is missing or a placeholder/],
      [codexFile({ ...ann, refreshToken: "" }), /refresh token is missing or a placeholder/],
      [codexFile({ accessToken: ann.accessToken }), /refresh token is missing/],
      [codexFile({ ...ann, idToken: ben.idToken }), /belong to different accounts/],
      [codexFile(ann, { account_id: "acct_other" }), /belong to different accounts/],
      [codexFile({ ...ann, accessToken: nobody, idToken: nobody }), /do not say whose login it is/],
      [
        codexFile(ann, { oauth_provenance: { issuer: "https://other.example", client_id: "x" } }),
        /another sign-in server/,
      ],
      [codexFile(ann, { oauth_provenance: { issuer, client_id: "app_other" } }), /made for another client/],
      [{ OPENAI_API_KEY: "your_api_key" }, /it is no key, or a placeholder/],
    ];
    for (const [content, reason] of cases) {
      write(".codex/auth.json", content);
      const ended = await stage.run(["auth", "import", "codex", "--share-login"]);
      expect(ended.code, String(reason)).toBe(1);
      expect(ended.stdout).toMatch(/stays there/);
      expect(ended.stdout).toMatch(reason);
      expect(ended.stderr).toContain("Nothing of the Codex CLI can come over.");
    }
    expect(await stored()).toEqual([]);
  });

  it("says what is wrong when there is nothing, half a file, or another path", async () => {
    await open();
    const none = await stage.run(["auth", "import", "codex"]);
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain(`there is nothing of the Codex CLI in ${join(stage.home, ".codex")}`);
    expect(none.stderr).toContain("keyring");
    expect(none.stderr).toContain("Run understudy auth add codex\n");
    write(".codex/auth.json", '{"tokens": {"access_token": "eyJ');
    const half = await stage.run(["auth", "import", "codex"]);
    expect(half.stderr).toContain("if its tool is writing it just now, try again");
    expect((await stage.run(["auth", "import", "codex", "--from", "/nowhere/x"])).stderr).toContain(
      "nothing at /nowhere/x",
    );
    expect((await stage.run(["auth", "import", "claude"])).stderr).toContain("import knows codex, hermes, opencode");
    const elsewhere = write("backup/auth.json", codexFile(tokensOf("ann")));
    expect(await dryRun("codex", "--from", elsewhere)).toMatchObject([{ action: "add" }]);
    stage.setEnv({ CODEX_HOME: join(stage.home, "backup") });
    expect(await dryRun("codex")).toMatchObject([{ action: "add" }]);
  });

  it("leaves an account alone that has a login of its own, and mends one that is over in place", async () => {
    await open();
    const { account, credential } = await stage.addCodexLogin("ann");
    write(".codex/auth.json", codexFile(tokensOf("ann")));
    expect(await dryRun("codex")).toMatchObject([
      { action: "present", reason: "ann is this account, with a login of its own" },
    ]);
    stage.simulator.codexIssuer.revokeLogins(account);
    await stage.run(["ask", "--route", "codex/gpt-5.5", "hello"]);
    write(".codex/auth.json", codexFile(tokensOf("ann")));
    expect(await dryRun("codex")).toMatchObject([{ action: "renew", what: "codex · ann" }]);
    expect((await stage.run(["auth", "import", "codex", "--share-login"])).code).toBe(0);
    expect(await stored()).toMatchObject([
      { id: credential.id, label: "ann", relogin: null, grant: { generation: 2 } },
    ]);
    expect(await stage.run(["ask", "--route", "codex/gpt-5.5", "hello"])).toMatchObject({ code: 0 });
  });

  it.runIf(hasScript)("asks on a terminal: a login of its own, sharing, or nothing", async () => {
    await open();
    write(".codex/auth.json", codexFile(tokensOf("ann"), {}));
    const { codexIssuer } = stage.simulator;
    codexIssuer.settings.pollInterval = "1";
    codexIssuer.settings.autoApprove = codexIssuer.account("ann");
    for (const keys of ["\u001b[B\u001b[B\r", "\u0003"]) {
      const asked = stage.startOnTerminal(["auth", "import", "codex"]);
      await asked.until(/Cancel/);
      asked.child.stdin.write(keys);
      expect((await asked.ended).code).toBe(keys === "\u0003" ? 130 : 0);
      expect(await stored()).toEqual([]);
    }
    const separate = stage.startOnTerminal(["auth", "import", "codex"]);
    await separate.until(/Cancel/);
    separate.child.stdin.write("\r");
    const ended = stage.expectNoSecret(await separate.ended);
    expect(ended.stdout).toContain("Signed in: codex · ann@example.test");
    const [login] = await stored();
    expect(login?.kind === "oauth" && codexIssuer.liveRefreshTokens("ann")).toHaveLength(2);

    // And from the question of auth add.
    await stage.run(["auth", "remove", "codex", "1"]);
    await stage.addCodexLogin("ben");
    const add = stage.startOnTerminal(["auth", "add", "codex"]);
    await add.until(/Cancel/);
    add.child.stdin.write("\u001b[B\u001b[B\r");
    await add.until(/What shall happen[\s\S]*Cancel/);
    add.child.stdin.write("\u001b[B\r");
    expect((await add.ended).stdout).toContain("Imported codex · ann@example.test");
  });
});

describe("auth import hermes", () => {
  it("brings pool, chain, strategies and providers over, and keeps the configuration's comments", async () => {
    await open(`# mine
routes:
  coding: [codex/gpt-5.5]   # by day
`);
    const ann = tokensOf("ann");
    const ben = tokensOf("ben");
    stage.setEnv({ EXTRA_KEY: key, OPENROUTER_API_KEY: key, HERMES_HOME: join(stage.home, "hermes") });
    const row = (more: Record<string, unknown>) => ({ id: "a1b2c3", priority: 0, source: "manual", ...more });
    const oauth = (tokens: IssuedTokens, more: Record<string, unknown> = {}) =>
      row({
        auth_type: "oauth",
        source: "manual:device_code",
        access_token: tokens.accessToken,
        refresh_token: tokens.refreshToken,
        ...more,
      });
    const api = (token: string, more: Record<string, unknown> = {}) =>
      row({ auth_type: "api_key", access_token: token, label: "work", ...more });
    write("hermes/auth.json", {
      version: 1,
      providers: { "openai-codex": { tokens: { access_token: ann.accessToken, refresh_token: ann.refreshToken } } },
      credential_pool: {
        "openai-codex": [
          oauth(ann, { source: "device_code" }),
          oauth(ben, { last_status: "dead", last_error_reason: "token_invalidated" }),
        ],
        openrouter: [
          api("sk-or-canary-0123456789ab", { base_url: stage.simulator.baseUrls.chat }),
          api("", { source: "env:OPENROUTER_API_KEY" }),
          api("", { source: "env:EXTRA_KEY" }),
          api("", { source: "env:GONE_KEY" }),
          api("sk-or-other-0123456789ab", { base_url: "https://proxy.example/v1" }),
        ],
        anthropic: [api("sk-ant-oat01-0123456789"), oauth(ben, { source: "claude_code" })],
        "custom:my-server": [api("local-canary-0123456789", { base_url: "http://127.0.0.1:8000/v1" })],
        nous: [oauth(ben)],
      },
    });
    stage.canaries.push("sk-or-canary-0123456789ab", "local-canary-0123456789", "sk-or-other-0123456789ab");
    write(
      "hermes/config.yaml",
      `model: { provider: openai-codex, default: gpt-5.5 }
fallback_providers:
  - { provider: openrouter, model: anthropic/claude-sonnet-5 }
  - { provider: "custom:My Server", model: qwen3 }
  - { provider: nous, model: hermes-5 }
fallback_model: { provider: openrouter, model: anthropic/claude-sonnet-5 }
credential_pool_strategies: { openrouter: round_robin, openai-codex: quota_first }
custom_providers:
  - { name: My Server, base_url: "http://127.0.0.1:8000/v1", api_mode: chat_completions }
`,
    );
    const before = look("hermes");
    const items = await dryRun("hermes");
    const brief = (item: Item): string => `${item.place} ${item.action} ${item.what ?? item.reason ?? ""}`;
    const lines = items.map(brief);
    for (const line of [
      "credential_pool.openai-codex[0] add codex · ann@example.test",
      "credential_pool.openai-codex[1] refused its own tool has given it up (token_invalidated)",
      "credential_pool.openrouter[0] add openrouter · work",
      "credential_pool.openrouter[1] present $OPENROUTER_API_KEY is read from the environment as it is",
      "credential_pool.openrouter[2] add openrouter · $EXTRA_KEY",
      "credential_pool.openrouter[3] refused it lives in $GONE_KEY, which is not set here",
      "credential_pool.openrouter[4] refused it belongs to another address than the one that openrouter has here",
      "custom_providers[0] add provider my-server",
      "credential_pool.custom:my-server[0] add my-server · work",
      "fallback_providers[2] refused it is reached by a login of its own, and only keys and the Codex login are supported",
      "the chain add route hermes: codex/gpt-5.5, openrouter/anthropic/claude-sonnet-5, my-server/qwen3",
      "credential_pool_strategies.openrouter add openrouter: round_robin",
      "credential_pool_strategies.openai-codex refused this strategy is not known here",
    ]) {
      expect(lines).toContain(line);
    }
    const anthropic = items.filter(({ place }) => place.startsWith("credential_pool.anthropic"));
    for (const { reason } of anthropic) expect(reason).toMatch(/Claude Code and claude\.ai only|only logins of codex/);

    const done = await stage.run(["auth", "import", "hermes", "--share-login"]);
    expect(done.code, done.stderr).toBe(0);
    expect((await stored()).map(({ provider, label }) => `${provider} ${label}`).sort()).toEqual([
      "codex ann@example.test",
      "my-server work",
      "openrouter $EXTRA_KEY",
      "openrouter work",
    ]);
    expect(readFileSync(join(stage.home, "config.yaml"), "utf8")).toBe(`# mine
routes:
  coding: [codex/gpt-5.5]   # by day
  hermes: [codex/gpt-5.5, openrouter/anthropic/claude-sonnet-5, my-server/qwen3]
providers:
  my-server: { protocol: chat-completions, baseUrl: http://127.0.0.1:8000/v1 }
pools:
  openrouter: { strategy: round_robin }
`);
    expect((await stage.run(["config", "check"])).code).toBe(0);
    expect(look("hermes")).toEqual(before);
    const again = await stage.run(["auth", "import", "hermes", "--share-login"]);
    expect(again.code).toBe(1);
    expect(again.stdout).not.toContain("comes over");
  });

  it("writes nothing at all when the configuration can't take it", async () => {
    await open();
    write(".hermes/auth.json", {
      credential_pool: { openai: [{ auth_type: "api_key", access_token: key, source: "manual", label: "x" }] },
    });
    write(".hermes/config.yaml", "model: { provider: openai, default: gpt-5.5 }\n");
    const ended = await stage.run(["auth", "import", "hermes", "--route", "two words"]);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("a name without blanks");
    expect(await stored()).toEqual([]);
    expect(readFileSync(join(stage.home, "config.yaml"), "utf8")).toBe("# mine\n");
  });
});

describe("auth import opencode", () => {
  it("brings keys and a ChatGPT login over", async () => {
    await open();
    const ann = tokensOf("ann");
    write(".local/share/opencode/auth.json", {
      openai: { type: "oauth", access: ann.accessToken, refresh: ann.refreshToken, expires: ann.expiresAt },
      openrouter: { type: "api", key },
      moonshotai: { type: "api", key: "sk-moon-canary-0123456789" },
      anthropic: { type: "oauth", access: "sk-ant-oat01-0123456789", refresh: "sk-ant-ort01-0123456789", expires: 1 },
      somebody: { type: "api", key },
      wiki: { type: "wellknown", key: "K", token: "t" },
    });
    stage.canaries.push("sk-moon-canary-0123456789", "sk-ant-oat01-0123456789");
    expect((await dryRun("opencode")).map(({ place, action }) => `${place} ${action}`)).toEqual([
      "wiki refused",
      "openai add",
      "openrouter add",
      "moonshotai add",
      "anthropic refused",
      "somebody refused",
    ]);
    const done = await stage.run(["auth", "import", "opencode", "--share-login", "--json"]);
    expect(JSON.parse(done.stdout)).toMatchObject({ tool: "opencode", imported: true });
    expect((await stored()).map(({ provider, label }) => `${provider} ${label}`).sort()).toEqual([
      "codex ann@example.test",
      "kimi opencode",
      "openrouter opencode",
    ]);
  });
});
