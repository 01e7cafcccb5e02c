import { describe, expect, it } from "vitest";
import type { ProtocolName } from "../../src/core/target.ts";
import { findLeftOut, leftOutProviders } from "../../src/providers/left-out.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { resolveBaseUrl, resolveProtocol } from "../../src/providers/resolve.ts";

/**
 * The peer's two provider tables, row by row: id, aliases, key variables in order, base URL, its variable, protocol of an
 * ordinary model. `ours` holds what is deliberately different here.
 */
interface PeerRow {
  readonly id: string;
  readonly aliases: readonly string[];
  readonly env: readonly string[];
  readonly baseUrl: string | null;
  readonly baseUrlEnv: string | null;
  readonly protocol: ProtocolName;
  readonly ours?: {
    readonly why: string;
    readonly env?: readonly string[];
    readonly baseUrl?: string;
    readonly baseUrlEnv?: string;
  };
}

const chat = "chat-completions";

const peerRows: readonly PeerRow[] = [
  {
    id: "openai-codex",
    aliases: ["codex", "openai_codex"],
    env: [],
    baseUrl: "https://chatgpt.com/backend-api/codex",
    baseUrlEnv: "HERMES_CODEX_BASE_URL",
    protocol: "responses",
    ours: { why: "the variable carries the peer's name", baseUrlEnv: "UNDERSTUDY_CODEX_BASE_URL" },
  },
  {
    id: "gemini",
    aliases: ["google", "google-gemini", "google-ai-studio"],
    env: ["GOOGLE_API_KEY", "GEMINI_API_KEY"],
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
    baseUrlEnv: "GEMINI_BASE_URL",
    protocol: chat,
    ours: {
      why: "the peer has a client for the native API; chat completions are below /openai",
      baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai",
    },
  },
  {
    id: "zai",
    aliases: ["glm", "z-ai", "z.ai", "zhipu"],
    env: ["GLM_API_KEY", "ZAI_API_KEY", "Z_AI_API_KEY"],
    baseUrl: "https://api.z.ai/api/paas/v4",
    baseUrlEnv: "GLM_BASE_URL",
    protocol: chat,
  },
  {
    id: "kimi-coding",
    aliases: ["kimi", "kimi-for-coding", "moonshot"],
    env: ["KIMI_API_KEY", "KIMI_CODING_API_KEY"],
    baseUrl: "https://api.moonshot.ai/v1",
    baseUrlEnv: "KIMI_BASE_URL",
    protocol: chat,
  },
  {
    id: "kimi-coding-cn",
    aliases: ["kimi-cn", "moonshot-cn"],
    env: ["KIMI_CN_API_KEY"],
    baseUrl: "https://api.moonshot.cn/v1",
    baseUrlEnv: null,
    protocol: chat,
  },
  {
    id: "stepfun",
    aliases: ["step", "stepfun-coding-plan"],
    env: ["STEPFUN_API_KEY"],
    baseUrl: "https://api.stepfun.ai/step_plan/v1",
    baseUrlEnv: "STEPFUN_BASE_URL",
    protocol: chat,
  },
  {
    id: "arcee",
    aliases: ["arcee-ai", "arceeai"],
    env: ["ARCEEAI_API_KEY"],
    baseUrl: "https://api.arcee.ai/api/v1",
    baseUrlEnv: "ARCEE_BASE_URL",
    protocol: chat,
  },
  {
    id: "minimax",
    aliases: [],
    env: ["MINIMAX_API_KEY"],
    baseUrl: "https://api.minimax.io/anthropic",
    baseUrlEnv: "MINIMAX_BASE_URL",
    protocol: "messages",
  },
  {
    id: "anthropic",
    aliases: ["claude", "claude-code"],
    env: ["ANTHROPIC_API_KEY", "ANTHROPIC_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"],
    baseUrl: "https://api.anthropic.com",
    baseUrlEnv: "ANTHROPIC_BASE_URL",
    protocol: "messages",
    ours: { why: "tokens of a Claude plan are not for other clients", env: ["ANTHROPIC_API_KEY"] },
  },
  {
    id: "alibaba",
    aliases: ["dashscope", "aliyun", "qwen", "alibaba-cloud"],
    env: ["DASHSCOPE_API_KEY"],
    baseUrl: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    baseUrlEnv: "DASHSCOPE_BASE_URL",
    protocol: chat,
  },
  {
    id: "alibaba-coding-plan",
    aliases: ["alibaba_coding", "alibaba-coding", "alibaba_coding_plan"],
    env: ["ALIBABA_CODING_PLAN_API_KEY", "DASHSCOPE_API_KEY"],
    baseUrl: "https://coding-intl.dashscope.aliyuncs.com/v1",
    baseUrlEnv: "ALIBABA_CODING_PLAN_BASE_URL",
    protocol: chat,
  },
  {
    id: "minimax-cn",
    aliases: ["minimax-china", "minimax_cn"],
    env: ["MINIMAX_CN_API_KEY"],
    baseUrl: "https://api.minimaxi.com/anthropic",
    baseUrlEnv: "MINIMAX_CN_BASE_URL",
    protocol: "messages",
  },
  {
    id: "deepseek",
    aliases: ["deep-seek"],
    env: ["DEEPSEEK_API_KEY"],
    baseUrl: "https://api.deepseek.com/v1",
    baseUrlEnv: "DEEPSEEK_BASE_URL",
    protocol: chat,
  },
  {
    id: "xai",
    aliases: ["x-ai", "x.ai", "grok"],
    env: ["XAI_API_KEY"],
    baseUrl: "https://api.x.ai/v1",
    baseUrlEnv: "XAI_BASE_URL",
    protocol: "responses",
  },
  {
    id: "nvidia",
    aliases: ["nim", "nvidia-nim", "build-nvidia", "nemotron"],
    env: ["NVIDIA_API_KEY"],
    baseUrl: "https://integrate.api.nvidia.com/v1",
    baseUrlEnv: "NVIDIA_BASE_URL",
    protocol: chat,
  },
  {
    id: "ai-gateway",
    aliases: ["aigateway", "vercel", "vercel-ai-gateway"],
    env: ["AI_GATEWAY_API_KEY"],
    baseUrl: "https://ai-gateway.vercel.sh/v1",
    baseUrlEnv: "AI_GATEWAY_BASE_URL",
    protocol: chat,
  },
  {
    id: "opencode-zen",
    aliases: ["opencode", "zen"],
    env: ["OPENCODE_ZEN_API_KEY"],
    baseUrl: "https://opencode.ai/zen/v1",
    baseUrlEnv: "OPENCODE_ZEN_BASE_URL",
    protocol: chat,
  },
  {
    id: "opencode-go",
    aliases: ["go", "opencode-go-sub"],
    env: ["OPENCODE_GO_API_KEY"],
    baseUrl: "https://opencode.ai/zen/go/v1",
    baseUrlEnv: "OPENCODE_GO_BASE_URL",
    protocol: chat,
  },
  {
    id: "kilocode",
    aliases: ["kilo", "kilo-code", "kilo-gateway"],
    env: ["KILOCODE_API_KEY"],
    baseUrl: "https://api.kilo.ai/api/gateway",
    baseUrlEnv: "KILOCODE_BASE_URL",
    protocol: chat,
  },
  {
    id: "huggingface",
    aliases: ["hf", "hugging-face", "huggingface-hub"],
    env: ["HF_TOKEN"],
    baseUrl: "https://router.huggingface.co/v1",
    baseUrlEnv: "HF_BASE_URL",
    protocol: chat,
  },
  {
    id: "xiaomi",
    aliases: ["mimo", "xiaomi-mimo"],
    env: ["XIAOMI_API_KEY"],
    baseUrl: "https://api.xiaomimimo.com/v1",
    baseUrlEnv: "XIAOMI_BASE_URL",
    protocol: chat,
  },
  {
    id: "ollama-cloud",
    aliases: ["ollama_cloud"],
    env: ["OLLAMA_API_KEY"],
    baseUrl: "https://ollama.com/v1",
    baseUrlEnv: "OLLAMA_BASE_URL",
    protocol: chat,
  },
  {
    id: "openrouter",
    aliases: [],
    env: ["OPENROUTER_API_KEY", "OPENAI_API_KEY"],
    baseUrl: "https://openrouter.ai/api/v1",
    baseUrlEnv: "OPENROUTER_BASE_URL",
    protocol: chat,
    ours: { why: "an OpenAI key goes to OpenAI only (R7)", env: ["OPENROUTER_API_KEY"] },
  },
  // Added later by the peer.
  {
    id: "openai-api",
    aliases: ["openai"],
    env: ["OPENAI_API_KEY"],
    baseUrl: "https://api.openai.com/v1",
    baseUrlEnv: "OPENAI_BASE_URL",
    protocol: "responses",
  },
  {
    id: "lmstudio",
    aliases: ["lm-studio", "lm_studio"],
    env: ["LM_API_KEY"],
    baseUrl: "http://127.0.0.1:1234/v1",
    baseUrlEnv: "LM_BASE_URL",
    protocol: chat,
  },
  {
    id: "gmi",
    aliases: ["gmi-cloud", "gmicloud"],
    env: ["GMI_API_KEY"],
    baseUrl: "https://api.gmi-serving.com/v1",
    baseUrlEnv: "GMI_BASE_URL",
    protocol: chat,
  },
  {
    id: "tencent-tokenhub",
    aliases: ["tencent", "tokenhub", "tencent-cloud", "tencentmaas"],
    env: ["TOKENHUB_API_KEY"],
    baseUrl: "https://tokenhub.tencentmaas.com/v1",
    baseUrlEnv: "TOKENHUB_BASE_URL",
    protocol: chat,
  },
  {
    id: "azure-foundry",
    aliases: ["azure", "azure-ai-foundry", "azure-ai"],
    env: ["AZURE_FOUNDRY_API_KEY"],
    baseUrl: null,
    baseUrlEnv: "AZURE_FOUNDRY_BASE_URL",
    protocol: chat,
  },
  {
    id: "novita",
    aliases: ["novita-ai", "novitaai"],
    env: ["NOVITA_API_KEY"],
    baseUrl: "https://api.novita.ai/openai/v1",
    baseUrlEnv: "NOVITA_BASE_URL",
    protocol: chat,
  },
  {
    id: "actual",
    aliases: ["actual-computer", "actualcomputer", "aci"],
    env: ["ACTUAL_API_KEY"],
    baseUrl: "https://api.actual.inc/v1",
    baseUrlEnv: "ACTUAL_BASE_URL",
    protocol: chat,
  },
  {
    id: "opencode-free",
    aliases: ["free", "opencode_free"],
    env: [],
    baseUrl: "https://opencode.ai/zen/v1",
    baseUrlEnv: null,
    protocol: chat,
  },
  {
    id: "tencent-tokenplan",
    aliases: ["tokenplan", "tencent-lkeap"],
    env: ["TOKENPLAN_API_KEY"],
    baseUrl: "https://api.lkeap.cloud.tencent.com/plan/anthropic",
    baseUrlEnv: "TOKENPLAN_BASE_URL",
    protocol: "messages",
  },
];

