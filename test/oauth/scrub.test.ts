import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { maxDescriptionLength, scrubText } from "../../src/oauth/scrub.ts";

const secrets: readonly (readonly [what: string, value: string])[] = [
  ["a JWT", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"],
  ["a JWT that was cut", "eyJhbGciOiJSUzI1Ni"],
  ["an opaque refresh token", "rt_0a1B2c3D4e5F"],
  ["an API key", "sk-proj-abcdef012345"],
  ["a GitHub token", "gho_16C7e42F292c6912E7"],
  ["32 random bytes", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"],
  ["hexadecimal digits", "9f86d081884c7d659a2feaa0c55ad015"],
];

describe("scrubText", () => {
  it.each(secrets)("hides %s, wherever it stands", (_, value) => {
    for (const text of [
      value,
      `token ${value} was refused`,
      `refused "${value}".`,
      `https://a.example/cb?x=${value}#f`,
    ]) {
      expect(scrubText(text)).not.toContain(value);
    }
  });

  it.each([
    "code=SplxlO",
    "device_code: GmRhmh",
    '"refresh_token":"abcdef"',
    "client_secret = hunter22",
    "Bearer a1b2c3d4e5f6",
  ])("hides the value in %s, however short", (text) => {
    expect(scrubText(`it said ${text} and more`)).toMatch(/^it said .*\[secret\].* and more$/);
    expect(scrubText(text)).not.toMatch(/SplxlO|GmRhmh|abcdef|a1b2|hunter22/);
  });

  it("hides what was sent, even if it looks like a word", () => {
    expect(scrubText("the token hello is not known", [new Secret("hello")])).toBe("the token [secret] is not known");
  });

  it.each([
    "Your refresh token has already been used to generate a new access token. Please try signing in again.",
    "refresh_token_invalidated",
    "grant request is invalid",
    "Could not validate your token. Please try signing in again.",
    "error code: rate limited",
  ])("leaves the sentence alone: %s", (sentence) => {
    expect(scrubText(sentence)).toBe(sentence);
  });

  it("lets no control character through, and no line break", () => {
    expect(scrubText("a\u001b[31mb\r\nc\u0000d\u202ee")).toBe("a [31mb c d e");
  });

  it("is never longer than its limit and never shows a secret it was told of", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.string({ minLength: 8 }), fc.string(), (before, value, after) => {
        fc.pre(value.trim() !== "" && !"[secret]".includes(value.trim()));
        const clean = scrubText(before + value + after, [new Secret(value)]);
        expect(clean.length).toBeLessThanOrEqual(maxDescriptionLength);
        expect(clean).not.toContain(value);
      }),
    );
  });
});
