import type { Provider } from "./provider.ts";

export const alibabaCodingPlan: Provider = {
  id: "alibaba-coding-plan",
  name: "Alibaba Cloud (Coding Plan)",
  aliases: ["alibaba_coding", "alibaba-coding", "alibaba_coding_plan"],
  signIn: { kind: "api_key", env: ["ALIBABA_CODING_PLAN_API_KEY", "DASHSCOPE_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://coding-intl.dashscope.aliyuncs.com/v1",
  baseUrlEnv: "ALIBABA_CODING_PLAN_BASE_URL",
};
