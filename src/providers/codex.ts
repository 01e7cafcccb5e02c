import type { Provider } from "./provider.ts";

/**
 * OpenAI Codex with a ChatGPT plan. The backend wants `store: false` to be said, refuses `max_output_tokens`, and
 * answers only as a stream. Requests name this project as their originator; they don't pass themselves off as another
 * client.
 */
export const codex: Provider = {
  id: "codex",
  name: "OpenAI Codex",
  aliases: ["openai-codex", "openai_codex"],
  signIn: {
    kind: "codex",
    issuer: "https://auth.openai.com",
    issuerEnv: "UNDERSTUDY_CODEX_ISSUER",
    clientId: "app_EMoamEEZ73f0CkXaXp7hrann",
  },
  protocol: "responses",
  baseUrl: "https://chatgpt.com/backend-api/codex",
  baseUrlEnv: "UNDERSTUDY_CODEX_BASE_URL",
  cachesByKey: true,
  bodyRules: { set: { store: false }, remove: ["max_output_tokens"], alwaysStream: true },
  headers: (credential) => ({
    originator: "understudy",
    ...(credential?.account.id == null ? {} : { "chatgpt-account-id": credential.account.id }),
  }),
};
