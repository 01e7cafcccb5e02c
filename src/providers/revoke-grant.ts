import type { Clock } from "../core/clock.ts";
import type { Transport } from "../core/transport.ts";
import type { Grant } from "../credentials/credential.ts";
import { codexEndpoints } from "../oauth/codex/endpoints.ts";
import { discoverServer } from "../oauth/discovery.ts";
import { revokeToken } from "../oauth/revoke.ts";
import type { LoginSignIn, Provider } from "./provider.ts";

export interface RevokeInput {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly provider: Provider;
}

/** Tells the issuer that a grant is no longer used. Best effort: false when it could not be told. Never throws. */
export async function revokeGrant({ transport, clock, provider }: RevokeInput, grant: Grant): Promise<boolean> {
  const { signIn } = provider;
  if (signIn.kind === "api_key") return false;
  const endpoint = await revocationEndpoint({ transport, clock }, signIn, grant.issuer);
  if (endpoint === null) return false;
  const hasRefreshToken = grant.refreshToken !== null;
  return revokeToken({
    transport,
    clock,
    endpoint,
    // OpenAI's own client leaves the client id out with an access token; the standard wants it always.
    clientId: signIn.kind === "oauth" || hasRefreshToken ? signIn.clientId : null,
    token: grant.refreshToken ?? grant.accessToken,
    hint: hasRefreshToken ? "refresh_token" : "access_token",
    encoding: signIn.kind === "oauth" ? "form" : "json",
  });
}

async function revocationEndpoint(
  ports: Pick<RevokeInput, "transport" | "clock">,
  signIn: LoginSignIn,
  issuer: string,
): Promise<string | null> {
  if (signIn.kind === "codex") return codexEndpoints(issuer).revoke;
  const found = await discoverServer({ ...ports, issuer, trustedOrigins: signIn.trustedOrigins });
  return found.ok ? found.value.revocationEndpoint : null;
}
