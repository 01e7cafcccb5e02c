import type { Provider } from "./provider.ts";

export const huggingface: Provider = {
  id: "huggingface",
  name: "Hugging Face",
  aliases: ["hf", "hugging-face", "huggingface-hub"],
  signIn: { kind: "api_key", env: ["HF_TOKEN"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://router.huggingface.co/v1",
  baseUrlEnv: "HF_BASE_URL",
};
