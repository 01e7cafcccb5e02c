import type { Provider } from "./provider.ts";

/** A server on this machine; a key only if it was started with one. */
export const vllm: Provider = {
  id: "vllm",
  name: "vLLM",
  aliases: [],
  signIn: { kind: "api_key", env: ["VLLM_API_KEY"], required: false },
  protocol: "chat-completions",
  baseUrl: "http://127.0.0.1:8000/v1",
  baseUrlEnv: null,
};
