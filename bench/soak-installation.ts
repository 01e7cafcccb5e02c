import { Secret } from "../src/core/secret.ts";
import type { ScriptedIssuer } from "../src/simulator/issuer/scripted-issuer.ts";
import { addKeys, type Installation } from "./targets.ts";

/** Longest silence, in ms: long for a busy machine, short enough to be waited for. */
const silenceMs = 5_000;

/** Routes by what is asked for. Nothing goes wrong with the clean ones. */
export const soakRoutes: Readonly<Record<string, readonly string[]>> = {
  json: ["keys/json", "spare/json-spare"],
  sse: ["codex/sse", "keys/sse-second", "spare/sse-spare"],
  "json-clean": ["keys/json-clean"],
  "sse-clean": ["codex/sse-clean"],
};

/** Keys at two providers, and logins whose tokens the simulator's issuer makes. */
export function soakInstallation(upstreamPort: number, issuer: ScriptedIssuer): Installation {
  const baseUrl = `http://127.0.0.1:${upstreamPort}/v1`;
  const provider = { protocol: "responses", baseUrl };
  return {
    config: {
      providers: { keys: provider, spare: provider },
      routes: soakRoutes,
      limits: { firstEventMs: silenceMs, idleMs: silenceMs },
    },
    env: { UNDERSTUDY_CODEX_ISSUER: issuer.origin, UNDERSTUDY_CODEX_BASE_URL: baseUrl },
    async fill(workspace) {
      await addKeys(workspace, "keys", 48);
      await addKeys(workspace, "spare", 48);
      for (let i = 0; i < 16; i++) {
        const login = issuer.addAccount({ email: `login-${i}@example.test` });
        const tokens = issuer.issueTokens(login);
        await workspace.store.saveLogin({
          provider: "codex",
          label: login.email,
          account: { id: login.accountId, userId: login.userId, email: login.email, plan: login.plan },
          grant: {
            accessToken: new Secret(tokens.accessToken),
            refreshToken: new Secret(tokens.refreshToken),
            idToken: new Secret(tokens.idToken),
            expiresAt: tokens.expiresAt,
            obtainedAt: Date.now(),
            issuer: issuer.origin,
          },
          at: Date.now(),
        });
      }
    },
  };
}
