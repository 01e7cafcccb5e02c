import { resolveRoute } from "../config/resolve-route.ts";
import type { ResolvedConfig } from "../config/resolve.ts";
import { UnderstudyError } from "../core/error.ts";
import type { Route } from "../core/target.ts";

/**
 * The route of the configuration that a change is for: the one that is named, else the usual one. Throws `route_unknown` or
 * `usage`: a target by itself has no fallbacks that could be written down.
 */
export function requireWrittenRoute(config: ResolvedConfig, name: string | undefined): Route {
  if (config.routes.length === 0) {
    throw new UnderstudyError("usage", "no route is configured yet: choose the first target", {
      command: "understudy model",
    });
  }
  const route = resolveRoute(config, name);
  const written = config.routes.find((one) => one.name === route.name);
  if (written !== undefined) return written;
  const names = config.routes.map((one) => one.name).join(", ");
  throw new UnderstudyError(
    "usage",
    `${route.name} is no route of the configuration: say --route with one of ${names}`,
  );
}
