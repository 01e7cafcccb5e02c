import { addEntry, firstRouteName } from "../../config/edit.ts";
import { UnderstudyError } from "../../core/error.ts";
import { formatTarget, parseTarget } from "../../core/target.ts";
import { listModels } from "../../list-models.ts";
import { editConfig } from "../../platform/edit-config.ts";
import { describeFailure } from "../../turn/advice.ts";
import type { Workspace } from "../../workspace.ts";
import type { ModelsView } from "./view.ts";

/** The models that a provider says it has, for a person to choose from. Throws `usage`. */
export async function viewModels(workspace: Workspace, providerId: string): Promise<ModelsView> {
  const provider = workspace.runtime.findProvider(providerId);
  if (provider === null) throw new UnderstudyError("usage", "there is no such provider");
  const outcome = await listModels(workspace, provider, { refresh: false });
  if (outcome.ok) return { models: outcome.models.map(({ id }) => id), problem: null };
  const cause =
    outcome.why === "failed" ? describeFailure(outcome.failure, workspace.clock.now()) : "no account of it is ready";
  return { models: [], problem: `${provider.name} can't be asked for its models now: ${cause}` };
}

/**
 * Makes the first route, of one target, as `understudy model` does. A model that its provider does not list is taken: lists lag behind.
 * Throws `usage` when there is a route already or the target is none, `config_invalid`; then nothing was written.
 */
export async function makeFirstRoute({ config, home, runtime }: Workspace, text: string): Promise<void> {
  if (config.routes.length > 0) throw new UnderstudyError("usage", "there is a route already");
  const target = parseTarget(text.trim());
  const provider = target === null ? null : runtime.findProvider(target.provider);
  if (target === null || provider === null || /\s/.test(target.model)) {
    throw new UnderstudyError("usage", "a target is a provider and its name of a model, as codex/gpt-5.5");
  }
  const name = formatTarget({ provider: provider.id, model: target.model });
  await editConfig(home, (before, fileName) => addEntry(before, fileName, "routes", firstRouteName, [name]));
}
