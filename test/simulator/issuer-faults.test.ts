import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type IssuedTokens,
  type IssuerFaultName,
  issuerFaultNames,
  issuerFaults,
  type SimulatedAccount,
  type Simulator,
  startSimulator,
} from "../../src/testing.ts";
import { claimsOf, form, json } from "./issuer-client.ts";

let simulator: Simulator;
let alice: SimulatedAccount;
let first: IssuedTokens;
const client_id = "app_EMoamEEZ73f0CkXaXp7hrann";

beforeEach(async () => {
  simulator = await startSimulator({ now: () => 1_800_000_000_000 });
  alice = simulator.codexIssuer.addAccount({ name: "alice", email: "alice@example.test" });
  first = simulator.codexIssuer.issueTokens(alice);
});
afterEach(() => simulator.close());

function refresh(refresh_token = first.refreshToken) {
  return form(`${simulator.codexIssuer.origin}/oauth/token`, { grant_type: "refresh_token", client_id, refresh_token });
}

const nested = (code: string) => ({ error: { code, message: expect.any(String) as string } });

/** What the client sees, and whether the refresh token is spent afterwards. */
interface Expected {
  readonly status: number | null;
  readonly spent: boolean;
  readonly body?: object;
  readonly text?: RegExp;
  readonly ended?: string;
  readonly headers?: Record<string, string>;
  readonly held?: true;
}

