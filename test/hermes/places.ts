import { parseConfig } from "../../src/config/parse.ts";
import { resolveConfig, type ResolvedConfig } from "../../src/config/resolve.ts";
import { parseTarget, type ProtocolName } from "../../src/core/target.ts";
import { environmentCredentials } from "../../src/providers/environment.ts";
import { builtInProviders, findProvider } from "../../src/providers/registry.ts";
import { missingBaseUrl, resolveBaseUrl, resolveProtocol } from "../../src/providers/resolve.ts";

type Environment = Readonly<Record<string, string>>;

/** Where a target is called, how, and with the keys of which variables. */
export interface Place {
  readonly provider: string;
  readonly protocol: ProtocolName | null;
  /** Or what a person can do about it, when there is none. */
  readonly url: string;
  /** Names of variables; `none` where a server asks for no key. */
  readonly keys: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

/** A configuration with its environment. Throws when it is wrong. */
export function resolved(text: string, env: Environment = {}): ResolvedConfig {
  const parsed = parseConfig(text, "config.yaml");
  if (!parsed.ok) throw new Error(problems(text));
  return resolveConfig(parsed.config, builtInProviders, env);
}

/** What is wrong with a configuration, as a person reads it; empty when nothing is. */
export function problems(text: string): string {
  const parsed = parseConfig(text, "config.yaml");
  return parsed.ok ? "" : parsed.problems.map(({ message }) => message).join("\n");
}

export function place(text: string, config = "", env: Environment = {}): Place {
  const target = parseTarget(text);
  const { providers } = resolved(config, env);
  const provider = target === null ? null : findProvider(providers, target.provider);
  if (target === null || provider === null) throw new Error(`no provider for ${text}`);
  const url = resolveBaseUrl(provider);
  const keys = environmentCredentials(providers, env, () => "0".repeat(64)).flatMap((one) =>
    one.provider === provider.id ? [one.source.from === "env" ? one.source.name : one.source.from] : [],
  );
  return {
    provider: provider.id,
    protocol: url === null ? null : resolveProtocol(provider, target.model, url),
    url: url ?? missingBaseUrl(provider),
    keys,
    headers: provider.headers?.(null) ?? {},
  };
}
