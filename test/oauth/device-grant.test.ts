import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { Secret } from "../../src/core/secret.ts";
import { type DeviceAuthorization, pollDeviceGrant, requestDeviceAuthorization } from "../../src/oauth/device-grant.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { CountingTransport, carry } from "./rig.ts";
import { type Reply, ScriptedServer } from "./scripted-server.ts";

let server: ScriptedServer;
const transport = new CountingTransport();
let clock: VirtualClock;

beforeEach(async () => {
  server = await ScriptedServer.start();
  clock = new VirtualClock();
});

afterEach(() => server.close());
afterAll(() => transport.close());

const waits = (): number[] => clock.sleeps.filter((ms) => ms !== 15_000).map((ms) => ms / 1_000);

describe("requestDeviceAuthorization", () => {
  const answer = {
    device_code: "dc",
    user_code: "WDJB-MJHT",
    verification_uri: "https://example.com/device",
    verification_uri_complete: "https://example.com/device?user_code=WDJB-MJHT",
    expires_in: 600,
    interval: 7,
  };
  const request = (reply: Reply, scope = "openid offline_access") =>
    carry(
      requestDeviceAuthorization({ transport, clock, clientId: "c", endpoint: server.plan("/device", reply), scope }),
      clock,
      transport,
    );

  it("asks with client id and scope and reads the answer", async () => {
    const result = await request({ json: answer });
    expect(server.requests[0]?.body).toBe("client_id=c&scope=openid+offline_access");
    expect(result).toMatchObject({
      ok: true,
      value: {
        userCode: "WDJB-MJHT",
        verificationUrl: answer.verification_uri,
        completeVerificationUrl: answer.verification_uri_complete,
        intervalMs: 7_000,
        expiresAt: clock.now() + 600_000,
      },
    });
    expect(result.ok && result.value.deviceCode.reveal()).toBe("dc");
  });

  it("fills in what the server leaves out", async () => {
    const { interval: _, expires_in: __, verification_uri_complete: ___, ...rest } = answer;
    const { verification_uri: verification_url, ...older } = rest;
    const result = await request({ json: { ...older, verification_url } }, "");
    expect(server.requests[0]?.body).toBe("client_id=c");
    expect(result).toMatchObject({
      value: {
        verificationUrl: verification_url,
        completeVerificationUrl: null,
        intervalMs: 5_000,
        expiresAt: clock.now() + 900_000,
      },
    });
  });

  it.each([
    "javascript:alert(1)",
    "file:///etc/passwd",
    "http://example.com/device",
    "https://user@example.com/",
    "device",
  ])("sends nobody to %s", async (url) => {
    expect(await request({ json: { ...answer, verification_uri: url } })).toMatchObject({
      failure: { code: "untrusted" },
    });
    const complete = await request({ json: { ...answer, verification_uri_complete: url } });
    expect(complete).toMatchObject({ ok: true, value: { completeVerificationUrl: null } });
  });

  it.each(["https://example.com/\u001b[8m", "https://example.com/\nand type your password"])(
    "shows nobody %j",
    async (url) => {
      expect(await request({ json: { ...answer, verification_uri: url } })).toMatchObject({
        failure: { code: "incomplete" },
      });
      const complete = await request({ json: { ...answer, verification_uri_complete: url } });
      expect(complete).toMatchObject({ ok: true, value: { completeVerificationUrl: null } });
    },
  );

  it("tells the server's error", async () => {
    const json = { error: "invalid_client", error_description: "client is invalid" };
    const result = await request({ status: 401, json });
    expect(result).toMatchObject({ failure: { code: "refused", status: 401, providerCode: "invalid_client" } });
    expect(!result.ok && result.failure.message).toContain("client is invalid");
  });
});

describe("pollDeviceGrant", () => {
  const pending = { status: 400, json: { error: "authorization_pending" } };
  const granted = { json: { access_token: "a", refresh_token: "r", token_type: "Bearer" } };

  let intervalMs = 5_000;
  beforeEach(() => {
    intervalMs = 5_000;
  });

  function poll(...replies: Reply[]) {
    const authorization: DeviceAuthorization = {
      deviceCode: new Secret("dc-1"),
      userCode: "WDJB-MJHT",
      verificationUrl: "https://example.com/device",
      completeVerificationUrl: null,
      intervalMs,
      expiresAt: clock.now() + 600_000,
    };
    const tokenEndpoint = server.plan("/token", ...replies);
    return carry(pollDeviceGrant({ transport, clock, clientId: "c", tokenEndpoint }, authorization), clock, transport);
  }

  it("polls until the person has confirmed", async () => {
    const result = await poll(pending, pending, granted);
    expect(result.ok && result.value.refreshToken?.reveal()).toBe("r");
    expect(server.requests[0]?.fields).toEqual({
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      device_code: "dc-1",
      client_id: "c",
    });
    expect(waits()).toEqual([5, 5]);
  });

  it("polls 5 s less often after each slow_down, for good", async () => {
    intervalMs = 4_000;
    const slower = { status: 400, json: { error: "slow_down" } };
    expect((await poll(pending, slower, pending, slower, pending, granted)).ok).toBe(true);
    expect(waits()).toEqual([4, 9, 9, 14, 14]);
  });

  it("reads pending and slow_down inside a 200, as GitHub sends them", async () => {
    const github = [{ json: { error: "authorization_pending" } }, { text: "error=slow_down&interval=10" }];
    expect((await poll(...github, granted)).ok).toBe(true);
    expect(waits()).toEqual([5, 10]);
  });

  it.each([
    ["access_denied", "declined"],
    ["expired_token", "expired"],
    ["invalid_client", "refused"],
    ["invalid_grant", "refused"],
  ])("ends at once on %s", async (error, code) => {
    const result = await poll(pending, { status: 400, json: { error } });
    expect(result).toMatchObject({ ok: false, failure: { code, providerCode: error } });
  });

  it("backs off while the server or the network is in trouble", async () => {
    const result = await poll(
      { status: 503 },
      { fault: "drop" },
      { text: "<html>" },
      { status: 429 },
      pending,
      granted,
    );
    expect(result.ok).toBe(true);
    expect(waits()).toEqual([10, 20, 40, 60, 5]);
  });

  it("ends when the code has expired", async () => {
    expect(await poll(...Array.from({ length: 120 }, () => pending))).toMatchObject({ failure: { code: "expired" } });
  });

  it.each([{}, { refresh_token: "r" }])("calls a success of %j incomplete", async (json) => {
    expect(await poll({ json })).toMatchObject({ failure: { code: "incomplete" } });
  });
});
