import type { Provider } from "./provider.ts";

/** The subscription of OpenCode. Source: https://opencode.ai/docs/go/#endpoints */
export const opencodeGo: Provider = {
  id: "opencode-go",
  name: "OpenCode Go",
  aliases: ["opencode_go", "go", "opencode-go-sub"],
  signIn: { kind: "api_key", env: ["OPENCODE_GO_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://opencode.ai/zen/go/v1",
  baseUrlEnv: "OPENCODE_GO_BASE_URL",
  baseUrlRewrite: { from: /\/zen\/go$/, to: "/zen/go/v1" },
  protocolRules: [
    { model: /^(minimax-|qwen)/, protocol: "messages" },
    { model: /^gpt-/, protocol: "responses" },
  ],
};
