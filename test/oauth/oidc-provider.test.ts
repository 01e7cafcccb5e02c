import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { Secret } from "../../src/core/secret.ts";
import { authorizeUrl, readCallback } from "../../src/oauth/authorization-code.ts";
import { exchangeCode } from "../../src/oauth/code-exchange.ts";
import { type DeviceAuthorization, pollDeviceGrant, requestDeviceAuthorization } from "../../src/oauth/device-grant.ts";
import { discoverServer, type ServerMetadata } from "../../src/oauth/discovery.ts";
import { readJwtClaims } from "../../src/oauth/jwt.ts";
import type { LoginResult } from "../../src/oauth/login-failure.ts";
import { createPkce, createState } from "../../src/oauth/pkce.ts";
import { refreshGrant, type RefreshOutcome } from "../../src/oauth/refresh.ts";
import { revokeToken } from "../../src/oauth/revoke.ts";
import type { TokenSet } from "../../src/oauth/token-answer.ts";
import { BrowsingPerson } from "./browsing-person.ts";
import { CountingTransport, until } from "./rig.ts";

/** The generic grants against a server that we did not write: certified, rotating refresh tokens, with reuse detection. */

const clientId = "understudy-test";
const redirectUri = "http://127.0.0.1/callback";
const transport = new CountingTransport();
const clock = systemClock;
const reasons: string[] = [];
let http: Server;
let metadata: ServerMetadata;

beforeAll(async () => {
  // The server warns that its pages and keys are for tests only. So they are.
  vi.spyOn(console, "info").mockImplementation(() => {});
  vi.spyOn(console, "warn").mockImplementation(() => {});
  http = createServer();
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: [redirectUri],
        response_types: ["code"],
        grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      },
    ],
    features: { deviceFlow: { enabled: true }, revocation: { enabled: true }, devInteractions: { enabled: true } },
    pkce: { required: () => true },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    cookies: { keys: ["test"] },
    ttl: { AccessToken: 3600, RefreshToken: 86_400, DeviceCode: 600, Interaction: 600, Session: 600, Grant: 86_400 },
  });
  provider.on("grant.error", (_, error) => reasons.push(error.error_detail ?? error.message));
  http.on("request", provider.callback());
  const found = await discoverServer({ transport, clock, issuer });
  metadata = value(found);
});

afterAll(async () => {
  vi.restoreAllMocks();
  await transport.close();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
});

function value<T>(result: LoginResult<T>): T {
  if (!result.ok) throw new Error(`${result.failure.code}: ${result.failure.message}`);
  return result.value;
}

async function startDevice(): Promise<DeviceAuthorization> {
  const endpoint = metadata.deviceAuthorizationEndpoint ?? "";
  const authorization = value(
    await requestDeviceAuthorization({ transport, clock, clientId, endpoint, scope: "openid offline_access" }),
  );
  expect(authorization.intervalMs).toBe(5_000);
  return { ...authorization, intervalMs: 1 };
}

const poll = (authorization: DeviceAuthorization): Promise<LoginResult<TokenSet>> =>
  pollDeviceGrant({ transport, clock, clientId, tokenEndpoint: metadata.tokenEndpoint }, authorization);

async function signIn(): Promise<TokenSet> {
  const authorization = await startDevice();
  await new BrowsingPerson({ userCode: authorization.userCode }).visit(authorization.verificationUrl);
  return value(await poll(authorization));
}

function refreshTokenOf(tokens: { readonly refreshToken: Secret | null }): Secret {
  if (tokens.refreshToken === null) throw new Error("no refresh token");
  return tokens.refreshToken;
}

const refresh = (refreshToken: Secret): Promise<RefreshOutcome> =>
  refreshGrant({ transport, clock, endpoint: metadata.tokenEndpoint, clientId, refreshToken, encoding: "form" });

async function refreshed(refreshToken: Secret): Promise<TokenSet> {
  const outcome = await refresh(refreshToken);
  if (outcome.kind !== "answered") throw new Error(`${outcome.kind}: ${outcome.message}`);
  return outcome.tokens;
}

const dead = { kind: "refused", code: "invalid_grant", status: 400, reloginRequired: true };

describe("discovery", () => {
  it("finds all endpoints under the issuer", () => {
    for (const url of [
      metadata.authorizationEndpoint,
      metadata.deviceAuthorizationEndpoint,
      metadata.revocationEndpoint,
    ]) {
      expect(url).toMatch(new RegExp(`^${metadata.issuer}/`));
    }
  });
});

