/** OpenAI's public client for Codex. */
export const codexClientId = "app_EMoamEEZ73f0CkXaXp7hrann";

/** OpenAI's issuer. */
export const codexIssuer = "https://auth.openai.com";

/** The addresses of one issuer. */
export interface CodexEndpoints {
  /** Code exchange and refresh. */
  readonly token: string;
  readonly revoke: string;
  readonly authorize: string;
  readonly deviceStart: string;
  readonly devicePoll: string;
  /** The page that a person opens. */
  readonly devicePage: string;
  /** The redirect URI that the exchange of a device login names; nobody is ever sent there. */
  readonly deviceRedirect: string;
}

/** All of them under `issuer`, so that no credential can leave its origin (rule R7). A trailing slash does not matter. */
export function codexEndpoints(issuer: string = codexIssuer): CodexEndpoints {
  const base = issuer.replace(/\/+$/, "");
  return {
    token: `${base}/oauth/token`,
    revoke: `${base}/oauth/revoke`,
    authorize: `${base}/oauth/authorize`,
    deviceStart: `${base}/api/accounts/deviceauth/usercode`,
    devicePoll: `${base}/api/accounts/deviceauth/token`,
    devicePage: `${base}/codex/device`,
    deviceRedirect: `${base}/deviceauth/callback`,
  };
}
