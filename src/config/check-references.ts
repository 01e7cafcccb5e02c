import { formatTarget, parseTarget } from "../core/target.ts";
import { findLeftOut } from "../providers/left-out.ts";
import type { Provider } from "../providers/provider.ts";
import { findProvider } from "../providers/registry.ts";
import { didYouMean, nearestNames } from "./nearest-names.ts";
import type { ConfigIssue } from "./problem.ts";
import type { Config } from "./schema.ts";
import { keyIssue, valueIssue } from "./shape-issues.ts";

/** What is wrong with the names of providers in pools, routes and `defaultRoute`. `providers` are all there are. */
export function referenceIssues(config: Config, providers: readonly Provider[]): ConfigIssue[] {
  const names = providers.flatMap(({ id, aliases }) => [id, ...aliases]);
  return [
    ...poolIssues(config, providers, names),
    ...routeIssues(config, providers, names),
    ...priceIssues(config, providers, names),
    ...defaultRouteIssues(config, providers),
  ];
}

function poolIssues(config: Config, providers: readonly Provider[], names: readonly string[]): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const pooled = new Map<string, string>();
  for (const name of Object.keys(config.pools)) {
    const id = findProvider(providers, name)?.id;
    if (id === undefined) {
      issues.push(keyIssue(["pools", name], expectedProvider(name), didYouMean(nearestNames(name, names))));
      continue;
    }
    const other = pooled.get(id);
    if (other !== undefined) {
      issues.push(keyIssue(["pools", name], `one pool for ${id}, which ${other} names, too`, null));
    }
    pooled.set(id, name);
  }
  return issues;
}

function routeIssues(config: Config, providers: readonly Provider[], names: readonly string[]): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  for (const [name, route] of Object.entries(config.routes)) {
    const isList = Array.isArray(route);
    const seen = new Set<string>();
    for (const [i, entry] of (isList ? route : route.targets).entries()) {
      const isText = typeof entry === "string";
      const path = ["routes", name, ...(isList ? [] : ["targets"]), i, ...(isText ? [] : ["target"])];
      const text = isText ? entry : entry.target;
      const target = parseTarget(text);
      const provider = target === null ? null : findProvider(providers, target.provider);
      if (target === null || provider === null) {
        issues.push(unknownProvider(path, text, config, names));
        continue;
      }
      const identity = JSON.stringify([provider.id, target.model, isText ? null : entry.credential]);
      if (seen.has(identity)) issues.push(valueIssue(path, config, "each target once in a route"));
      seen.add(identity);
    }
  }
  return issues;
}

function priceIssues(config: Config, providers: readonly Provider[], names: readonly string[]): ConfigIssue[] {
  const issues: ConfigIssue[] = [];
  const priced = new Map<string, string>();
  for (const name of Object.keys(config.prices)) {
    const target = parseTarget(name);
    const provider = target === null ? null : findProvider(providers, target.provider);
    if (target === null || provider === null) {
      const id = name.slice(0, Math.max(name.indexOf("/"), 0));
      issues.push(keyIssue(["prices", name], expectedProvider(id), didYouMean(nearestNames(id, names))));
      continue;
    }
    const identity = formatTarget({ provider: provider.id, model: target.model });
    const other = priced.get(identity);
    if (other !== undefined) issues.push(keyIssue(["prices", name], `one price for what ${other} names, too`, null));
    priced.set(identity, name);
  }
  return issues;
}

function defaultRouteIssues(config: Config, providers: readonly Provider[]): ConfigIssue[] {
  const { defaultRoute, routes } = config;
  if (defaultRoute === undefined || Object.hasOwn(routes, defaultRoute)) return [];
  const target = parseTarget(defaultRoute);
  if (target !== null && findProvider(providers, target.provider) !== null) return [];
  return [valueIssue(["defaultRoute"], config, "the name of a route, or provider/model", Object.keys(routes))];
}

/** Suggests the provider alone: what follows the slash may be anything, also a key. */
function unknownProvider(
  path: readonly (string | number)[],
  text: string,
  config: Config,
  names: readonly string[],
): ConfigIssue {
  const id = text.slice(0, Math.max(text.indexOf("/"), 0));
  const suggestion = didYouMean(nearestNames(id, names));
  return { ...valueIssue(path, config, expectedProvider(id)), suggestion };
}

/** What stands where a provider was expected; for one that is left out on purpose with the reason. */
export function expectedProvider(id: string): string {
  const leftOut = findLeftOut(id);
  if (leftOut !== null) return `a provider that can be reached: ${id} is not, since ${leftOut.reason}`;
  return "the id or alias of a provider";
}
