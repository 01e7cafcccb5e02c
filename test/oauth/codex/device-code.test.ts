import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../../../src/core/secret.ts";
import {
  type CodexLoginOptions,
  type DeviceLogin,
  deviceLoginLifetimeMs,
  pollDeviceLogin,
  startDeviceLogin,
} from "../../../src/oauth/codex/device-code.ts";
import type { LoginResult } from "../../../src/oauth/login-failure.ts";
import type { TokenSet } from "../../../src/oauth/token-answer.ts";
import { VirtualClock } from "../../virtual-clock.ts";
import { CountingTransport, carry, until } from "../rig.ts";
import { type Reply, ScriptedServer } from "../scripted-server.ts";

const startPath = "/api/accounts/deviceauth/usercode";
const pollPath = "/api/accounts/deviceauth/token";
const tokenPath = "/oauth/token";

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
  expect(clock.sleeping, "waits left running").toBe(0);
});

const options = (signal?: AbortSignal): CodexLoginOptions => ({
  transport,
  clock,
  issuer: server.origin,
  clientId: "app_1",
  ...(signal === undefined ? {} : { signal }),
});

/** Waits of the flow itself, in seconds: the limits of its requests are 15 s and told apart by that. */
const waits = (): number[] => clock.sleeps.filter((ms) => ms !== 15_000).map((ms) => ms / 1_000);

const times = (count: number, reply: Reply): Reply[] => Array.from({ length: count }, () => reply);

const codeAnswer = { user_code: "ABCD-1234", device_auth_id: "dev-1", interval: "5" };
const confirmation = { authorization_code: "code-1", code_verifier: "verifier-1", code_challenge: "c" };
const tokens = { access_token: "access-1", refresh_token: "refresh-1", id_token: "id-1" };

describe("startDeviceLogin", () => {
  async function start(...replies: Reply[]): Promise<LoginResult<DeviceLogin>> {
    server.plan(startPath, ...replies);
    return carry(startDeviceLogin(options()), clock, transport);
  }

  it("asks with the client id and gives what the person needs", async () => {
    const began = clock.now();
    const result = await start({ json: codeAnswer });
    expect(server.requests[0]).toMatchObject({ method: "POST", fields: { client_id: "app_1" } });
    expect(server.requests[0]?.headers["content-type"]).toBe("application/json");
    expect(result).toMatchObject({
      ok: true,
      value: {
        userCode: "ABCD-1234",
        verificationUrl: `${server.origin}/codex/device`,
        intervalMs: 5_000,
        expiresAt: began + 15 * 60_000,
      },
    });
    expect(result.ok && result.value.deviceAuthId.reveal()).toBe("dev-1");
  });

  it("accepts the other spelling of the code", async () => {
    const { user_code: usercode, ...rest } = codeAnswer;
    expect(await start({ json: { ...rest, usercode } })).toMatchObject({ ok: true, value: { userCode: "ABCD-1234" } });
  });

  it.each<[unknown, number]>([
    ["5", 5_000],
    [" 7 ", 7_000],
    [3, 3_000],
    ["0", 1_000],
    [0, 1_000],
    [0.2, 1_000],
    [undefined, 5_000],
    [null, 5_000],
    ["", 5_000],
    ["often", 5_000],
    [-4, 5_000],
    [86_400, 60_000],
  ])("reads the interval %j as %i ms", async (interval, intervalMs) => {
    expect(await start({ json: { ...codeAnswer, interval } })).toMatchObject({ value: { intervalMs } });
  });

  it("says that device login is not enabled on 404", async () => {
    const result = await start({ status: 404, json: { error: { message: "Not found" } } });
    expect(result).toMatchObject({ ok: false, failure: { code: "not_enabled", status: 404 } });
    expect(!result.ok && result.failure.message).toMatch(/not enabled.*browser/);
  });

  it("waits out a rate limit as long as the server says, and 1 s at least", async () => {
    const limited = (seconds: number): Reply => ({ status: 429, headers: { "retry-after": String(seconds) } });
    expect(await start(limited(3), limited(0), { json: codeAnswer })).toMatchObject({ ok: true });
    expect(waits()).toEqual([3, 1]);
  });

  it("gives up on a rate limit after 4 tries, and says when it may be tried again", async () => {
    const result = await start(...times(4, { status: 429, headers: { "retry-after": "30" } }));
    expect(result).toMatchObject({ failure: { code: "rate_limited", status: 429, retryAt: clock.now() + 30_000 } });
    expect(waits()).toEqual([30, 30, 30]);
  });

  it("waits 2, 4, 8 s when the server does not say, and never longer than 60 s when it does", async () => {
    expect(await start(...times(3, { status: 429 }), { json: codeAnswer })).toMatchObject({ ok: true });
    expect(waits()).toEqual([2, 4, 8]);
    expect(await start({ status: 429, headers: { "retry-after": "3600" } }, { json: codeAnswer })).toMatchObject({
      ok: true,
    });
    expect(waits()).toEqual([2, 4, 8, 60]);
  });

  it.each([500, 503, 400])("does not try again after %i", async (status) => {
    const result = await start({ status, json: { error: { message: "Broken.", code: "odd" } } });
    expect(result).toMatchObject({ failure: { code: "refused", status, providerCode: "odd" } });
    expect(!result.ok && result.failure.message).toMatch(new RegExp(`status ${status}.*Broken\\.`));
  });

  it("tries a broken network 3 times", async () => {
    expect(await start({ fault: "drop" }, { fault: "drop" }, { json: codeAnswer })).toMatchObject({ ok: true });
    expect(waits()).toEqual([1, 2]);
    expect(await start(...times(3, { fault: "drop" }))).toMatchObject({ failure: { code: "unreachable" } });
  });

  it.each([{}, { user_code: "A" }, { device_auth_id: "d" }, { user_code: "\u001b[2J", device_auth_id: "d" }, []])(
    "calls %j incomplete",
    async (json) => {
      expect(await start({ json })).toMatchObject({ failure: { code: "incomplete", status: 200 } });
    },
  );
});

