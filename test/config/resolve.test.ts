import { describe, expect, it } from "vitest";
import { isUnderstudyError } from "../../src/core/error.ts";
import { Secret } from "../../src/core/secret.ts";
import { parseConfig } from "../../src/config/parse.ts";
import { configError } from "../../src/config/problem.ts";
import { type ResolvedConfig, resolveConfig, strategyFor } from "../../src/config/resolve.ts";
import { type Environment, environmentCredentials } from "../../src/providers/environment.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { resolveBaseUrl, resolveProtocol } from "../../src/providers/resolve.ts";

function resolved(text: string, env: Environment = {}): ResolvedConfig {
  const parsed = parseConfig(text, "config.yaml");
  if (!parsed.ok) throw configError(parsed.problems);
  return resolveConfig(parsed.config, builtInProviders, env);
}

function provider(config: ResolvedConfig, id: string): Provider {
  const found = findProvider(config.providers, id);
  if (found === null) throw new Error(`no provider ${id}`);
  return found;
}

describe("an empty configuration", () => {
  it("is the built-in providers and nothing else", () => {
    const config = resolved("");
    expect(config.providers).toEqual(builtInProviders);
    expect(config).toMatchObject({ routes: [], defaultRoute: null, store: null, warnings: [] });
    expect(config.limits).toEqual({
      maxWaitMs: 30_000,
      firstEventMs: 120_000,
      idleMs: 300_000,
      refreshTimeoutMs: 20_000,
      holdEvents: 64,
      holdBytes: 262_144,
    });
    expect(strategyFor(config, "codex")).toBe("fill_first");
  });
});

describe("routes", () => {
  it("keep their order, carry provider ids instead of aliases, and all that was said of a target", () => {
    const config = resolved(`
routes:
  coding: [openai-codex/gpt-5.5, openrouter/qwen/qwen3]
  pinned: { strict: true, targets: [{ target: Claude/claude-sonnet-5, credential: work, paid: true }] }
  open: { targets: [mine/m] }
providers: { local: { protocol: messages, baseUrl: http://localhost:1, aliases: [mine] } }
`);
    expect(config.routes).toEqual([
      {
        name: "coding",
        strict: false,
        targets: [
          { provider: "codex", model: "gpt-5.5" },
          { provider: "openrouter", model: "qwen/qwen3" },
        ],
      },
      {
        name: "pinned",
        strict: true,
        targets: [{ provider: "anthropic", model: "claude-sonnet-5", credential: "work", paid: true }],
      },
      { name: "open", strict: false, targets: [{ provider: "local", model: "m" }] },
    ]);
  });

  it("name providers that are there, also when nobody checked the configuration before", () => {
    const parsed = parseConfig("", "config.yaml");
    if (!parsed.ok) throw new Error("refused");
    const unchecked = { ...parsed.config, routes: { a: ["nowhere/m"] } };
    expect(() => resolveConfig(unchecked, builtInProviders, {})).toThrow(/nowhere\/m/);
  });
});

describe("a pool's strategy", () => {
  it("belongs to the provider, whichever of its names was used", () => {
    const config = resolved("pools: { openai-codex: { strategy: random }, anthropic: { strategy: least_used } }");
    expect(strategyFor(config, "codex")).toBe("random");
    expect(strategyFor(config, "anthropic")).toBe("least_used");
    expect(strategyFor(config, "openai")).toBe("fill_first");
  });
});

describe("a provider of one's own", () => {
  const config = resolved(`
providers:
  keyed: { protocol: chat-completions, baseUrl: " http://127.0.0.1:8000/v1/ ", apiKeyEnv: [FIRST, SECOND], name: Mine }
  open: { protocol: messages, baseUrl: https://open.example/v1, headers: { X-Team: blue } }
`);

  it("needs a key where a variable for one is named", () => {
    expect(provider(config, "keyed")).toMatchObject({
      name: "Mine",
      protocol: "chat-completions",
      signIn: { kind: "api_key", env: ["FIRST", "SECOND"], required: true },
    });
    expect(resolveBaseUrl(provider(config, "keyed"))).toBe("http://127.0.0.1:8000/v1");
  });

  it("needs none otherwise, and then has a credential without one", () => {
    expect(provider(config, "open")).toMatchObject({ name: "open", signIn: { env: [], required: false } });
    const ids = environmentCredentials(config.providers, { SECOND: "key-two" }, () => "0123456789").map(({ id }) => id);
    expect(ids).toContain("env-keyed-SECOND-01234567");
    expect(ids).toContain("env-open-none");
  });

  it("sends its headers in lower case", () => {
    expect(provider(config, "open").headers?.(null)).toEqual({ "x-team": "blue" });
  });

  it("speaks the protocol that was said, whatever its address looks like", () => {
    const odd = resolved("providers: { odd: { protocol: responses, baseUrl: https://odd.example/anthropic } }");
    expect(resolveProtocol(provider(odd, "odd"), "claude-x", "https://odd.example/anthropic")).toBe("responses");
  });
});

