import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { protocols } from "../../src/protocols/index.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { resolveBaseUrl, resolveProtocol } from "../../src/providers/resolve.ts";

/** The URL that a turn really calls: base URL, protocol and the protocol's path together. */
function endpoint(id: string, model: string, key = "key-1234", env: Record<string, string> = {}): string {
  const provider = findProvider(builtInProviders, id);
  if (provider === null) throw new Error(`no provider ${id}`);
  const baseUrl = resolveBaseUrl(provider, { env, key: new Secret(key) });
  if (baseUrl === null) throw new Error(`${id} has no base URL`);
  return protocols[resolveProtocol(provider, model, baseUrl)].endpoint(baseUrl);
}

const rows: readonly [id: string, model: string, url: string][] = [
  ["codex", "gpt-5.5", "https://chatgpt.com/backend-api/codex/responses"],
  ["openai", "gpt-5.5", "https://api.openai.com/v1/responses"],
  ["anthropic", "claude-sonnet-5", "https://api.anthropic.com/v1/messages"],
  ["openrouter", "qwen/qwen3", "https://openrouter.ai/api/v1/chat/completions"],
  ["gemini", "gemini-3-flash", "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions"],
  ["xai", "grok-4", "https://api.x.ai/v1/responses"],
  ["deepseek", "deepseek-chat", "https://api.deepseek.com/v1/chat/completions"],
  ["zai", "glm-5", "https://api.z.ai/api/paas/v4/chat/completions"],
  ["kimi", "kimi-k2.6", "https://api.moonshot.ai/v1/chat/completions"],
  ["kimi-cn", "kimi-k2.6", "https://api.moonshot.cn/v1/chat/completions"],
  ["minimax", "minimax-m3", "https://api.minimax.io/anthropic/v1/messages"],
  ["minimax-cn", "minimax-m3", "https://api.minimaxi.com/anthropic/v1/messages"],
  ["alibaba", "qwen3-max", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions"],
  ["alibaba-coding-plan", "qwen3-coder", "https://coding-intl.dashscope.aliyuncs.com/v1/chat/completions"],
  ["stepfun", "step-3", "https://api.stepfun.ai/step_plan/v1/chat/completions"],
  ["arcee", "trinity", "https://api.arcee.ai/api/v1/chat/completions"],
  ["nvidia", "nemotron", "https://integrate.api.nvidia.com/v1/chat/completions"],
  ["huggingface", "glm-5", "https://router.huggingface.co/v1/chat/completions"],
  ["ai-gateway", "openai/gpt-5.5", "https://ai-gateway.vercel.sh/v1/chat/completions"],
  ["opencode-zen", "glm-5", "https://opencode.ai/zen/v1/chat/completions"],
  ["opencode-zen", "claude-sonnet-5", "https://opencode.ai/zen/v1/messages"],
  ["opencode-zen", "gpt-5.5", "https://opencode.ai/zen/v1/responses"],
  ["opencode-go", "kimi-k2.6", "https://opencode.ai/zen/go/v1/chat/completions"],
  ["opencode-go", "minimax-m3", "https://opencode.ai/zen/go/v1/messages"],
  ["opencode-free", "nemotron-3-ultra-free", "https://opencode.ai/zen/v1/chat/completions"],
  ["kilocode", "glm-5", "https://api.kilo.ai/api/gateway/chat/completions"],
  ["xiaomi", "mimo-v2.5", "https://api.xiaomimimo.com/v1/chat/completions"],
  ["ollama-cloud", "qwen3", "https://ollama.com/v1/chat/completions"],
  ["gmi", "glm-5", "https://api.gmi-serving.com/v1/chat/completions"],
  ["tencent-tokenhub", "hy3", "https://tokenhub.tencentmaas.com/v1/chat/completions"],
  ["tencent-tokenplan", "hy3", "https://api.lkeap.cloud.tencent.com/plan/anthropic/v1/messages"],
  ["novita", "glm-5", "https://api.novita.ai/openai/v1/chat/completions"],
  ["actual", "glm-5", "https://api.actual.inc/v1/chat/completions"],
  ["ollama", "qwen3", "http://127.0.0.1:11434/v1/chat/completions"],
  ["lmstudio", "qwen3", "http://127.0.0.1:1234/v1/chat/completions"],
  ["vllm", "qwen3", "http://127.0.0.1:8000/v1/chat/completions"],
  ["llamacpp", "qwen3", "http://127.0.0.1:8080/v1/chat/completions"],
];

describe("a turn", () => {
  it.each(rows)("at %s with %s calls %s", (id, model, url) => {
    expect(endpoint(id, model)).toBe(url);
  });

  it.each<[string, string, string, Record<string, string>, string]>([
    ["kimi", "kimi-k2.6", "sk-kimi-1234", {}, "https://api.kimi.com/coding/v1/messages"],
    [
      "minimax",
      "m3",
      "k",
      { MINIMAX_BASE_URL: "https://api.minimax.io/v1" },
      "https://api.minimax.io/v1/chat/completions",
    ],
    ["anthropic", "c", "k", { ANTHROPIC_BASE_URL: "https://proxy.example/v1/" }, "https://proxy.example/v1/messages"],
    [
      "azure-foundry",
      "gpt-4o",
      "k",
      { AZURE_FOUNDRY_BASE_URL: "https://me.openai.azure.com/openai/v1/" },
      "https://me.openai.azure.com/openai/v1/chat/completions",
    ],
    [
      "azure-foundry",
      "claude-sonnet-5",
      "k",
      { AZURE_FOUNDRY_BASE_URL: "https://me.services.ai.azure.com/anthropic" },
      "https://me.services.ai.azure.com/anthropic/v1/messages",
    ],
  ])("at %s with %s, the key %s and %o calls %s", (id, model, key, env, url) => {
    expect(endpoint(id, model, key, env)).toBe(url);
  });

  it("is in this table for every provider that has an address of its own", () => {
    const named = new Set(rows.map(([id]) => id));
    expect(builtInProviders.filter(({ id }) => !named.has(id)).map(({ id }) => id)).toEqual(["azure-foundry"]);
  });
});
