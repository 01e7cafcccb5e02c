import { describe, expect, it } from "vitest";
import { classifyFailure, unmatchedRow } from "../../src/failures/classify.ts";
import type { Evidence } from "../../src/failures/evidence.ts";
import { readErrorBody } from "../../src/failures/read-error-body.ts";
import type { Row } from "../../src/failures/row.ts";
import { failureTable } from "../../src/failures/table.ts";

const now = Date.parse("2026-10-01T12:00:00Z");
const classify = (evidence: Evidence, rows?: readonly Row[]) =>
  classifyFailure(evidence, rows === undefined ? { now } : { now, rows });

function http(status: number, body: unknown, headers: Record<string, string> = {}): Evidence {
  return {
    phase: "headers",
    ...readErrorBody(status, headers, typeof body === "string" ? body : JSON.stringify(body)),
  };
}

describe("classifyFailure", () => {
  it("keeps status, code and words, and names its row", () => {
    const body = { error: { code: "usage_limit_reached", message: "Used up", resets_in_seconds: 60 } };
    expect(classify(http(429, body))).toEqual({
      reason: "quota",
      scope: "credential",
      next: "next_credential",
      retryAt: now + 60_000,
      reloginRequired: false,
      status: 429,
      code: "usage_limit_reached",
      message: "Used up",
      row: "plan-used-up",
    });
  });

  it("says in its own words what the provider left unsaid", () => {
    expect(classify(http(503, "")).message).toBe("the provider is overloaded");
    expect(classify({ phase: "end" }).message).toBe("the answer ended before it was complete");
  });

  it("reads the body when the protocol has filled in nothing else", () => {
    const body = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    expect(classify({ phase: "head", body })).toMatchObject({
      reason: "overloaded",
      code: "overloaded_error",
      message: "Overloaded",
    });
  });

  it("unpacks an error that stands as JSON in the message", () => {
    const message = 'upstream: {"error":{"code":"context_length_exceeded","message":"Too much"}}';
    expect(classify({ phase: "head", message })).toMatchObject({ reason: "context_overflow", message: "Too much" });
  });

  it("takes a code and a type of one source, not of two", () => {
    const body = { error: { code: "invalid_api_key", type: "x" } };
    expect(classify({ phase: "head", type: "rate_limit_error", body }).reason).toBe("rate_limit");
  });

  it("shows no secret in message and code", () => {
    const failure = classify({
      phase: "headers",
      status: 401,
      code: "sk-abcdefghijkl",
      message: "wrong key sk-abcdefghijkl1",
    });
    expect(JSON.stringify(failure)).not.toContain("abcdefghijkl");
  });

  it("tells a whole Responses answer by its status, whatever output it has", () => {
    const body = { object: "response", status: "cancelled", output: [{ type: "message" }] };
    expect(classify({ phase: "head", status: 200, body })).toMatchObject({
      reason: "server_error",
      row: "response-cancelled",
    });
  });
});

describe("the caller's cancel and the provider's", () => {
  it("stops for the caller's", () => {
    expect(classify({ phase: "stream", networkCode: "CALLER_CANCELLED" })).toMatchObject({
      reason: "cancelled",
      next: "stop",
    });
  });

  it("goes on after the provider's", () => {
    const failure = classify({ phase: "stream", event: "response.cancelled" });
    expect(failure.reason).toBe("server_error");
    expect(failure.next).not.toBe("stop");
  });
});

describe("an error of a provider behind an aggregator", () => {
  const behind = (status: number, raw: unknown, more: object = {}) =>
    http(status, {
      error: {
        message: "Provider returned error",
        code: status,
        metadata: { raw: JSON.stringify(raw), provider_name: "DeepSeek", ...more },
      },
    });

  it.each([
    ["a limit", behind(429, { error: { message: "Rate limit exceeded" } }), "rate_limit"],
    ["an unpaid bill", behind(402, { error: { message: "Insufficient Balance" } }), "billing"],
    ["a refused key", behind(401, { error: { code: "invalid_api_key", message: "No" } }), "auth"],
    ["a used-up plan", behind(429, { error: { code: "usage_limit_reached", message: "No" } }), "quota"],
  ])("counts %s against the model there, not against our credential", (_what, evidence, reason) => {
    expect(classify(evidence)).toMatchObject({ reason, scope: "model", next: "next_target", reloginRequired: false });
  });

  it("leaves the caller's mistakes with the caller", () => {
    const failure = classify(behind(400, { error: { message: "context length exceeded: 50000 > 32768" } }));
    expect(failure).toMatchObject({ reason: "context_overflow", scope: "request", next: "stop" });
  });

  it("counts the limit of the user's own key there against that key", () => {
    expect(classify(behind(429, { error: { message: "Rate limit exceeded" } }, { is_byok: true })).scope).toBe(
      "credential_model",
    );
  });

  it("keeps the time of recovery", () => {
    const evidence = behind(429, { error: { message: "Rate limit exceeded. Please retry after 30s." } });
    expect(classify(evidence).retryAt).toBe(now + 30_000);
  });
});

