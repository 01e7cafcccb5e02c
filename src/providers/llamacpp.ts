import type { Provider } from "./provider.ts";

/** llama-server on this machine. */
export const llamacpp: Provider = {
  id: "llamacpp",
  name: "llama.cpp",
  aliases: ["llama.cpp", "llama-cpp"],
  signIn: { kind: "api_key", env: [], required: false },
  protocol: "chat-completions",
  baseUrl: "http://127.0.0.1:8080/v1",
  baseUrlEnv: null,
};
