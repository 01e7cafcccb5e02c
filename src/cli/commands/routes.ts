import type { Command } from "commander";
import { isUnderstudyError, UnderstudyError } from "../../core/error.ts";
import { formatTarget, type Route, type Target } from "../../core/target.ts";
import { recoversAt } from "../../credentials/pool.ts";
import { type BlockedCandidate, listCandidates } from "../../turn/candidates.ts";
import { describeBlocked } from "../../turn/advice.ts";
import type { Workspace } from "../../workspace.ts";
import { resolveRoute } from "../../config/resolve-route.ts";
import { explainRoutes, printExplanation } from "../explain-route.ts";
import { withWorkspaceToRead } from "../open-workspace.ts";
import { alignColumns, dataColors, isoTime, printJson, printLines, say } from "../output.ts";

const examples = `
Usable means that a login or key is there and neither resting nor paused. Nobody is called to find out.

Examples:
  $ understudy routes
  $ understudy routes coding --explain  who serves next, who is out until when, and what a switch would cost
  $ understudy routes --json | jq '.routes[] | {name, usable: [.targets[].usable] | any}'
`;

interface TargetView {
  readonly target: string;
  readonly provider: string;
  readonly model: string;
  readonly paid: boolean;
  readonly usable: boolean;
  /** Labels of the credentials that can serve now, in the order of the next turn. */
  readonly ready: readonly string[];
  readonly blocked: readonly BlockedView[];
}

interface BlockedView {
  readonly credential: string | null;
  readonly cause: string;
  readonly until: string | null;
  readonly command: string | null;
}

export function routesCommand(command: Command): void {
  command
    .argument("[route]", "only this one")
    .option("--explain", "the order of the candidates now, who is out and why, and what a switch would cost")
    .option("--json", "as JSON")
    .addHelpText("after", examples)
    .action((name: string | undefined, options: { explain?: boolean; json?: boolean }) =>
      withWorkspaceToRead(async (workspace) => {
        const routes = chooseRoutes(workspace, name);
        if (options.explain === true && routes.length > 0) {
          const explanations = await explainRoutes(workspace, routes);
          if (options.json === true) printJson({ routes: explanations });
          else for (const explanation of explanations) printExplanation(explanation);
          return;
        }
        const usual = usualRoute(workspace);
        const views = await Promise.all(
          routes.map(async (route) => ({
            name: route.name,
            default: route.name === usual,
            strict: route.strict,
            continue: route.continue ?? null,
            targets: await Promise.all(route.targets.map((target) => viewTarget(workspace, target))),
          })),
        );
        if (options.json === true) {
          printJson({ routes: views });
          return;
        }
        if (routes.length === 0) {
          say(
            `No route is configured. understudy model makes one; or write it into ${workspace.home.configFile}:`,
            "",
            "  routes:",
            "    coding: [codex/gpt-5.5, anthropic/claude-sonnet-5]",
          );
        }
        for (const [i, view] of views.entries()) printRoute(view, routes[i]);
      }),
    );
}

/** All routes, or the one of this name; `provider/model` counts as a route of its own. Throws `route_unknown`. */
function chooseRoutes({ config }: Workspace, name: string | undefined): readonly Route[] {
  return name === undefined ? config.routes : [resolveRoute(config, name)];
}

/** What a caller gets who names no route. */
function usualRoute({ config }: Workspace): string | null {
  try {
    return resolveRoute(config).name;
  } catch (error) {
    if (isUnderstudyError(error, "route_unknown")) return null;
    throw error;
  }
}

async function viewTarget(workspace: Workspace, target: Target): Promise<TargetView> {
  const { runtime, clock } = workspace;
  const { line, blocked } = await listCandidates(runtime, { name: "", targets: [target], strict: false });
  const ready: string[] = [];
  for (let rest = line; rest.current !== null; rest = rest.nextCredential()) ready.push(rest.current.credential.label);
  const noUrl = missingEndpoint(workspace, target);
  const views = blocked.map((one) => viewBlocked(one, workspace, clock.now()));
  return {
    target: formatTarget(target),
    provider: target.provider,
    model: target.model,
    paid: target.paid === true,
    usable: ready.length > 0 && noUrl === null,
    ready,
    blocked: noUrl === null ? views : [noUrl, ...views],
  };
}

/** Some providers have no base URL until a person gives one. */
function missingEndpoint({ runtime }: Workspace, target: Target): BlockedView | null {
  const provider = runtime.findProvider(target.provider);
  if (provider === null || provider.baseUrl !== null || provider.baseUrlByKeyPrefix?.length) return null;
  try {
    runtime.resolveEndpoint(provider, target.model, "");
    return null;
  } catch (error) {
    if (!(error instanceof UnderstudyError)) throw error;
    return { credential: null, cause: error.message, until: null, command: null };
  }
}

function viewBlocked(one: BlockedCandidate, { runtime }: Workspace, now: number): BlockedView {
  const { cause, command } = describeBlocked(one, runtime.findProvider(one.target.provider), now);
  return {
    credential: one.why === "blocked" ? one.blocked.credential.label : null,
    cause,
    until: one.why === "blocked" ? isoTime(recoversAt(one.blocked)) : null,
    command,
  };
}

function printRoute(
  view: { name: string; default: boolean; strict: boolean; targets: readonly TargetView[] },
  route: Route | undefined,
): void {
  const notes = [
    ...(view.default ? ["default"] : []),
    ...(route?.strict === true ? ["strict: only the first"] : []),
    ...(route?.continue === "text" ? ["a text that breaks off is gone on in"] : []),
  ];
  printLines(`${dataColors.bold(view.name)}${notes.length === 0 ? "" : ` (${notes.join(", ")})`}`);
  const rows = view.targets.map((target, i) => [`  ${i + 1}`, target.target, stateOf(target)]);
  printLines(...alignColumns(rows).flatMap((line, i) => [line, ...commandsOf(view.targets[i])]));
}

function stateOf({ usable, ready, blocked }: TargetView): string {
  const resting = blocked.map(({ credential, cause }) => (credential === null ? cause : `${credential}: ${cause}`));
  const words = [...(ready.length === 0 ? [] : [`ready: ${ready.join(", ")}`]), ...resting].join("; ");
  return usable ? dataColors.green(words) : dataColors.yellow(words);
}

function commandsOf(target: TargetView | undefined): string[] {
  const commands = new Set(target?.blocked.flatMap(({ command }) => command ?? []));
  return [...commands].map((command) => `     run ${command}`);
}
