import type { Command } from "commander";
import { didYouMean, nearestNames } from "../../config/nearest-names.ts";
import { resolveRoute } from "../../config/resolve-route.ts";
import { isUnderstudyError, UnderstudyError } from "../../core/error.ts";
import { formatTarget, parseTarget, type Target } from "../../core/target.ts";
import type { Provider } from "../../providers/provider.ts";
import { listModels } from "../../list-models.ts";
import { describeFailure } from "../../turn/advice.ts";
import type { Workspace } from "../../workspace.ts";
import { chooseLogin, listWorkingLogins } from "../choose-login.ts";
import { readPool, requireProvider } from "../find-provider.ts";
import { importFrom } from "../import-logins.ts";
import { interruptSignal } from "../interrupt.ts";
import { withWorkspace } from "../open-workspace.ts";
import { colors, say } from "../output.ts";
import { askSearch, canAsk, type Choice } from "../prompt.ts";
import { setPrimary } from "../set-primary.ts";
import { signIn, type SignInOptions } from "../sign-in.ts";
import { addKey } from "./auth/add-key.ts";

interface ModelOptions extends SignInOptions {
  readonly route?: string;
  readonly refresh?: boolean;
  readonly forceNewLogin?: boolean;
}

const examples = `
Without a target it asks for provider and model, and signs in on the way if need be. The choice becomes the primary of the route;
its fallbacks, and the comments in the configuration, stay.

Examples:
  $ understudy model
  $ understudy model codex/gpt-5.5
  $ understudy model openrouter/z-ai/glm-5 --route night
  $ understudy model codex --force-new-login          sign in again without being asked, then choose
`;

export function modelCommand(command: Command): void {
  command
    .argument("[target]", "provider/model, or a provider")
    .option("-r, --route <route>", "which route; default: the default route")
    .option("--refresh", "ask the provider for its models, however fresh the last answer is")
    .option("--force-new-login", "sign in again without being asked, though a login is there")
    .option("--browser", "sign in with a browser")
    .option("--device", "sign in with a code that is typed on any machine")
    .option("--no-browser", "open no browser")
    .option("--no-qr", "show no QR code beside a code to type")
    .addHelpText("after", examples)
    .action((text: string | undefined, options: ModelOptions) =>
      withWorkspace(async (workspace) => {
        const target = await chooseTarget(workspace, text, options);
        if (target === null) return;
        const { route, changed, dropped } = await setPrimary(workspace.home, target, options.route);
        const name = formatTarget(target);
        if (!changed) return say(`${route} begins with ${name} already; nothing was changed.`);
        say(`${colors.bold(route)} begins with ${colors.bold(name)} now.`);
        if (dropped !== null && dropped.provider !== target.provider) {
          say(
            `${formatTarget(dropped)} was its first before. To keep it behind: understudy fallback add ${formatTarget(dropped)}`,
          );
        }
      }),
    );
}

/** Null when the person called it off. */
async function chooseTarget(
  workspace: Workspace,
  text: string | undefined,
  options: ModelOptions,
): Promise<Target | null> {
  const { providers } = workspace.config;
  const given = text === undefined ? null : parseTarget(text);
  if (given !== null) {
    const provider = requireProvider(providers, given.provider);
    await warnOfUnlisted(workspace, provider, given.model);
    return { provider: provider.id, model: given.model };
  }
  if (!canAsk()) {
    throw new UnderstudyError("usage", "there is no terminal to choose on: say it, understudy model codex/gpt-5.5", {
      command: "understudy models",
    });
  }
  const current = findCurrent(workspace, options.route);
  const provider = text === undefined ? await chooseProvider(workspace, current) : requireProvider(providers, text);
  if (!(await makeReady(workspace, provider, options))) return null;
  const model = await chooseModel(workspace, provider, current, options.refresh === true);
  return { provider: provider.id, model };
}

function findCurrent({ config }: Workspace, route: string | undefined): Target | null {
  try {
    return resolveRoute(config, route).targets[0] ?? null;
  } catch (error) {
    if (isUnderstudyError(error, "route_unknown") && route === undefined) return null;
    throw error;
  }
}

