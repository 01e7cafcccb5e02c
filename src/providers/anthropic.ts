import type { Provider } from "./provider.ts";

const subscriptionOnly =
  "a token of a Claude plan is for Claude Code and claude.ai only; use an API key of the Anthropic console";

/**
 * The API with a key of the console, nothing else.
 *
 * Anthropic's terms (February 2026) keep the tokens of a Free, Pro or Max plan to Claude Code and claude.ai, and the
 * service blocks other clients that present them. Such a token is refused here with that reason, instead of being sent
 * until the account is closed.
 */
export const anthropic: Provider = {
  id: "anthropic",
  name: "Anthropic",
  aliases: ["claude", "claude-code"],
  signIn: { kind: "api_key", env: ["ANTHROPIC_API_KEY"], required: true },
  protocol: "messages",
  baseUrl: "https://api.anthropic.com",
  baseUrlEnv: "ANTHROPIC_BASE_URL",
  refusedKeys: [
    { prefix: "sk-ant-oat", reason: subscriptionOnly },
    { env: "ANTHROPIC_TOKEN", reason: subscriptionOnly },
    { env: "CLAUDE_CODE_OAUTH_TOKEN", reason: subscriptionOnly },
  ],
};