describe("pollDeviceLogin", () => {
  const login = (): DeviceLogin => ({
    userCode: "ABCD-1234",
    deviceAuthId: new Secret("dev-1"),
    verificationUrl: `${server.origin}/codex/device`,
    intervalMs: 5_000,
    expiresAt: clock.now() + deviceLoginLifetimeMs,
  });

  function poll(...replies: Reply[]): Promise<LoginResult<TokenSet>> {
    server.plan(pollPath, ...replies);
    return carry(pollDeviceLogin(options(), login()), clock, transport);
  }

  it("polls while the answer is 403 or 404, then fetches the tokens with the server's own verifier", async () => {
    server.plan(tokenPath, { json: tokens });
    const result = await poll({ status: 403 }, { status: 404, json: {} }, { json: confirmation });
    expect(result.ok && result.value.accessToken.reveal()).toBe("access-1");
    expect(result.ok && result.value.refreshToken?.reveal()).toBe("refresh-1");
    expect(server.seen(pollPath).map(({ fields }) => fields)).toEqual(
      times(3, {}).map(() => ({ device_auth_id: "dev-1", user_code: "ABCD-1234" })),
    );
    const [exchange] = server.seen(tokenPath);
    expect(exchange?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
    expect(exchange?.fields).toEqual({
      grant_type: "authorization_code",
      client_id: "app_1",
      code: "code-1",
      code_verifier: "verifier-1",
      redirect_uri: `${server.origin}/deviceauth/callback`,
    });
    expect(waits()).toEqual([5, 5]);
  });

  it("backs off on 429: as long as the server says, else twice as long each time", async () => {
    server.plan(tokenPath, { json: tokens });
    const limited = { status: 429 };
    const result = await poll(
      { status: 429, headers: { "retry-after": "20" } },
      limited,
      limited,
      { status: 403 },
      limited,
      { json: confirmation },
    );
    expect(result.ok).toBe(true);
    expect(waits()).toEqual([20, 20, 40, 5, 10]);
  });

  it("never polls faster than the interval, whatever a 429 says", async () => {
    server.plan(tokenPath, { json: tokens });
    await poll({ status: 429, headers: { "retry-after": "1" } }, { json: confirmation });
    expect(waits()).toEqual([5]);
  });

  it("ends at once when a 429 asks for more patience than the code lives", async () => {
    const result = await poll({ status: 429, headers: { "retry-after": "3600" } });
    expect(result).toMatchObject({ failure: { code: "rate_limited", retryAt: clock.now() + 3_600_000 } });
    expect(waits()).toEqual([]);
  });

  it("tolerates 5 troubles in a row, of any kind", async () => {
    server.plan(tokenPath, { json: tokens });
    const troubles: Reply[] = [
      { status: 500 },
      { fault: "drop" },
      { status: 200, text: "<html>" },
      { status: 502 },
      { fault: "cut" },
    ];
    const result = await poll(...troubles, { status: 403 }, ...troubles, { json: confirmation });
    expect(result.ok).toBe(true);
    expect(waits()).toEqual([10, 20, 40, 60, 60, 5, 10, 20, 40, 60, 60]);
  });

  it.each<[Reply, string]>([
    [{ status: 503 }, "refused"],
    [{ fault: "drop" }, "unreachable"],
  ])("gives up after the 6th trouble in a row: %j", async (reply, code) => {
    expect(await poll(...times(6, reply))).toMatchObject({ ok: false, failure: { code } });
    expect(server.requests).toHaveLength(6);
  });

  it("counts a request that never ends as trouble", async () => {
    server.plan(tokenPath, { json: tokens });
    server.plan(pollPath, { fault: "hang" });
    const result = pollDeviceLogin(options(), login());
    await until(() => server.requests.length === 1);
    await clock.advance(15_000);
    server.plan(pollPath, { json: confirmation });
    expect((await carry(result, clock, transport)).ok).toBe(true);
  });

  it.each([{ json: { error: "authorization_declined" } }, { text: "" }])(
    "says that the person declined on 401 with %j",
    async (body) => {
      const result = await poll({ status: 403 }, { status: 401, ...body });
      expect(result).toMatchObject({ failure: { code: "declined", status: 401 } });
    },
  );

  it("leaves no listener on the signal", async () => {
    const { signal } = new AbortController();
    server.plan(pollPath, { status: 403 }, { json: confirmation });
    server.plan(tokenPath, { json: tokens });
    expect((await carry(pollDeviceLogin(options(signal), login()), clock, transport)).ok).toBe(true);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it.each([400, 410, 302])("ends at once on %i, with the server's words", async (status) => {
    const result = await poll({ status, json: { error: "odd", error_description: "The id dev-1 is gone." } });
    expect(result).toMatchObject({ failure: { code: "refused", status, providerCode: "odd" } });
    expect(!result.ok && result.failure.message).toContain("The id [secret] is gone.");
  });

  it("ends after 15 minutes", async () => {
    const result = await poll(...times(180, { status: 403 }));
    expect(result).toMatchObject({ failure: { code: "expired" } });
    expect(server.requests).toHaveLength(180);
  });

  it("ends when the machine slept through the 15 minutes", async () => {
    server.plan(pollPath, { status: 403 });
    const result = pollDeviceLogin(options(), login());
    await until(() => clock.nextWakeMs === 5_000);
    clock.jump(20 * 60_000);
    expect(await carry(result, clock, transport)).toMatchObject({ failure: { code: "expired" } });
  });

  it("ends after 15 minutes of waiting though the clock was set back", async () => {
    server.plan(pollPath, ...times(180, { status: 403 }));
    const result = pollDeviceLogin(options(), login());
    await until(() => clock.nextWakeMs === 5_000);
    clock.jump(-3_600_000);
    expect(await carry(result, clock, transport)).toMatchObject({ failure: { code: "expired" } });
  });

  it.each([{}, { authorization_code: "c" }, { code_verifier: "v" }])(
    "calls a confirmation of %j incomplete",
    async (json) => {
      expect(await poll({ json })).toMatchObject({ failure: { code: "incomplete" } });
    },
  );

  it.each<[string, Reply[], string]>([
    ["an error", [{ status: 400, json: { error: "invalid_grant", error_description: "code-1 expired" } }], "refused"],
    ["no access token", [{ json: {} }], "incomplete"],
    ["a rate limit", times(4, { status: 429 }), "rate_limited"],
    ["a broken connection", [{ fault: "drop" }], "unreachable"],
  ])("fails when the exchange ends in %s", async (_, replies, code) => {
    server.plan(tokenPath, ...replies);
    const result = await poll({ json: confirmation });
    expect(result).toMatchObject({ ok: false, failure: { code } });
    expect(JSON.stringify(result)).not.toMatch(/code-1|verifier-1/);
  });

  it("waits out a rate limit of the exchange", async () => {
    server.plan(tokenPath, { status: 429, headers: { "retry-after": "3" } }, { json: tokens });
    expect((await poll({ json: confirmation })).ok).toBe(true);
  });

  it("accepts a login without a refresh token, and says so", async () => {
    server.plan(tokenPath, { json: { access_token: "a" } });
    expect(await poll({ json: confirmation })).toMatchObject({
      ok: true,
      value: { refreshToken: null, idToken: null },
    });
  });

  it.each(["before the first poll", "during a poll", "between two polls"])("is cancelled %s", async (when) => {
    const controller = new AbortController();
    if (when === "before the first poll") controller.abort();
    else server.plan(pollPath, when === "during a poll" ? { fault: "hang" } : { status: 403 });
    const result = pollDeviceLogin(options(controller.signal), login());
    if (when === "during a poll") await until(() => server.requests.length === 1);
    if (when === "between two polls") await until(() => clock.nextWakeMs === 5_000);
    controller.abort();
    expect(await result).toMatchObject({ ok: false, failure: { code: "cancelled" } });
  });

  it("does not cut the exchange short when it is cancelled", async () => {
    const controller = new AbortController();
    server.plan(pollPath, { json: confirmation });
    server.plan(tokenPath, { json: tokens });
    const result = pollDeviceLogin(options(controller.signal), login());
    await until(() => server.requests.length === 2);
    controller.abort();
    expect((await result).ok).toBe(true);
  });
});
