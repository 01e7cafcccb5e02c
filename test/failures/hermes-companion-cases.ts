import type { Evidence } from "../../src/failures/evidence.ts";
import { readErrorBody, readErrorValue } from "../../src/failures/read-error-body.ts";
import { type Case, http } from "./hermes-cases.ts";

/** A Responses answer that failed inside a 200, with part of its output already there. */
function failed(error: { code?: string; message?: string } | null, status = "failed"): Evidence {
  const event = `response.${status}`;
  const output = [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Half of" }] }];
  const data = { type: event, response: { id: "resp_1", object: "response", status, error, output } };
  return { phase: "stream", protocol: "responses", provider: "codex", event, ...readErrorValue(data) };
}

const waf =
  "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><script src='/cdn-cgi/challenge-platform/x'></script></body></html>";

const planWindow = { reason: "quota", next: "next_credential" } as const;

/** The peer's companion files (F), and the soft failures of its PR #24173 (S): a Responses answer that failed inside a 200. */
export const companionCases: readonly Case[] = [
  {
    id: "F9",
    title: "a reset in ISO",
    evidence: http(429, {
      error: { code: "usage_limit_reached", message: "Used up", reset_at: "2026-10-01T17:00:00Z" },
    }),
    peer: { code: "usage_limit_reached", message: "Used up" },
  },
  {
    id: "F10",
    title: "only a type",
    evidence: http(429, { error: { type: "usage_limit_reached" } }),
    peer: { code: "usage_limit_reached" },
  },
  {
    id: "F14",
    title: "Retry-After 900",
    evidence: { phase: "headers", status: 429, headers: { "retry-after": "900" } },
    peer: { reason: "rate_limit" },
    better: { ...planWindow, retryAt: Date.parse("2026-10-01T12:15:00Z") },
  },
  {
    id: "F18",
    title: "a refusal in the message",
    evidence: { phase: "head", protocol: "chat-completions", finishReason: "content_filter" },
    peer: { reason: "content_policy_blocked", flags: ["R!"] },
  },
  {
    id: "F88",
    title: "silence after the first event",
    evidence: { phase: "stream", networkCode: "IDLE_TIMEOUT" },
    peer: { reason: "timeout", flags: ["R"] },
  },
  {
    id: "F133",
    title: "a web page under 403",
    evidence: { phase: "headers", provider: "codex", ...readErrorBody(403, {}, waf) },
    peer: { message: "a web page came in place of an answer (HTTP 403): Just a moment..." },
  },

  {
    id: "S1",
    title: "failed: insufficient",
    evidence: failed({ code: "insufficient_quota", message: "Insufficient quota" }),
    peer: { reason: "billing", flags: ["K"] },
  },
  {
    id: "S2",
    title: "failed: credits",
    evidence: failed({ message: "Your credits have been exhausted" }),
    peer: { reason: "billing", flags: ["K"] },
  },
  {
    id: "S3",
    title: "failed: current quota",
    evidence: failed({ message: "You exceeded your current quota" }),
    peer: { reason: "billing", flags: ["K"] },
  },
  {
    id: "S4",
    title: "failed: usage limit",
    evidence: failed({ message: "The usage limit has been reached" }),
    peer: { reason: "billing", flags: ["K"] },
    better: planWindow,
  },
  {
    id: "S5",
    title: "failed: payment",
    evidence: failed({ message: "Payment required" }),
    peer: { reason: "billing", flags: ["K"] },
  },
  {
    id: "S6",
    title: "failed: a plan without it",
    evidence: failed({ message: "Your plan does not include this model" }),
    peer: { reason: "billing", flags: ["K"] },
    better: { reason: "entitlement", scope: "credential_model", next: "next_credential" },
  },
  {
    id: "S7",
    title: "failed: a limit",
    evidence: failed({ code: "rate_limit_exceeded", message: "Rate limit reached" }),
    peer: { reason: "rate_limit", flags: ["R"] },
  },
  {
    id: "S8",
    title: "failed: too many",
    evidence: failed({ message: "Too many requests, try again" }),
    peer: { reason: "rate_limit", flags: ["R"] },
  },
  {
    id: "S9",
    title: "failed: tokens per minute",
    evidence: failed({ message: "Limit of tokens per minute" }),
    peer: { reason: "rate_limit" },
  },
  {
    id: "S10",
    title: "failed: quota exceeded",
    evidence: failed({ message: "Quota exceeded" }),
    peer: { reason: "billing", flags: ["K"] },
    better: planWindow,
  },
  {
    id: "S11",
    title: "failed: content",
    evidence: failed({ message: "Your request was flagged by our content policy" }),
    peer: { flags: ["K!"] },
  },
  {
    id: "S12",
    title: "failed: safety",
    evidence: failed({ code: "content_filter", message: "safety" }),
    peer: { flags: ["K!"] },
  },
  { id: "S13", title: "cancelled by the provider", evidence: failed(null, "cancelled"), peer: { flags: ["K!", "F"] } },
  { id: "S14", title: "failed without a word", evidence: failed(null), peer: { flags: ["K!", "F"] } },
];
