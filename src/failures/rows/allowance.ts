import type { ProvenRow } from "../row.ts";

/** A limit that lifts at least this far away is a plan's window and no burst limit. */
export const planWindowMs = 600_000;

/** Unpaid bill before plan window before burst: whichever of them a provider's 400, 402, 403, 404 or 429 really means. */
const billing: readonly ProvenRow[] = [
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
        /insufficient[ _](?:credits?|balance|funds|quota)\b|credit balance is too low|account balance is (?:too low|insufficient)|(?:credits?|balance) (?:have |has |is |are )?(?:been )?(?:exhausted|depleted|used up)|(?:used all|out of|run out of|ran out of) (?:your |available |the )?(?:credits|funds|extra usage)|no usable credits|top up your|exceeded your current quota|exceeded your monthly included credits|payment (?:is )?(?:required|past due)|no payment method|add a payment method|(?:hard |spend(?:ing)? |budget |billing |key |monthly spend )(?:limit|cap)[^.]{0,20}(?:reached|exceeded|hit)|hard billing limit|(?:hit|reached) your (?:monthly )?spend(?:ing)? limit|requires? (?:more|available) credits|settings\/credits|account is not active|余额不足|账户已欠费/i,
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

/** What a subscription may not use at all says so in words, beside the headers of its windows. */
const notLongContext = /^(?!.*extra usage is required)/is;

const quota: readonly ProvenRow[] = [
  {
    name: "plan-used-up",
    match: {
      code: [
        "usage_limit_reached",
        "usage_limit_exceeded",
        "quota_exceeded",
        "quote_exceeded",
        "workspace_owner_usage_limit_reached",
        "workspace_member_usage_limit_reached",
        "GoUsageLimitError",
        "SubscriptionUsageLimitError",
        "BlackUsageLimitError",
        "ServiceQuotaExceededException",
        "1304",
        "1308",
        "1310",
        "1313",
        "1316",
      ],
    },
    reason: "quota",
    fixture: "plan-used-up.json",
    source: "OpenAI Codex backend (earendil-works/pi #4172); GitHub Copilot; OpenCode; Z.AI error codes",
  },
  {
    name: "free-models-used-up",
    match: { code: ["FreeUsageLimitError"] },
    reason: "quota",
    scope: "credential_model",
    fixture: "free-models-used-up.json",
    source: "OpenCode Zen",
  },
  {
    // Google puts a delay of seconds beside a limit per day.
    name: "google-per-day",
    match: { code: ["RESOURCE_EXHAUSTED"], type: /PerDay/i },
    reason: "quota",
    scope: "credential_model",
    retryAt: [],
    fixture: "google-per-day.json",
    source: "Gemini API: google.rpc.QuotaFailure, google-gemini/gemini-cli #8437",
  },
  {
    name: "anthropic-model-window",
    match: {
      status: [429],
      headers: [
        { name: "anthropic-ratelimit-unified-status", value: /^rejected$/ },
        { name: "anthropic-ratelimit-unified-representative-claim", value: /^seven_day_./ },
      ],
    },
    reason: "quota",
    scope: "credential_model",
    retryAt: ["unified-windows", "retry-after"],
    fixture: "anthropic-model-window.json",
    source: "Anthropic API, subscription logins; router-for-me/CLIProxyAPI #5915",
  },
  {
    name: "anthropic-window",
    match: { status: [429], headers: [{ name: "anthropic-ratelimit-unified-status", value: /^rejected$/ }] },
    reason: "quota",
    retryAt: ["unified-windows", "retry-after"],
    fixture: "anthropic-window.json",
    source: "Anthropic API, subscription logins; lidge-jun/opencodex #3809",
  },
  {
    name: "anthropic-burst",
    match: {
      status: [429],
      headers: [{ name: "anthropic-ratelimit-unified-status", value: /^allowed/ }],
      message: notLongContext,
    },
    reason: "rate_limit",
    fixture: "anthropic-burst.json",
    source: "Anthropic API: the windows are open, so it is a burst",
  },
  {
    name: "anthropic-no-credits",
    match: {
      status: [429],
      headers: [{ name: "anthropic-ratelimit-unified-overage-disabled-reason", value: /^out_of_credits$/ }],
      message: notLongContext,
    },
    reason: "quota",
    fixture: "anthropic-no-credits.json",
    source: "Anthropic API: window full, no credits for more, no reset given; tombii/better-ccflare #261",
  },
  {
    name: "openrouter-free-per-day",
    match: { message: /free-models-per-day/i },
    reason: "quota",
    scope: "credential_model",
    fixture: "openrouter-free-per-day.json",
    source: "OpenRouter limits; Gitlawb/openclaude #936",
  },
  {
    name: "used-up-words",
    match: {
      message:
        /\busage limit (?:has been |was |is )?(?:reached|exceeded|hit)|(?:reached|exceeded|hit) (?:your|the|its|kimi) (?:[\w-]+ ){0,3}(?:usage|session|weekly|daily|monthly|message|request|requests|premium request) (?:limit|quota|allowance)|quota (?:has been |was |is )?(?:exceeded|exhausted|reached)|limit exhausted|free usage exceeded|you have no quota|使用上限/i,
    },
    reason: "quota",
    fixture: "used-up-words.json",
    source: "Hermes' list of usage limits, without its single words; Kimi Code, Ollama Cloud (Hermes #68831), Copilot",
  },
  {
    name: "codex-window-full",
    match: { status: [429], headers: [{ name: "x-codex-primary-used-percent", value: /^\s*1\d\d(?:\.\d+)?\s*$/ }] },
    fallback: true,
    reason: "quota",
    fixture: "codex-window-full.json",
    source: "OpenAI Codex backend; Hermes #62449 (429 with a text that says nothing)",
  },
];

const rateLimitCodes = [
  "rate_limit_exceeded",
  "rate_limited",
  "rate_limit_reached_error",
  "RateLimitError",
  "RATE_LIMIT_EXCEEDED",
  "too_many_requests",
  "limit_requests",
  "throttled",
  "Throttling",
  "Throttling.RateQuota",
  "Throttling.BurstRate",
  "ThrottlingException",
  "TooManyRequestsException",
  "RESOURCE_EXHAUSTED",
  "1302",
  "1303",
];

const rateLimit: readonly ProvenRow[] = [
  {
    // One request larger than the limit of a whole minute: waiting does not help, a smaller or another model does.
    name: "larger-than-limit",
    match: { code: ["rate_limit_exceeded"], message: /^request too large\b/i },
    reason: "payload_too_large",
    next: "next_target",
    fixture: "larger-than-limit.json",
    source: "Groq (413), OpenAI (429): tokens per minute",
  },
  {
    name: "limit-far-off",
    match: { code: rateLimitCodes, resetsInAtLeastMs: planWindowMs },
    reason: "quota",
    scope: "credential_model",
    retryAt: ["body-fields", "retry-after", "ratelimit-windows", "prose"],
    fixture: "limit-far-off.json",
    source: "Groq: tokens per day under the code of tokens per minute",
  },
  {
    name: "rate-limit",
    match: { code: rateLimitCodes },
    reason: "rate_limit",
    fixture: "rate-limit.json",
    source: "OpenAI error codes; Moonshot, DashScope, Google, AWS and Z.AI error references; Hermes' body codes",
  },
  {
    name: "openai-slow-down",
    match: { status: [429], code: ["slow_down"] },
    reason: "rate_limit",
    fixture: "openai-slow-down.json",
    source: "OpenAI error codes: 429 slow_down is this caller's ramp, 503 slow_down the service",
  },
  {
    name: "minimax-rate-limit",
    where: { providers: ["minimax", "minimax-cn"] },
    match: { code: ["1002", "1039", "1041"] },
    reason: "rate_limit",
    fixture: "minimax-rate-limit.json",
    source: "MiniMax error codes (base_resp)",
  },
  {
    name: "kimi-limit-as-overload",
    where: { providers: ["kimi", "kimi-cn"] },
    match: { type: ["rate_limit_error"], message: /engine is currently overloaded/i },
    reason: "rate_limit",
    fixture: "kimi-limit-as-overload.json",
    source: "Kimi Code: the plan's own limit in the words of an overload; Astro-Han/pawwork #740",
  },
  {
    name: "opencode-provider-limit",
    match: { status: [429], message: /^error from provider \(/i },
    reason: "rate_limit",
    scope: "model",
    next: "next_target",
    fixture: "opencode-provider-limit.json",
    source: "OpenCode Go: the limit of the provider behind it; anomalyco/opencode #29912",
  },
  {
    name: "limit-words-far-off",
    match: {
      message: /rate[ _-]?limit|too many (?:concurrent )?requests|throttl(?:ed|ing)/i,
      resetsInAtLeastMs: planWindowMs,
    },
    reason: "quota",
    scope: "credential_model",
    retryAt: ["body-fields", "retry-after", "ratelimit-windows", "prose"],
    fixture: "limit-words-far-off.json",
    source: "Groq and others, inside a stream, where no status tells",
  },
  {
    name: "limit-words",
    match: {
      message:
        /rate[ _-]?limit(?:ed|s|ing)?\b[^.]{0,40}(?:reached|exceeded|hit|error)|(?:exceed|exceeds|exceeded|hit|reached) [^.]{0,40}rate limit|(?:is|are|being|been|temporarily) rate[ -]?limited|too many (?:concurrent )?requests|\bthrottl(?:ed|ing)\b|(?:requests|tokens) per (?:minute|second|hour|day)|rate increased too quickly|resource (?:has been )?exhausted|concurrency (?:limit|usage)/i,
    },
    reason: "rate_limit",
    fixture: "limit-words.json",
    source: "Hermes' list of rate limit messages; DashScope (400, rate increased too quickly)",
  },
  {
    name: "status-429-far-off",
    match: { status: [429], resetsInAtLeastMs: planWindowMs },
    fallback: true,
    reason: "quota",
    scope: "credential_model",
    retryAt: ["body-fields", "retry-after", "ratelimit-windows", "prose"],
    fixture: "status-429-far-off.json",
    source: "RFC 6585 §4 with a Retry-After of hours",
  },
  {
    name: "status-429",
    match: { status: [429] },
    fallback: true,
    reason: "rate_limit",
    fixture: "status-429.json",
    source: "RFC 6585 §4",
  },
  {
    name: "rate-limit-type",
    match: { code: ["rate_limit_error"] },
    fallback: true,
    reason: "rate_limit",
    fixture: "rate-limit-type.json",
    source: "Anthropic API errors: inside a stream there is only the type",
  },
];

export const allowanceRows: readonly ProvenRow[] = [...billing, ...quota, ...rateLimit];
