import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";
import { vi } from "vitest";

/** A sign-in server that we did not write: certified, with rotating refresh tokens and reuse detection. */
export class OidcIssuer implements AsyncDisposable {
  readonly origin: string;
  /** The errors of the token endpoint, as the server explains them; not those of a device login that is waited for. */
  readonly errors: string[] = [];
  /** Every access token that was given out. */
  readonly accessTokens: string[] = [];
  /** Seconds that the next access token lives. */
  accessTokenS: number;
  readonly #http: Server;

  constructor(http: Server, options: OidcIssuerOptions) {
    this.#http = http;
    this.accessTokenS = options.accessTokenS ?? 3_600;
    this.origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    // It warns that its pages and keys are for tests only. So they are.
    vi.spyOn(console, "info").mockImplementation(() => {});
    vi.spyOn(console, "warn").mockImplementation(() => {});
    const provider = new Provider(this.origin, {
      clients: [
        {
          client_id: oidcClientId,
          application_type: "native",
          token_endpoint_auth_method: "none",
          redirect_uris: ["http://127.0.0.1/callback", "http://localhost/signed/in"],
          response_types: ["code"],
          grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
        },
      ],
      features: { deviceFlow: { enabled: true }, revocation: { enabled: true }, devInteractions: { enabled: true } },
      pkce: { required: () => true },
      rotateRefreshToken: true,
      cookies: { keys: ["test"] },
      ttl: {
        AccessToken: () => this.accessTokenS,
        RefreshToken: 86_400,
        DeviceCode: options.deviceCodeS ?? 600,
        Interaction: 600,
        Session: 600,
        Grant: 86_400,
      },
    });
    provider.on("grant.error", (_, error) => {
      const words = error.error_detail ?? error.message;
      if (words !== "authorization_pending") this.errors.push(words);
    });
    provider.on("grant.success", ({ body }) => {
      this.accessTokens.push(String(body["access_token"]));
      options.onAccessToken?.(String(body["access_token"]));
    });
    http.on("request", provider.callback());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    vi.restoreAllMocks();
    this.#http.closeAllConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }
}

export interface OidcIssuerOptions {
  /** Seconds; default 3,600. */
  readonly accessTokenS?: number;
  /** Seconds; default 600. */
  readonly deviceCodeS?: number;
  readonly onAccessToken?: (token: string) => void;
}

/** The public client that it knows. */
export const oidcClientId = "understudy-test";

export async function startOidcIssuer(options: OidcIssuerOptions = {}): Promise<OidcIssuer> {
  const http = createServer();
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return new OidcIssuer(http, options);
}
