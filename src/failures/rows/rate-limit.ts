import type { ProvenRow } from "../row.ts";

/** A limit that lifts at least this far away is a plan's window and no burst limit. */
export const planWindowMs = 600_000;

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

/** Too much in a short time. A limit that turns out to be far from lifting is a quota after all. */
export const rateLimitRows: readonly ProvenRow[] = [
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
    // Inside an answer, and nothing is said but to wait.
    name: "wait-words",
    match: { status: [0], message: /^(?:please )?(?:try again|retry) (?:in \d|after\b)/i },
    reason: "rate_limit",
    fixture: "wait-words.json",
    source: "Hermes' soft failures (its pull request 24173)",
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
