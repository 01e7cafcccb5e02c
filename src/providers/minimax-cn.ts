import type { Provider } from "./provider.ts";

/** Messages by default; a base URL that ends in `/v1` is the OpenAI-compatible one. */
export const minimaxCn: Provider = {
  id: "minimax-cn",
  name: "MiniMax (China)",
  aliases: ["minimax-china", "minimax_cn"],
  signIn: { kind: "api_key", env: ["MINIMAX_CN_API_KEY"], required: true },
  protocol: "messages",
  baseUrl: "https://api.minimaxi.com/anthropic",
  baseUrlEnv: "MINIMAX_CN_BASE_URL",
  protocolByBaseUrl: [{ ending: /\/v1$/, protocol: "chat-completions" }],
};
