import type { Provider } from "./provider.ts";

export const kimiCn: Provider = {
  id: "kimi-cn",
  name: "Kimi / Moonshot (China)",
  aliases: ["kimi-coding-cn", "moonshot-cn"],
  signIn: { kind: "api_key", env: ["KIMI_CN_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://api.moonshot.cn/v1",
  baseUrlEnv: null,
};
