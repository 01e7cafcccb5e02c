import { UnderstudyError } from "../core/error.ts";
import type { Strategy } from "../core/select.ts";
import type { Price } from "../core/price.ts";
import { formatTarget, parseTarget, type Route, type Target } from "../core/target.ts";
import { baseUrlProblem, trimBaseUrl } from "../providers/base-url.ts";
import type { Environment } from "../providers/environment.ts";
import type { Row } from "../failures/row.ts";
import type { Provider } from "../providers/provider.ts";
import { findProvider } from "../providers/registry.ts";
import { baseUrlVariable } from "../providers/resolve.ts";
import { failureRows } from "./own-rows.ts";
import { mergeProviders } from "./merge-providers.ts";
import type { Config, JournalLimits, Limits } from "./schema.ts";

/** A configuration and an environment brought together: all that the rest of the package needs to know of either. */
export interface ResolvedConfig {
  readonly providers: readonly Provider[];
  /** In the order of the file; targets carry provider ids, never aliases. */
  readonly routes: readonly Route[];
  /** What `defaultRoute` says: the name of a route or `provider/model`. Null: the first route. */
  readonly defaultRoute: string | null;
  /** By provider id; ask `strategyFor`. */
  readonly strategies: ReadonlyMap<string, Strategy>;
  /** By provider id; ask `concurrencyFor`. */
  readonly concurrency: ReadonlyMap<string, number>;
  readonly limits: Limits;
  /** The table that failures are looked up in: the configuration's own rows and the built-in ones. */
  readonly failureRows: readonly Row[];
  /** By `provider/model` with the provider's id; ask `priceOf`. */
  readonly prices: ReadonlyMap<string, Price>;
  readonly journal: JournalLimits;
  /** As the person wrote it; null for the default place. */
  readonly store: string | null;
  /** What was passed over, in words for a person; without values. */
  readonly warnings: readonly string[];
}

/**
 * Resolves a checked configuration. Afterwards the environment is not needed for base URLs: a provider's `baseUrl` is
 * the one to use, but for what a key's shape asks for.
 *
 * A base URL variable that can't be used leaves its provider without a base URL and adds a warning: other providers go
 * on (rule R2), and no key goes to a default it was not meant for (rule R7). Throws `UnderstudyError` `config_invalid`
 * for an issuer variable that can't be used: it is our own, and somebody set it on purpose.
 */
export function resolveConfig(config: Config, builtIns: readonly Provider[], env: Environment): ResolvedConfig {
  const warnings: string[] = [];
  const providers = mergeProviders(config, builtIns).map((provider) =>
    withEnvironment(provider, config, env, warnings),
  );
  return {
    providers,
    routes: Object.entries(config.routes).map(([name, route]) => {
      const list = Array.isArray(route) ? route : route.targets;
      const strict = !Array.isArray(route) && route.strict === true;
      const goesOn = !Array.isArray(route) && route.continue === "text";
      return {
        name,
        strict,
        targets: list.map((entry) => resolveTarget(entry, providers)),
        ...(goesOn ? { continue: "text" as const } : {}),
      };
    }),
    defaultRoute: config.defaultRoute ?? null,
    strategies: byProvider(config, providers, ({ strategy }) => strategy),
    concurrency: byProvider(config, providers, ({ concurrency }) => concurrency),
    limits: config.limits,
    failureRows: failureRows(config, providers),
    prices: new Map(
      Object.entries(config.prices).map(([name, { input, output, cachedInput = input }]) => [
        formatTarget(resolveTarget(name, providers)),
        { input, output, cachedInput },
      ]),
    ),
    journal: config.journal,
    store: config.store ?? null,
    warnings,
  };
}

function byProvider<T>(
  { pools }: Config,
  providers: readonly Provider[],
  pick: (pool: Config["pools"][string]) => T,
): ReadonlyMap<string, T> {
  return new Map(Object.entries(pools).map(([name, pool]) => [findProvider(providers, name)?.id ?? name, pick(pool)]));
}

/** How many turns one credential of this provider carries at once before others go first; 16 unless the configuration says otherwise. */
export function concurrencyFor(resolved: ResolvedConfig, providerId: string): number {
  return resolved.concurrency.get(providerId) ?? 16;
}

/** How the pool of this provider chooses; `fill_first` unless the configuration says otherwise. */
export function strategyFor(resolved: ResolvedConfig, providerId: string): Strategy {
  return resolved.strategies.get(providerId) ?? "fill_first";
}

/** What this model costs; null when the configuration does not say. */
export function priceOf(resolved: ResolvedConfig, target: Pick<Target, "provider" | "model">): Price | null {
  return resolved.prices.get(formatTarget(target)) ?? null;
}

function resolveTarget(
  entry: string | { target: string; credential?: string | undefined; paid?: boolean | undefined },
  providers: readonly Provider[],
): Target {
  const { target: text, credential, paid } = typeof entry === "string" ? { target: entry } : { ...entry };
  const target = parseTarget(text);
  const provider = target === null ? null : findProvider(providers, target.provider);
  if (target === null || provider === null) {
    throw new UnderstudyError(
      "config_invalid",
      `a route names the target ${JSON.stringify(text)}, whose provider is unknown`,
    );
  }
  return {
    provider: provider.id,
    model: target.model,
    ...(credential === undefined ? {} : { credential }),
    ...(paid === undefined ? {} : { paid }),
  };
}

function withEnvironment(provider: Provider, config: Config, env: Environment, warnings: string[]): Provider {
  const entry = Object.hasOwn(config.providers, provider.id) ? config.providers[provider.id] : undefined;
  let resolved = provider;
  const variable = baseUrlVariable(provider, env);
  if (variable !== null) {
    const problem = baseUrlProblem(variable.value, provider.allowInsecure);
    if (problem !== null) {
      warnings.push(`${variable.name} can't be used, so ${provider.id} has no base URL: it must ${problem}`);
    }
    const baseUrl = problem === null ? trimBaseUrl(variable.value) : null;
    resolved = { ...resolved, baseUrl, baseUrlByKeyPrefix: [] };
  }
  const { signIn } = provider;
  if (signIn.kind === "codex" && entry?.issuer === undefined) {
    const issuer = env[signIn.issuerEnv]?.trim() ?? "";
    if (issuer !== "") {
      const problem = baseUrlProblem(issuer, provider.allowInsecure);
      if (problem !== null) {
        throw new UnderstudyError("config_invalid", `the environment variable ${signIn.issuerEnv} must ${problem}`);
      }
      resolved = { ...resolved, signIn: { ...signIn, issuer: trimBaseUrl(issuer) } };
    }
  }
  return resolved;
}
