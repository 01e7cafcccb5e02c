import type { Provider } from "./provider.ts";

export const arcee: Provider = {
  id: "arcee",
  name: "Arcee AI",
  aliases: ["arcee-ai", "arceeai"],
  signIn: { kind: "api_key", env: ["ARCEEAI_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://api.arcee.ai/api/v1",
  baseUrlEnv: "ARCEE_BASE_URL",
};
