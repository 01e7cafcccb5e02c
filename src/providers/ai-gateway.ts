import type { Provider } from "./provider.ts";

export const aiGateway: Provider = {
  id: "ai-gateway",
  name: "Vercel AI Gateway",
  aliases: ["aigateway", "vercel", "vercel-ai-gateway"],
  signIn: { kind: "api_key", env: ["AI_GATEWAY_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://ai-gateway.vercel.sh/v1",
  baseUrlEnv: "AI_GATEWAY_BASE_URL",
};
