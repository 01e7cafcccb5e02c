import type { Provider, SignIn } from "../providers/provider.ts";
import { findProvider } from "../providers/registry.ts";
import type { Config, ProviderConfig } from "./schema.ts";

/**
 * The built-in providers as the configuration changes them, then those it adds. Expects a checked configuration.
 *
 * What a person wrote beats every rule that comes with a provider: a `protocol` holds for all its models and URLs, a
 * `baseUrl` for all its keys and over the environment variable.
 */
export function mergeProviders(config: Config, builtIns: readonly Provider[]): Provider[] {
  const merged = builtIns.map((provider) => {
    const entry = Object.hasOwn(config.providers, provider.id) ? config.providers[provider.id] : undefined;
    return entry === undefined ? provider : mergeProvider(provider, entry);
  });
  for (const [id, entry] of Object.entries(config.providers)) {
    if (findProvider(builtIns, id) === null) merged.push(ownProvider(id, entry));
  }
  return merged;
}

function mergeProvider(provider: Provider, entry: ProviderConfig): Provider {
  const { protocol, baseUrl, headers, allowInsecure } = entry;
  return {
    ...provider,
    name: entry.name ?? provider.name,
    aliases: [...new Set([...provider.aliases, ...(entry.aliases ?? [])])],
    signIn: mergeSignIn(provider.signIn, entry),
    ...(protocol === undefined ? {} : { protocol, protocolRules: [], protocolByBaseUrl: [] }),
    ...(baseUrl === undefined ? {} : { baseUrl: baseUrl.trim(), baseUrlEnv: null, baseUrlByKeyPrefix: [] }),
    ...(allowInsecure === undefined ? {} : { allowInsecure }),
    ...(headers === undefined ? {} : { headers: withHeaders(provider.headers, headers) }),
  };
}

function mergeSignIn(signIn: SignIn, entry: ProviderConfig): SignIn {
  if (signIn.kind === "codex") return { ...signIn, issuer: entry.issuer?.trim() ?? signIn.issuer };
  if (signIn.kind === "oauth") return signIn;
  return { ...signIn, env: entry.apiKeyEnv === undefined ? signIn.env : listOf(entry.apiKeyEnv) };
}

/** A key is required where a variable for one is named; a server without one and without a login is asked without a key. */
function ownProvider(id: string, entry: ProviderConfig): Provider {
  const { protocol = "chat-completions", baseUrl, headers, allowInsecure } = entry;
  return {
    id,
    name: entry.name ?? id,
    aliases: entry.aliases ?? [],
    signIn: ownSignIn(entry),
    protocol,
    protocolByBaseUrl: [],
    baseUrl: baseUrl?.trim() ?? null,
    baseUrlEnv: null,
    ...(allowInsecure === undefined ? {} : { allowInsecure }),
    ...(headers === undefined ? {} : { headers: withHeaders(undefined, headers) }),
  };
}

function ownSignIn({ apiKeyEnv, oauth }: ProviderConfig): SignIn {
  if (oauth === undefined) return { kind: "api_key", env: listOf(apiKeyEnv), required: apiKeyEnv !== undefined };
  const { issuer, clientId, scopes, flow, redirectUri = null, trustedOrigins } = oauth;
  const scope = (typeof scopes === "string" ? scopes.split(/\s+/) : scopes).filter((one) => one !== "").join(" ");
  return { kind: "oauth", issuer: issuer.trim(), clientId, scope, flow, redirectUri, trustedOrigins };
}

function withHeaders(own: Provider["headers"], added: Record<string, string>): NonNullable<Provider["headers"]> {
  const lower = Object.fromEntries(Object.entries(added).map(([name, value]) => [name.toLowerCase(), value]));
  return (credential) => ({ ...own?.(credential), ...lower });
}

function listOf(names: string | readonly string[] | undefined): readonly string[] {
  return names === undefined ? [] : typeof names === "string" ? [names] : names;
}
