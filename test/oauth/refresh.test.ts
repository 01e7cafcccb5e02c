import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { type Transport, TransportError } from "../../src/core/transport.ts";
import { refreshGrant, type RefreshOptions, type RefreshOutcome } from "../../src/oauth/refresh.ts";
import { classifyRefreshError, refreshVerdicts } from "../../src/oauth/refresh-verdicts.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { CountingTransport, until } from "./rig.ts";
import { type Reply, ScriptedServer } from "./scripted-server.ts";

const path = "/oauth/token";
let server: ScriptedServer;
let transport: CountingTransport;
let clock: VirtualClock;

beforeEach(async () => {
  server = await ScriptedServer.start();
  transport = new CountingTransport();
  clock = new VirtualClock();
});

afterEach(async () => {
  await transport.close();
  await server.close();
  expect(clock.sleeping, "time limits left running").toBe(0);
});

function refresh(reply: Reply, options: Partial<RefreshOptions> = {}): Promise<RefreshOutcome> {
  return refreshGrant({
    transport,
    clock,
    endpoint: server.plan(path, reply),
    clientId: "app_1",
    refreshToken: new Secret("refresh-old"),
    encoding: "json",
    ...options,
  });
}

const pair = { access_token: "access-new", refresh_token: "refresh-new" };

function tokensOf(outcome: RefreshOutcome): (string | undefined)[] {
  expect(outcome.kind).toBe("answered");
  return outcome.kind === "answered"
    ? [outcome.tokens.accessToken.reveal(), outcome.tokens.refreshToken?.reveal()]
    : [];
}

describe("the request", () => {
  it.each([
    ["json", "application/json"],
    ["form", "application/x-www-form-urlencoded"],
  ] as const)("carries the same fields as %s", async (encoding, contentType) => {
    const outcome = await refresh({ json: pair }, { encoding, extraParams: { refresh_reason: "scheduled" } });
    expect(tokensOf(outcome)).toEqual(["access-new", "refresh-new"]);
    const [request] = server.requests;
    expect(request?.method).toBe("POST");
    expect(request?.headers).toMatchObject({ "content-type": contentType, accept: "application/json" });
    expect(request?.headers["user-agent"]).toBe("understudy");
    expect(request?.fields).toEqual({
      grant_type: "refresh_token",
      client_id: "app_1",
      refresh_token: "refresh-old",
      refresh_reason: "scheduled",
    });
  });

  it("can't have its own fields overridden by extra ones", async () => {
    await refresh({ json: pair }, { extraParams: { refresh_token: "other", grant_type: "password" } });
    expect(server.requests[0]?.fields).toMatchObject({ grant_type: "refresh_token", refresh_token: "refresh-old" });
  });

  it("is not sent to where a redirect points", async () => {
    const outcome = await refresh({ status: 307, headers: { location: "/elsewhere" } });
    expect(outcome).toMatchObject({ kind: "deferred", code: "refresh_failed", status: 307 });
    expect(server.seen("/elsewhere")).toEqual([]);
  });

  it("goes out once, whatever comes back", async () => {
    await refresh({ status: 503 });
    expect(server.requests).toHaveLength(1);
  });

  it("takes a connection of its own, so that an idle one that died can't swallow it", async () => {
    const fresh: (boolean | undefined)[] = [];
    const spy: Transport = {
      send: (request) => {
        fresh.push(request.fresh);
        return transport.send(request);
      },
      close: () => transport.close(),
    };
    await refresh({ json: pair }, { transport: spy });
    expect(fresh).toEqual([true]);
  });
});

describe("the answer", () => {
  it("keeps what stands in a success that broke off", async () => {
    const outcome = await refresh({ text: `${JSON.stringify(pair).slice(0, -1)},"id_token":"ey`, fault: "cut" });
    expect(tokensOf(outcome)).toEqual(["access-new", "refresh-new"]);
  });

  it("keeps what stands in a success that never ends", async () => {
    const outcome = refresh({ text: `${JSON.stringify(pair).slice(0, -1)},`, fault: "stall" });
    await until(() => transport.chunks === 1);
    await clock.advance(20_000);
    expect(tokensOf(await outcome)).toEqual(["access-new", "refresh-new"]);
  });

  it("counts as unknown when a success broke off before the first token", async () => {
    const outcome = await refresh({ text: '{"access_tok', fault: "cut" });
    expect(outcome).toMatchObject({ kind: "unanswered", code: "refresh_invalid_answer", status: 200 });
  });

  it("counts as refused for now when an error broke off", async () => {
    const outcome = await refresh({ status: 401, text: '{"error":{"code":"refresh_token_re', fault: "cut" });
    expect(outcome).toMatchObject({ kind: "deferred", code: "refresh_failed", status: 401 });
  });

  it("is read up to 1 MiB", async () => {
    const padding = " ".repeat(2 * 1024 * 1024);
    expect(tokensOf(await refresh({ text: `${JSON.stringify(pair).slice(0, -1)}${padding}}` }))).toEqual([
      "access-new",
      "refresh-new",
    ]);
    expect(await refresh({ status: 400, text: padding + '{"error":"invalid_grant"}' })).toMatchObject({
      kind: "deferred",
    });
  });

  it("is not waited for beyond 1 MiB", async () => {
    const outcome = await refresh({ status: 400, text: " ".repeat(2 * 1024 * 1024), fault: "stall" });
    expect(outcome).toMatchObject({ kind: "deferred", code: "refresh_failed", status: 400 });
  });

  it("gives the new refresh token when there is no access token", async () => {
    const outcome = await refresh({ json: { refresh_token: "refresh-new" } });
    expect(outcome.kind === "rotated" && outcome.refreshToken.reveal()).toBe("refresh-new");
  });

  it("never shows a secret in its message, not even one that the server echoes", async () => {
    const echo = "token refresh-old / eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln was refused";
    const outcome = await refresh({ status: 401, json: { error: "nope", error_description: echo } });
    expect(outcome).toMatchObject({ kind: "refused", code: "nope" });
    expect(JSON.stringify(outcome)).not.toMatch(/refresh-old|eyJ/);
    expect(outcome.kind === "refused" && outcome.message).toContain("token [secret] / [secret] was refused");
  });

  it("counts Retry-After on a 503", async () => {
    const outcome = await refresh({ status: 503, headers: { "retry-after": "7", date: "" } });
    expect(outcome).toMatchObject({ kind: "deferred", retryAt: clock.now() + 7_000 });
  });
});

