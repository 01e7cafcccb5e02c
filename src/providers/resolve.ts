import { Secret } from "../core/secret.ts";
import type { ProtocolName } from "../core/target.ts";
import { baseUrlProblem, trimBaseUrl } from "./base-url.ts";
import type { Provider } from "./provider.ts";

/** A provider that sells both dialects says so in the path; several do it in this way. */
export const endingConventions: NonNullable<Provider["protocolByBaseUrl"]> = [
  { ending: /\/anthropic(\/v1)?$/, protocol: "messages" },
];

/** What the base URL of a request depends on, besides the provider. */
export interface BaseUrlInput {
  /** From the configuration: beats everything. */
  readonly override?: string;
  /** Environment variables. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The key in use, where its shape matters. */
  readonly key?: Secret | null;
}

/**
 * Where requests of `provider` go, without a trailing slash. In this order: the configuration's override, the
 * environment variable, what the key's shape asks for, the default.
 *
 * Null when there is none, or when the one that was given can't be used: then the default is not used in its stead,
 * since the key at hand may be meant for the other place (rule R7). `missingBaseUrl` says what to do.
 */
export function resolveBaseUrl(provider: Provider, input: BaseUrlInput = {}): string | null {
  const given = input.override?.trim() || baseUrlVariable(provider, input.env)?.value;
  if (given !== undefined) {
    return baseUrlProblem(given, provider.allowInsecure) === null ? rewrite(provider, trimBaseUrl(given)) : null;
  }
  const key = input.key?.reveal().trim() ?? "";
  const asked = provider.baseUrlByKeyPrefix?.find(({ prefix }) => key.startsWith(prefix));
  const url = asked?.baseUrl ?? provider.baseUrl;
  return url === null ? null : rewrite(provider, trimBaseUrl(url));
}

/** The environment variable that overrides the base URL, when it is set and not blank. */
export function baseUrlVariable(
  provider: Provider,
  env: Readonly<Record<string, string | undefined>> = {},
): { name: string; value: string } | null {
  const name = provider.baseUrlEnv;
  const value = name === null ? "" : (env[name]?.trim() ?? "");
  return name === null || value === "" ? null : { name, value };
}

/** What a person can do when `resolveBaseUrl` gave null. One sentence. */
export function missingBaseUrl(provider: Provider): string {
  const variable = provider.baseUrlEnv === null ? "" : ` or the environment variable ${provider.baseUrlEnv}`;
  return `${provider.name} has no usable base URL: set providers.${provider.id}.baseUrl in the configuration${variable}`;
}

/**
 * The protocol that `model` speaks at `baseUrl` (as `resolveBaseUrl` gave it). In this order: what the URL's ending says,
 * the model's name, the provider's own protocol.
 */
export function resolveProtocol(provider: Provider, model: string, baseUrl: string): ProtocolName {
  const url = trimBaseUrl(baseUrl);
  const byUrl = (provider.protocolByBaseUrl ?? endingConventions).find(({ ending }) => ending.test(url));
  const byModel = provider.protocolRules?.find((rule) => rule.model.test(model));
  return byUrl?.protocol ?? byModel?.protocol ?? provider.protocol;
}

/** Where a model of a provider is called, and how. */
export interface Endpoint {
  readonly baseUrl: string;
  readonly protocol: ProtocolName;
}

/** Endpoints of providers for which the key at hand makes no difference: every attempt asks for one. */
const endpoints = new WeakMap<Provider, Map<string, Endpoint>>();
const endpointsOfProvider = 1_000;

/** The endpoint with this key and without any override; null when no base URL is known. */
export function resolveEndpoint(provider: Provider, model: string, key: string): Endpoint | null {
  const known = endpoints.get(provider)?.get(model);
  if (known !== undefined) return known;
  const baseUrl = resolveBaseUrl(provider, { key: new Secret(key) });
  if (baseUrl === null) return null;
  const endpoint = { baseUrl, protocol: resolveProtocol(provider, model, baseUrl) };
  if (provider.baseUrlByKeyPrefix === undefined) {
    const ofProvider = endpoints.get(provider) ?? new Map<string, Endpoint>();
    endpoints.set(provider, ofProvider);
    if (ofProvider.size < endpointsOfProvider) ofProvider.set(model, endpoint);
  }
  return endpoint;
}

function rewrite(provider: Provider, url: string): string {
  const rule = provider.baseUrlRewrite;
  return rule === undefined ? url : url.replace(rule.from, rule.to);
}
