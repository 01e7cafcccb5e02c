import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cleanMessage, longestMessage } from "../../src/failures/clean-message.ts";

const jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyIn0.c2lnbmF0dXJlLWhlcmU";

describe("cleanMessage", () => {
  it.each([
    ["Incorrect API key provided: sk-proj-abc123DEF456.", "Incorrect API key provided: [secret]"],
    [
      "Incorrect API key provided: sk-abcd********wxyz. Find it at https://example.com",
      "Incorrect API key provided: [secret] Find it at https://example.com",
    ],
    ["Incorrect API key provided: xa***ey. Next", "Incorrect API key provided: [secret] Next"],
    ["Authorization: Bearer abc.def-123_456", "Authorization: [secret] [secret]"],
    ["token eyJhbGciOiJI is over", "token [secret] is over"],
    [`could not verify ${jwt}`, "could not verify [secret]"],
    ['{"refresh_token":"rt-0123456789"}', '{"refresh_token":"[secret]"}'],
    ["GET /v1/models?key=AIzaSyA1234567890abcdef failed", "GET /v1/models?key=[secret] failed"],
    ["key AIzaSyA1234567890abcdefgh refused", "key [secret] refused"],
    ["ghp_0123456789abcdef is no longer valid", "[secret] is no longer valid"],
    [`unknown credential ${"a1B2".repeat(12)}`, "unknown credential [secret]"],
  ])("blanks the secret in %s", (text, clean) => {
    expect(cleanMessage(text)).toBe(clean);
  });

  it.each([
    "Rate limit reached for gpt-5.5 in organization org-abc on tokens per min (TPM): Limit 30000, Used 22999.",
    "The model `accounts/fireworks/models/llama-v3p1-405b-instruct` does not exist",
    "Bearer authentication is required",
    "request req_011CSNEaED1kUhJjJRCJNmFb, team 16f2151a-40f4-4a80-8ad0-cae00c27e8dd",
    "quota GenerateRequestsPerDayPerProjectPerModel-FreeTier",
    "invalid x-api-key",
    "已达到 5 小时的使用上限。",
  ])("leaves alone: %s", (text) => {
    expect(cleanMessage(text)).toBe(text);
  });

  it("makes one line of it, without characters that steer a terminal", () => {
    expect(cleanMessage("a\r\n\tb\u001b[31mc\u202ed\u2028e\u0000")).toBe("a b [31mc d e");
  });

  it("cuts at the limit", () => {
    expect(cleanMessage("word ".repeat(1_000))).toHaveLength(longestMessage);
    expect(cleanMessage("word ".repeat(1_000)).endsWith("…")).toBe(true);
    expect(cleanMessage("x ".repeat(250).trim())).toBe("x ".repeat(250).trim());
  });

  it("shows no key, wherever it stands in the message", () => {
    const word = fc.stringMatching(/^[a-z ]{0,60}$/);
    const secret = fc
      .tuple(
        fc.constantFrom("sk-", "sk-ant-oat01-", "xai-", "gsk_", "Bearer ", "eyJ"),
        fc.stringMatching(/^[A-Za-z0-9_-]{16,60}$/),
      )
      .map(([prefix, rest]) => ({ shown: `${prefix}${rest}1`, rest }));
    fc.assert(
      fc.property(word, secret, word, (before, { shown, rest }, after) => {
        expect(cleanMessage(`${before} ${shown} ${after}`)).not.toContain(rest);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is one line within the limit for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 2_000 }), (text) => {
        const clean = cleanMessage(text);
        expect(clean.length).toBeLessThanOrEqual(longestMessage);
        expect(clean).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
        expect(clean.isWellFormed()).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
