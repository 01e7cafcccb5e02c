import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { SimulatedAccount, Simulator } from "../../src/testing.ts";
import { startSimulator } from "../../src/testing.ts";
import { claimsOf, exchange, form, json, type Tokens } from "./issuer-client.ts";
import { sendRaw } from "./raw-client.ts";

let time = 1_800_000_000_000;
let simulator: Simulator;
let alice: SimulatedAccount;
const client_id = "app_EMoamEEZ73f0CkXaXp7hrann";

beforeEach(async () => {
  time = 1_800_000_000_000;
  simulator = await startSimulator({ now: () => time });
  alice = simulator.codexIssuer.addAccount({
    name: "alice",
    email: "alice@example.test",
    accountId: "acct-alice",
    userId: "user-alice",
    plan: "pro",
  });
});
afterEach(() => simulator.close());

function refresh(refresh_token: string, send = form) {
  return send(`${simulator.codexIssuer.origin}/oauth/token`, { grant_type: "refresh_token", client_id, refresh_token });
}

describe("refreshing", () => {
  it.each([
    ["a form", form],
    ["JSON", json],
  ])("spends the token for a new pair, asked by %s", async (_, send) => {
    const { codexIssuer } = simulator;
    const first = codexIssuer.issueTokens(alice);
    time += 10_000;
    const answer = await refresh(first.refreshToken, send);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ token_type: "Bearer", expires_in: 3_600, scope: expect.any(String) });
    const tokens = answer.body as unknown as Tokens;
    expect(new Set([first.refreshToken, tokens.refresh_token, first.accessToken, tokens.access_token]).size).toBe(4);
    expect(codexIssuer.liveRefreshTokens(alice)).toEqual([tokens.refresh_token]);
    expect(codexIssuer.counters).toMatchObject({ refreshes: 1, rotations: 1, reused: 0 });
  });

  it("makes unsigned JWTs with the claims that clients read", async () => {
    const answer = await refresh(simulator.codexIssuer.issueTokens(alice).refreshToken);
    const { access_token, id_token } = answer.body as unknown as Tokens;
    for (const token of [access_token, id_token]) {
      expect(token.split(".")).toHaveLength(3);
      expect(claimsOf(token, 0)).toEqual({ alg: "none", typ: "JWT" });
      expect(claimsOf(token)).toMatchObject({
        iss: simulator.codexIssuer.origin,
        exp: time / 1_000 + 3_600,
        email: "alice@example.test",
        "https://api.openai.com/auth": {
          chatgpt_account_id: "acct-alice",
          chatgpt_plan_type: "pro",
          chatgpt_user_id: "user-alice",
        },
      });
    }
  });

  it("refuses a spent token with 401 refresh_token_reused, and lets its login live", async () => {
    const { codexIssuer } = simulator;
    const first = codexIssuer.issueTokens(alice);
    const second = (await refresh(first.refreshToken)).body as unknown as Tokens;
    const again = await refresh(first.refreshToken);
    expect(again.status).toBe(401);
    expect(again.body).toEqual({
      error: {
        message: expect.stringContaining("already been used"),
        type: "invalid_request_error",
        param: null,
        code: "refresh_token_reused",
      },
    });
    expect(codexIssuer.counters).toMatchObject({ refreshes: 2, rotations: 1, reused: 1 });
    expect(codexIssuer.refreshesOf(first.refreshToken)).toBe(2);
    expect(codexIssuer.presentedTwice).toBe(1);
    expect((await refresh(second.refresh_token)).status).toBe(200);
  });

  it("ends the whole login at reuse when told to", async () => {
    const { codexIssuer } = simulator;
    codexIssuer.settings.onReuse = "revoke-family";
    const other = codexIssuer.issueTokens(alice);
    const first = codexIssuer.issueTokens(alice);
    const second = (await refresh(first.refreshToken)).body as unknown as Tokens;
    expect((await refresh(first.refreshToken)).body).toMatchObject({ error: { code: "refresh_token_reused" } });
    const newest = await refresh(second.refresh_token);
    expect(newest.status).toBe(401);
    expect(newest.body).toMatchObject({ error: { code: "refresh_token_invalidated" } });
    expect(codexIssuer.lookAtAccess(second.access_token)).toMatchObject({ state: "invalidated" });
    expect((await refresh(other.refreshToken)).status).toBe(200);
  });

  it("gives one of eight who come at once a new pair", async () => {
    const { refreshToken } = simulator.codexIssuer.issueTokens(alice);
    const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(refreshToken)));
    expect(answers.map((answer) => answer.status).filter((status) => status === 200)).toHaveLength(1);
    expect(simulator.codexIssuer.counters).toMatchObject({ refreshes: 8, rotations: 1, reused: 7 });
  });

  it("tells a token that another client has used", async () => {
    const mine = simulator.codexIssuer.issueTokens(alice);
    const theirs = simulator.codexIssuer.consumeRefreshToken("alice");
    expect((await refresh(mine.refreshToken)).body).toMatchObject({ error: { code: "refresh_token_reused" } });
    expect((await refresh(theirs.refreshToken)).status).toBe(200);
  });

  it("tells an expired, a revoked and an unknown token apart from a spent one", async () => {
    const { codexIssuer } = simulator;
    codexIssuer.settings.refreshTokenExpiresInS = 60;
    const { refreshToken } = codexIssuer.issueTokens(alice);
    time += 60_000;
    expect((await refresh(refreshToken)).body).toMatchObject({ error: { code: "refresh_token_expired" } });
    const revoked = codexIssuer.issueTokens(alice);
    codexIssuer.revokeLogins(alice);
    expect((await refresh(revoked.refreshToken)).body).toMatchObject({ error: { code: "refresh_token_invalidated" } });
    expect((await refresh("rt_never-issued")).status).toBe(401);
  });

  it.each([
    [{ client_id: "app_other" }, 401, "invalid_client"],
    [{ client_id: undefined }, 401, "invalid_client"],
    [{ grant_type: "password" }, 400, "unsupported_grant_type"],
    [{ refresh_token: "" }, 400, "invalid_request"],
  ])("refuses %j with %i %s", async (change, status, error) => {
    const { refreshToken: refresh_token } = simulator.codexIssuer.issueTokens(alice);
    const fields = { grant_type: "refresh_token", client_id, refresh_token, ...change };
    const answer = await json(`${simulator.codexIssuer.origin}/oauth/token`, fields);
    expect(answer).toMatchObject({ status, body: { error } });
    expect(simulator.codexIssuer.counters.rotations).toBe(0);
  });
});

