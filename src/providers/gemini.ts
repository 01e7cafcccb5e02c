import type { Provider } from "./provider.ts";

/**
 * Gemini over its OpenAI-compatible surface, https://ai.google.dev/gemini-api/docs/openai. It lies below the native
 * API's root, so a base URL that ends in `/v1beta`, as other tools want it, is led on to `/v1beta/openai`.
 */
export const gemini: Provider = {
  id: "gemini",
  name: "Google AI Studio",
  aliases: ["google", "google-gemini", "google-ai-studio"],
  signIn: { kind: "api_key", env: ["GOOGLE_API_KEY", "GEMINI_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://generativelanguage.googleapis.com/v1beta/openai",
  baseUrlEnv: "GEMINI_BASE_URL",
  baseUrlRewrite: { from: /\/v1beta$/, to: "/v1beta/openai" },
};
