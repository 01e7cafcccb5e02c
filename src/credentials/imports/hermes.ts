import { parse } from "yaml";
import {
  asFields,
  type Fields,
  type Found,
  type FoundCredential,
  type FoundLogin,
  type FoundProvider,
  type FoundStrategy,
  type FoundTarget,
  type LeftOut,
  nothingFound,
  parseFields,
  type ReadResult,
  secretOf,
  textOf,
  unreadable,
} from "./found.ts";

/**
 * Reads Hermes' `auth.json`: the pool (`credential_pool`: provider → rows) and the one login per provider beside it (`providers`), of
 * which the pool holds a mirror; the same refresh token counts once. Rows whose secret lives elsewhere (environment, another
 * tool's file) hold none here.
 */
export function readHermesAuth(text: string): ReadResult {
  const file = parseFields(text);
  if (file === null) return unreadable;
  const credentials: FoundCredential[] = [];
  const leftOut: LeftOut[] = [];
  for (const [provider, rows] of Object.entries(asFields(file["credential_pool"]) ?? {})) {
    for (const [i, value] of (Array.isArray(rows) ? (rows as unknown[]) : []).entries()) {
      const row = asFields(value);
      const place = `credential_pool.${provider}[${i}]`;
      if (row === null) leftOut.push({ place, reason: "it is no row of a pool" });
      else readRow(row, provider, place, credentials, leftOut);
    }
  }
  for (const [provider, value] of Object.entries(asFields(file["providers"]) ?? {})) {
    const tokens = asFields(asFields(value)?.["tokens"]);
    if (tokens === null) continue;
    const login = loginOf(tokens, provider, `providers.${provider}`, textOf(asFields(value)?.["label"]), null);
    if (!credentials.some((one) => one.kind === "login" && login.refreshToken?.equals(one.refreshToken) === true)) {
      credentials.push(login);
    }
  }
  return { ok: true, found: { ...nothingFound, credentials, leftOut } };
}

function readRow(
  row: Fields,
  provider: string,
  place: string,
  credentials: FoundCredential[],
  leftOut: LeftOut[],
): void {
  const source = wordOf(row["source"]) ?? "manual";
  const label = textOf(row["label"]);
  if (row["auth_type"] === "oauth") {
    const ended = row["last_status"] === "dead" ? (wordOf(row["last_error_reason"]) ?? "dead") : null;
    credentials.push(loginOf(row, provider, place, label, ended));
    return;
  }
  const baseUrl = textOf(row["base_url"]);
  const variable = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(source)?.[1];
  if (variable !== undefined) {
    credentials.push({ kind: "key", place, provider, label, key: null, variable, baseUrl });
    return;
  }
  const key = secretOf(row["access_token"]);
  if (key === null) leftOut.push({ place, reason: `its secret is not in this file (${source})` });
  else credentials.push({ kind: "key", place, provider, label, key, variable: null, baseUrl });
}

/** A word that may be shown: what stands here is not ours, and could be anything. */
function wordOf(value: unknown): string | null {
  const text = textOf(value);
  return text !== null && /^[A-Za-z][\w:.-]{0,39}$/.test(text) ? text : null;
}

function loginOf(
  fields: Fields,
  provider: string,
  place: string,
  label: string | null,
  ended: string | null,
): FoundLogin {
  return {
    kind: "login",
    place,
    provider,
    label,
    accessToken: secretOf(fields["access_token"]),
    refreshToken: secretOf(fields["refresh_token"]),
    idToken: secretOf(fields["id_token"]),
    accountId: textOf(fields["account_id"]),
    issuer: null,
    clientId: textOf(fields["client_id"]),
    expiresAt: typeof fields["expires_at_ms"] === "number" ? fields["expires_at_ms"] : null,
    ended,
  };
}

/**
 * Reads Hermes' `config.yaml`: the model that comes first, `fallback_providers` and the older `fallback_model` behind it, the pools'
 * strategies, and providers of one's own.
 */
export function readHermesConfig(text: string): ReadResult {
  let file: Fields | null;
  try {
    file = asFields(parse(text) ?? {});
  } catch {
    return { ok: false, reason: "it can't be read as YAML" };
  }
  if (file === null) return { ok: false, reason: "it holds no settings" };
  const targets: FoundTarget[] = [];
  const leftOut: LeftOut[] = [];
  const add = (place: string, value: unknown): void => {
    const entry = asFields(value);
    const provider = textOf(entry?.["provider"]);
    const model = textOf(entry?.["model"]) ?? textOf(entry?.["default"]);
    if (provider === null || model === null) leftOut.push({ place, reason: "it names no provider or no model" });
    else targets.push({ place, provider, model, baseUrl: textOf(entry?.["base_url"]) });
  };
  if (asFields(file["model"]) !== null) add("model", file["model"]);
  for (const key of ["fallback_providers", "fallback_model"]) {
    const value = file[key];
    if (value == null) continue;
    for (const [i, entry] of (Array.isArray(value) ? (value as unknown[]) : [value]).entries())
      add(`${key}[${i}]`, entry);
  }
  const found: Found = {
    ...nothingFound,
    targets,
    leftOut,
    strategies: readStrategies(file),
    providers: readProviders(file),
  };
  return { ok: true, found };
}

function readStrategies(file: Fields): FoundStrategy[] {
  return Object.entries(asFields(file["credential_pool_strategies"]) ?? {}).flatMap(([provider, value]) => {
    const strategy = textOf(value);
    return strategy === null ? [] : [{ provider, strategy }];
  });
}

function readProviders(file: Fields): FoundProvider[] {
  const list = file["custom_providers"];
  return (Array.isArray(list) ? (list as unknown[]) : []).flatMap((value, i) => {
    const entry = asFields(value);
    const name = textOf(entry?.["name"]);
    const baseUrl = textOf(entry?.["base_url"]);
    if (name === null || baseUrl === null) return [];
    const place = `custom_providers[${i}]`;
    return [{ place, name, baseUrl, mode: textOf(entry?.["api_mode"]), variable: textOf(entry?.["key_env"]) }];
  });
}
