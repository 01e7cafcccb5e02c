import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { refreshGrant, type RefreshOutcome } from "../../src/oauth/refresh.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { CountingTransport, until } from "./rig.ts";
import { type Reply, ScriptedServer } from "./scripted-server.ts";

/**
 * The peer's table of refresh and read errors (Hermes Agent, twenty rows), each with what it does and what we do. Rows
 * that are about reading an answer are played against a real server here. `ours` differs from `peer` only where a
 * `because` says why.
 */
interface Row {
  readonly row: number;
  readonly situation: string;
  readonly reply: Reply;
  readonly peer: { readonly code: string | null; readonly relogin: boolean };
  readonly ours: Partial<RefreshOutcome> & { readonly kind: RefreshOutcome["kind"] };
  /** What the message has to say. */
  readonly says?: RegExp;
  readonly because?: string;
}

const nested = (
  code: string | null,
  message = "Their words.",
  type: string | null = "invalid_request_error",
): unknown => ({
  error: { message, type, param: null, code },
});
const flat = (error: string, error_description?: string): unknown => ({ error, error_description });
const refused = (code: string, status: number) => ({ kind: "refused", code, status, reloginRequired: true }) as const;
const deferred = (code: string, status: number) =>
  ({ kind: "deferred", code, status, reloginRequired: false }) as const;

const unreadable = "an answer that can't be read is no verdict on the login, whatever its status";