describe("one status, several meanings", () => {
  it.each([
    [400, "Your credit balance is too low to access the Anthropic API.", "billing"],
    [403, "Insufficient credits", "billing"],
    [404, "Insufficient credits", "billing"],
    [429, "Insufficient credits", "billing"],
    [400, "You have reached your weekly usage limit", "quota"],
    [402, "You have reached your weekly usage limit", "quota"],
    [403, "You have reached your weekly usage limit", "quota"],
    [404, "You have reached your weekly usage limit", "quota"],
    [429, "You have reached your weekly usage limit", "quota"],
    [400, "Rate limit reached", "rate_limit"],
    [403, "Rate limit reached", "rate_limit"],
    [429, "Rate limit reached", "rate_limit"],
    [403, "This plan does not include the requested model", "entitlement"],
    [404, "The model `x` does not exist", "model_not_found"],
    [403, "Your request was blocked.", "blocked"],
    [403, "Forbidden", "auth"],
  ])("%i %s is %s", (status, message, reason) => {
    expect(classify(http(status, { error: { message } })).reason).toBe(reason);
  });

  it.each([
    ["Authentication is handled by a quota window that does not exist in the input tokens you wait for; retry"],
    ["Access to this forbidden window: max_tokens must be positive"],
  ])("reads nothing into single words that over-match: %s", (message) => {
    expect(classify(http(400, { error: { message } })).row).toBe("status-4xx");
  });

  it("never calls a 429 a login problem, even with a login's code", () => {
    for (const code of ["invalid_api_key", "token_revoked", "invalid_grant", "authentication_error"]) {
      expect(classify(http(429, { error: { code, message: "invalid api key" } }))).toMatchObject({
        reason: "rate_limit",
        reloginRequired: false,
      });
    }
  });

  it("puts a bill before a window before a burst when a text speaks of all", () => {
    expect(
      classify(http(429, { error: { message: "Rate limit reached: usage limit exceeded, insufficient credits" } }))
        .reason,
    ).toBe("billing");
    expect(
      classify(http(429, { error: { message: "Rate limit exceeded: your usage limit has been reached" } })).reason,
    ).toBe("quota");
  });

  it.each([
    [599, "rate_limit"],
    [600, "quota"],
  ])("takes a limit that lifts in %i s for a %s", (seconds, reason) => {
    expect(classify(http(429, "", { "retry-after": String(seconds) })).reason).toBe(reason);
    expect(
      classify(http(429, { error: { code: "rate_limit_exceeded" } }, { "retry-after": String(seconds) })).reason,
    ).toBe(reason);
  });

  it("does not take a burst for a window because windows are named in every answer", () => {
    const headers = {
      "x-codex-primary-used-percent": "40",
      "x-codex-primary-reset-at": String(now / 1_000 + 9_000),
      "anthropic-ratelimit-unified-reset": String(now / 1_000 + 9_000),
    };
    expect(classify(http(429, { error: { message: "Too many requests" } }, headers))).toMatchObject({
      reason: "rate_limit",
    });
    expect(classify(http(429, { error: { message: "Too many requests" } }, headers)).retryAt).toBeUndefined();
  });
});

describe("rows of a user's own", () => {
  const own: Row = {
    name: "my-proxy-quota",
    where: { providers: ["custom"] },
    match: { status: [418], message: /teapot/g },
    reason: "quota",
    scope: "provider",
    retryAt: ["retry-after"],
  };

  it("decide before the table's rows of the same rank", () => {
    const evidence = { ...http(418, "I'm a teapot", { "retry-after": "60" }), provider: "custom" };
    const expected = {
      reason: "quota",
      scope: "provider",
      next: "next_credential",
      retryAt: now + 60_000,
      row: "my-proxy-quota",
    };
    expect(classify(evidence, [own, ...failureTable])).toMatchObject(expected);
    // A pattern with the flag g must not remember where it stopped.
    expect(classify(evidence, [own, ...failureTable])).toMatchObject(expected);
    expect(classify({ ...evidence, provider: "other" }, [own, ...failureTable]).row).toBe("status-4xx");
  });

  it("are told apart from no row at all", () => {
    expect(classify({ phase: "head", status: 500 }, [])).toMatchObject({
      reason: "unknown",
      scope: "request",
      next: "retry",
      row: unmatchedRow,
    });
  });
});
