import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import type { ProtocolName } from "../../src/core/target.ts";
import { baseUrlProblem } from "../../src/providers/base-url.ts";
import type { Provider } from "../../src/providers/provider.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { missingBaseUrl, resolveBaseUrl, resolveProtocol } from "../../src/providers/resolve.ts";

function provider(id: string): Provider {
  const found = findProvider(builtInProviders, id);
  if (found === null) throw new Error(`no provider ${id}`);
  return found;
}

describe("the base URL", () => {
  it.each<[string, Parameters<typeof resolveBaseUrl>[1], string | null]>([
    ["openai", {}, "https://api.openai.com/v1"],
    ["openai", { env: { OPENAI_BASE_URL: "https://proxy.example/v1/" } }, "https://proxy.example/v1"],
    ["openai", { env: { OPENAI_BASE_URL: "  " } }, "https://api.openai.com/v1"],
    ["openai", { env: { OPENROUTER_BASE_URL: "https://proxy.example" } }, "https://api.openai.com/v1"],
    ["openai", { override: "https://a.example", env: { OPENAI_BASE_URL: "https://b.example" } }, "https://a.example"],
    // A given one that can't be used never falls back to the default: the key may be meant for the other place.
    ["openai", { env: { OPENAI_BASE_URL: "proxy.example/v1" } }, null],
    ["openai", { env: { OPENAI_BASE_URL: "http://proxy.example/v1" } }, null],
    ["openai", { override: "ftp://proxy.example/v1" }, null],
    ["openai", { env: { OPENAI_BASE_URL: "http://localhost:4000/v1" } }, "http://localhost:4000/v1"],
    ["azure-foundry", {}, null],
    [
      "azure-foundry",
      { env: { AZURE_FOUNDRY_BASE_URL: "https://me.openai.azure.com/openai/v1/" } },
      "https://me.openai.azure.com/openai/v1",
    ],
    ["kimi", { key: new Secret("sk-123456") }, "https://api.moonshot.ai/v1"],
    ["kimi", { key: new Secret("sk-kimi-123456") }, "https://api.kimi.com/coding"],
    ["kimi", { key: new Secret(" sk-kimi-123456") }, "https://api.kimi.com/coding"],
    ["kimi", { key: null }, "https://api.moonshot.ai/v1"],
    ["kimi", { key: new Secret("sk-kimi-1"), env: { KIMI_BASE_URL: "https://k.example/v1" } }, "https://k.example/v1"],
    ["openai", { key: new Secret("sk-kimi-123456") }, "https://api.openai.com/v1"],
    ["gemini", {}, "https://generativelanguage.googleapis.com/v1beta/openai"],
    [
      "gemini",
      { env: { GEMINI_BASE_URL: "https://generativelanguage.googleapis.com/v1beta/" } },
      "https://generativelanguage.googleapis.com/v1beta/openai",
    ],
    ["gemini", { env: { GEMINI_BASE_URL: "https://g.example/v1beta/openai" } }, "https://g.example/v1beta/openai"],
    ["lmstudio", { env: { LM_BASE_URL: "http://127.0.0.1:9999/api/v1" } }, "http://127.0.0.1:9999/v1"],
    ["lmstudio", { env: { LM_BASE_URL: "http://192.168.1.7:1234/v1" } }, null],
    ["opencode-go", { override: "https://opencode.ai/zen/go" }, "https://opencode.ai/zen/go/v1"],
    ["opencode-zen", { override: "https://opencode.ai/zen/" }, "https://opencode.ai/zen/v1"],
  ])("%s with %o is %s", (id, input, expected) => {
    expect(resolveBaseUrl(provider(id), input)).toBe(expected);
  });

  it("may be plain http to another machine once a person has allowed it", () => {
    const insecure = { ...provider("lmstudio"), allowInsecure: true };
    const input = { env: { LM_BASE_URL: "http://192.168.1.7:1234/v1" } };
    expect(resolveBaseUrl(insecure, input)).toBe("http://192.168.1.7:1234/v1");
  });

  it("is asked for by name where there is none", () => {
    expect(missingBaseUrl(provider("azure-foundry"))).toContain("providers.azure-foundry.baseUrl");
    expect(missingBaseUrl(provider("azure-foundry"))).toContain("AZURE_FOUNDRY_BASE_URL");
    expect(missingBaseUrl(provider("kimi-cn"))).not.toContain("null");
  });
});

