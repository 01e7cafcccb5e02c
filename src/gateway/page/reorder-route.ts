import { planTargets } from "../../config/edit.ts";
import { UnderstudyError } from "../../core/error.ts";
import { formatTarget } from "../../core/target.ts";
import { editConfig } from "../../platform/edit-config.ts";
import type { Workspace } from "../../workspace.ts";
import type { RouteOrder } from "./view.ts";

/**
 * Writes a new order of a route's targets into the configuration; comments stay. Throws `route_unknown`, `usage` when the route is not what
 * the page has seen or the order is none, and as `planTargets` does; then nothing was written.
 */
export async function reorderRoute(workspace: Workspace, name: string, { seen, order }: RouteOrder): Promise<void> {
  const route = workspace.config.routes.find((one) => one.name === name);
  if (route === undefined) throw new UnderstudyError("route_unknown", "there is no such route");
  const now = route.targets.map(formatTarget);
  if (JSON.stringify(now) !== JSON.stringify(seen)) {
    throw new UnderstudyError("usage", "the route was changed meanwhile: look at it and try again");
  }
  const isOrder = order.length === now.length && now.every((_, i) => order.includes(i));
  if (!isOrder) throw new UnderstudyError("usage", "an order names each target once");
  await editConfig(workspace.home, (text, fileName) => planTargets(text, fileName, name, order));
}
