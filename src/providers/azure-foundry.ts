import type { Provider } from "./provider.ts";

/**
 * Every resource has its own address, so the person gives it: `https://NAME.openai.azure.com/openai/v1`, or
 * `https://NAME.services.ai.azure.com/anthropic` for Claude. The model is the name of the deployment; those named for a
 * model that Azure serves best over Responses go there. The `v1` API takes the key as a bearer.
 */
export const azureFoundry: Provider = {
  id: "azure-foundry",
  name: "Azure Foundry",
  aliases: ["azure", "azure-ai-foundry", "azure-ai"],
  signIn: { kind: "api_key", env: ["AZURE_FOUNDRY_API_KEY"], required: true },
  protocol: "chat-completions",
  baseUrl: null,
  baseUrlEnv: "AZURE_FOUNDRY_BASE_URL",
  protocolRules: [{ model: /^(gpt-5|o[134]\b|codex)/, protocol: "responses" }],
};
