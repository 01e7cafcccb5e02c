import { join } from "node:path";
import type { Failure } from "./core/failure.ts";
import { orderCredentials } from "./core/select.ts";
import { strategyFor } from "./config/resolve.ts";
import { type Credential, poolOf } from "./credentials/credential.ts";
import { assessPool } from "./credentials/pool.ts";
import { openCacheFiles } from "./platform/cache-files.ts";
import { type ListedModel, readModelList } from "./providers/model-list.ts";
import type { Provider } from "./providers/provider.ts";
import { askProvider } from "./turn/ask-provider.ts";
import type { Workspace } from "./workspace.ts";

/** How long a list is gone by, in ms. */
export const modelListLifeMs: number = 300_000;

/** Credentials that are asked in turn before it is given up. */
const mostTries = 3;

/** OpenAI gives each version of its client the models that it can use; this one gets all of them. */
const codexClientVersion = "1.0.0";

/** A provider's models, or why they are not known. */
export type ModelsOutcome =
  /** `stale`: the provider could not be asked now, and this is what it said before. */
  | {
      readonly ok: true;
      readonly models: readonly ListedModel[];
      /** Unix ms at which the provider said so. */
      readonly at: number;
      readonly stale: { readonly failure: Failure } | null;
    }
  | { readonly ok: false; readonly why: "no_credential" }
  | { readonly ok: false; readonly why: "failed"; readonly failure: Failure; readonly credential: Credential };

interface Cached {
  readonly at: number;
  readonly baseUrl: string;
  readonly models: readonly ListedModel[];
}

/**
 * The models of a provider: what it said less than five minutes ago, unless `refresh`; else what it says now to the first usable
 * credential of its pool that it listens to; else what it said at any time before.
 */
export async function listModels(
  workspace: Workspace,
  provider: Provider,
  { refresh, signal }: { readonly refresh: boolean; readonly signal?: AbortSignal },
): Promise<ModelsOutcome> {
  const { clock, home } = workspace;
  const cache = openCacheFiles(join(home.dataDir, "cache"));
  const name = `models-${provider.id}`;
  const cached = readCached(cache.read(name), provider);
  const age = cached === null ? Number.POSITIVE_INFINITY : clock.now() - cached.at;
  if (cached !== null && !refresh && age >= 0 && age < modelListLifeMs) {
    return { ok: true, models: cached.models, at: cached.at, stale: null };
  }
  const asked = await askForModels(workspace, provider, signal);
  if (asked.ok) {
    const value: Cached = { at: asked.at, baseUrl: provider.baseUrl ?? "", models: asked.models };
    cache.write(name, value);
    return asked;
  }
  if (asked.why === "failed" && cached !== null) {
    return { ok: true, models: cached.models, at: cached.at, stale: { failure: asked.failure } };
  }
  return asked;
}

async function askForModels(workspace: Workspace, provider: Provider, signal?: AbortSignal): Promise<ModelsOutcome> {
  const { runtime, clock } = workspace;
  let failed: ModelsOutcome = { ok: false, why: "no_credential" };
  for (const credential of (await usableCredentials(workspace, provider)).slice(0, mostTries)) {
    const answer = await askProvider(runtime, {
      provider,
      credential,
      url: (baseUrl, isMessages) => modelsUrl(provider, baseUrl, isMessages),
      ...(signal === undefined ? {} : { signal }),
    });
    if (!answer.ok) {
      failed = { ok: false, why: "failed", failure: answer.failure, credential };
      continue;
    }
    const models = readModelList(provider, answer.body);
    if (models !== null) return { ok: true, models, at: clock.now(), stale: null };
    failed = { ok: false, why: "failed", failure: noList, credential };
  }
  return failed;
}

async function usableCredentials(workspace: Workspace, provider: Provider): Promise<Credential[]> {
  const { store, clock, config, runtime } = workspace;
  const stored = await store.listCredentials(provider.id);
  const credentials = poolOf(stored, runtime.environmentCredentials(provider.id));
  const { usable } = assessPool(credentials, await store.listCooldowns(provider.id), "", clock.now());
  return orderCredentials(usable, strategyFor(config, provider.id), Math.random);
}

/** Where the models of a provider are asked for. */
export function modelsUrl(provider: Provider, baseUrl: string, isMessages: boolean): string {
  if (provider.signIn.kind === "codex") return `${baseUrl}/models?client_version=${codexClientVersion}`;
  if (isMessages) return `${baseUrl.replace(/\/v1(?:\/messages)?$/, "")}/v1/models?limit=1000`;
  return `${baseUrl.replace(/\/chat\/completions$/, "")}/models`;
}

const noList: Failure = {
  reason: "unknown",
  scope: "request",
  next: "stop",
  reloginRequired: false,
  message: "the provider's answer is no list of models",
  row: "no-model-list",
};

/** A list of another address says nothing about this one. */
function readCached(value: unknown, provider: Provider): Cached | null {
  if (typeof value !== "object" || value === null) return null;
  const { at, baseUrl, models } = value as Partial<Cached>;
  if (typeof at !== "number" || baseUrl !== (provider.baseUrl ?? "") || !Array.isArray(models)) return null;
  const read = models.flatMap((one: unknown) => {
    const { id, name } = (one ?? {}) as Partial<ListedModel>;
    return typeof id === "string" ? [{ id, name: typeof name === "string" ? name : null }] : [];
  });
  return { at, baseUrl, models: read };
}