describe("the protocol", () => {
  it.each<[string, string, string | null, ProtocolName]>([
    ["codex", "gpt-5.5", null, "responses"],
    ["openai", "gpt-5.5", null, "responses"],
    ["anthropic", "claude-sonnet-5", null, "messages"],
    ["openrouter", "anthropic/claude-sonnet-5", null, "chat-completions"],
    ["gemini", "gemini-3-flash", null, "chat-completions"],
    ["opencode-zen", "claude-sonnet-5", null, "messages"],
    ["opencode-zen", "gpt-5.5", null, "responses"],
    ["opencode-zen", "glm-5", null, "chat-completions"],
    ["opencode-zen", "my-claude-x", null, "chat-completions"],
    ["opencode-go", "minimax-m2.7", null, "messages"],
    ["opencode-go", "qwen3.7-max", null, "messages"],
    ["opencode-go", "gpt-5.5", null, "responses"],
    ["opencode-go", "kimi-k2.6", null, "chat-completions"],
    ["minimax", "minimax-m3", null, "messages"],
    ["minimax", "minimax-m3", "https://api.minimax.io/v1", "chat-completions"],
    ["minimax-cn", "minimax-m3", "https://api.minimaxi.com/v1/", "chat-completions"],
    ["minimax", "minimax-m3", "https://api.minimax.io/anthropic/", "messages"],
    ["alibaba", "qwen3-max", null, "chat-completions"],
    ["alibaba", "qwen3-max", "https://dashscope-intl.aliyuncs.com/apps/anthropic", "messages"],
    ["deepseek", "deepseek-chat", "https://api.deepseek.com/anthropic", "messages"],
    ["zai", "glm-5", "https://api.z.ai/api/anthropic/v1", "messages"],
    ["zai", "glm-5", "https://anthropic.example/v1", "chat-completions"],
    ["kimi", "kimi-k2.5", null, "chat-completions"],
    ["kimi", "kimi-k2.5", "https://api.kimi.com/coding", "messages"],
    ["kimi", "kimi-k2.5", "https://api.kimi.com/coding/", "messages"],
    ["kimi", "kimi-k2.5", "https://api.moonshot.ai/anthropic", "messages"],
    ["azure-foundry", "gpt-4o", "https://me.openai.azure.com/openai/v1", "chat-completions"],
    ["azure-foundry", "gpt-5.3-codex", "https://me.openai.azure.com/openai/v1", "responses"],
    ["azure-foundry", "o3-mini", "https://me.openai.azure.com/openai/v1", "responses"],
    // The address says more than the model's name.
    ["azure-foundry", "codex-claude", "https://me.services.ai.azure.com/anthropic", "messages"],
  ])("of %s %s at %s is %s", (id, model, url, expected) => {
    const at = url ?? resolveBaseUrl(provider(id));
    if (at === null) throw new Error("no base URL");
    expect(resolveProtocol(provider(id), model, at)).toBe(expected);
  });

  it("does not follow the ending of a URL where a provider says so", () => {
    const fixed: Provider = { ...provider("deepseek"), protocolByBaseUrl: [] };
    expect(resolveProtocol(fixed, "m", "https://x.example/anthropic")).toBe("chat-completions");
  });
});

describe("a base URL", () => {
  it.each([
    "https://api.example.com",
    "https://api.example.com:8443/v1/",
    "http://localhost:1/v1",
    "http://a.localhost/v1",
    "http://127.0.0.1:11434/v1",
    "http://127.1:80/v1",
    "http://[::1]:8000/v1",
  ])("%s is fine", (url) => {
    expect(baseUrlProblem(url)).toBeNull();
  });

  it.each([
    ["", "absolute URL"],
    ["api.example.com/v1", "absolute URL"],
    ["localhost:8000", "begin with https://"],
    ["file:///etc/passwd", "begin with https://"],
    ["http://api.example.com", "plain http"],
    ["http://127.0.0.1.evil.example", "plain http"],
    ["http://localhost.evil.example", "plain http"],
    ["http://0.0.0.0:8000", "plain http"],
    ["https://me:hunter2@api.example.com", "user name"],
    ["https://api.example.com/v1?api-version=1", "without ?"],
    ["https://api.example.com/v1?", "without ?"],
    ["https://api.example.com/v1#x", "without ?"],
  ])("%s is refused, and the reason does not repeat it", (url, words) => {
    const problem = baseUrlProblem(url);
    expect(problem).toContain(words);
    expect(problem).not.toContain("hunter2");
  });

  it("may be plain http anywhere once that is allowed, but nothing else changes", () => {
    expect(baseUrlProblem("http://10.0.0.5/v1", true)).toBeNull();
    expect(baseUrlProblem("ftp://10.0.0.5/v1", true)).not.toBeNull();
  });
});