const rows: readonly Row[] = [
  ...[400, 500, 404].map(
    (status): Row => ({
      row: 6,
      situation: `${status} with HTML`,
      reply: { status, text: "<html>no</html>" },
      peer: { code: "codex_refresh_failed", relogin: false },
      ours: deferred("refresh_failed", status),
      says: new RegExp(`status ${status}`),
    }),
  ),
  ...(
    [
      ["HTML", "<html>Just a moment…</html>"],
      ["nothing", ""],
      ["a list", "[1]"],
      ["an object without error", "{}"],
      ["a blank error", '{"error":" "}'],
    ] as const
  ).flatMap(([what, text]) =>
    [401, 403].map(
      (status): Row => ({
        row: 6,
        situation: `${status} with ${what}`,
        reply: { status, text },
        peer: { code: "codex_refresh_failed", relogin: true },
        ours: deferred("refresh_failed", status),
        says: new RegExp(`status ${status}`),
        because: unreadable,
      }),
    ),
  ),
  {
    row: 7,
    situation: "nested error with a code",
    reply: { status: 400, json: nested("invalid_client", "Invalid client credentials.") },
    peer: { code: "invalid_client", relogin: false },
    ours: deferred("invalid_client", 400),
    says: /Invalid client credentials\./,
  },
  {
    row: 7,
    situation: "nested error without a code, with a type",
    reply: { status: 400, json: nested(null) },
    peer: { code: "invalid_request_error", relogin: false },
    ours: deferred("invalid_request_error", 400),
    says: /Their words\./,
  },
  {
    row: 7,
    situation: "nested error with a blank code and a blank message",
    reply: { status: 400, json: nested(" ", " ", " ") },
    peer: { code: "codex_refresh_failed", relogin: false },
    ours: deferred("refresh_failed", 400),
    says: /status 400/,
  },
  {
    row: 8,
    situation: "flat error with a description",
    reply: { status: 400, json: flat("unsupported_grant_type", "Not that one.") },
    peer: { code: "unsupported_grant_type", relogin: false },
    ours: deferred("unsupported_grant_type", 400),
    says: /Not that one\./,
  },
  {
    row: 8,
    situation: "flat error with a blank description and a message",
    reply: { status: 400, json: { error: "odd", error_description: " ", message: "A message." } },
    peer: { code: "odd", relogin: false },
    ours: deferred("odd", 400),
    says: /A message\./,
  },
  ...["invalid_grant", "invalid_token", "invalid_request"].flatMap((code) =>
    [400, 401, 403, 404, 500].map(
      (status): Row => ({
        row: 9,
        situation: `${code} with ${status}`,
        reply: { status, json: flat(code, "Refresh token is expired or revoked.") },
        peer: { code, relogin: true },
        ours: refused(code, status),
        says: /Refresh token is expired or revoked\./,
      }),
    ),
  ),
  ...[400, 401, 403, 500].map(
    (status): Row => ({
      row: 10,
      situation: `nested refresh_token_reused with ${status}`,
      reply: { status, json: nested("refresh_token_reused", "Your refresh token has already been used.") },
      peer: { code: "refresh_token_reused", relogin: true },
      ours: refused("refresh_token_reused", status),
      says: /already used by another client.*Codex CLI.*VS Code.*another machine/,
    }),
  ),
  {
    row: 10,
    situation: "flat refresh_token_reused",
    reply: { status: 400, json: flat("refresh_token_reused") },
    peer: { code: "refresh_token_reused", relogin: true },
    ours: refused("refresh_token_reused", 400),
    says: /single-use/,
  },
  ...[401, 403].flatMap((status): Row[] => [
    {
      row: 11,
      situation: `${status} with any other code`,
      reply: { status, json: nested("session_ended", "The session has ended.") },
      peer: { code: "session_ended", relogin: true },
      ours: refused("session_ended", status),
      says: /The session has ended\./,
    },
    {
      row: 11,
      situation: `${status} with words and no code`,
      reply: { status, json: { error: { message: "The session has ended." } } },
      peer: { code: "codex_refresh_failed", relogin: true },
      ours: refused("refresh_failed", status),
      says: /The session has ended\./,
    },
    {
      row: 11,
      situation: `${status} with a code that means "later"`,
      reply: { status, json: flat("temporarily_unavailable") },
      peer: { code: "temporarily_unavailable", relogin: true },
      ours: deferred("temporarily_unavailable", status),
      because: "by RFC 6749 §4.1.2.1 this code is about the server's load, not about the login",
    },
  ]),
  ...["refresh_token_expired", "refresh_token_invalidated"].map(
    (code): Row => ({
      row: 11,
      situation: `401 ${code}`,
      reply: { status: 401, json: nested(code) },
      peer: { code, relogin: true },
      ours: refused(code, 401),
    }),
  ),
  ...[400, 404, 500, 502].map(
    (status): Row => ({
      row: 12,
      situation: `${status} with an unknown code`,
      reply: { status, json: flat("temporary-failure") },
      peer: { code: "temporary-failure", relogin: false },
      ours: deferred("temporary-failure", status),
      says: new RegExp(`status ${status}`),
    }),
  ),
  ...["refresh_token_expired", "refresh_token_invalidated"].map(
    (code): Row => ({
      row: 12,
      situation: `400 ${code}`,
      reply: { status: 400, json: nested(code) },
      peer: { code, relogin: false },
      ours: refused(code, 400),
      because: "these codes are final: the peer retries the dead token for ever",
    }),
  ),
  {
    row: 13,
    situation: "429 with Retry-After",
    reply: { status: 429, headers: { "retry-after": "120" } },
    peer: { code: "codex_rate_limited", relogin: false },
    ours: { ...deferred("refresh_rate_limited", 429), retryAt: 120_000 },
    says: /login itself is still valid/,
  },
  {
    row: 13,
    situation: "429 without Retry-After",
    reply: { status: 429 },
    peer: { code: "codex_rate_limited", relogin: false },
    ours: deferred("refresh_rate_limited", 429),
  },
  ...["invalid_grant", "refresh_token_reused", "refresh_token_expired"].map(
    (code): Row => ({
      row: 13,
      situation: `429 with ${code} in its body`,
      reply: { status: 429, json: nested(code) },
      peer: { code: "codex_rate_limited", relogin: false },
      ours: deferred("refresh_rate_limited", 429),
    }),
  ),
  ...["", "<html></html>", "{"].map(
    (text): Row => ({
      row: 14,
      situation: `200 that is no JSON: ${JSON.stringify(text)}`,
      reply: { status: 200, text },
      peer: { code: "codex_refresh_invalid_json", relogin: true },
      ours: { kind: "unanswered", code: "refresh_invalid_answer", status: 200, reloginRequired: false },
      because: `${unreadable}; the server says that it did something, so the token counts as perhaps spent`,
    }),
  ),
  {
    row: 15,
    situation: "200 with JSON that is no object",
    reply: { status: 200, json: ["access_token"] },
    peer: { code: null, relogin: false },
    ours: { kind: "unanswered", code: "refresh_invalid_answer", status: 200, reloginRequired: false },
    because: "the peer crashes",
  },
  ...[{}, { access_token: " " }, { access_token: 7 }, { id_token: "i" }].map(
    (json): Row => ({
      row: 16,
      situation: `200 with ${JSON.stringify(json)}`,
      reply: { status: 200, json },
      peer: { code: "codex_refresh_missing_access_token", relogin: true },
      ours: refused("refresh_missing_access_token", 200),
    }),
  ),
  {
    row: 16,
    situation: "200 with a refresh token and no access token",
    reply: { status: 200, json: { refresh_token: "new-refresh" } },
    peer: { code: "codex_refresh_missing_access_token", relogin: true },
    ours: { kind: "rotated", code: "refresh_missing_access_token", status: 200 },
    because: "the new refresh token is all that is left of the login; the peer throws it away",
  },
  {
    row: 17,
    situation: "the connection breaks",
    reply: { fault: "drop" },
    peer: { code: null, relogin: false },
    ours: { kind: "unanswered", code: "refresh_unanswered", reloginRequired: false },
    because: "a fault of the network is a value of the same family, not a raw exception",
  },
];

