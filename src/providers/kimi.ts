import type { Provider } from "./provider.ts";

/** A key that starts with `sk-kimi-` belongs to the coding plan, whose endpoint speaks Messages. */
export const kimi: Provider = {
  id: "kimi",
  name: "Kimi / Moonshot",
  aliases: ["kimi-coding", "kimi-for-coding", "moonshot"],
  signIn: { kind: "api_key", env: ["KIMI_API_KEY", "KIMI_CODING_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://api.moonshot.ai/v1",
  baseUrlEnv: "KIMI_BASE_URL",
  baseUrlByKeyPrefix: [{ prefix: "sk-kimi-", baseUrl: "https://api.kimi.com/coding" }],
  protocolByBaseUrl: [
    { ending: /^https:\/\/api\.kimi\.com\/coding$/, protocol: "messages" },
    { ending: /\/anthropic$/, protocol: "messages" },
  ],
};
