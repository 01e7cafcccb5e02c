import type { Provider } from "./provider.ts";

/**
 * A server on this machine, without a key. OLLAMA_HOST is not read: it says where the server listens, often `0.0.0.0`,
 * and is no URL. The hosted service is `ollama-cloud`.
 */
export const ollama: Provider = {
  id: "ollama",
  name: "Ollama",
  aliases: [],
  signIn: { kind: "api_key", env: [], required: false },
  protocol: "chat-completions",
  baseUrl: "http://127.0.0.1:11434/v1",
  baseUrlEnv: null,
};
