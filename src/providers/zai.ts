import type { Provider } from "./provider.ts";

/**
 * The international pay-as-you-go endpoint. Three more take the same keys, each by GLM_BASE_URL:
 * open.bigmodel.cn/api/paas/v4 (China), api.z.ai/api/coding/paas/v4 and open.bigmodel.cn/api/coding/paas/v4 (coding
 * plan). They are not probed: that would spend a call each.
 */
export const zai: Provider = {
  id: "zai",
  name: "Z.AI / GLM",
  aliases: ["glm", "z-ai", "z.ai", "zhipu"],
  signIn: { kind: "api_key", env: ["GLM_API_KEY", "ZAI_API_KEY", "Z_AI_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://api.z.ai/api/paas/v4",
  baseUrlEnv: "GLM_BASE_URL",
};