/** What the peer calls `custom`: servers on one's own machine. */
const peerLocalNames = ["lmstudio", "lm-studio", "lm_studio", "ollama", "vllm", "llamacpp", "llama.cpp", "llama-cpp"];

/** Rows of the same tables that need more than a key over one of the three protocols. */
const peerRowsOutOfReach: readonly [id: string, aliases: readonly string[]][] = [
  ["nous", []],
  ["qwen-oauth", ["qwen-portal", "qwen-cli"]],
  ["google-gemini-cli", ["gemini-cli", "gemini-oauth"]],
  ["copilot", ["github", "github-copilot", "github-models", "github-model"]],
  ["copilot-acp", ["github-copilot-acp", "copilot-acp-agent"]],
  ["bedrock", ["aws", "aws-bedrock", "amazon-bedrock", "amazon"]],
  ["custom", []],
  ["xai-oauth", ["x-ai-oauth", "grok-oauth", "xai-grok-oauth"]],
  ["minimax-oauth", ["minimax-portal", "minimax-global", "minimax_oauth"]],
  ["vertex", ["google-vertex", "vertex-ai", "gcp-vertex"]],
];

describe("the peer's provider tables", () => {
  it.each(peerRows)("$id is here with the same keys, base URL and protocol", (row) => {
    const provider = findProvider(builtInProviders, row.id);
    if (provider === null) throw new Error(`${row.id} is not in the registry`);
    const { signIn } = provider;
    expect(signIn.kind === "api_key" ? signIn.env : []).toEqual(row.ours?.env ?? row.env);
    expect(provider.baseUrl).toBe(row.ours?.baseUrl ?? row.baseUrl);
    expect(provider.baseUrlEnv).toBe(row.ours?.baseUrlEnv ?? row.baseUrlEnv);
    const url = resolveBaseUrl(provider) ?? "https://someone.example/openai/v1";
    expect(resolveProtocol(provider, "some-model", url)).toBe(row.protocol);
  });

  it.each(peerRows)("every alias of $id finds the same provider", ({ id, aliases }) => {
    const provider = findProvider(builtInProviders, id);
    expect(provider).not.toBeNull();
    for (const alias of aliases) expect(findProvider(builtInProviders, alias), alias).toBe(provider);
  });

  it.each(peerLocalNames)("%s is a server on this machine that needs no key", (name) => {
    const provider = findProvider(builtInProviders, name);
    expect(provider?.signIn).toMatchObject({ kind: "api_key", required: false });
    expect(provider?.baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/);
    expect(provider?.protocol).toBe(chat);
  });

  it.each(peerRowsOutOfReach)("%s is left out, and its names say why", (id, aliases) => {
    for (const name of [id, ...aliases]) {
      expect(findProvider(builtInProviders, name), name).toBeNull();
      expect(findLeftOut(name)?.id).toBe(id);
      expect(findLeftOut(name)?.reason).toMatch(/\w{3,}/);
    }
  });

  it("is covered by the registry and the list of those left out, with nothing left over but three local servers", () => {
    const named = new Set([
      ...peerRows.map(({ id }) => findProvider(builtInProviders, id)?.id),
      "ollama",
      "vllm",
      "llamacpp",
    ]);
    expect(builtInProviders.map(({ id }) => id).filter((id) => !named.has(id))).toEqual([]);
    expect(leftOutProviders.map(({ id }) => id).sort()).toEqual(peerRowsOutOfReach.map(([id]) => id).sort());
  });
});
