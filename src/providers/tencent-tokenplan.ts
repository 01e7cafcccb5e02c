import type { Provider } from "./provider.ts";

export const tencentTokenplan: Provider = {
  id: "tencent-tokenplan",
  name: "Tencent TokenPlan",
  aliases: ["tokenplan", "tencent-lkeap"],
  signIn: { kind: "api_key", env: ["TOKENPLAN_API_KEY"], required: true },
  protocol: "messages",
  baseUrl: "https://api.lkeap.cloud.tencent.com/plan/anthropic",
  baseUrlEnv: "TOKENPLAN_BASE_URL",
};
