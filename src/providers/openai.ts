import type { Provider } from "./provider.ts";

/** The API platform with a key. A ChatGPT plan is `codex`. */
export const openai: Provider = {
  id: "openai",
  name: "OpenAI",
  aliases: ["openai-api"],
  signIn: { kind: "api_key", env: ["OPENAI_API_KEY"], required: true },
  protocol: "responses",
  baseUrl: "https://api.openai.com/v1",
  baseUrlEnv: "OPENAI_BASE_URL",
  cachesByKey: true,
};