describe("a built-in provider", () => {
  it("keeps what the configuration does not change", () => {
    const config = resolved("providers: { codex: { baseUrl: http://localhost:9000/x, headers: { X-Team: blue } } }");
    const codex = provider(config, "openai-codex");
    expect(codex).toMatchObject({
      id: "codex",
      protocol: "responses",
      bodyRules: { set: { store: false } },
      signIn: { kind: "codex", issuer: "https://auth.openai.com" },
    });
    expect(codex.headers?.(null)).toEqual({ originator: "understudy", "x-team": "blue" });
    expect(config.providers).toHaveLength(builtInProviders.length);
  });

  it.each<[string, string, Environment, string | null, string | null]>([
    ["the default", "", {}, null, "https://api.openai.com/v1"],
    ["the variable", "", { OPENAI_BASE_URL: "https://env.example/v1/" }, null, "https://env.example/v1"],
    [
      "the configuration, over the variable",
      "providers: { openai: { baseUrl: https://file.example } }",
      { OPENAI_BASE_URL: "https://env.example" },
      null,
      "https://file.example",
    ],
    ["none, when the variable can't be used", "", { OPENAI_BASE_URL: "env.example" }, "OPENAI_BASE_URL", null],
    ["none, when the variable is insecure", "", { OPENAI_BASE_URL: "http://env.example" }, "OPENAI_BASE_URL", null],
    [
      "the insecure variable, once that is allowed",
      "providers: { openai: { allowInsecure: true } }",
      { OPENAI_BASE_URL: "http://env.example" },
      null,
      "http://env.example",
    ],
  ])("goes to %s", (_name, text, env, warned, expected) => {
    const config = resolved(text, env);
    expect(resolveBaseUrl(provider(config, "openai"))).toBe(expected);
    expect(config.warnings).toHaveLength(warned === null ? 0 : 1);
    if (warned !== null) expect(config.warnings[0]).toContain(warned);
  });

  it("goes where a person said for every key, also where a key's shape would say otherwise", () => {
    const key = new Secret("sk-kimi-123");
    expect(resolveBaseUrl(provider(resolved(""), "kimi"), { key })).toBe("https://api.kimi.com/coding");
    for (const config of [
      resolved("providers: { kimi: { baseUrl: https://k.example/v1 } }"),
      resolved("", { KIMI_BASE_URL: "https://k.example/v1" }),
    ]) {
      expect(resolveBaseUrl(provider(config, "kimi"), { key })).toBe("https://k.example/v1");
      expect(resolveProtocol(provider(config, "kimi"), "m", "https://k.example/v1")).toBe("chat-completions");
    }
  });

  it("speaks the protocol a person said for every model and every URL", () => {
    const config = resolved(
      "providers: { opencode-zen: { protocol: chat-completions }, kimi: { protocol: responses } }",
    );
    const zen = provider(config, "opencode-zen");
    expect(resolveProtocol(zen, "claude-sonnet-5", resolveBaseUrl(zen) ?? "")).toBe("chat-completions");
    const kimi = provider(config, "kimi");
    const url = resolveBaseUrl(kimi, { key: new Secret("sk-kimi-123") });
    expect(url).toBe("https://api.kimi.com/coding");
    expect(resolveProtocol(kimi, "m", url ?? "")).toBe("responses");
  });

  it("reads the variable a person named", () => {
    const config = resolved(
      "providers: { openai: { apiKeyEnv: WORK_KEY, aliases: [work] }, lmstudio: { apiKeyEnv: L } }",
    );
    expect(provider(config, "work").signIn).toEqual({ kind: "api_key", env: ["WORK_KEY"], required: true });
    expect(provider(config, "lmstudio").signIn).toEqual({ kind: "api_key", env: ["L"], required: false });
  });

  it("still refuses the variables it refuses, also when a person names one", () => {
    const config = resolved("providers: { anthropic: { apiKeyEnv: ANTHROPIC_TOKEN } }");
    const env = { ANTHROPIC_TOKEN: "sk-ant-api03-abc" };
    const found = environmentCredentials(config.providers, env, () => "0123456789");
    expect(found.filter(({ provider }) => provider === "anthropic")).toEqual([]);
  });

  it("is not changed in the list it came from", () => {
    const before = JSON.stringify(builtInProviders);
    resolved("providers: { openai: { baseUrl: https://x.example, aliases: [work] } }", {
      XAI_BASE_URL: "https://y.example",
    });
    expect(JSON.stringify(builtInProviders)).toBe(before);
  });
});

describe("the issuer of codex", () => {
  const issuerOf = (config: ResolvedConfig): unknown => {
    const { signIn } = provider(config, "codex");
    return signIn.kind === "codex" ? signIn.issuer : null;
  };
  const inFile = "providers: { codex: { issuer: http://localhost:9001 } }";

  it.each<[string, Environment, string]>([
    ["", {}, "https://auth.openai.com"],
    ["", { UNDERSTUDY_CODEX_ISSUER: "http://127.0.0.1:7/" }, "http://127.0.0.1:7"],
    [inFile, {}, "http://localhost:9001"],
    [inFile, { UNDERSTUDY_CODEX_ISSUER: "http://127.0.0.1:7" }, "http://localhost:9001"],
  ])("of %o with %o is %s", (text, env, expected) => {
    expect(issuerOf(resolved(text, env))).toBe(expected);
  });

  it("is never quietly the real one when the variable can't be used", () => {
    try {
      resolved("", { UNDERSTUDY_CODEX_ISSUER: "http://issuer.example" });
      expect.unreachable();
    } catch (error) {
      expect(isUnderstudyError(error, "config_invalid")).toBe(true);
      expect(String(error)).toContain("UNDERSTUDY_CODEX_ISSUER");
    }
  });
});
