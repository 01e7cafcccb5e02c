import type { Provider } from "./provider.ts";

export const deepseek: Provider = {
  id: "deepseek",
  name: "DeepSeek",
  aliases: ["deep-seek"],
  signIn: { kind: "api_key", env: ["DEEPSEEK_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://api.deepseek.com/v1",
  baseUrlEnv: "DEEPSEEK_BASE_URL",
};
