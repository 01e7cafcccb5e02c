import type { Provider } from "./provider.ts";

/**
 * A server on this machine; a key only if it was told to ask for one. Its native API lies under `/api/v1`, ours under
 * `/v1`.
 */
export const lmstudio: Provider = {
  id: "lmstudio",
  name: "LM Studio",
  aliases: ["lm-studio", "lm_studio"],
  signIn: { kind: "api_key", env: ["LM_API_KEY"], required: false },
  protocol: "chat-completions",
  baseUrl: "http://127.0.0.1:1234/v1",
  baseUrlEnv: "LM_BASE_URL",
  baseUrlRewrite: { from: /\/api\/v1$/, to: "/v1" },
};
