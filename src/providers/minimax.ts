import type { Provider } from "./provider.ts";

/** Messages by default; a base URL that ends in `/v1` is the OpenAI-compatible one. */
export const minimax: Provider = {
  id: "minimax",
  name: "MiniMax",
  aliases: [],
  signIn: { kind: "api_key", env: ["MINIMAX_API_KEY"], required: true },
  protocol: "messages",
  baseUrl: "https://api.minimax.io/anthropic",
  baseUrlEnv: "MINIMAX_BASE_URL",
  protocolByBaseUrl: [{ ending: /\/v1$/, protocol: "chat-completions" }],
};
