import type { ProvenRow } from "../row.ts";

/**
 * An unpaid bill, under whichever of 400, 402, 403, 404, 429 and 500 a provider says so. Asked before `quotaRows`, and these before
 * `rateLimitRows`: what only money mends, what comes back by itself, what is over in a moment.
 */
export const billingRows: readonly ProvenRow[] = [
  {
    // DashScope uses OpenAI's code for a quota of its own that comes back.
    name: "dashscope-allocation",
    where: { providers: ["alibaba", "alibaba-coding-plan"] },
    match: { code: ["insufficient_quota", "Throttling.AllocationQuota"] },
    reason: "quota",
    scope: "credential_model",
    fixture: "dashscope-allocation.json",
    source: "Alibaba Cloud Model Studio, error codes: 429 Throttling.AllocationQuota/insufficient_quota",
  },
  {
    name: "unpaid",
    match: {
      code: [
        "insufficient_quota",
        "insufficient_credits",
        "insufficient_credits_for_paid_model",
        "insufficient_balance",
        "billing_error",
        "billing_not_active",
        "billing_hard_limit_reached",
        "payment_required",
        "no_usable_credits",
        "balance_depleted",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "project_spend_limit_exceeded",
        "member_spend_cap_exceeded",
        "terminal_quota_exhausted",
        "personal-team-blocked:spending-limit",
        "exceeded_current_quota_error",
        "workspace_owner_credits_depleted",
        "workspace_member_credits_depleted",
        "Arrearage",
        "CreditsError",
        "MonthlyLimitError",
        "UserLimitError",
        "1113",
        "1309",
      ],
    },
    reason: "billing",
    fixture: "unpaid.json",
    source: "OpenAI error codes; Anthropic billing_error; Moonshot; DashScope; Z.AI; OpenCode Zen; xAI",
  },
  {
    name: "unpaid-words",
    match: {
      message:
        /insufficient[ _](?:credits?|balance|funds|quota)\b|credit balance is too low|account balance is (?:too low|insufficient)|(?:credits?|balance) (?:have |has |is |are )?(?:been )?(?:exhausted|depleted|used up)|(?:used all|out of|run out of|ran out of) (?:your |available |the )?(?:credits|funds|extra usage)|no usable credits|top up your|exceeded your current quota|exceeded your monthly included credits|payment (?:is )?(?:required|past due)|no payment method|add a payment method|(?:hard |spend(?:ing)? |budget |billing |key |monthly spend )(?:limit|cap)[^.]{0,20}(?:reached|exceeded|hit)|hard billing limit|(?:hit|reached) your (?:monthly )?spend(?:ing)? limit|requires? (?:more|available) credits|settings\/credits|account is not active|deactivated due to billing|余额不足|账户已欠费/i,
    },
    reason: "billing",
    fixture: "unpaid-words.json",
    source: "Hermes' list of billing messages; xAI, DeepSeek, OpenRouter, Hugging Face, Ollama Cloud, Anthropic",
  },
  {
    name: "status-402",
    match: { status: [402] },
    fallback: true,
    reason: "billing",
    fixture: "status-402.json",
    source: "RFC 9110 §15.5.3",
  },
];
