import type { Provider } from "./provider.ts";

export const kilocode: Provider = {
  id: "kilocode",
  name: "Kilo Code",
  aliases: ["kilo", "kilo-code", "kilo-gateway"],
  signIn: { kind: "api_key", env: ["KILOCODE_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://api.kilo.ai/api/gateway",
  baseUrlEnv: "KILOCODE_BASE_URL",
};
