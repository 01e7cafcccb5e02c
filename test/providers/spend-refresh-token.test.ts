import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../src/core/clock.ts";
import { Secret } from "../../src/core/secret.ts";
import type { OAuthCredential } from "../../src/credentials/credential.ts";
import type { OAuthSignIn, Provider } from "../../src/providers/provider.ts";
import { createSpendRefreshToken } from "../../src/providers/spend-refresh-token.ts";
import { createUndiciTransport } from "../../src/transport/undici.ts";
import { CountingTransport, until } from "../oauth/rig.ts";
import { VirtualClock } from "../virtual-clock.ts";

/** A login at a server that is found by discovery: where its refresh token goes, and where it never goes. */

interface Seen {
  readonly path: string;
  readonly body: string;
}

const servers: Server[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** `answer` gives the JSON for a path; null leaves the request unanswered. */
async function serve(answer: (path: string, origin: string) => unknown): Promise<{ origin: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      const path = request.url ?? "";
      seen.push({ path, body });
      const value = answer(path, origin);
      if (value === null) return;
      response.writeHead(value === undefined ? 404 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(value ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin, seen };
}

const wellKnown = "/.well-known/oauth-authorization-server";

function login(issuer: string): OAuthCredential {
  return {
    kind: "oauth",
    id: "c1",
    provider: "acme",
    label: "me",
    priority: 0,
    paused: false,
    createdAt: 0,
    uses: 0,
    lastUsedAt: 0,
    account: { id: issuer, userId: "u", email: null, plan: null },
    grant: {
      generation: 1,
      accessToken: new Secret("old-access"),
      refreshToken: new Secret("the-refresh-token"),
      idToken: null,
      expiresAt: 0,
      obtainedAt: 0,
      issuer,
    },
    relogin: null,
    unknownOutcome: null,
  };
}

function acme(issuer: string, more: Partial<OAuthSignIn> = {}): Provider {
  return {
    id: "acme",
    name: "Acme",
    aliases: [],
    signIn: {
      kind: "oauth",
      issuer,
      clientId: "me",
      scope: "openid",
      flow: "device",
      redirectUri: null,
      trustedOrigins: [],
      ...more,
    },
    protocol: "messages",
    baseUrl: null,
    baseUrlEnv: null,
  };
}

function spender(provider: Provider) {
  const transport = createUndiciTransport();
  return createSpendRefreshToken({ transport, clock: systemClock, findProvider: () => provider, timeoutMs: 5_000 });
}

describe("spending the refresh token of a login of the configuration", () => {
  it("finds the endpoint once, and sends a form with the client's id", async () => {
    const { origin, seen } = await serve((path, issuer) =>
      path === wellKnown
        ? { issuer, token_endpoint: `${issuer}/t` }
        : path === "/t"
          ? { access_token: "new-access", refresh_token: "next", expires_in: 60 }
          : undefined,
    );
    const spend = spender(acme(origin));
    const outcome = await spend(login(origin));
    expect(outcome).toMatchObject({ kind: "answered", grant: { issuer: origin } });
    expect(outcome.kind === "answered" && outcome.grant.refreshToken?.reveal()).toBe("next");
    await spend(login(origin));
    expect(seen.map(({ path }) => path)).toEqual([wellKnown, "/t", "/t"]);
    expect(Object.fromEntries(new URLSearchParams(seen[1]?.body))).toEqual({
      grant_type: "refresh_token",
      client_id: "me",
      refresh_token: "the-refresh-token",
    });
  });

  it("goes to the issuer that made the grant, whatever the configuration says now", async () => {
    const made = await serve((path, issuer) =>
      path === wellKnown ? { issuer, token_endpoint: `${issuer}/t` } : { access_token: "a", refresh_token: "b" },
    );
    const now = await serve(() => undefined);
    expect(await spender(acme(now.origin))(login(made.origin))).toMatchObject({ kind: "answered" });
    expect(now.seen).toEqual([]);
  });

  it("never goes to another origin, unless that one is trusted", async () => {
    const other = await serve(() => ({ access_token: "a", refresh_token: "b" }));
    const { origin } = await serve((path, issuer) =>
      path === wellKnown ? { issuer, token_endpoint: `${other.origin}/t` } : undefined,
    );
    const refused = await spender(acme(origin))(login(origin));
    expect(refused).toMatchObject({ kind: "never_sent", message: expect.stringContaining("not trusted") as string });
    expect(other.seen).toEqual([]);
    expect(await spender(acme(origin, { trustedOrigins: [other.origin] }))(login(origin))).toMatchObject({
      kind: "answered",
    });
    expect(other.seen).toHaveLength(1);
  });

  it("is not sent when the server does not describe itself, names another issuer, or is not there", async () => {
    const silent = await serve(() => undefined);
    const liar = await serve((path) =>
      path === wellKnown ? { issuer: "https://other.example", token_endpoint: "https://other.example/t" } : undefined,
    );
    for (const issuer of [silent.origin, liar.origin, "http://127.0.0.1:9"]) {
      expect(await spender(acme(issuer))(login(issuer)), issuer).toMatchObject({ kind: "never_sent" });
    }
    for (const { body } of [...silent.seen, ...liar.seen]) expect(body).not.toContain("the-refresh-token");
  });

  it("gives discovery up before the keeper's claim could end, so that nobody else spends the same token", async () => {
    const { origin, seen } = await serve(() => null);
    const clock = new VirtualClock();
    const transport = new CountingTransport();
    const provider = acme(origin);
    const spend = createSpendRefreshToken({ transport, clock, findProvider: () => provider, timeoutMs: 20_000 });
    const outcome = spend(login(origin));
    await until(() => seen.length === 1);
    await clock.advance(8_000);
    expect(await outcome).toMatchObject({
      kind: "never_sent",
      message: "the sign-in server did not describe itself in time",
    });
    await transport.close();
  });

  it("forgets an endpoint that did not answer", async () => {
    let moved = false;
    const { origin, seen } = await serve((path, issuer) => {
      if (path === wellKnown) return { issuer, token_endpoint: `${issuer}/${moved ? "new" : "old"}` };
      return path === (moved ? "/new" : "/old") ? { access_token: "a", refresh_token: "b" } : undefined;
    });
    const spend = spender(acme(origin));
    await spend(login(origin));
    moved = true;
    expect(await spend(login(origin))).toMatchObject({ kind: "deferred", status: 404 });
    expect(await spend(login(origin))).toMatchObject({ kind: "answered" });
    expect(seen.map(({ path }) => path)).toEqual([wellKnown, "/old", "/old", wellKnown, "/new"]);
  });
});