/** Those that are ready first, then the others with what they need. */
async function chooseProvider(workspace: Workspace, current: Target | null): Promise<Provider> {
  const { providers } = workspace.config;
  const described = await Promise.all(
    providers.map(async (provider) => {
      const { credentials } = await readPool(workspace, provider.id);
      const labels = credentials.map(({ label }) => label).join(", ");
      return { provider, hint: labels === "" ? needs(provider) : labels, isEquipped: labels !== "" };
    }),
  );
  described.sort((a, b) => Number(b.isEquipped) - Number(a.isEquipped));
  const choices: Choice<string>[] = described.map(({ provider, hint }) => ({
    value: provider.id,
    label: `${provider.name} (${provider.id})`,
    hint: provider.id === current?.provider ? `${hint} · in use` : hint,
  }));
  const initial = current === null ? {} : { initial: current.provider };
  return requireProvider(providers, await askSearch("Which provider?", choices, "", initial));
}

function needs({ signIn: way }: Provider): string {
  if (way.kind !== "api_key") return "sign in";
  return way.required ? "needs a key" : "needs no key";
}

/** Signs in or asks for a key where that is needed. False when the person called it off. */
async function makeReady(workspace: Workspace, provider: Provider, options: ModelOptions): Promise<boolean> {
  const { credentials } = await readPool(workspace, provider.id);
  if (provider.signIn.kind === "api_key") {
    if (credentials.length === 0 && provider.signIn.required) await addKey(workspace, provider, {});
    return true;
  }
  const working = options.forceNewLogin === true ? [] : await listWorkingLogins(workspace, provider);
  const choice = working.length === 0 ? "again" : await chooseLogin(provider, working, "");
  if (choice === "again") await signIn(workspace, provider, options);
  if (choice === "import") await importFrom(workspace, "codex", {});
  return choice !== "cancel";
}

async function chooseModel(
  workspace: Workspace,
  provider: Provider,
  current: Target | null,
  refresh: boolean,
): Promise<string> {
  const outcome = await listModels(workspace, provider, { refresh, signal: interruptSignal });
  const now = workspace.clock.now();
  const failure = outcome.ok ? outcome.stale?.failure : outcome.why === "failed" ? outcome.failure : undefined;
  if (failure !== undefined)
    say(`${provider.name} can't be asked for its models now: ${describeFailure(failure, now)}`);
  const models = outcome.ok ? outcome.models : [];
  const used = current?.provider === provider.id ? current.model : null;
  const choices = models.map(({ id, name }): Choice<string> => {
    const hint = [...(name === null ? [] : [name]), ...(id === used ? ["in use"] : [])].join(" · ");
    return { value: id, label: id, ...(hint === "" ? {} : { hint }) };
  });
  // The one in use comes first, also when it is not listed.
  const first =
    choices.find(({ value }) => value === used) ??
    (used === null ? null : { value: used, label: used, hint: "in use, not listed" });
  const ordered = first === null ? choices : [first, ...choices.filter(({ value }) => value !== used)];
  const question = ordered.length === 0 ? "Which model? Type its name" : "Which model?";
  return askSearch(question, ordered, "", {
    other: (typed) => (/\s/.test(typed) ? null : { value: typed, label: typed, hint: "as typed" }),
    ...(used === null ? {} : { initial: used }),
  });
}

/** A model that its provider does not list is written all the same: lists lag behind. Only said, and only if the list is known. */
async function warnOfUnlisted(workspace: Workspace, provider: Provider, model: string): Promise<void> {
  const outcome = await listModels(workspace, provider, { refresh: false, signal: interruptSignal });
  if (!outcome.ok || outcome.models.length === 0 || outcome.models.some(({ id }) => id === model)) return;
  const ids = outcome.models.map(({ id }) => id);
  const near = nearestNames(model, ids);
  // A variant of one that is listed: gpt-5.5-spark of gpt-5.5.
  const kin = near.length > 0 ? near : ids.filter((id) => model.startsWith(id)).slice(0, 3);
  const hint = didYouMean(kin);
  say(`${provider.id} does not list ${model}${hint === null ? "" : `: ${hint}`}. It is written as you said it.`);
}
