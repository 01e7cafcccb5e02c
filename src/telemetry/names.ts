/**
 * Names of OpenTelemetry's conventions for generative AI that are used here. None of them is stable yet, so the package of names is
 * no dependency. https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/
 */
export const genAi = {
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  model: "gen_ai.request.model",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  reasoningTokens: "gen_ai.usage.reasoning.output_tokens",
} as const;

/** https://opentelemetry.io/docs/specs/semconv/registry/attributes/ */
export const general = {
  errorType: "error.type",
  httpStatus: "http.response.status_code",
} as const;

/** What the conventions have no name for. */
export const own = {
  turnId: "understudy.turn.id",
  route: "understudy.route",
  outcome: "understudy.outcome",
  attempts: "understudy.attempts",
  attempt: "understudy.attempt",
  provider: "understudy.provider",
  credentialId: "understudy.credential.id",
  row: "understudy.failure.row",
  scope: "understudy.failure.scope",
  decision: "understudy.decision",
  overheadMs: "understudy.overhead_ms",
  costUsd: "understudy.cost_usd",
} as const;

/** Providers that the conventions know under another name than ours. */
const providerNames: Readonly<Record<string, string>> = {
  codex: "openai",
  gemini: "gcp.gemini",
  xai: "x_ai",
  "azure-foundry": "azure.ai.inference",
};

/** A provider of ours as the conventions call it. */
export function providerName(id: string): string {
  return providerNames[id] ?? id;
}
