import type { Provider } from "./provider.ts";

/** The international endpoint; in China it is https://api.stepfun.com/step_plan/v1. */
export const stepfun: Provider = {
  id: "stepfun",
  name: "StepFun Step Plan",
  aliases: ["step", "stepfun-coding-plan"],
  signIn: { kind: "api_key", env: ["STEPFUN_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: "https://api.stepfun.ai/step_plan/v1",
  baseUrlEnv: "STEPFUN_BASE_URL",
};