describe("revoking", () => {
  it("ends the login of the token", async () => {
    const { codexIssuer } = simulator;
    const tokens = codexIssuer.issueTokens(alice);
    const fields = { token: tokens.refreshToken, token_type_hint: "refresh_token", client_id };
    expect((await json(`${codexIssuer.origin}/oauth/revoke`, fields)).status).toBe(200);
    expect(codexIssuer.counters.revocations).toBe(1);
    expect((await refresh(tokens.refreshToken)).body).toMatchObject({ error: { code: "refresh_token_invalidated" } });
    expect(codexIssuer.lookAtAccess(tokens.accessToken)).toMatchObject({ state: "invalidated" });
  });
});

describe("the device code flow", () => {
  const usercode = () => json(`${simulator.codexIssuer.origin}/api/accounts/deviceauth/usercode`, { client_id });
  const poll = (started: Record<string, unknown>) => {
    const { device_auth_id, user_code } = started;
    return json(`${simulator.codexIssuer.origin}/api/accounts/deviceauth/token`, { device_auth_id, user_code });
  };

  it("waits for the person, then hands out a code with its verifier that is worth one login", async () => {
    const { codexIssuer } = simulator;
    const started = await usercode();
    expect(started.status).toBe(200);
    expect(started.body).toEqual({
      device_auth_id: expect.stringMatching(/^deviceauth_/),
      user_code: expect.stringMatching(/^[0-9A-F]{4}-[0-9A-F]{5}$/),
      interval: "5",
    });
    expect((await poll(started.body)).status).toBe(403);
    codexIssuer.settings.pendingStatus = 404;
    expect((await poll(started.body)).status).toBe(404);
    expect(codexIssuer.pendingUserCodes).toEqual([started.body.user_code]);
    codexIssuer.approveDevice(String(started.body.user_code), "alice");

    const polled = await poll(started.body);
    expect(polled.status).toBe(200);
    const { authorization_code, code_verifier, code_challenge } = polled.body;
    expect(code_challenge).toBe(createHash("sha256").update(String(code_verifier)).digest("base64url"));
    const redirect_uri = `${codexIssuer.origin}/deviceauth/callback`;
    const good = { code: authorization_code, redirect_uri, code_verifier, client_id };
    for (const wrong of [{ code_verifier: "other" }, { redirect_uri: `${redirect_uri}/` }, { code: "ac_other" }]) {
      expect((await exchange(codexIssuer.origin, { ...good, ...wrong })).body).toMatchObject({
        error: "invalid_grant",
      });
    }
    const tokens = await exchange(codexIssuer.origin, good);
    expect(tokens.status).toBe(200);
    expect(claimsOf(String(tokens.body.id_token))).toMatchObject({ email: "alice@example.test" });
    expect((await exchange(codexIssuer.origin, good)).body).toMatchObject({ error: "invalid_grant" });
    expect(codexIssuer.counters).toMatchObject({ usercodes: 1, polls: 3, exchanges: 5 });
  });

  it("says 401 when the person declines", async () => {
    const started = await usercode();
    simulator.codexIssuer.declineDevice(String(started.body.user_code));
    expect(await poll(started.body)).toMatchObject({ status: 401, body: { error: "authorization_declined" } });
  });

  it("does not know a code that belongs to another device", async () => {
    const started = await usercode();
    expect((await poll({ ...started.body, device_auth_id: "deviceauth_other" })).status).toBe(404);
  });

  it("approves by itself after some polls when told to", async () => {
    const { settings } = simulator.codexIssuer;
    settings.autoApprove = alice;
    settings.approveAfterPolls = 2;
    settings.pollInterval = 1;
    const started = await usercode();
    expect(started.body.interval).toBe(1);
    const statuses: (number | null)[] = [];
    for (let n = 0; n < 3; n++) statuses.push((await poll(started.body)).status);
    expect(statuses).toEqual([403, 403, 200]);
  });

  it("lets a person approve on the page", async () => {
    const page = `${simulator.codexIssuer.origin}/codex/device`;
    const shown = await sendRaw(page, { method: "GET" });
    expect(shown).toMatchObject({ status: 200, headers: { "content-type": "text/html; charset=utf-8" } });
    expect(shown.text).toContain('name="user_code"');
    const started = await usercode();
    expect((await form(page, { user_code: String(started.body.user_code) })).text).toContain("Approved");
    expect((await form(page, { user_code: "0000-00000" })).text).not.toContain("Approved");
    expect((await poll(started.body)).status).toBe(200);
  });
});

