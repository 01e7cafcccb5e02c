import { type Route, formatTarget, type Target } from "../../core/target.ts";
import { describeBlocked } from "../../turn/advice.ts";
import { type Candidates, listCandidates } from "../../turn/candidates.ts";
import type { Workspace } from "../../workspace.ts";
import type { RouteView, TargetView } from "./view.ts";

/** How a route stands: who serves it now, and what keeps the others from it. */
export async function viewRoute(workspace: Workspace, route: Route, now: number): Promise<RouteView> {
  const { config, runtime } = workspace;
  const candidates = await listCandidates(runtime, route);
  const { current } = candidates.line;
  const isDefault = (config.defaultRoute ?? config.routes[0]?.name) === route.name;
  return {
    name: route.name,
    isDefault,
    strict: route.strict,
    targets: route.targets.map((target, i) => viewTarget(workspace, route, target, i, candidates, now)),
    serving:
      current === null
        ? null
        : {
            target: formatTarget(current.target),
            // By chance: nobody knows before the turn.
            label: runtime.strategyOf(current.target.provider) === "random" ? null : current.credential.label,
          },
    recoversAt: candidates.nearestRecovery,
  };
}

function viewTarget(
  { runtime }: Workspace,
  route: Route,
  target: Target,
  place: number,
  { line, blocked }: Candidates,
  now: number,
): TargetView {
  const base = { target: formatTarget(target), credential: target.credential ?? null, paid: target.paid === true };
  if (route.strict && place > 0) return { ...base, state: "unused", words: "the route is strict", command: null };
  const ready = line.all.filter((one) => one.target === target).length;
  const out = blocked.filter((one) => one.target === target);
  if (ready > 0) {
    const state = line.current?.target === target ? "serving" : "ready";
    const words = out.length === 0 ? "ready" : `${ready} of ${ready + out.length} ready`;
    return { ...base, state, words, command: null };
  }
  const [first] = out;
  if (first === undefined) return { ...base, state: "unused", words: "all of it is named above", command: null };
  const { cause, command } = describeBlocked(first, runtime.findProvider(target.provider), now);
  const others = out.length > 1 ? `, and ${out.length - 1} more` : "";
  const who = first.why === "blocked" ? `${first.blocked.credential.label}: ` : "";
  // The command for an account stands with the account.
  return { ...base, state: "blocked", words: `${who}${cause}${others}`, command: who === "" ? command : null };
}
