import type { ResolvedConfig } from "../config/resolve.ts";
import { formatTarget } from "../core/target.ts";

/**
 * The routes, and the targets behind them as `provider/model`, in a list that both families of clients read: OpenAI's
 * (`object`, `created`, `owned_by`) and Anthropic's (`type`, `display_name`, `created_at`, `has_more`, `first_id`, `last_id`).
 */
export function listModels({ routes }: ResolvedConfig): Record<string, unknown> {
  const names = new Map<string, string>();
  for (const route of routes) names.set(route.name, "understudy");
  for (const target of routes.flatMap(({ targets }) => targets)) {
    const name = formatTarget(target);
    if (!names.has(name)) names.set(name, target.provider);
  }
  const data = [...names].map(([id, owner]) => ({
    id,
    object: "model",
    created: 0,
    owned_by: owner,
    type: "model",
    display_name: id,
    created_at: "1970-01-01T00:00:00Z",
  }));
  return {
    object: "list",
    data,
    has_more: false,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}
