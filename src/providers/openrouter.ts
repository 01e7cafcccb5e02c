import type { Provider } from "./provider.ts";

/**
 * Sells the models of many providers under names such as `anthropic/claude-sonnet-5`. Reads its own variable only: a
 * key found in OPENAI_API_KEY belongs to another origin (rule R7).
 */
export const openrouter: Provider = {
  id: "openrouter",
  name: "OpenRouter",
  aliases: [],
  signIn: { kind: "api_key", env: ["OPENROUTER_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://openrouter.ai/api/v1",
  baseUrlEnv: "OPENROUTER_BASE_URL",
  // In credits, one of which is a dollar.
  reportsUsd: true,
};
