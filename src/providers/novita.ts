import type { Provider } from "./provider.ts";

export const novita: Provider = {
  id: "novita",
  name: "NovitaAI",
  aliases: ["novita-ai", "novitaai"],
  signIn: { kind: "api_key", env: ["NOVITA_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://api.novita.ai/openai/v1",
  baseUrlEnv: "NOVITA_BASE_URL",
};