describe("no answer", () => {
  it("is never_sent when nothing listens there", async () => {
    const gone = await ScriptedServer.start();
    const endpoint = gone.origin + path;
    await gone.close();
    const outcome = await refreshGrant({
      transport,
      clock,
      endpoint,
      clientId: "c",
      refreshToken: new Secret("r"),
      encoding: "form",
    });
    expect(outcome).toMatchObject({ kind: "never_sent", code: "refresh_never_sent", networkCode: "ECONNREFUSED" });
    expect("message" in outcome && outcome.message).toContain(new URL(endpoint).host);
  });

  it("is unanswered when the connection broke after sending", async () => {
    expect(await refresh({ fault: "drop" })).toMatchObject({ kind: "unanswered", code: "refresh_unanswered" });
  });

  it("is unanswered after the time limit and not before", async () => {
    const outcome = refresh({ fault: "hang" }, { timeoutMs: 5_000 });
    let settled = false;
    void outcome.then(() => {
      settled = true;
    });
    await until(() => server.requests.length === 1);
    await clock.advance(4_999);
    expect(settled).toBe(false);
    await clock.advance(1);
    expect(await outcome).toMatchObject({ kind: "unanswered", networkCode: "TIMEOUT" });
    expect("message" in (await outcome) && JSON.stringify(await outcome)).toContain("within 5 s");
  });

  it.each([
    ["a fault before sending", new TransportError("connect", "ENOTFOUND", "no such host"), "never_sent", "ENOTFOUND"],
    ["a fault after sending", new TransportError("sent", "ECONNRESET", "reset"), "unanswered", "ECONNRESET"],
    ["a bug of the transport", new TypeError("oops"), "unanswered", "UNKNOWN"],
  ])("never throws: %s", async (_, error, kind, networkCode) => {
    const broken: Transport = { send: () => Promise.reject(error), close: async () => {} };
    const outcome = await refreshGrant({
      transport: broken,
      clock,
      endpoint: "not a url",
      clientId: "c",
      refreshToken: new Secret("r"),
      encoding: "json",
    });
    expect(outcome).toMatchObject({ kind, networkCode });
  });
});

describe("the verdicts", () => {
  const statuses = [302, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503];
  const codes = [null, "odd", ...refreshVerdicts.flatMap((row) => row.codes ?? [])];

  it("never end a login with 429", () => {
    for (const code of codes) expect(classifyRefreshError(429, code, true).final).toBe(false);
  });

  it("never end a login with an answer that can't be read", () => {
    for (const status of statuses) expect(classifyRefreshError(status, null, false).final).toBe(false);
  });

  it("end it with a final code at any other status", () => {
    for (const row of refreshVerdicts.filter(({ final, codes }) => final && codes !== undefined)) {
      for (const status of statuses.filter((status) => status !== 429)) {
        for (const code of row.codes ?? []) expect(classifyRefreshError(status, code, true)).toBe(row);
      }
    }
  });

  it("end it with an unknown code only for 401 and 403", () => {
    const final = statuses.filter((status) => classifyRefreshError(status, "odd", true).final);
    expect(final).toEqual([401, 403]);
  });

  it("are each reached, and speak without commands", () => {
    const reached = new Set(
      statuses.flatMap((status) =>
        codes.flatMap((code) => [true, false].map((isError) => classifyRefreshError(status, code, isError).name)),
      ),
    );
    expect([...reached].sort()).toEqual(refreshVerdicts.map(({ name }) => name).sort());
    for (const { sentence } of refreshVerdicts) expect(sentence).not.toMatch(/understudy|\brun\b|`/i);
  });
});
