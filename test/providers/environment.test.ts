import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { orderCredentials } from "../../src/core/select.ts";
import {
  type Environment,
  environmentCredentials,
  environmentPriority,
  ignoredVariables,
  refusedKey,
} from "../../src/providers/environment.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";

const fingerprint = (text: string): string => createHash("sha256").update(text).digest("hex");

/** `provider: label` of every credential with a key. */
function keyed(env: Environment): string[] {
  return environmentCredentials(builtInProviders, env, fingerprint)
    .filter(({ source }) => source.from !== "none")
    .map(({ provider, label }) => `${provider}: ${label}`);
}

describe("credentials of the environment", () => {
  it.each<[string, Environment, string[]]>([
    ["nothing set", {}, []],
    ["one key", { DEEPSEEK_API_KEY: "sk-deep" }, ["deepseek: $DEEPSEEK_API_KEY"]],
    ["the first of two variables", { GLM_API_KEY: "key-one", ZAI_API_KEY: "key-two" }, ["zai: $GLM_API_KEY"]],
    [
      "the second, when the first is a placeholder",
      { GLM_API_KEY: "changeme", ZAI_API_KEY: "key-two" },
      ["zai: $ZAI_API_KEY"],
    ],
    [
      "the second, when the first is blank",
      { GOOGLE_API_KEY: "  ", GEMINI_API_KEY: "AIzaSyA" },
      ["gemini: $GEMINI_API_KEY"],
    ],
    [
      "one variable for two providers",
      { DASHSCOPE_API_KEY: "sk-dash" },
      ["alibaba: $DASHSCOPE_API_KEY", "alibaba-coding-plan: $DASHSCOPE_API_KEY"],
    ],
    ["an OpenAI key is for OpenAI only", { OPENAI_API_KEY: "sk-open" }, ["openai: $OPENAI_API_KEY"]],
    ["a token of a Claude plan", { ANTHROPIC_API_KEY: "sk-ant-oat01-abcdef" }, []],
    [
      "other variables for such tokens",
      { ANTHROPIC_TOKEN: "sk-ant-api-x", CLAUDE_CODE_OAUTH_TOKEN: "sk-ant-oat01-x" },
      [],
    ],
    ["a console key", { ANTHROPIC_API_KEY: "sk-ant-api03-abcdef" }, ["anthropic: $ANTHROPIC_API_KEY"]],
    ["a key of a local server", { LM_API_KEY: "lm-1234" }, ["lmstudio: $LM_API_KEY"]],
  ])("%s", (_name, env, expected) => {
    expect(keyed(env)).toEqual(expected);
  });

  it("are one per provider, and none for a login", () => {
    const all = Object.fromEntries(
      builtInProviders
        .flatMap(({ signIn }) => (signIn.kind === "api_key" ? signIn.env : []))
        .map((name) => [name, `key-${name}`]),
    );
    const found = environmentCredentials(builtInProviders, all, fingerprint);
    expect(found.map(({ provider }) => provider)).toEqual(
      builtInProviders.filter(({ signIn }) => signIn.kind === "api_key").map(({ id }) => id),
    );
    expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
  });

  it("include one without a key for each provider that asks for none", () => {
    const keyless = environmentCredentials(builtInProviders, {}, fingerprint);
    expect(keyless.map(({ provider }) => provider)).toEqual([
      "opencode-free",
      "ollama",
      "lmstudio",
      "vllm",
      "llamacpp",
    ]);
    for (const { source } of keyless) expect(source).toEqual({ from: "none" });
  });

  it("carry the variable and a fingerprint in the id, and the key nowhere", () => {
    const [credential] = environmentCredentials(builtInProviders, { XAI_API_KEY: " xai-s3cret " }, fingerprint).filter(
      ({ provider }) => provider === "xai",
    );
    expect(credential).toEqual({
      kind: "api_key",
      id: `env-xai-XAI_API_KEY-${fingerprint("xai-s3cret").slice(0, 8)}`,
      provider: "xai",
      label: "$XAI_API_KEY",
      priority: environmentPriority,
      paused: false,
      createdAt: 0,
      uses: 0,
      lastUsedAt: 0,
      persisted: false,
      source: { from: "env", name: "XAI_API_KEY" },
    });
    expect(inspect(credential, { depth: 9, showHidden: true })).not.toContain("s3cret");
  });

  it("get another id with another key, so that a new key does not inherit a cooldown", () => {
    const id = (key: string): string | undefined =>
      environmentCredentials(builtInProviders, { XAI_API_KEY: key }, fingerprint).find((c) => c.provider === "xai")?.id;
    expect(id("key-one")).not.toBe(id("key-two"));
    expect(id("key-one")).toBe(id(" key-one\n"));
  });

  it("come after every stored credential", () => {
    const [found] = environmentCredentials(builtInProviders, { XAI_API_KEY: "key-one" }, fingerprint).filter(
      ({ provider }) => provider === "xai",
    );
    const stored = { id: "zzz", priority: 500, uses: 9, lastUsedAt: 9 };
    if (found === undefined) throw new Error("no credential");
    expect(orderCredentials<typeof stored>([found, stored], "fill_first", () => 0).map(({ id }) => id)).toEqual([
      "zzz",
      found.id,
    ]);
  });
});

describe("variables that are not used", () => {
  it.each<[Environment, string, RegExp]>([
    [{ ANTHROPIC_TOKEN: "sk-ant-oat01-s3cret" }, "ANTHROPIC_TOKEN", /Claude Code/],
    [{ CLAUDE_CODE_OAUTH_TOKEN: "s3cret" }, "CLAUDE_CODE_OAUTH_TOKEN", /Claude Code/],
    [{ ANTHROPIC_API_KEY: "sk-ant-oat01-s3cret" }, "ANTHROPIC_API_KEY", /Claude Code/],
    [{ XAI_API_KEY: "your_api_key" }, "XAI_API_KEY", /placeholder/],
  ])("%o: %s, with the reason and without the value", (env, name, reason) => {
    const ignored = ignoredVariables(builtInProviders, env);
    expect(ignored.map((variable) => variable.name)).toEqual([name]);
    expect(ignored[0]?.reason).toMatch(reason);
    expect(JSON.stringify(ignored)).not.toContain("s3cret");
  });

  it("are not those that are blank, unset or in use", () => {
    expect(
      ignoredVariables(builtInProviders, { ANTHROPIC_API_KEY: "sk-ant-api03-x", XAI_API_KEY: " ", PATH: "/bin" }),
    ).toEqual([]);
  });
});

describe("a refused key", () => {
  it("is told from a good one before it is stored", () => {
    const anthropic = findProvider(builtInProviders, "anthropic");
    const openai = findProvider(builtInProviders, "openai");
    if (anthropic === null || openai === null) throw new Error("missing provider");
    expect(refusedKey(anthropic, " sk-ant-oat01-x")).toMatch(/console/);
    expect(refusedKey(anthropic, "sk-ant-api03-x")).toBeNull();
    expect(refusedKey(openai, "sk-ant-oat01-x")).toBeNull();
  });
});
