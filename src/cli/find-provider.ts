import { didYouMean, nearestNames } from "../config/nearest-names.ts";
import { UnderstudyError } from "../core/error.ts";
import { type Credential, poolOf } from "../credentials/credential.ts";
import { looksLikeKey } from "../providers/label.ts";
import { findLeftOut } from "../providers/left-out.ts";
import type { Provider } from "../providers/provider.ts";
import { findProvider } from "../providers/registry.ts";
import type { Workspace } from "../workspace.ts";

/** One provider's credentials: the stored ones by priority, then those of the environment. */
export interface Pool {
  readonly providerId: string;
  /** Null when the configuration no longer knows it. */
  readonly provider: Provider | null;
  readonly credentials: readonly Credential[];
}

/** The provider of this id or alias. Throws `usage` that says what is near, or why there is no such provider. */
export function requireProvider(providers: readonly Provider[], name: string): Provider {
  const provider = findProvider(providers, name);
  if (provider !== null) return provider;
  if (looksLikeKey(name)) throw keyAsArgument();
  const leftOut = findLeftOut(name);
  if (leftOut !== null) throw new UnderstudyError("usage", `${leftOut.id} can't be used: ${leftOut.reason}`);
  const near = nearestNames(
    name,
    providers.flatMap(({ id, aliases }) => [id, ...aliases]),
  );
  const hint = didYouMean(near) ?? "understudy auth list --all names them";
  throw new UnderstudyError("usage", `no provider is called ${JSON.stringify(name.slice(0, 60))}: ${hint}`);
}

/** The pool of a provider by id or alias, also of one that only the store still knows. Throws `usage`. */
export async function requirePool(workspace: Workspace, name: string): Promise<Pool> {
  const provider = findProvider(workspace.config.providers, name);
  if (provider !== null) return readPool(workspace, provider.id);
  const orphans = await readPool(workspace, name);
  if (orphans.credentials.length > 0) return orphans;
  requireProvider(workspace.config.providers, name);
  return orphans;
}

/** The pool of the provider with this id. */
export async function readPool({ store, runtime }: Workspace, providerId: string): Promise<Pool> {
  const stored = await store.listCredentials(providerId);
  return {
    providerId,
    provider: runtime.findProvider(providerId),
    credentials: poolOf(stored, runtime.environmentCredentials(providerId)),
  };
}

/** For a key on the command line. The key itself is not repeated. */
export function keyAsArgument(): UnderstudyError {
  return new UnderstudyError(
    "usage",
    "a key does not belong on the command line: it stays in the shell's history, and every process of this machine can read it. " +
      "Leave it out to be asked for it, or pass --api-key-stdin, or --from env:NAME, file:PATH or command:COMMAND. " +
      "If it was a real one, best replace it",
  );
}
