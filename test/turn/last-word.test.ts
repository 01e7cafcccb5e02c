import { describe, expect, it } from "vitest";
import type { Failure } from "../../src/core/failure.ts";
import type { ProtocolName } from "../../src/core/target.ts";
import { protocols } from "../../src/protocols/index.ts";
import { chooseLastWord, endingOf } from "../../src/turn/last-word.ts";
import type { TurnResult } from "../../src/turn/run-turn.ts";

const now = Date.UTC(2026, 0, 2, 3, 4, 5);
const hour = 3_600_000;

function failure(reason: Failure["reason"], more: Partial<Failure> = {}): Failure {
  return {
    reason,
    scope: "credential",
    next: "next_credential",
    reloginRequired: false,
    message: "said",
    row: "r",
    ...more,
  };
}

function failed(last: Failure | null, nearestRecovery: number | null): Extract<TurnResult, { ok: false }> {
  return { ok: false, turnId: "t", outcome: "failed", failure: last, attempts: [], blocked: [], nearestRecovery };
}

const report = { summary: "nobody could answer", candidates: ["codex/gpt-5.5 · ann: why"], commands: [] };

const refused = { next: "stop", scope: "request" } as const;
const turns = {
  quota: failed(failure("quota", { status: 429 }), now + 2 * hour),
  "all resting": failed(null, now + 2 * hour),
  burst: failed(failure("rate_limit", { status: 429 }), now + 20_500),
  "sign-in": failed(failure("relogin_required", { status: 401, reloginRequired: true }), null),
  billing: failed(failure("billing", { status: 402 }), null),
  "nobody there": failed(null, null),
  "server error": failed(failure("server_error", { status: 500, scope: "provider" }), now + 30_000),
  "no network": failed(failure("network", { scope: "network" }), null),
  "wrong request": failed(failure("invalid_request", { ...refused, status: 400 }), null),
  "too long": failed(failure("context_overflow", { ...refused, status: 400 }), null),
  "too large": failed(failure("payload_too_large", { ...refused, status: 413 }), null),
  "refused with a status that clients repeat": failed(failure("content_policy", { ...refused, status: 429 }), null),
} as const;

type Row = readonly [keyof typeof turns, ProtocolName, number, string, "again" | "final"];
const table: readonly Row[] = [
  ["quota", "responses", 429, "usage_limit_reached", "final"],
  ["quota", "chat-completions", 429, "usage_limit_reached", "final"],
  ["quota", "messages", 429, "rate_limit_error", "final"],
  ["all resting", "responses", 429, "usage_limit_reached", "final"],
  ["burst", "responses", 429, "rate_limit_error", "again"],
  ["burst", "chat-completions", 429, "rate_limit_error", "again"],
  ["burst", "messages", 429, "rate_limit_error", "again"],
  ["sign-in", "responses", 400, "invalid_request_error", "final"],
  ["sign-in", "chat-completions", 400, "invalid_request_error", "final"],
  ["sign-in", "messages", 400, "invalid_request_error", "final"],
  ["billing", "responses", 400, "invalid_request_error", "final"],
  ["nobody there", "messages", 400, "invalid_request_error", "final"],
  ["server error", "responses", 429, "server_error", "again"],
  ["server error", "chat-completions", 503, "server_error", "again"],
  ["server error", "messages", 529, "overloaded_error", "again"],
  ["no network", "responses", 429, "server_error", "again"],
  ["no network", "messages", 529, "overloaded_error", "again"],
  ["wrong request", "responses", 400, "invalid_request_error", "final"],
  ["wrong request", "messages", 400, "invalid_request_error", "final"],
  ["too long", "responses", 400, "invalid_request_error", "final"],
  ["too large", "responses", 400, "invalid_request_error", "final"],
  ["too large", "messages", 413, "request_too_large", "final"],
  ["refused with a status that clients repeat", "messages", 400, "invalid_request_error", "final"],
];

describe("the last word", () => {
  it.each(table)("%s, in %s: %i %s, %s", (turn, dialect, status, type, again) => {
    const { error, headers } = chooseLastWord(turns[turn], report, { dialect }, now);
    expect([error.status, error.type]).toEqual([status, type]);
    if (again === "final") expect(headers).toEqual({ "x-should-retry": "false" });
    else expect(Number(headers["retry-after"])).toBeGreaterThan(0);
  });

  it.each(["responses", "chat-completions", "messages"] as const)(
    "a spent plan is a 402 for clients that repeat every 429, in %s",
    (dialect) => {
      const statusFor = (userAgent: string): number =>
        chooseLastWord(turns.quota, report, { dialect, userAgent }, now).error.status;
      expect(statusFor("opencode/1.18.33 ai-sdk/provider-utils/4.0.23 runtime/bun/1.3.14")).toBe(402);
      expect(statusFor("ai-sdk-openai/4.0.118 ai-sdk-provider-utils/5.0.81 node.js/24")).toBe(402);
      expect(statusFor("codex_exec/0.169.0 (Debian 12.0.0; x86_64)")).toBe(429);
      expect(statusFor("OpenAI/JS 7.57.0")).toBe(429);
    },
  );

  it("says when the plan's window begins anew, in the field that Codex reads", () => {
    const { error } = chooseLastWord(turns.quota, report, { dialect: "responses" }, now);
    expect(protocols.responses.encodeError(error).body).toMatchObject({
      error: { type: "usage_limit_reached", resets_at: (now + 2 * hour) / 1_000 },
    });
  });

  it("rounds a wait up to whole seconds", () => {
    expect(chooseLastWord(turns.burst, report, { dialect: "messages" }, now).headers["retry-after"]).toBe("21");
  });

  it("names every candidate in what the person reads", () => {
    const { error } = chooseLastWord(turns["sign-in"], report, { dialect: "responses" }, now);
    expect(error.message).toBe("nobody could answer\ncodex/gpt-5.5 · ann: why");
  });

  it("says that a conversation is too long in the words and codes on which agents compact it", () => {
    const say = (dialect: ProtocolName) => chooseLastWord(turns["too long"], report, { dialect }, now).error;
    expect(say("responses").code).toBe("context_length_exceeded");
    expect(say("messages").message).toBe("prompt is too long: said");
  });

  it("keeps out of Claude Code's sight what makes it talk of its own login", () => {
    const spoken = {
      ...report,
      candidates: ["anthropic/claude · k: said (invalid x-api-key): run understudy auth add"],
    };
    const say = (dialect: ProtocolName) => chooseLastWord(turns["sign-in"], spoken, { dialect }, now).error.message;
    expect(say("messages")).toContain("invalid API key");
    expect(say("responses")).toContain("invalid x-api-key");
  });

  it("takes a wait of two minutes for short and one of more for long", () => {
    expect(endingOf(failed(failure("quota"), now + 120_000), now)).toBe("soon");
    expect(endingOf(failed(failure("quota"), now + 120_001), now)).toBe("later");
  });
});
