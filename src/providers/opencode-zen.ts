import type { Provider } from "./provider.ts";

/** Each model family over the protocol of its maker. Source: https://opencode.ai/docs/zen/#endpoints */
export const opencodeZen: Provider = {
  id: "opencode-zen",
  name: "OpenCode Zen",
  aliases: ["opencode", "opencode_zen", "zen"],
  signIn: { kind: "api_key", env: ["OPENCODE_ZEN_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://opencode.ai/zen/v1",
  baseUrlEnv: "OPENCODE_ZEN_BASE_URL",
  baseUrlRewrite: { from: /\/zen$/, to: "/zen/v1" },
  protocolRules: [
    { model: /^claude-/, protocol: "messages" },
    { model: /^gpt-/, protocol: "responses" },
  ],
};
