import { addEntry, firstRouteName, planTargets, readTargets, type TargetEntry } from "../config/edit.ts";
import { parseConfig } from "../config/parse.ts";
import { configError } from "../config/problem.ts";
import { resolveConfig } from "../config/resolve.ts";
import { formatTarget, type Target } from "../core/target.ts";
import type { UnderstudyHome } from "../platform/home.ts";
import { builtInProviders } from "../providers/registry.ts";
import { editConfig } from "../platform/edit-config.ts";
import { requireWrittenRoute } from "./find-route.ts";

/** How the configuration was changed. */
export interface PrimaryChange {
  readonly route: string;
  readonly changed: boolean;
  /** The target that stood there before and now stands nowhere in the route; null when none was lost. */
  readonly dropped: Target | null;
}

/**
 * Makes `target` the first of a route, in place of the one that stood there; the fallbacks stay, without it. Makes the route when
 * the configuration has none. Where only the model of the same provider changes, what was said of the credential stays. Throws
 * `route_unknown`, `usage`, `config_invalid`; then nothing was written.
 */
export async function setPrimary(
  home: UnderstudyHome,
  target: Target,
  routeName: string | undefined,
): Promise<PrimaryChange> {
  let route = routeName ?? firstRouteName;
  let dropped: Target | null = null;
  const rewrite = (text: string, fileName: string): string => {
    const parsed = parseConfig(text, fileName);
    if (!parsed.ok) throw configError(parsed.problems);
    const config = resolveConfig(parsed.config, builtInProviders, process.env);
    dropped = null;
    const name = formatTarget(target);
    const isNew =
      config.routes.length === 0 && (routeName === undefined || !Object.hasOwn(parsed.config.routes, route));
    if (isNew) return addEntry(text, fileName, "routes", route, [name]);
    const written = requireWrittenRoute(config, routeName);
    route = written.name;
    const [first, ...rest] = written.targets;
    if (first === undefined || formatTarget(first) === name) return text;
    const kept = rest.flatMap((one, i) => (formatTarget(one) === name ? [] : [i + 1]));
    const moved = rest.findIndex((one) => formatTarget(one) === name);
    dropped = first;
    const entries = readTargets(text, fileName, route) ?? [];
    const plan = [moved >= 0 ? moved + 1 : entryFor(name, target, first, entries[0]), ...kept];
    return planTargets(text, fileName, route, plan);
  };
  const changed = await editConfig(home, rewrite, "again");
  return { route, changed, dropped };
}

function entryFor(name: string, target: Target, first: Target, written: TargetEntry | undefined): TargetEntry {
  if (first.provider !== target.provider || typeof written !== "object") return name;
  return { ...written, target: name };
}
