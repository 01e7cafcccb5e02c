import type { Provider } from "./provider.ts";

/** The hosted service. A server on this machine is `ollama`. */
export const ollamaCloud: Provider = {
  id: "ollama-cloud",
  name: "Ollama Cloud",
  aliases: ["ollama_cloud"],
  signIn: { kind: "api_key", env: ["OLLAMA_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://ollama.com/v1",
  baseUrlEnv: "OLLAMA_BASE_URL",
};
