import type { Provider } from "./provider.ts";

export const tencentTokenhub: Provider = {
  id: "tencent-tokenhub",
  name: "Tencent TokenHub",
  aliases: ["tencent", "tokenhub", "tencent-cloud", "tencentmaas"],
  signIn: { kind: "api_key", env: ["TOKENHUB_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://tokenhub.tencentmaas.com/v1",
  baseUrlEnv: "TOKENHUB_BASE_URL",
};
