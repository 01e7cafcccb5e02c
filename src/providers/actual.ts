import type { Provider } from "./provider.ts";

export const actual: Provider = {
  id: "actual",
  name: "Actual Computer",
  aliases: ["actual-computer", "actualcomputer", "aci"],
  signIn: { kind: "api_key", env: ["ACTUAL_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://api.actual.inc/v1",
  baseUrlEnv: "ACTUAL_BASE_URL",
};
