import type { ProvenRow } from "../row.ts";

/** What this account may not use, as opposed to what does not exist and to what is used up. */
export const entitlementRows: readonly ProvenRow[] = [
  {
    name: "codex-not-in-plan",
    match: { code: ["usage_not_included"] },
    reason: "entitlement",
    scope: "credential",
    fixture: "codex-not-in-plan.json",
    source: "OpenAI Codex backend",
  },
  {
    // Neither a login nor money helps: the account is closed, for whatever it asks.
    name: "account-closed",
    match: { code: ["account_deactivated", "account_suspended", "deactivated_workspace", "1112", "1121"] },
    reason: "entitlement",
    scope: "credential",
    fixture: "account-closed.json",
    source: "OpenAI; OpenAI Codex backend (Wei-Shaw/sub2api #1302); Z.AI error codes",
  },
  {
    name: "model-not-in-plan",
    match: {
      code: [
        "model_not_supported",
        "model_not_supported_on_free_tier",
        "AccessDenied.Unpurchased",
        "AccessDeniedException",
        "SERVICE_DISABLED",
        "1311",
      ],
    },
    reason: "entitlement",
    fixture: "model-not-in-plan.json",
    source: "GitHub Copilot (github/copilot-cli #639), Nous, DashScope, Z.AI error codes",
  },
  {
    name: "kimi-agents-only",
    match: { code: ["access_terminated_error"] },
    reason: "entitlement",
    scope: "credential",
    fixture: "kimi-agents-only.json",
    source: "Kimi Code error reference; MoonshotAI/kimi-code #636",
  },
  {
    name: "opencode-model-access",
    match: { type: ["ModelError"], message: /disabled|access/i },
    reason: "entitlement",
    fixture: "opencode-model-access.json",
    source: "OpenCode Zen: ModelError under 401",
  },
  {
    name: "codex-model-not-in-plan",
    match: { message: /model is not supported when using codex with a chatgpt account/i },
    reason: "entitlement",
    fixture: "codex-model-not-in-plan.json",
    source: "OpenAI Codex backend; openai/codex #6603, Hermes #71970",
  },
  {
    name: "claude-code-only",
    match: { message: /only authorized for use with claude code/i },
    reason: "entitlement",
    scope: "credential",
    fixture: "claude-code-only.json",
    source: "Anthropic API; anthropics/claude-code #11252",
  },
  {
    name: "anthropic-long-context",
    match: {
      message: /extra usage is required for long context|long context beta is not yet available/i,
    },
    reason: "entitlement",
    fixture: "anthropic-long-context.json",
    source: "Anthropic API, subscription logins; Hermes' tests of its classifier",
  },
  {
    // Not for a token that is over: xAI names both causes then, with a code that tells which.
    name: "xai-no-subscription",
    match: {
      status: [0, 401, 403],
      message:
        /^(?![^]*(?:\[wke=unauthenticated:|oauth2 access token could not be validated))[^]*(?:do(?:es)? not have an active grok subscription|need a grok subscription)/i,
    },
    reason: "entitlement",
    scope: "credential",
    fixture: "xai-no-subscription.json",
    source: "xAI; Hermes #26847",
  },
  {
    name: "openrouter-account-policy",
    match: { message: /no endpoints (?:available|found) matching your (?:guardrail|data policy)/i },
    reason: "entitlement",
    fixture: "openrouter-account-policy.json",
    source: "OpenRouter: the account's own privacy and guardrail settings leave no provider",
  },
  {
    name: "account-closed-words",
    match: {
      message:
        /\b(?:organization|account|workspace) has been (?:disabled|deactivated|restricted|suspended)|a deactivated account|account is (?:deactivated|suspended)(?! due to billing)/i,
    },
    reason: "entitlement",
    scope: "credential",
    fixture: "account-closed-words.json",
    source: "Anthropic API, 400 (anthropics/claude-code #72457); Groq; Hermes' list of billing messages",
  },
  {
    name: "not-in-plan-words",
    match: {
      message:
        /(?:plan|subscription|tier) (?:does not|doesn't) (?:include|cover|have access)|not available (?:on|in|for) (?:the|your) (?:free tier|free plan|current plan|plan)|(?:this )?model requires (?:a|an) (?:paid |active )?(?:subscription|plan)|organization must be verified to use|\bmodel access is disabled/i,
    },
    reason: "entitlement",
    fixture: "not-in-plan-words.json",
    source: "Ollama Cloud, OpenAI; Hermes' tests (403, a plan that lacks the model)",
  },
];
