import { type Fields, parseAnswerBody, readText } from "./answer-body.ts";
import { loginTimeoutMs } from "./code-exchange.ts";
import { isSecureEndpoint } from "./endpoint.ts";
import { exchange, isSuccess, userAgent, type Ports } from "./exchange.ts";
import { type LoginResult, loginFailure, networkLoginFailure } from "./login-failure.ts";

/** What a sign-in server says of itself: the part that we use. */
export interface ServerMetadata {
  /** Exactly as configured and as the server spells it. */
  readonly issuer: string;
  readonly tokenEndpoint: string;
  readonly authorizationEndpoint: string | null;
  readonly deviceAuthorizationEndpoint: string | null;
  readonly revocationEndpoint: string | null;
}

/** Which server to ask, and where its endpoints may lie. */
export interface DiscoveryOptions extends Ports {
  /** The issuer identifier: an https URL, or http on this machine. */
  readonly issuer: string;
  /**
   * Origins besides the issuer's own that its endpoints may lie at, for servers that spread over several hosts. Default none:
   * then a document that was tampered with can't send a credential elsewhere (rule R7).
   */
  readonly trustedOrigins?: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * Asks a sign-in server for its addresses: RFC 8414 first, then OpenID Connect Discovery. Refused are: a document that names
 * another issuer (RFC 8414 §3.3), an endpoint that is not https, and one at an origin that nobody trusts.
 */
export async function discoverServer(options: DiscoveryOptions): Promise<LoginResult<ServerMetadata>> {
  const { issuer, signal } = options;
  if (!isSecureEndpoint(issuer)) {
    return loginFailure("untrusted", "the issuer must be an https address without a user name");
  }
  let lastStatus = 0;
  for (const url of wellKnownUrls(issuer)) {
    const request = { method: "GET" as const, url, headers: { accept: "application/json", "user-agent": userAgent } };
    const outcome = await exchange(options, request, loginTimeoutMs, signal);
    if (outcome.kind !== "answered") return networkLoginFailure(outcome, url);
    const { status, text } = outcome.answer;
    lastStatus = status;
    const document = isSuccess(status) ? parseAnswerBody(text) : null;
    if (document !== null) return readMetadata(document, options);
  }
  const message = `the sign-in server ${new URL(issuer).host} does not describe itself (status ${lastStatus})`;
  return loginFailure("not_enabled", message, { status: lastStatus });
}

/** RFC 8414 §3.1 puts the well-known part before the issuer's path, OpenID Connect after it. */
function wellKnownUrls(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/+$/, "");
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}${path}/.well-known/openid-configuration`,
  ];
}

function readMetadata(document: Fields, options: DiscoveryOptions): LoginResult<ServerMetadata> {
  const { issuer } = options;
  if (document["issuer"] !== issuer) {
    return loginFailure("untrusted", `the sign-in server ${new URL(issuer).host} names another issuer than ${issuer}`);
  }
  const trusted = new Set([issuer, ...(options.trustedOrigins ?? [])].map((url) => new URL(url).origin));
  const untrusted: string[] = [];
  const endpoint = (name: string): string | null => {
    const url = readText(document[name]);
    if (url !== null && !(isSecureEndpoint(url) && trusted.has(new URL(url).origin))) untrusted.push(name);
    return url;
  };
  const tokenEndpoint = endpoint("token_endpoint");
  const metadata = {
    issuer,
    authorizationEndpoint: endpoint("authorization_endpoint"),
    deviceAuthorizationEndpoint: endpoint("device_authorization_endpoint"),
    revocationEndpoint: endpoint("revocation_endpoint"),
  };
  if (untrusted.length > 0) {
    return loginFailure(
      "untrusted",
      `the sign-in server's ${untrusted.join(", ")} lies at an origin that is not trusted`,
    );
  }
  if (tokenEndpoint === null) return loginFailure("incomplete", "the sign-in server names no token endpoint");
  return { ok: true, value: { ...metadata, tokenEndpoint } };
}
