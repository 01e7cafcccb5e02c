import type { Provider } from "./provider.ts";

export const xiaomi: Provider = {
  id: "xiaomi",
  name: "Xiaomi MiMo",
  aliases: ["mimo", "xiaomi-mimo"],
  signIn: { kind: "api_key", env: ["XIAOMI_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://api.xiaomimimo.com/v1",
  baseUrlEnv: "XIAOMI_BASE_URL",
};
