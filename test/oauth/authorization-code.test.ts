import { describe, expect, it } from "vitest";
import { authorizeUrl, parsePastedCallback, readCallback } from "../../src/oauth/authorization-code.ts";
import { createPkce, createState } from "../../src/oauth/pkce.ts";

const state = "state-1";
const check = (query: string, issuer?: string) =>
  readCallback(new URLSearchParams(query), issuer === undefined ? { state } : { state, issuer });

describe("readCallback", () => {
  it("gives the code as a secret", () => {
    const result = check("code=abc&state=state-1");
    expect(result.ok && result.value.reveal()).toBe("abc");
    expect(JSON.stringify(result)).not.toContain("abc");
  });

  it.each([
    ["another state", "code=abc&state=state-2"],
    ["no state", "code=abc"],
    ["a blank state", "code=abc&state="],
    ["two states", "code=abc&state=state-1&state=state-2"],
    ["an error with another state", "error=access_denied&state=state-2"],
    ["nothing", ""],
  ])("looks at the state first and at nothing else with %s", (_, query) => {
    expect(check(query)).toMatchObject({ ok: false, failure: { code: "state_mismatch" } });
  });

  it("never takes an empty state for a match", () => {
    expect(readCallback(new URLSearchParams("code=a&state="), { state: "" })).toMatchObject({
      failure: { code: "state_mismatch" },
    });
  });

  it("checks the issuer if both sides name it", () => {
    expect(check("code=a&state=state-1&iss=https://a", "https://a").ok).toBe(true);
    expect(check("code=a&state=state-1", "https://a").ok).toBe(true);
    expect(check("code=a&state=state-1&iss=https://b").ok).toBe(true);
    expect(check("code=a&state=state-1&iss=https://b", "https://a")).toMatchObject({ failure: { code: "untrusted" } });
  });

  it.each([
    ["error=access_denied&error_description=The+user+said+no", "declined", "access_denied", "The user said no"],
    ["error=Access_Denied", "declined", "access_denied", "Access_Denied"],
    ["error=server_error&error_description=Broken", "refused", "server_error", "Broken"],
    ["error=invalid_scope&code=abc", "refused", "invalid_scope", "invalid_scope"],
  ])("reads %s", (query, code, providerCode, words) => {
    const result = check(`${query}&state=state-1`);
    expect(result).toMatchObject({ ok: false, failure: { code, providerCode } });
    expect(!result.ok && result.failure.message).toContain(words);
  });

  it.each(["state=state-1", "state=state-1&code=", "state=state-1&code=a&code=b"])("misses the code in %s", (query) => {
    expect(check(query)).toMatchObject({ failure: { code: "incomplete" } });
  });
});

describe("parsePastedCallback", () => {
  it.each([
    "http://127.0.0.1:1455/auth/callback?code=abc&state=state-1",
    "  http://localhost:1455/auth/callback?state=state-1&code=abc\n",
    "'http://127.0.0.1:1455/auth/callback?code=abc&state=state-1'",
    "https://console.example/oauth/code/callback?code=abc&state=state-1#",
    "?code=abc&state=state-1",
    "code=abc&state=state-1",
    "/auth/callback?code=abc&state=state-1",
    "abc#state-1",
  ])("reads %j", (pasted) => {
    const params = parsePastedCallback(pasted);
    expect([params?.get("code"), params?.get("state")]).toEqual(["abc", "state-1"]);
  });

  it.each([
    "",
    "abc",
    "abc#",
    "#state-1",
    "abc#state-1#x",
    "abc def#state-1",
    "http://127.0.0.1:1455/auth/callback?code=abc",
    "http://",
    "code=abc",
  ])("does not guess at %j", (pasted) => {
    expect(parsePastedCallback(pasted)).toBeNull();
  });

  it("keeps an error for the check", () => {
    const params = parsePastedCallback("http://127.0.0.1:1455/auth/callback?error=access_denied&state=state-1");
    expect(params && readCallback(params, { state })).toMatchObject({ failure: { code: "declined" } });
  });
});

describe("authorizeUrl", () => {
  it("keeps what stands in the endpoint and can't be overridden by extra parameters", () => {
    const url = new URL(
      authorizeUrl({
        endpoint: "https://a.example/authorize?tenant=t",
        clientId: "c",
        redirectUri: "http://127.0.0.1:1/cb?x=1&y=2",
        scope: "openid email",
        state,
        challenge: "ch",
        extraParams: { state: "forged", prompt: "consent" },
      }),
    );
    expect(url.origin + url.pathname).toBe("https://a.example/authorize");
    expect(Object.fromEntries(url.searchParams)).toEqual({
      tenant: "t",
      response_type: "code",
      client_id: "c",
      redirect_uri: "http://127.0.0.1:1/cb?x=1&y=2",
      scope: "openid email",
      state,
      code_challenge: "ch",
      code_challenge_method: "S256",
      prompt: "consent",
    });
  });
});

describe("createPkce", () => {
  it("makes the challenge of RFC 7636 appendix B from its bytes", async () => {
    const bytes = [
      116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191, 240,
      91, 88, 5, 88, 83, 132, 141, 121,
    ];
    const { verifier, challenge } = await createPkce((into) => into.set(bytes));
    expect(verifier.reveal()).toBe("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    expect(challenge).toBe("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
  });

  it("makes another verifier and another state each time", async () => {
    const made = [
      (await createPkce()).verifier.reveal(),
      (await createPkce()).verifier.reveal(),
      createState(),
      createState(),
    ];
    expect(new Set(made).size).toBe(4);
    for (const value of made) expect(value).toMatch(/^[\w-]{43}$/);
  });
});
