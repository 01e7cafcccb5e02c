import { UnderstudyError } from "../core/error.ts";
import { formatTarget, parseTarget, type Route, type Target } from "../core/target.ts";
import { findLeftOut } from "../providers/left-out.ts";
import { findProvider } from "../providers/registry.ts";
import { didYouMean, nearestNames } from "./nearest-names.ts";
import type { ResolvedConfig } from "./resolve.ts";

/**
 * The route that a caller asked for.
 *
 * 1. No name: `defaultRoute`, else the first route.
 * 2. The name of a route. It wins over everything below, so that a route can stand in for a model that a client insists
 *    on.
 * 3. `provider/model`, by id or alias: a route of that one target, nothing behind it.
 * 4. The bare name of a model that the targets of the routes name at exactly one provider: a route of that target
 *    alone.
 *
 * Throws `UnderstudyError` `route_unknown` that says what is near, or why a provider is not there.
 */
export function resolveRoute(resolved: ResolvedConfig, name?: string | null): Route {
  const wanted = name?.trim() || resolved.defaultRoute;
  if (wanted !== null) {
    return (
      resolved.routes.find((route) => route.name === wanted) ??
      adHocRoute(resolved, wanted) ??
      modelRoute(resolved, wanted) ??
      unknown(resolved, wanted)
    );
  }
  const [first] = resolved.routes;
  if (first !== undefined) return first;
  throw new UnderstudyError(
    "route_unknown",
    "no route is configured: name a target such as codex/gpt-5.5, or put one under routes in the configuration",
    { command: "understudy model" },
  );
}

function adHocRoute(resolved: ResolvedConfig, wanted: string): Route | null {
  const target = parseTarget(wanted);
  const provider = target === null ? null : findProvider(resolved.providers, target.provider);
  return target === null || provider === null ? null : routeOf({ provider: provider.id, model: target.model });
}

function modelRoute(resolved: ResolvedConfig, wanted: string): Route | null {
  const targets = allTargets(resolved).filter(({ model }) => model === wanted);
  const providers = [...new Set(targets.map(({ provider }) => provider))];
  if (providers.length > 1) {
    const choices = providers.map((provider) => formatTarget({ provider, model: wanted })).join(" or ");
    throw new UnderstudyError("route_unknown", `the model ${shown(wanted)} is there more than once: say ${choices}`);
  }
  const [target] = targets;
  return target === undefined ? null : routeOf(target);
}

function routeOf(target: Target): Route {
  return { name: formatTarget(target), targets: [target], strict: false };
}

function allTargets(resolved: ResolvedConfig): Target[] {
  return resolved.routes.flatMap(({ targets }) => targets);
}

function unknown(resolved: ResolvedConfig, wanted: string): never {
  const target = parseTarget(wanted);
  const leftOut = findLeftOut(target?.provider ?? wanted);
  if (leftOut !== null) {
    throw new UnderstudyError("route_unknown", `${leftOut.id} can't be reached: ${leftOut.reason}`);
  }
  const targets = allTargets(resolved);
  const names = [
    ...resolved.routes.map(({ name }) => name),
    ...targets.map(formatTarget),
    ...targets.map(({ model }) => model),
  ];
  const near = nearestNames(wanted, names);
  if (near.length === 0 && target !== null) {
    const providers = resolved.providers.flatMap(({ id, aliases }) => [id, ...aliases]);
    near.push(...nearestNames(target.provider, providers).map((provider) => `${provider}/${target.model}`));
  }
  const hint = didYouMean(near) ?? routesThereAre(resolved);
  throw new UnderstudyError("route_unknown", `no route, target or model is called ${shown(wanted)}: ${hint}`);
}

function routesThereAre({ routes }: ResolvedConfig): string {
  if (routes.length === 0) return "no route is configured; a target is written provider/model";
  return `routes are ${routes
    .slice(0, 10)
    .map(({ name }) => name)
    .join(", ")}; a target is written provider/model`;
}

/** Callers choose this text: keep it short and on one line. */
function shown(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}