const expected: Partial<Record<IssuerFaultName, Expected>> = {
  "rate-limited": { status: 429, spent: false, body: nested("rate_limit_exceeded"), headers: { "retry-after": "20" } },
  "server-error": { status: 500, spent: false, body: nested("server_error") },
  unavailable: { status: 503, spent: false, body: { error: "temporarily_unavailable" } },
  "html-502": { status: 502, spent: false, text: /<h1>502 Bad Gateway/, headers: { "content-type": "text/html" } },
  "unreadable-401": { status: 401, spent: false, text: /^\0/ },
  "detail-body": { status: 403, spent: false, body: { detail: expect.any(String) as string } },
  "empty-body": { status: 200, spent: true, text: /^$/ },
  "html-200": { status: 200, spent: true, text: /^<!doctype html>/ },
  "cut-before-acting": { status: null, spent: false, ended: "ECONNRESET" },
  "answer-lost": { status: null, spent: true, ended: "ECONNRESET", text: /^$/ },
  "body-cut": { status: 200, spent: true, ended: "ECONNRESET", text: /^\{"access_token"/ },
  "held-before-acting": { status: 200, spent: true, held: true, body: { token_type: "Bearer" } },
  slow: { status: 200, spent: true, held: true, body: { token_type: "Bearer" } },
  redirect: { status: 302, spent: false },
  "invalid-grant": {
    status: 400,
    spent: false,
    body: { error: "invalid_grant", error_description: "grant request is invalid" },
  },
  "refresh-token-reused": { status: 401, spent: false, body: nested("refresh_token_reused") },
  "refresh-token-expired": { status: 401, spent: false, body: nested("refresh_token_expired") },
  "refresh-token-invalidated": { status: 401, spent: false, body: nested("refresh_token_invalidated") },
  "top-level-code": { status: 401, spent: false, body: { code: "refresh_token_expired" } },
  "no-access-token": { status: 200, spent: true, body: { refresh_token: expect.any(String) as string } },
  "no-token-type": { status: 200, spent: true, body: { access_token: expect.any(String) as string } },
  "no-refresh-token": { status: 200, spent: false, body: { access_token: expect.any(String) as string } },
  "garbage-id-token": { status: 200, spent: true, body: { id_token: "not.a-jwt" } },
  "opaque-access-token": {
    status: 200,
    spent: true,
    body: { access_token: expect.stringMatching(/^opaque_/) as string },
  },
  "other-account": { status: 200, spent: true },
};

const missing: Partial<Record<IssuerFaultName, string>> = {
  "no-access-token": "access_token",
  "no-token-type": "token_type",
  "no-refresh-token": "refresh_token",
  "opaque-access-token": "expires_in",
};

describe("a refresh", () => {
  const names = issuerFaultNames.filter((name) => issuerFaults[name].at === "any" || issuerFaults[name].at === "token");

  it.each(names)("%s is seen as documented, and the token is spent or not", async (name) => {
    const { codexIssuer } = simulator;
    const row = expected[name];
    if (row === undefined) throw new Error(`${name} is not in the table`);
    codexIssuer.script(name);
    const pending = refresh();
    if (row.held) {
      await codexIssuer.until(() => codexIssuer.held === 1);
      expect(codexIssuer.counters.rotations).toBe(name === "slow" ? 1 : 0);
      codexIssuer.release();
    }
    const answer = await pending;
    expect(answer).toMatchObject({
      status: row.status,
      ended: row.ended ?? "whole",
      headers: row.headers ?? {},
      body: row.body ?? {},
    });
    if (row.text !== undefined) expect(answer.text).toMatch(row.text);
    const absent = missing[name];
    if (absent !== undefined) expect(answer.body).not.toHaveProperty(absent);
    expect(codexIssuer.liveRefreshTokens(alice).includes(first.refreshToken)).toBe(!row.spent);
    expect(codexIssuer.counters).toMatchObject({ refreshes: 1, rotations: row.spent ? 1 : 0, reused: 0 });
    expect(codexIssuer.refreshesOf(first.refreshToken)).toBe(1);
    expect(codexIssuer.requests.at(-1)).toMatchObject({ behaviour: name, credential: "alice" });
    expect(simulator.unplanned).toEqual([]);
  });

  it("is refused as reused after its answer was lost", async () => {
    simulator.codexIssuer.script("answer-lost");
    await refresh();
    expect((await refresh()).body).toMatchObject(nested("refresh_token_reused"));
    expect(simulator.codexIssuer.counters).toMatchObject({ refreshes: 2, rotations: 1, reused: 1 });
  });

  it("is answered again with the same token after an answer without one", async () => {
    simulator.codexIssuer.script("no-refresh-token");
    const renewed = await refresh();
    expect(simulator.codexIssuer.lookAtAccess(String(renewed.body.access_token))).toMatchObject({ state: "valid" });
    expect((await refresh()).status).toBe(200);
  });

  it("of another account says so in every token", async () => {
    simulator.codexIssuer.script("other-account");
    const { body } = await refresh();
    for (const token of [body.access_token, body.id_token]) {
      expect(claimsOf(String(token)).email).not.toBe("alice@example.test");
    }
  });

  it("does nothing at all when the client leaves a refresh that is held before acting", async () => {
    const { codexIssuer } = simulator;
    codexIssuer.script("held-before-acting");
    const leaving = new AbortController();
    const gone = fetch(`${codexIssuer.origin}/oauth/token`, {
      method: "POST",
      body: new URLSearchParams({ grant_type: "refresh_token", client_id, refresh_token: first.refreshToken }),
      signal: leaving.signal,
    }).catch(() => "left");
    await codexIssuer.until(() => codexIssuer.held === 1);
    leaving.abort();
    expect(await gone).toBe("left");
    await codexIssuer.until(() => codexIssuer.aborted === 1);
    expect(codexIssuer.counters.rotations).toBe(0);
    expect((await refresh()).status).toBe(200);
  });

  it("finds the port closed while the issuer is down, and open again afterwards", async () => {
    await simulator.codexIssuer.stop();
    expect(await refresh()).toMatchObject({ status: null, ended: "ECONNREFUSED" });
    await simulator.codexIssuer.start();
    expect((await refresh()).status).toBe(200);
    expect(simulator.codexIssuer.counters).toMatchObject({ refreshes: 1, rotations: 1 });
  });
});

describe("the script of the issuer", () => {
  it("is for one endpoint, one account, and so many times", async () => {
    const { codexIssuer } = simulator;
    const bob = codexIssuer.addAccount({ name: "bob", email: "bob@example.test" });
    const bobs = codexIssuer.issueTokens(bob);
    codexIssuer.script("server-error", { for: "bob", times: 2 });
    codexIssuer.script("not-enabled", { at: "usercode" });
    expect((await refresh()).status).toBe(200);
    expect((await refresh(bobs.refreshToken)).status).toBe(500);
    expect(codexIssuer.unplayed).toEqual(["server-error", "not-enabled"]);
    expect((await refresh(bobs.refreshToken)).status).toBe(500);
    expect((await refresh(bobs.refreshToken)).status).toBe(200);
    const usercode = `${codexIssuer.origin}/api/accounts/deviceauth/usercode`;
    expect((await json(usercode, { client_id })).status).toBe(404);
    expect((await json(usercode, { client_id })).status).toBe(200);
    expect(codexIssuer.unplayed).toEqual([]);
  });

  it("says a chosen Retry-After on a poll", async () => {
    simulator.codexIssuer.script("rate-limited", { at: "poll", retryAfterS: 7 });
    const poll = await json(`${simulator.codexIssuer.origin}/api/accounts/deviceauth/token`, {});
    expect(poll).toMatchObject({ status: 429, headers: { "retry-after": "7" } });
    expect(simulator.codexIssuer.counters.polls).toBe(1);
  });

  it.each([
    ["denied", "token"],
    ["rate-limited", "authorize"],
    ["invalid-grant", "poll"],
  ] as const)("refuses %s at %s, where it can't happen", (fault, at) => {
    expect(() => simulator.codexIssuer.script(fault, { at })).toThrow(TypeError);
  });
});
