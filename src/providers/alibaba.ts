import type { Provider } from "./provider.ts";

/** Chat completions; a base URL that ends in `/anthropic` speaks Messages. */
export const alibaba: Provider = {
  id: "alibaba",
  name: "Alibaba Cloud (DashScope)",
  aliases: ["dashscope", "aliyun", "qwen", "alibaba-cloud"],
  signIn: { kind: "api_key", env: ["DASHSCOPE_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
  baseUrlEnv: "DASHSCOPE_BASE_URL",
};
