import {
  asFields,
  type FoundCredential,
  type LeftOut,
  nothingFound,
  parseFields,
  type ReadResult,
  secretOf,
  textOf,
  unreadable,
} from "./found.ts";

/**
 * Reads the Codex CLI's `auth.json`: a ChatGPT login under `tokens`, and an API key under `OPENAI_API_KEY`. Unknown fields are passed
 * over.
 */
export function readCodexFile(text: string): ReadResult {
  const file = parseFields(text);
  if (file === null) return unreadable;
  const credentials: FoundCredential[] = [];
  const leftOut: LeftOut[] = [];
  const tokens = asFields(file["tokens"]);
  if (tokens !== null) {
    const provenance = asFields(tokens["oauth_provenance"]);
    credentials.push({
      kind: "login",
      place: "tokens",
      provider: "codex",
      label: null,
      accessToken: secretOf(tokens["access_token"]),
      refreshToken: secretOf(tokens["refresh_token"]),
      idToken: secretOf(tokens["id_token"]),
      accountId: textOf(tokens["account_id"]),
      issuer: textOf(provenance?.["issuer"]),
      clientId: textOf(provenance?.["client_id"]),
      expiresAt: null,
      ended: null,
    });
  }
  if (textOf(file["OPENAI_API_KEY"]) !== null) {
    const key = secretOf(file["OPENAI_API_KEY"]);
    const place = "OPENAI_API_KEY";
    credentials.push({
      kind: "key",
      place,
      provider: "openai",
      label: "codex-cli",
      key,
      variable: null,
      baseUrl: null,
    });
  }
  for (const place of ["personal_access_token", "agent_identity"]) {
    if (file[place] != null) leftOut.push({ place, reason: "only a ChatGPT login or an API key can come over" });
  }
  return { ok: true, found: { ...nothingFound, credentials, leftOut } };
}
