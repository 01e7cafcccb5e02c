import type { Provider } from "./provider.ts";

export const nvidia: Provider = {
  id: "nvidia",
  name: "NVIDIA NIM",
  aliases: ["nim", "nvidia-nim", "build-nvidia", "nemotron"],
  signIn: { kind: "api_key", env: ["NVIDIA_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://integrate.api.nvidia.com/v1",
  baseUrlEnv: "NVIDIA_BASE_URL",
};