/** Rows that are not about an answer, and where they are kept instead. */
const elsewhere: Readonly<Record<number, string>> = {
  1: "store: no such credential",
  2: "store: the shape of a stored grant is checked by the schema",
  3: "store: a grant without an access token can't be written",
  4: "token keeper: a grant without a refresh token is used while its access token lives",
  5: "type of `refreshGrant`: it can't be called without a refresh token",
  18: "token keeper: a claim held by somebody else is waited for",
  19: "pool: selection",
  20: "pool: selection, all cooling",
};

const transport = new CountingTransport();
let server: ScriptedServer;
let path = 0;

beforeAll(async () => {
  server = await ScriptedServer.start();
});

afterAll(async () => {
  await transport.close();
  await server.close();
});

describe("the peer's refresh errors", () => {
  it.each(rows)("row $row: $situation", async ({ reply, ours, peer, says, because }) => {
    const outcome = await refreshGrant({
      transport,
      clock: new VirtualClock(0),
      endpoint: server.plan(`/token/${path++}`, reply),
      clientId: "client",
      refreshToken: new Secret("refresh-old"),
      encoding: "form",
    });
    expect(outcome).toMatchObject(ours);
    if (ours.kind === "deferred") expect("retryAt" in outcome).toBe("retryAt" in ours);
    if ("message" in outcome) {
      expect(outcome.message).toMatch(says ?? /./);
      expect(outcome.message).not.toMatch(/undefined|null|\{status\}|refresh-old|understudy /);
    }
    const asksForLogin = outcome.kind === "refused";
    if (because === undefined) expect(asksForLogin).toBe(peer.relogin);
  });

  it("row 17: the server does not answer in time", async () => {
    const clock = new VirtualClock(0);
    const hanging = `/token/${path++}`;
    const outcome = refreshGrant({
      transport,
      clock,
      endpoint: server.plan(hanging, { fault: "hang" }),
      clientId: "client",
      refreshToken: new Secret("refresh-old"),
      encoding: "form",
    });
    await until(() => server.seen(hanging).length === 1);
    await clock.advance(20_000);
    expect(await outcome).toMatchObject({ kind: "unanswered", code: "refresh_unanswered", networkCode: "TIMEOUT" });
  });

  it("has every row, here or elsewhere", () => {
    const known = new Set([...rows.map(({ row }) => row), ...Object.keys(elsewhere).map(Number)]);
    expect([...known].sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });
});
