import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";
import { systemClock } from "../../src/core/clock.ts";
import { Secret } from "../../src/core/secret.ts";
import type { NewLogin } from "../../src/credentials/store.ts";
import { pollDeviceGrant, requestDeviceAuthorization } from "../../src/oauth/device-grant.ts";
import { discoverServer } from "../../src/oauth/discovery.ts";
import type { LoginResult } from "../../src/oauth/login-failure.ts";
import { toGrant } from "../../src/providers/spend-refresh-token.ts";
import { startSimulator } from "../../src/simulator/simulator.ts";
import { createUndiciTransport } from "../../src/transport/undici.ts";
import { BrowsingPerson } from "../oauth/browsing-person.ts";
import type { WorkerOrders } from "./protocol.ts";

/** A sign-in server that ends a whole login when a refresh token of it is presented twice. */
export interface StrictIssuer extends AsyncDisposable {
  readonly name: string;
  /** What a worker must know to refresh a login of it; nothing for a provider that is built in. */
  readonly oidc?: NonNullable<WorkerOrders["oidc"]>;
  /** A new login of this account, as a person's sign-in gives it. */
  signIn(account: string): Promise<Pick<NewLogin, "provider" | "account" | "grant">>;
  /** When the last refresh of this account's login arrived, Unix ms. */
  arrivedAt(account: string): number | undefined;
}

/** Seconds that an access token lives: it is always time for a refresh. */
const accessTokenS = 1;

export const issuers = { codex: startCodexIssuer, "oidc-provider": startOidcProvider } as const;
export type IssuerName = keyof typeof issuers;

/** The scripted one, with the wire of OpenAI's. */
async function startCodexIssuer(): Promise<StrictIssuer> {
  const simulator = await startSimulator();
  const { codexIssuer } = simulator;
  codexIssuer.settings.onReuse = "revoke-family";
  codexIssuer.settings.accessTokenExpiresInS = accessTokenS;
  return {
    name: "scripted, as OpenAI's",
    signIn(name) {
      const known = codexIssuer.accounts.find((one) => one.name === name);
      const { accountId, userId, email, plan } =
        known ?? codexIssuer.addAccount({ email: `${name}@example.test`, name });
      const tokens = codexIssuer.issueTokens(name);
      const grant = {
        accessToken: new Secret(tokens.accessToken),
        refreshToken: new Secret(tokens.refreshToken),
        idToken: null,
        expiresAt: tokens.expiresAt,
        obtainedAt: 0,
        issuer: codexIssuer.origin,
      };
      return Promise.resolve({ provider: "codex", account: { id: accountId, userId, email, plan }, grant });
    },
    arrivedAt: (account) => codexIssuer.requests.findLast(({ credential }) => credential === account)?.at,
    [Symbol.asyncDispose]: () => simulator.close(),
  };
}

const clientId = "understudy-prove";

/** One that we did not write: certified, with reuse detection. Signed in to by device code, with a browser's help. */
async function startOidcProvider(): Promise<StrictIssuer> {
  // It warns that its pages and keys are for tests only. So they are.
  console.info = console.warn = () => {};
  const http = createServer();
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const provider = new Provider(origin, {
    clients: [
      {
        client_id: clientId,
        application_type: "native",
        token_endpoint_auth_method: "none",
        redirect_uris: ["http://127.0.0.1/callback"],
        response_types: ["code"],
        grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      },
    ],
    features: { deviceFlow: { enabled: true }, devInteractions: { enabled: true } },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    cookies: { keys: ["prove"] },
    ttl: {
      AccessToken: accessTokenS,
      RefreshToken: 86_400,
      DeviceCode: 600,
      Interaction: 600,
      Session: 600,
      Grant: 86_400,
    },
  });
  const arrivals = new WeakMap<IncomingMessage, number>();
  const accountOf = new Map<string, string>();
  const arrivedAt = new Map<string, number>();
  provider.on("grant.success", ({ body, req, oidc }) => {
    const account = accountOf.get(String(oidc.params["refresh_token"]));
    if (account === undefined) return;
    accountOf.set(String(body["refresh_token"]), account);
    arrivedAt.set(account, arrivals.get(req) ?? Date.now());
  });
  http.on("request", (request) => arrivals.set(request, Date.now()));
  http.on("request", provider.callback());

  const transport = createUndiciTransport();
  const clock = systemClock;
  const found = valueOf(await discoverServer({ transport, clock, issuer: origin }));
  const endpoint = found.deviceAuthorizationEndpoint ?? "";
  return {
    name: "oidc-provider",
    oidc: { issuer: origin, clientId },
    async signIn(account) {
      const scope = "openid offline_access";
      const asked = valueOf(await requestDeviceAuthorization({ transport, clock, clientId, endpoint, scope }));
      await new BrowsingPerson({ userCode: asked.userCode }).visit(asked.verificationUrl);
      const soon = { ...asked, intervalMs: 1 };
      const waiting = { transport, clock, clientId, tokenEndpoint: found.tokenEndpoint };
      const tokens = valueOf(await pollDeviceGrant(waiting, soon));
      accountOf.set(tokens.refreshToken?.reveal() ?? "", account);
      // One person has all of them: that they are different logins is known by their label alone.
      const nobody = { id: null, userId: null, email: null, plan: null };
      return { provider: "oidc", account: nobody, grant: toGrant(tokens, origin, Date.now()) };
    },
    arrivedAt: (account) => arrivedAt.get(account),
    async [Symbol.asyncDispose]() {
      await transport.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function valueOf<T>(result: LoginResult<T>): T {
  if (!result.ok) throw new Error(`${result.failure.code}: ${result.failure.message}`);
  return result.value;
}
