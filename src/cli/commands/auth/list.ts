import type { Command } from "commander";
import { ignoredVariables } from "../../../providers/environment.ts";
import type { Provider } from "../../../providers/provider.ts";
import { signInCommand } from "../../../turn/advice.ts";
import type { Workspace } from "../../../workspace.ts";
import { strategyFor } from "../../../config/resolve.ts";
import { describeSource } from "../../../turn/credential-standing.ts";
import { type CredentialView, viewPool } from "../../credential-view.ts";
import { type Pool, readPool, requirePool } from "../../find-provider.ts";
import { withWorkspaceToRead } from "../../open-workspace.ts";
import { alignColumns, dataColors, printJson, printLines, say } from "../../output.ts";

interface ListOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

const examples = `
Shows what is stored, and what the routes use of the environment. Spends nothing: no call, no refresh.
The arrow marks who the next turn tries first.

Examples:
  $ understudy auth list                every pool in use
  $ understudy auth list openai         one provider, its key variables included
  $ understudy auth list --all          every provider there is and how to sign in
  $ understudy auth list --json | jq '.providers[].credentials[] | select(.state != "ready")'
`;

export function listCommand(command: Command): void {
  command
    .argument("[provider]", "id or alias of a provider")
    .option("--all", "every provider, also those without a login or key")
    .option("--json", "as JSON")
    .addHelpText("after", examples)
    .action((name: string | undefined, options: ListOptions) =>
      withWorkspaceToRead(async (workspace) => {
        const pools = name === undefined ? await choosePools(workspace, options) : [await requirePool(workspace, name)];
        const cooldowns = await workspace.store.listCooldowns();
        const now = workspace.clock.now();
        const listed = pools.map((pool) => ({
          pool,
          views: viewPool(pool, cooldowns, strategyFor(workspace.config, pool.providerId), now),
        }));
        if (options.json === true) printJson({ providers: listed.map((one) => toJson(workspace, one)) });
        else printList(workspace, listed);
        if (name === undefined && options.all !== true) tellHidden(workspace, pools);
      }),
    );
}

interface Listed {
  readonly pool: Pool;
  readonly views: readonly CredentialView[];
}

/** All of them; or those with something stored, and those that a route uses. In the registry's order. */
async function choosePools(workspace: Workspace, options: ListOptions): Promise<Pool[]> {
  const { config, store } = workspace;
  const stored = new Set((await store.listCredentials()).map(({ provider }) => provider));
  const routed = new Set(config.routes.flatMap(({ targets }) => targets.map(({ provider }) => provider)));
  const known = config.providers.map(({ id }) => id);
  const orphans = [...stored].filter((id) => !known.includes(id));
  const ids = known.filter((id) => options.all === true || stored.has(id) || routed.has(id));
  return Promise.all([...ids, ...orphans].map((id) => readPool(workspace, id)));
}

function toJson({ config, env }: Workspace, { pool, views }: Listed): Record<string, unknown> {
  const { provider, providerId } = pool;
  return {
    id: providerId,
    name: provider?.name ?? null,
    aliases: provider?.aliases ?? [],
    protocol: provider?.protocol ?? null,
    baseUrl: provider?.baseUrl ?? null,
    signIn: provider === null ? null : describeSignIn(provider),
    command: provider === null ? null : signInCommand(providerId),
    strategy: strategyFor(config, providerId),
    credentials: views,
    ignored: (provider === null ? [] : ignoredVariables([provider], env)).map(({ name, reason }) => ({ name, reason })),
  };
}

function describeSignIn({ signIn }: Provider): Record<string, unknown> {
  if (signIn.kind === "codex") return { kind: "device_code", issuer: signIn.issuer, variables: [], required: true };
  if (signIn.kind === "oauth") return { kind: "oauth", issuer: signIn.issuer, variables: [], required: true };
  return { kind: "api_key", variables: signIn.env, required: signIn.required };
}

function printList({ env }: Workspace, listed: readonly Listed[]): void {
  if (listed.length === 0) {
    say(
      "No login and no key yet. understudy auth add codex signs in; understudy auth list --all names every provider.",
    );
    return;
  }
  for (const { pool, views } of listed) {
    const { provider, providerId } = pool;
    const name = provider === null ? "no longer in the configuration" : provider.name;
    if (views.length === 0) {
      printLines(`${dataColors.bold(providerId)}  ${name}: ${provider === null ? "nothing" : missing(provider)}`);
    } else {
      printLines(`${dataColors.bold(providerId)}  ${name}`);
      printLines(...alignColumns(views.map(toRow)).flatMap((line, i) => [line, ...moreLines(views[i])]));
    }
    for (const { name, reason } of provider === null ? [] : ignoredVariables([provider], env)) {
      printLines(`  $${name} is not used: ${reason}`);
    }
  }
}

/** How to get a login or key for a provider that has none. */
function missing(provider: Provider): string {
  const command = signInCommand(provider.id);
  if (provider.signIn.kind !== "api_key") return `no login; ${command}`;
  const variables = provider.signIn.env;
  return variables.length === 0 ? `no key; ${command}` : `no key; set ${variables.join(" or ")}, or ${command}`;
}

function toRow(view: CredentialView): string[] {
  const words = view.state === "ready" ? dataColors.green(view.words) : dataColors.yellow(view.words);
  return [`  ${view.index}`, view.label, describeSource(view), `${words}${view.next ? " <- next" : ""}`];
}

function moreLines(view: CredentialView | undefined): string[] {
  if (view === undefined) return [];
  const models = view.models.map(({ model, reason, until }) => `     ${model} rests (${reason}) until ${until ?? "?"}`);
  return [...models, ...(view.command === null ? [] : [`     run ${view.command}`])];
}

/** Keys of the environment that no route uses are there all the same. */
function tellHidden({ config, runtime }: Workspace, shown: readonly Pool[]): void {
  const ids = new Set(shown.map(({ providerId }) => providerId));
  const names = config.providers
    .filter(({ id }) => !ids.has(id))
    .flatMap(({ id }) => runtime.environmentCredentials(id))
    .flatMap(({ source }) => (source.from === "env" ? [`$${source.name}`] : []));
  if (names.length === 0) return;
  say(
    `In the environment, and used by no route: ${[...new Set(names)].join(", ")}. understudy auth list --all shows them.`,
  );
}
