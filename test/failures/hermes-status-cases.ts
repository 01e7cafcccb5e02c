import { type Case, http, inStream, said } from "./hermes-cases.ts";

const cyber =
  "This content was flagged for possible cybersecurity risk. To get authorized, join the Trusted Access for Cyber program.";

const policy =
  "No endpoints available matching your guardrail restrictions and data policy. Configure: https://openrouter.ai/settings/privacy";

const wrapped = {
  error: {
    type: "400",
    message: JSON.stringify({ error: { code: "invalid_encrypted_content", message: "could not be verified" } }),
  },
};

const disconnected = "server disconnected without sending complete message";

const stopped = { next: "stop", scope: "request" } as const;

const planWindow = { reason: "quota", next: "next_credential" } as const;

/** Cases A4 to A72: what a status and its body say. */
export const statusCases: readonly Case[] = [
  {
    id: "A4",
    title: "defaults",
    evidence: { phase: "head" },
    peer: { reason: "unknown", flags: ["R", "K!", "F!"], status: null },
  },
  { id: "A5", title: "the status is kept", evidence: http(429, "x"), peer: { status: 429 } },
  { id: "A6", title: "the status is kept", evidence: http(503, "x"), peer: { status: 503 } },
  { id: "A8", title: "no status", evidence: said("x"), peer: { status: null } },
  { id: "A9", title: "a number that is no status", evidence: { phase: "head", status: 42 }, peer: { status: null } },
  { id: "A10", title: "a body", evidence: http(400, { error: { message: "bad" } }), peer: { message: "bad" } },
  { id: "A12", title: "no body", evidence: said("x"), peer: { code: null, message: "x" } },
  {
    id: "A13",
    title: "a nested code",
    evidence: inStream({ error: { code: "rate_limit_exceeded" } }),
    peer: { code: "rate_limit_exceeded" },
  },
  {
    id: "A14",
    title: "a nested type",
    evidence: inStream({ error: { type: "invalid_request_error" } }),
    peer: { code: "invalid_request_error" },
  },
  {
    id: "A16",
    title: "a code in JSON inside the message",
    evidence: inStream(wrapped),
    peer: { code: "invalid_encrypted_content" },
  },
  { id: "A17", title: "no code", evidence: inStream({ error: { message: "oops" } }), peer: { code: null } },

  { id: "A18", title: "402", evidence: http(402, "payment required"), peer: { reason: "billing", flags: ["K"] } },
  {
    id: "A20",
    title: "402 with a retry",
    evidence: http(402, "quota exceeded, please retry after the window resets"),
    peer: { reason: "rate_limit" },
    better: planWindow,
  },
  {
    id: "A21",
    title: "402 without a retry",
    evidence: http(402, "quota exceeded"),
    peer: { reason: "billing" },
    better: planWindow,
  },
  { id: "A22", title: "402", evidence: http(402, "insufficient credits"), peer: { reason: "billing" } },
  { id: "A24", title: "403", evidence: http(403, "Forbidden", "anthropic"), peer: { reason: "auth", flags: ["F"] } },
  {
    id: "A25",
    title: "403, a key's limit",
    evidence: http(
      403,
      "Key limit exceeded (daily limit). Manage it using https://openrouter.ai/settings/keys",
      "openrouter",
    ),
    peer: { reason: "billing", flags: ["K", "F"] },
  },
  {
    id: "A26",
    title: "403, a spending limit",
    evidence: http(403, "spending limit reached"),
    peer: { reason: "billing" },
  },
  {
    id: "A28",
    title: "402, a flat body",
    evidence: http(402, { message: "Your account has run out of funds. Please top up." }),
    peer: { reason: "billing", flags: ["R!"] },
  },
  {
    id: "A29",
    title: "402, transient",
    evidence: http(402, "usage limit exceeded, try again later"),
    peer: { reason: "rate_limit", flags: ["R"] },
    better: planWindow,
  },
  {
    id: "A30",
    title: "403, a plan without the model",
    evidence: http(403, "This plan does not include the requested model"),
    peer: { reason: "billing", flags: ["R!"] },
    better: { reason: "entitlement", scope: "credential_model", next: "next_credential" },
  },
  {
    id: "A32",
    title: "402 with a time",
    evidence: http(402, "Usage limit reached, try again in 5 minutes"),
    peer: { reason: "rate_limit", flags: ["R"], message: "Usage limit reached, try again in 5 minutes" },
    better: planWindow,
  },
  { id: "A33", title: "429", evidence: http(429, "Too Many Requests"), peer: { reason: "rate_limit", flags: ["F"] } },
  {
    id: "A34",
    title: "400, a rate that grows",
    evidence: http(400, "Requests rate increased too quickly. Please slow down."),
    peer: { reason: "rate_limit", flags: ["R", "K"] },
  },
  { id: "A36", title: "502", evidence: http(502, "Bad Gateway"), peer: { reason: "server_error" } },
  { id: "A37", title: "503", evidence: http(503, "Service Unavailable"), peer: { reason: "overloaded" } },
  { id: "A38", title: "529", evidence: http(529, "Overloaded"), peer: { reason: "overloaded" } },
  {
    id: "A40",
    title: "429 that is an overload",
    evidence: http(429, "The service may be temporarily overloaded, please try again later", "zai"),
    peer: { reason: "overloaded", flags: ["R", "K!"] },
  },
  {
    id: "A41",
    title: "429",
    evidence: http(429, "Rate limit exceeded: too many requests", "zai"),
    peer: { reason: "rate_limit", flags: ["K"] },
  },
  {
    id: "A42",
    title: "502, an unknown parameter",
    evidence: http(502, { error: { type: "invalid_request_error", message: "Unknown parameter: 'reasoning_effort'" } }),
    peer: { reason: "format_error", flags: ["R!", "F"] },
    better: { reason: "invalid_request", ...stopped },
  },
  {
    id: "A44",
    title: "500 of the type of a bad request",
    evidence: http(500, { error: { type: "invalid_request_error", message: "bad request" } }),
    peer: { reason: "format_error", flags: ["R!"] },
  },
  { id: "A45", title: "502", evidence: http(502, "Bad Gateway"), peer: { reason: "server_error", flags: ["R"] } },
  ...[500, 502, 503, 529].map(
    (status, index): Case => ({
      id: `A${46 + index}`,
      title: `${status}, a full context`,
      evidence: http(status, "Context size has been exceeded."),
      peer: { reason: "context_overflow" },
    }),
  ),
  { id: "A50", title: "500", evidence: http(500, "Internal Server Error"), peer: { reason: "server_error" } },
  {
    id: "A52",
    title: "404, a model",
    evidence: http(404, "model not found"),
    peer: { reason: "model_not_found", flags: ["F", "R!"] },
  },
  {
    id: "A53",
    title: "404",
    evidence: http(404, "Not Found"),
    peer: { reason: "unknown", flags: ["R", "F!"] },
    better: { reason: "unknown", scope: "request", next: "next_target" },
  },
  {
    id: "A54",
    title: "404, the account's own policy",
    evidence: http(404, policy, "openrouter"),
    peer: { reason: "provider_policy_blocked", flags: ["R!", "F"] },
  },
  {
    id: "A56",
    title: "the same without a status",
    evidence: said(policy, "openrouter"),
    peer: { reason: "provider_policy_blocked" },
  },
  {
    id: "A57",
    title: "a refused content",
    evidence: said(cyber, "codex"),
    peer: { reason: "content_policy_blocked", flags: ["R!", "F"] },
    better: { reason: "content_policy", ...stopped },
  },
  {
    id: "A58",
    title: "400, a refused content",
    evidence: http(400, cyber, "codex"),
    peer: { reason: "content_policy_blocked", flags: ["R!", "F"] },
    better: { reason: "content_policy", ...stopped },
  },
  {
    id: "A60",
    title: "a safety system",
    evidence: said("Your prompt was flagged by our safety system"),
    peer: { reason: "content_policy_blocked", flags: ["R!", "F"] },
    better: { reason: "content_policy", ...stopped },
  },
  {
    id: "A61",
    title: "Azure's filter",
    evidence: http(400, "The response was filtered: content_filter ResponsibleAIPolicyViolation"),
    peer: { reason: "content_policy_blocked", flags: ["R!"] },
  },
  {
    id: "A62",
    title: "404, a model's name",
    evidence: http(404, "openai/gpt-99 is not a valid model ID"),
    peer: { reason: "model_not_found", flags: ["F"] },
  },
  {
    id: "A64",
    title: "400, a full context",
    evidence: http(400, "context length exceeded: 250000 > 200000"),
    peer: { reason: "context_overflow" },
  },
  {
    id: "A65",
    title: "400, a full context",
    evidence: http(400, "This model's maximum context is 128000 tokens, too many tokens"),
    peer: { reason: "context_overflow" },
  },
  {
    id: "A66",
    title: "400, a full context",
    evidence: http(400, "prompt is too long: 300000 tokens > 200000 maximum"),
    peer: { reason: "context_overflow" },
  },
  { id: "A68", title: "400 without words, small", evidence: http(400, "Error"), peer: { reason: "format_error" } },
  { id: "A69", title: "400 without words, large", evidence: http(400, "Error"), peer: { reason: "format_error" } },
  {
    id: "A70",
    title: "disconnected, large",
    evidence: said(disconnected),
    peer: { reason: "context_overflow" },
    better: { reason: "network", next: "retry" },
  },
  { id: "A72", title: "disconnected, many messages", evidence: said(disconnected), peer: { reason: "timeout" } },
];
