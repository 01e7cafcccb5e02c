import type { ProvenRow } from "../row.ts";

/** What a subscription may not use at all says so in words, beside the headers of its windows. */
const notLongContext = /^(?!.*extra usage is required)/is;

/** What a plan allows in a window of hours, days or a month. */
export const quotaRows: readonly ProvenRow[] = [
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
