import type { Command } from "commander";
import { UnderstudyError } from "../../core/error.ts";
import { formatTarget } from "../../core/target.ts";
import type { Provider } from "../../providers/provider.ts";
import { listModels, type ModelsOutcome } from "../../list-models.ts";
import { describeDuration, describeFailure, repairCommand, signInCommand } from "../../turn/advice.ts";
import type { Workspace } from "../../workspace.ts";
import { exitCodes } from "../exit-codes.ts";
import { readPool, requireProvider } from "../find-provider.ts";
import { interruptSignal } from "../interrupt.ts";
import { withWorkspace } from "../open-workspace.ts";
import { alignColumns, colors, dataColors, isoTime, printJson, printLines, say } from "../output.ts";

interface ModelsOptions {
  readonly refresh?: boolean;
  readonly json?: boolean;
}

const examples = `
Asks the provider, and goes by its answer for five minutes. Each line is a target as a route or "understudy ask --route" takes it.
A model that is not listed may work all the same.

Examples:
  $ understudy models                       of every provider with a login or key
  $ understudy models codex --refresh
  $ understudy models openrouter | grep glm
  $ understudy models --json | jq -r '.providers[].models[].target'
`;

export function modelsCommand(command: Command): void {
  command
    .argument("[provider]", "id or alias of a provider")
    .option("--refresh", "ask now, however fresh the last answer is")
    .option("--json", "as JSON")
    .addHelpText("after", examples)
    .action((name: string | undefined, options: ModelsOptions) =>
      withWorkspace(async (workspace) => {
        const providers =
          name === undefined ? await equipped(workspace) : [requireProvider(workspace.config.providers, name)];
        const listed = await Promise.all(
          providers.map(async (provider) => ({
            provider,
            outcome: await listModels(workspace, provider, {
              refresh: options.refresh === true,
              signal: interruptSignal,
            }),
          })),
        );
        if (options.json === true) printJson({ providers: listed.map(toJson) });
        const now = workspace.clock.now();
        for (const { provider, outcome } of listed) {
          if (options.json !== true && outcome.ok) print(provider, outcome, listed.length > 1);
          tell(provider, outcome, now);
        }
        if (providers.length === 0) {
          throw new UnderstudyError("usage", "no login and no key yet, so nobody can be asked", {
            command: signInCommand("codex"),
          });
        }
        if (listed.every(({ outcome }) => !outcome.ok))
          process.exitCode = worstExit(listed.map(({ outcome }) => outcome));
      }),
    );
}

/** The providers that anybody can be asked at. A server that asks for no key is asked only by name, or when a route uses it. */
async function equipped(workspace: Workspace): Promise<Provider[]> {
  const { config } = workspace;
  const routed = new Set(config.routes.flatMap(({ targets }) => targets.map(({ provider }) => provider)));
  const pools = await Promise.all(config.providers.map(({ id }) => readPool(workspace, id)));
  return config.providers.filter(({ id }, i) =>
    (pools[i]?.credentials ?? []).some((one) => one.kind === "oauth" || one.source.from !== "none" || routed.has(id)),
  );
}

function print(provider: Provider, { models }: Extract<ModelsOutcome, { ok: true }>, headed: boolean): void {
  if (headed) printLines(dataColors.bold(provider.id));
  const rows = models.map(({ id, name }) => [
    formatTarget({ provider: provider.id, model: id }),
    ...(name === null ? [] : [dataColors.dim(name)]),
  ]);
  printLines(...alignColumns(rows));
}

/** What is to be said of a list, on standard error. */
function tell(provider: Provider, outcome: ModelsOutcome, now: number): void {
  if (outcome.ok) {
    const { models, stale, at } = outcome;
    if (stale !== null) {
      const age = describeDuration(Math.max(0, now - at));
      say(
        colors.dim(
          `${provider.id} can't be asked now (${describeFailure(stale.failure, now)}); this is from ${age} ago`,
        ),
      );
    }
    if (models.length === 0) say(`${provider.id} lists no model for this account.`);
    return;
  }
  if (outcome.why === "no_credential") {
    say(`${provider.id} can't be asked: nobody is ready. Run ${signInCommand(provider.id)}`);
    return;
  }
  const { failure, credential } = outcome;
  const command = repairCommand(failure, credential.provider, credential);
  const help = command === null ? "" : `. Run ${command}`;
  say(`${provider.id} · ${credential.label}: ${describeFailure(failure, now)}${help}`);
}

function toJson({ provider, outcome }: { provider: Provider; outcome: ModelsOutcome }): Record<string, unknown> {
  const models = outcome.ok ? outcome.models : [];
  return {
    id: provider.id,
    at: outcome.ok ? isoTime(outcome.at) : null,
    stale: outcome.ok && outcome.stale !== null,
    error: outcome.ok ? null : outcome.why === "failed" ? outcome.failure.reason : outcome.why,
    models: models.map(({ id, name }) => ({ target: formatTarget({ provider: provider.id, model: id }), id, name })),
  };
}

function worstExit(outcomes: readonly ModelsOutcome[]): number {
  const person = outcomes.some((one) => !one.ok && (one.why === "no_credential" || one.failure.reloginRequired));
  return person ? exitCodes.needsPerson : exitCodes.failed;
}