describe("the device grant", () => {
  it("waits for the person, then has tokens of that person", async () => {
    const authorization = await startDevice();
    const before = transport.chunks;
    const tokens = poll(authorization);
    await until(() => transport.chunks >= before + 2);
    await new BrowsingPerson().visit(authorization.completeVerificationUrl ?? "");
    const { idToken, expiresInS, extra } = value(await tokens);
    expect(readJwtClaims(idToken?.reveal() ?? "")?.["sub"]).toBe("ada");
    expect(expiresInS).toBe(3600);
    expect(extra).toMatchObject({ token_type: "Bearer" });
  });

  it("ends when the person says no", async () => {
    const authorization = await startDevice();
    const person = new BrowsingPerson({ userCode: authorization.userCode, declines: true });
    await person.visit(authorization.verificationUrl);
    expect(await poll(authorization)).toMatchObject({ ok: false, failure: { code: "declined", status: 400 } });
  });

  it("ends when the server does not know the code", async () => {
    const authorization = { ...(await startDevice()), deviceCode: new Secret("unknown") };
    expect(await poll(authorization)).toMatchObject({ failure: { code: "refused", providerCode: "invalid_grant" } });
  });

  it("is refused to an unknown client", async () => {
    const endpoint = metadata.deviceAuthorizationEndpoint ?? "";
    const result = await requestDeviceAuthorization({
      transport,
      clock,
      clientId: "nobody",
      endpoint,
      scope: "openid",
    });
    expect(result).toMatchObject({ failure: { code: "refused", providerCode: "invalid_client" } });
  });
});

describe("the authorization code with PKCE", () => {
  async function authorize(port: number) {
    const { verifier, challenge } = await createPkce();
    const state = createState();
    const callbackUri = `http://127.0.0.1:${port}/callback`;
    const { callback } = await new BrowsingPerson().visit(
      authorizeUrl({
        endpoint: metadata.authorizationEndpoint ?? "",
        clientId,
        redirectUri: callbackUri,
        scope: "openid offline_access",
        state,
        challenge,
        extraParams: { prompt: "consent" },
      }),
    );
    const params = new URL(callback ?? "").searchParams;
    const code = value(readCallback(params, { state, issuer: metadata.issuer }));
    const base = { transport, clock, endpoint: metadata.tokenEndpoint, clientId, redirectUri: callbackUri, code };
    return { params, state, verifier, base };
  }

  it("gives tokens, whatever port the callback listens on", async () => {
    const { base, verifier } = await authorize(43_210);
    const tokens = value(await exchangeCode({ ...base, verifier }));
    expect(tokens.refreshToken).not.toBeNull();
    expect(await exchangeCode({ ...base, verifier })).toMatchObject({ failure: { providerCode: "invalid_grant" } });
  });

  it("needs the verifier that belongs to the challenge", async () => {
    const { base } = await authorize(43_211);
    const { verifier } = await createPkce();
    expect(await exchangeCode({ ...base, verifier })).toMatchObject({ failure: { providerCode: "invalid_grant" } });
  });

  it("names its issuer in the callback, so that another one is noticed", async () => {
    const { params, state } = await authorize(43_212);
    const wrong = readCallback(params, { state, issuer: "https://other.example" });
    expect(wrong).toMatchObject({ failure: { code: "untrusted" } });
  });
});

describe("refresh", () => {
  it("rotates: each answer brings the token for the next", async () => {
    const first = refreshTokenOf(await signIn());
    const second = refreshTokenOf(await refreshed(first));
    const third = refreshTokenOf(await refreshed(second));
    expect(new Set([first, second, third].map((token) => token.reveal())).size).toBe(3);
  });

  it("is final after a reuse, also for the newest token of the family", async () => {
    const first = refreshTokenOf(await signIn());
    const second = refreshTokenOf(await refreshed(first));
    reasons.length = 0;
    expect(await refresh(first)).toMatchObject(dead);
    expect(reasons).toEqual(["refresh token already used"]);
    expect(await refresh(second)).toMatchObject(dead);
  });

  it("kills the login when several spend one token at once, which is why only one may", async () => {
    const token = refreshTokenOf(await signIn());
    const outcomes = await Promise.all(Array.from({ length: 8 }, () => refresh(token)));
    const winners = outcomes.filter(({ kind }) => kind === "answered");
    expect(winners.length).toBeLessThanOrEqual(1);
    expect(outcomes.filter(({ kind }) => kind === "refused").length).toBe(8 - winners.length);
    for (const winner of winners) {
      if (winner.kind === "answered") expect(await refresh(refreshTokenOf(winner.tokens))).toMatchObject(dead);
    }
  });

  it("of an unknown token is final", async () => {
    expect(await refresh(new Secret("unknown"))).toMatchObject(dead);
  });

  it("by an unknown client is final, since the server says 401", async () => {
    const refreshToken = refreshTokenOf(await signIn());
    const endpoint = metadata.tokenEndpoint;
    const options = { transport, clock, endpoint, clientId: "nobody", refreshToken, encoding: "form" } as const;
    expect(await refreshGrant(options)).toMatchObject({ kind: "refused", code: "invalid_client", status: 401 });
  });
});

describe("revocation", () => {
  it("ends the login", async () => {
    const token = refreshTokenOf(await signIn());
    const endpoint = metadata.revocationEndpoint ?? "";
    expect(
      await revokeToken({ transport, clock, endpoint, token, hint: "refresh_token", clientId, encoding: "form" }),
    ).toBe(true);
    expect(await refresh(token)).toMatchObject(dead);
  });
});
