import type { Provider } from "./provider.ts";

export const gmi: Provider = {
  id: "gmi",
  name: "GMI Cloud",
  aliases: ["gmi-cloud", "gmicloud"],
  signIn: { kind: "api_key", env: ["GMI_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://api.gmi-serving.com/v1",
  baseUrlEnv: "GMI_BASE_URL",
};