describe("the browser flow", () => {
  const verifier = "a-verifier-of-the-client-that-is-long-enough-for-pkce";
  const redirect_uri = "http://127.0.0.1:1455/auth/callback";
  const query = {
    response_type: "code",
    client_id,
    redirect_uri,
    scope: "openid profile email offline_access",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    state: "the-state",
  };
  const authorize = (change: Record<string, string> = {}) => {
    const url = `${simulator.codexIssuer.origin}/oauth/authorize?${String(new URLSearchParams({ ...query, ...change }))}`;
    return sendRaw(url, { method: "GET" });
  };

  it("sends the browser back with a code and the state, and the code is worth one login", async () => {
    const answer = await authorize();
    expect(answer.status).toBe(302);
    const back = new URL(answer.headers.location ?? "");
    expect(back.origin + back.pathname).toBe(redirect_uri);
    expect(back.searchParams.get("state")).toBe("the-state");
    const fields = { code: back.searchParams.get("code"), redirect_uri, code_verifier: verifier, client_id };
    expect((await exchange(simulator.codexIssuer.origin, { ...fields, code_verifier: "wrong" })).status).toBe(400);
    expect((await exchange(simulator.codexIssuer.origin, fields)).status).toBe(200);
  });

  it.each([
    { client_id: "app_other" },
    { redirect_uri: "https://evil.example/auth/callback" },
    { redirect_uri: "http://127.0.0.1:1455/elsewhere" },
    { response_type: "token" },
    { code_challenge_method: "plain" },
    { state: "" },
  ])("refuses %j", async (change) => {
    expect(await authorize(change as unknown as Record<string, string>)).toMatchObject({ status: 400, headers: {} });
  });

  it.each([
    ["denied", { code: null, state: "the-state", error: "access_denied" }],
    ["wrong-state", { code: expect.any(String), state: "the-state-of-somebody-else", error: null }],
    ["no-code", { code: null, state: "the-state", error: null }],
  ] as const)("goes wrong as %s", async (fault, expected) => {
    simulator.codexIssuer.script(fault, { at: "authorize" });
    const back = new URL((await authorize()).headers.location ?? "").searchParams;
    expect({ code: back.get("code"), state: back.get("state"), error: back.get("error") }).toEqual(expected);
  });
});
