import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Secret } from "../../src/core/secret.ts";
import { readTokenAnswer, type TokenAnswer } from "../../src/oauth/token-answer.ts";

function read(body: unknown, status = 200, cut: string | null = null): TokenAnswer {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return readTokenAnswer({ status, headers: {}, text, cut }, 0);
}

/** The answer with its secrets laid open. */
function reveal(answer: TokenAnswer): Record<string, unknown> {
  const open = (secret: Secret | null): string | null => secret?.reveal() ?? null;
  if (answer.kind === "tokens") {
    const { accessToken, refreshToken, idToken, ...rest } = answer.tokens;
    return { kind: "tokens", access: open(accessToken), refresh: open(refreshToken), id: open(idToken), ...rest };
  }
  if (answer.kind === "rotated") {
    return { kind: "rotated", refresh: open(answer.refreshToken), id: open(answer.idToken) };
  }
  return { kind: answer.kind };
}

describe("a success with tokens", () => {
  it("gives all of them", () => {
    const answer = read({
      access_token: "a",
      refresh_token: "r",
      id_token: "i",
      expires_in: 3600,
      scope: "x",
      token_type: "Bearer",
    });
    expect(reveal(answer)).toEqual({
      kind: "tokens",
      access: "a",
      refresh: "r",
      id: "i",
      expiresInS: 3600,
      extra: { scope: "x", token_type: "Bearer" },
    });
  });

  it.each<[string, unknown, Record<string, unknown>]>([
    ["no token_type", { access_token: "a", refresh_token: "r" }, { access: "a", refresh: "r" }],
    [
      "an id_token that is no JWT",
      { access_token: "a", refresh_token: "r", id_token: "%%%" },
      { refresh: "r", id: "%%%" },
    ],
    [
      "an id_token that is no string",
      { access_token: "a", refresh_token: "r", id_token: 7 },
      { refresh: "r", id: null },
    ],
    ["an unknown token_type", { access_token: "a", refresh_token: "r", token_type: "DPoP" }, { refresh: "r" }],
    ["an expires_in that is a string", { access_token: "a", expires_in: "3600" }, { expiresInS: 3600 }],
    [
      "an expires_in that is nonsense",
      { access_token: "a", refresh_token: "r", expires_in: "soon" },
      { refresh: "r", expiresInS: null },
    ],
    ["an error beside the tokens", { access_token: "a", refresh_token: "r", error: "invalid_grant" }, { refresh: "r" }],
    ["blanks around the tokens", { access_token: " a ", refresh_token: "\tr\n" }, { access: "a", refresh: "r" }],
    ["a blank refresh token", { access_token: "a", refresh_token: "  " }, { access: "a", refresh: null }],
    ["no refresh token", { access_token: "a" }, { access: "a", refresh: null }],
    [
      "a form instead of JSON",
      "access_token=a&refresh_token=r%2B1&token_type=bearer&expires_in=900",
      { access: "a", refresh: "r+1", expiresInS: 900 },
    ],
  ])("keeps them with %s", (_, body, expected) => {
    expect(reveal(read(body))).toMatchObject({ kind: "tokens", ...expected });
  });

  it("keeps the fields of vendors, but none that may hold a secret", () => {
    const answer = read({
      access_token: "a",
      account_uuid: "u",
      organization: { name: "o" },
      device_token: "t",
      client_secret: "s",
    });
    expect(reveal(answer)["extra"]).toEqual({ account_uuid: "u", organization: { name: "o" } });
  });

  it("shows no token when it is printed", () => {
    const answer = read({ access_token: "access-1", refresh_token: "refresh-1", id_token: "id-1" });
    expect(JSON.stringify(answer)).not.toMatch(/access-1|refresh-1|id-1/);
  });

  it.each([201, 203])("counts status %i as a success", (status) => {
    expect(read({ access_token: "a" }, status).kind).toBe("tokens");
  });

  it.each([302, 400, 401, 500])("takes no token from an answer with status %i", (status) => {
    expect(read({ access_token: "a", refresh_token: "r" }, status).kind).toBe("unreadable");
  });
});

describe("a success without a usable access token", () => {
  it.each([
    ["is missing", {}],
    ["is blank", { access_token: " " }],
    ["is no string", { access_token: 5 }],
    ["could not be sent in a header", { access_token: "a\r\nx: y" }],
  ])("still gives the new refresh token when the access token %s", (_, body) => {
    expect(reveal(read({ ...body, refresh_token: "r2" }))).toEqual({ kind: "rotated", refresh: "r2", id: null });
  });

  it.each([
    ["an empty object", {}],
    ["an id token alone", { id_token: "i" }],
    ["other fields", { ok: true }],
    ["a bare detail", { detail: "fine" }],
  ])("says so for %s", (_, body) => {
    expect(read(body).kind).toBe("no_tokens");
  });

  it.each([
    ["JSON", { error: "bad_refresh_token", error_description: "The refresh token passed is incorrect or expired." }],
    ["a form", "error=bad_refresh_token&error_description=The+refresh+token+passed+is+incorrect+or+expired."],
  ])("reads an error inside a 200, given as %s", (_, body) => {
    const description = "The refresh token passed is incorrect or expired.";
    expect(read(body)).toMatchObject({ kind: "error", status: 200, code: "bad_refresh_token", description });
  });

  it.each(["", "  ", "<html>portal</html>", "[]", '["access_token"]', '"access_token"', "null", "7", "a=b", "{"])(
    "can't read %j",
    (text) => {
      expect(read(text).kind).toBe("unreadable");
    },
  );
});

describe("a success that broke off", () => {
  const whole = '{"access_token":"aaa.bbb","expires_in":3600,"refresh_token":"rrr-new","id_token":"iii"}';

  it("gives the tokens that had come whole, and never a part of one", () => {
    for (let length = 0; length < whole.length; length++) {
      const open = reveal(read(whole.slice(0, length), 200, "ECONNRESET"));
      const hasAccess = length >= whole.indexOf('","expires_in') + 1;
      const hasRefresh = length >= whole.indexOf('","id_token') + 1;
      expect(open["kind"]).toBe(hasAccess ? "tokens" : "unreadable");
      if (hasAccess) expect([open["access"], open["refresh"]]).toEqual(["aaa.bbb", hasRefresh ? "rrr-new" : null]);
    }
  });

  it("gives a refresh token that came first", () => {
    expect(reveal(read('{"refresh_token": "r2", "access_tok', 200, "TIMEOUT"))).toMatchObject({
      kind: "rotated",
      refresh: "r2",
    });
  });
});

describe("any answer at all", () => {
  it("never makes the reader throw", () => {
    const fields = fc.dictionary(
      fc.constantFrom("access_token", "refresh_token", "error", "code", "detail", "expires_in"),
      fc.jsonValue(),
    );
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fields.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), text, fc.string(), (status, body, retryAfter) => {
        readTokenAnswer({ status, headers: { "retry-after": retryAfter }, text: body, cut: null }, 0);
      }),
    );
  });

  it("never loses a refresh token of a success, whatever stands beside it", () => {
    const token = fc.stringMatching(/^[\w.~-]{1,40}$/);
    fc.assert(
      fc.property(token, fc.dictionary(fc.string(), fc.jsonValue()), (refresh, others) => {
        const open = reveal(read({ ...others, refresh_token: refresh }));
        expect(open["refresh"]).toBe(refresh);
      }),
    );
  });
});
