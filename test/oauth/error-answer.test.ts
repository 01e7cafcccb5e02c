import { describe, expect, it } from "vitest";
import { readErrorAnswer, readErrorFields } from "../../src/oauth/error-answer.ts";

type Row = readonly [what: string, body: unknown, code: string | null, description: string | null, isError: boolean];

const rows: readonly Row[] = [
  [
    "OpenAI's nested form",
    { error: { code: "refresh_token_reused", type: "invalid_request_error", message: "used", param: null } },
    "refresh_token_reused",
    "used",
    true,
  ],
  [
    "a nested type where the code is null",
    { error: { code: null, type: "invalid_request_error", message: "m" } },
    "invalid_request_error",
    "m",
    true,
  ],
  ["a nested type where the code is blank", { error: { code: "  ", type: "some_type" } }, "some_type", null, true],
  ["nested words alone", { error: { message: "Session ended" } }, null, "Session ended", true],
  [
    "the flat form of RFC 6749",
    { error: "invalid_grant", error_description: "expired or revoked" },
    "invalid_grant",
    "expired or revoked",
    true,
  ],
  ["a flat error with a message", { error: "invalid_grant", message: "gone" }, "invalid_grant", "gone", true],
  [
    "a flat error with a blank description",
    { error: "invalid_grant", error_description: " ", message: "gone" },
    "invalid_grant",
    "gone",
    true,
  ],
  ["a top-level code", { code: "refresh_token_expired", message: "old" }, "refresh_token_expired", "old", true],
  [
    "a top-level code beside an error that has only a type",
    { error: { type: "t", message: "m" }, code: "token_expired" },
    "token_expired",
    "m",
    true,
  ],
  [
    "a detail that is an object",
    { detail: { code: "token_invalidated", message: "m" } },
    "token_invalidated",
    "m",
    true,
  ],
  ["a detail that is a sentence", { detail: "Unauthorized" }, null, "Unauthorized", false],
  ["a detail that is a list", { detail: [{ loc: ["body"], msg: "field required" }] }, null, null, false],
  ["codes in capitals", { error: "INVALID_Grant" }, "invalid_grant", null, true],
  ["blanks around a code", { error: " invalid_grant\n" }, "invalid_grant", null, true],
  ["a code that is a number", { error: { code: 401, message: "m" } }, null, "m", true],
  ["an empty error", { error: {} }, null, null, false],
  ["an error of null", { error: null }, null, null, false],
  ["an error of true", { error: true }, null, null, false],
  ["an error that is a list", { error: ["invalid_grant"] }, null, null, false],
  ["words alone", { message: "hello" }, null, "hello", false],
  ["an empty object", {}, null, null, false],
  ["a list", [{ error: "invalid_grant" }], null, null, false],
  ["a string", "invalid_grant", null, null, false],
  ["null", null, null, null, false],
];

describe("readErrorFields", () => {
  it.each(rows)("reads %s", (_, body, code, description, isError) => {
    expect(readErrorFields(body)).toEqual({ code, description, isError });
  });
});

describe("readErrorAnswer", () => {
  const now = Date.UTC(2026, 6, 1);
  const read = (text: string, status = 400, headers: Record<string, string> = {}) =>
    readErrorAnswer({ status, headers, text, cut: null }, now);

  it.each([
    ["HTML", "<!doctype html><title>Attention required</title><p>Ray ID 8f2"],
    ["nothing", ""],
    ["plain text", "upstream connect error"],
    ["JSON that broke off", '{"error":{"code":"refresh_token_reu'],
  ])("takes %s for no verdict, and shows none of it", (_, text) => {
    expect(read(text)).toEqual({ kind: "unreadable", description: null, status: 400, retryAt: null, cut: null });
  });

  it("reads a form", () => {
    const said = read("error=slow_down&error_description=Too+many+requests");
    expect(said).toMatchObject({ kind: "error", code: "slow_down", description: "Too many requests" });
  });

  it("shows nothing but the known fields", () => {
    const said = read('{"error":"invalid_grant","debug":"the pool is 10.0.0.1","refresh_token":"rt_1234567890"}');
    expect(JSON.stringify(said)).not.toMatch(/10\.0\.0\.1|rt_/);
  });

  it("keeps a code short", () => {
    expect(read(JSON.stringify({ error: "word ".repeat(100) })).kind).toBe("error");
    expect((read(JSON.stringify({ error: "word ".repeat(100) })) as { code: string }).code.length).toBe(80);
  });

  it.each<[string, Record<string, string>, number | null]>([
    ["seconds", { "retry-after": "120" }, now + 120_000],
    ["fractions of a second", { "retry-after": "0.5" }, now + 500],
    ["a date by our clock", { "retry-after": new Date(now + 90_000).toUTCString() }, now + 90_000],
    [
      "a date by the server's clock, which is 10 minutes off",
      { "retry-after": new Date(now + 690_000).toUTCString(), date: new Date(now + 600_000).toUTCString() },
      now + 90_000,
    ],
    ["a date that is over", { "retry-after": new Date(now - 5_000).toUTCString() }, null],
    ["a time in ten years", { "retry-after": "315360000" }, null],
    ["a negative number", { "retry-after": "-5" }, null],
    ["words", { "retry-after": "soon" }, null],
    ["nothing", {}, null],
  ])("reads Retry-After given as %s", (_, headers, retryAt) => {
    expect(read("", 503, headers).retryAt).toBe(retryAt);
  });
});
