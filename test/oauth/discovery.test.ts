import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import { discoverServer } from "../../src/oauth/discovery.ts";
import { isSecureEndpoint } from "../../src/oauth/endpoint.ts";
import { VirtualClock } from "../virtual-clock.ts";
import { CountingTransport } from "./rig.ts";
import { ScriptedServer } from "./scripted-server.ts";

let server: ScriptedServer;
const transport = new CountingTransport();

beforeEach(async () => {
  server = await ScriptedServer.start();
});

afterEach(() => server.close());
afterAll(() => transport.close());

const oauthPath = "/.well-known/oauth-authorization-server";
const openidPath = "/.well-known/openid-configuration";

const discover = (issuer: string, trustedOrigins?: string[]) =>
  discoverServer({
    transport,
    clock: new VirtualClock(),
    issuer,
    ...(trustedOrigins === undefined ? {} : { trustedOrigins }),
  });

describe("discoverServer", () => {
  it("reads the addresses", async () => {
    const issuer = server.origin;
    server.plan(oauthPath, {
      json: {
        issuer,
        token_endpoint: `${issuer}/token`,
        authorization_endpoint: `${issuer}/auth`,
        device_authorization_endpoint: `${issuer}/device`,
        revocation_endpoint: `${issuer}/revoke`,
      },
    });
    expect(await discover(issuer)).toEqual({
      ok: true,
      value: {
        issuer,
        tokenEndpoint: `${issuer}/token`,
        authorizationEndpoint: `${issuer}/auth`,
        deviceAuthorizationEndpoint: `${issuer}/device`,
        revocationEndpoint: `${issuer}/revoke`,
      },
    });
  });

  it("falls back to OpenID's place, and knows where each of them puts an issuer's path", async () => {
    const issuer = `${server.origin}/tenant/1`;
    server.plan(`${oauthPath}/tenant/1`, { status: 404 });
    server.plan(`/tenant/1${openidPath}`, { json: { issuer, token_endpoint: `${server.origin}/token` } });
    expect(await discover(issuer)).toMatchObject({ ok: true, value: { deviceAuthorizationEndpoint: null } });
  });

  it("says when the server does not describe itself", async () => {
    server.plan(oauthPath, { status: 200, text: "<html>" });
    server.plan(openidPath, { status: 404 });
    expect(await discover(server.origin)).toMatchObject({ failure: { code: "not_enabled", status: 404 } });
  });

  it.each(["https://other.example", "", undefined])("refuses a document of the issuer %j", async (issuer) => {
    server.plan(oauthPath, { json: { issuer, token_endpoint: `${server.origin}/token` } });
    expect(await discover(server.origin)).toMatchObject({ failure: { code: "untrusted" } });
  });

  it.each(["token_endpoint", "authorization_endpoint", "device_authorization_endpoint", "revocation_endpoint"])(
    "refuses a %s at another origin, unless it is trusted",
    async (name) => {
      const issuer = server.origin;
      const document = { issuer, token_endpoint: `${issuer}/token`, [name]: "https://elsewhere.example/x" };
      server.plan(oauthPath, { json: document }, { json: document });
      const refused = await discover(issuer);
      expect(refused).toMatchObject({ failure: { code: "untrusted" } });
      expect(!refused.ok && refused.failure.message).toContain(name);
      expect((await discover(issuer, ["https://elsewhere.example"])).ok).toBe(true);
    },
  );

  it("misses a token endpoint", async () => {
    server.plan(oauthPath, { json: { issuer: server.origin } });
    expect(await discover(server.origin)).toMatchObject({ failure: { code: "incomplete" } });
  });

  it.each(["http://issuer.example", "issuer.example", "ftp://issuer.example", "https://me:pw@issuer.example"])(
    "asks nothing of %s",
    async (issuer) => {
      expect(await discover(issuer)).toMatchObject({ failure: { code: "untrusted" } });
    },
  );

  it("says when nobody answers", async () => {
    server.plan(oauthPath, { fault: "drop" });
    expect(await discover(server.origin)).toMatchObject({ failure: { code: "unreachable" } });
  });
});

describe("isSecureEndpoint", () => {
  it.each([
    "https://a.example/token",
    "http://127.0.0.1:8/x",
    "http://127.1.2.3",
    "http://localhost:1",
    "http://[::1]:1/",
  ])("takes %s", (url) => {
    expect(isSecureEndpoint(url)).toBe(true);
  });

  it.each([
    "http://a.example",
    "http://127.0.0.1.a.example",
    "http://localhost.a.example",
    "https://u:p@a.example",
    "x",
    "",
  ])("refuses %s", (url) => {
    expect(isSecureEndpoint(url)).toBe(false);
  });
});
