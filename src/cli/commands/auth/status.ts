import type { Command } from "commander";
import { strategyFor } from "../../../config/resolve.ts";
import { resolveRoute } from "../../../config/resolve-route.ts";
import { UnderstudyError } from "../../../core/error.ts";
import type { Route } from "../../../core/target.ts";
import { listCandidates } from "../../../turn/candidates.ts";
import { signInCommand } from "../../../turn/advice.ts";
import type { Workspace } from "../../../workspace.ts";
import { type CredentialView, viewPool } from "../../credential-view.ts";
import { type Pool, readPool, requirePool } from "../../find-provider.ts";
import { withWorkspaceToRead } from "../../open-workspace.ts";
import { alignColumns, dataColors, printJson, printLines } from "../../output.ts";

/** What `auth status` ends with. Its own numbers: a script asks it one question. */
export const statusExitCodes = { ready: 0, resting: 1, sign_in: 2 } as const;
export type Readiness = keyof typeof statusExitCodes;

interface StatusOptions {
  readonly route?: string;
  readonly every?: boolean;
  readonly json?: boolean;
}

interface PoolStatus {
  readonly id: string;
  readonly state: Readiness;
  readonly credentials: readonly CredentialView[];
}

const examples = `
Ready is who can serve the next turn: of the default route, of another with --route, of one provider if it is named; without any
route, whatever is there. Spends nothing: no call, no refresh.

Exit codes of this command (wrong usage is 2, too):
  0 ready · 1 nothing is usable now, waiting may help · 2 a person must sign in or add a key

Examples:
  $ understudy auth status || understudy auth list
  $ understudy auth status codex --every       not ready while any login of codex has to sign in
  $ understudy auth status --json | jq -r .command
`;

export function statusCommand(command: Command): void {
  command
    .argument("[provider]", "id or alias of a provider")
    .option("-r, --route <route>", "another route than the default one")
    .option("--every", "ready only when every login and key is")
    .option("--json", "as JSON")
    .addHelpText("after", examples)
    .action((name: string | undefined, options: StatusOptions) =>
      withWorkspaceToRead(async (workspace) => {
        if (name !== undefined && options.route !== undefined) {
          throw new UnderstudyError("usage", "say a provider or --route, not both");
        }
        const every = options.every === true;
        const route = name === undefined ? findRoute(workspace, options.route) : null;
        const pools = name === undefined ? await usedPools(workspace, route) : [await requirePool(workspace, name)];
        const statuses = await readStatuses(workspace, pools, every);
        const state = route === null || every ? overall(statuses, every) : await routeState(workspace, route);
        const command = state === "sign_in" ? commandFor(statuses) : null;
        if (options.json === true) printJson({ state, exitCode: statusExitCodes[state], command, providers: statuses });
        else print(statuses, state, command);
        process.exitCode = statusExitCodes[state];
      }),
    );
}

/** Null when none is configured. Throws `route_unknown` for a name that is none. */
function findRoute({ config }: Workspace, name: string | undefined): Route | null {
  return name === undefined && config.routes.length === 0 ? null : resolveRoute(config, name);
}

/** The providers of the route; without one, those that have anything stored. */
async function usedPools(workspace: Workspace, route: Route | null): Promise<Pool[]> {
  const ids =
    route === null
      ? (await workspace.store.listCredentials()).map(({ provider }) => provider)
      : route.targets.map(({ provider }) => provider);
  return Promise.all([...new Set(ids)].map((id) => readPool(workspace, id)));
}

/** As the next turn sees it: a rest of one model counts, too. */
async function routeState({ runtime }: Workspace, route: Route): Promise<Readiness> {
  const { line, nearestRecovery, blocked } = await listCandidates(runtime, route);
  if (line.current !== null) return "ready";
  const paused = blocked.some((one) => one.why === "blocked" && one.blocked.why === "paused");
  return nearestRecovery !== null || paused ? "resting" : "sign_in";
}

async function readStatuses(workspace: Workspace, pools: readonly Pool[], every: boolean): Promise<PoolStatus[]> {
  const cooldowns = await workspace.store.listCooldowns();
  const now = workspace.clock.now();
  return pools.map((pool) => {
    const strategy = strategyFor(workspace.config, pool.providerId);
    const credentials = viewPool(pool, cooldowns, strategy, now);
    return { id: pool.providerId, state: stateOf(credentials, every), credentials };
  });
}

/** A login that still serves but has to be made anew soon is ready, and not for `every`. */
function stateOf(credentials: readonly CredentialView[], every: boolean): Readiness {
  if (credentials.length === 0) return "sign_in";
  const ready = credentials.filter((view) => view.state === "ready" && (!every || view.command === null));
  if (every ? ready.length === credentials.length : ready.length > 0) return "ready";
  const personal = credentials.filter(needsPerson).length;
  return (every ? personal > 0 : personal === credentials.length) ? "sign_in" : "resting";
}

function needsPerson(view: CredentialView): boolean {
  return view.state === "relogin_required" || (view.state !== "paused" && view.command !== null);
}

function overall(statuses: readonly PoolStatus[], every: boolean): Readiness {
  const states = statuses.map(({ state }) => state);
  if (every) {
    if (states.length === 0 || states.includes("sign_in")) return "sign_in";
    return states.includes("resting") ? "resting" : "ready";
  }
  if (states.includes("ready")) return "ready";
  return states.includes("resting") ? "resting" : "sign_in";
}

/** The command that helps whoever comes first. */
function commandFor(statuses: readonly PoolStatus[]): string {
  for (const { id, state, credentials } of statuses) {
    if (state !== "sign_in") continue;
    return credentials.find(needsPerson)?.command ?? signInCommand(id);
  }
  return signInCommand("codex");
}

const words: Readonly<Record<Readiness, string>> = {
  ready: "ready",
  resting: "nobody is ready now; waiting helps",
  sign_in: "nobody is ready; a person must act",
};

function print(statuses: readonly PoolStatus[], state: Readiness, command: string | null): void {
  const color = state === "ready" ? dataColors.green : dataColors.yellow;
  printLines(color(words[state]));
  const rows = statuses.flatMap(({ id, credentials }) =>
    credentials.length === 0
      ? [[`  ${id}`, "", "no login and no key"]]
      : credentials.map((view) => [`  ${id}`, view.label, view.words]),
  );
  printLines(...alignColumns(rows));
  if (command !== null) printLines(`run ${command}`);
}
