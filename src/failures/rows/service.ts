import type { ProvenRow } from "../row.ts";

/** The provider's own trouble, and what stands in front of it. */
export const serviceRows: readonly ProvenRow[] = [
  {
    name: "cloudflare-challenge",
    match: { headers: [{ name: "cf-mitigated", value: /challenge/i }] },
    reason: "blocked",
    fixture: "cloudflare-challenge.json",
    source: "Cloudflare: the cf-mitigated response header",
  },
  {
    name: "region-refused",
    match: { code: ["unsupported_country_region_territory", "unsupported_country", "FAILED_PRECONDITION"] },
    reason: "blocked",
    fixture: "region-refused.json",
    source: "OpenAI error codes; Gemini API (User location is not supported)",
  },
  {
    name: "address-refused",
    match: { code: ["ip_not_authorized"] },
    reason: "blocked",
    scope: "credential",
    next: "next_credential",
    fixture: "address-refused.json",
    source: "OpenAI error codes: a project's own list of addresses",
  },
  {
    name: "overloaded",
    match: {
      code: [
        "server_is_overloaded",
        "slow_down",
        "overloaded_error",
        "engine_overloaded_error",
        "service_unavailable_error",
        "ServiceUnavailableException",
        "ModelNotReadyException",
        "UNAVAILABLE",
        "upstream_unavailable",
        "1305",
        "1312",
      ],
    },
    reason: "overloaded",
    fixture: "overloaded.json",
    source: "OpenAI Codex backend; Anthropic, Moonshot, Google, AWS and Z.AI error references",
  },
  {
    name: "provider-timed-out",
    match: { code: ["timeout_error", "DEADLINE_EXCEEDED", "ModelTimeoutException", "request_timeout"] },
    reason: "timeout",
    fixture: "provider-timed-out.json",
    source: "Anthropic, Google and AWS error references",
  },
  {
    name: "challenge-page",
    match: {
      html: /just a moment\.\.\.|cdn-cgi\/challenge-platform|cf-browser-verification|challenge-error-text|__cf_chl|enable javascript and cookies to continue/i,
    },
    reason: "blocked",
    fixture: "challenge-page.json",
    source: "Cloudflare's challenge page; Hermes' list of WAF texts",
  },
  {
    name: "refusal-page",
    match: { status: [401, 403], html: true },
    reason: "blocked",
    fixture: "refusal-page.json",
    source: "no provider refuses a login with a web page: Cloudflare, Akamai, Imperva, a company's proxy",
  },
  {
    name: "page-instead-of-answer",
    match: { status: [0], html: true },
    reason: "blocked",
    fixture: "page-instead-of-answer.json",
    source: "a captive portal, or a base URL that leads to a web site",
  },
  {
    name: "redirect",
    match: { status: { from: 300, to: 399 } },
    reason: "blocked",
    fixture: "redirect.json",
    source: "RFC 9110 §15.4; no redirect is followed with a credential",
  },
  {
    name: "proxy-login",
    match: { status: [407, 511] },
    reason: "blocked",
    fixture: "proxy-login.json",
    source: "RFC 9110 §15.5.8; RFC 6585 §6",
  },
  {
    name: "status-timeout",
    match: { status: [408, 504, 522, 524] },
    reason: "timeout",
    fixture: "status-timeout.json",
    source: "RFC 9110 §15.5.9 and §15.6.5; Cloudflare 5xx errors",
  },
  {
    name: "refusal-words",
    match: { status: [403], message: /\brequest (?:was |has been |is )?blocked\b|you have been blocked/i },
    reason: "blocked",
    fixture: "refusal-words.json",
    source: "Hermes' list of WAF texts",
  },
  {
    name: "overloaded-words",
    match: {
      message:
        /\b(?:is|are|be|currently|temporarily|upstream|server|service|engine|model) (?:currently |temporarily )?overloaded\b|\bserver[ _]overload\b|\b(?:at|over) capacity\b(?! of)|experiencing (?:high|heavy) (?:demand|load|traffic)|(?:访问量|负载)过(?:大|高)/i,
    },
    reason: "overloaded",
    fixture: "overloaded-words.json",
    source: "Hermes' list of overload messages; OpenAI Codex backend (Selected model is at capacity)",
  },
  {
    name: "timed-out-words",
    match: {
      status: [0, 500, 502, 503],
      message: /(?:request|operation|upstream|turn|generation|connection) (?:has )?timed[ -]?out|deadline exceeded/i,
    },
    reason: "timeout",
    fixture: "timed-out-words.json",
    source: "Hermes' list of time-out messages",
  },
];
