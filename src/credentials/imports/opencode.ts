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

/** What opencode calls a provider that we call otherwise. */
const names: Readonly<Record<string, string>> = {
  moonshotai: "kimi",
  "moonshotai-cn": "kimi-cn",
  "zai-coding-plan": "zai",
  zhipuai: "zai",
  "novita-ai": "novita",
};

/**
 * Reads opencode's `auth.json`: provider → `{type: "api", key}`, or `{type: "oauth", access, refresh, expires, accountId}` with
 * `expires` in Unix ms. A login at `openai` is one of a ChatGPT plan.
 */
export function readOpencodeFile(text: string): ReadResult {
  const file = parseFields(text);
  if (file === null) return unreadable;
  const credentials: FoundCredential[] = [];
  const leftOut: LeftOut[] = [];
  for (const [place, value] of Object.entries(file)) {
    const entry = asFields(value);
    const provider = names[place] ?? place;
    switch (entry?.["type"]) {
      case "api":
        credentials.push({
          kind: "key",
          place,
          provider,
          label: "opencode",
          key: secretOf(entry["key"]),
          variable: null,
          baseUrl: null,
        });
        break;
      case "oauth":
        credentials.push({
          kind: "login",
          place,
          provider: place === "openai" ? "codex" : provider,
          label: null,
          accessToken: secretOf(entry["access"]),
          refreshToken: secretOf(entry["refresh"]),
          idToken: null,
          accountId: textOf(entry["accountId"]),
          issuer: null,
          clientId: null,
          expiresAt: typeof entry["expires"] === "number" && entry["expires"] > 0 ? entry["expires"] : null,
          ended: null,
        });
        break;
      default:
        leftOut.push({ place, reason: "only a login or an API key can come over" });
    }
  }
  return { ok: true, found: { ...nothingFound, credentials, leftOut } };
}
