import type { Provider } from "./provider.ts";

export const xai: Provider = {
  id: "xai",
  name: "xAI",
  aliases: ["x-ai", "x.ai", "grok"],
  signIn: { kind: "api_key", env: ["XAI_API_KEY"], required: true },
  protocol: "responses",
  baseUrl: "https://api.x.ai/v1",
  baseUrlEnv: "XAI_BASE_URL",
  cachesByKey: true,
};
