import { type Credential, poolOf } from "../../credentials/credential.ts";
import type { Provider } from "../../providers/provider.ts";
import { signInCommand } from "../../turn/advice.ts";
import type { Workspace } from "../../workspace.ts";
import { viewAccounts, viewRests } from "./view-account.ts";
import { viewRoute } from "./view-route.ts";
import type { PageState, PoolView, ProviderChoice } from "./view.ts";

/** How everything stands now, as the page shows it. Reads the store, spends nothing (rule R9). */
export async function readState(workspace: Workspace): Promise<PageState> {
  const { config, store, runtime, clock } = workspace;
  const now = clock.now();
  const [stored, cooldowns] = await Promise.all([store.listCredentials(), store.listCooldowns()]);
  const pools: PoolView[] = [];
  for (const [id, name, provider] of listProviders(config.providers, stored)) {
    const isNamed = config.routes.some(({ targets }) => targets.some((target) => target.provider === id));
    // A server that asks for no key is always there: it is shown when a route wants it.
    const unstored = runtime.environmentCredentials(id).filter(({ source }) => source.from !== "none" || isNamed);
    const credentials = poolOf(
      stored.filter((one) => one.provider === id),
      unstored,
    );
    if (credentials.length === 0) continue;
    pools.push({
      provider: id,
      name,
      strategy: runtime.strategyOf(id),
      accounts: viewAccounts(workspace, { id, provider, credentials }, cooldowns, now),
      rests: viewRests(cooldowns, id, "", now),
    });
  }
  return {
    now,
    pools: pools.sort((a, b) => rank(a, config.routes) - rank(b, config.routes)),
    routes: await Promise.all(config.routes.map((route) => viewRoute(workspace, route, now))),
    logins: config.providers.flatMap((one) => (one.signIn.kind === "api_key" ? [] : [toChoice(one)])),
    keyProviders: config.providers.flatMap((one) =>
      one.signIn.kind === "api_key" && one.signIn.required ? [toChoice(one)] : [],
    ),
    trouble: null,
  };
}

/** Providers of the configuration, then those that only the store still knows. */
function* listProviders(
  providers: readonly Provider[],
  stored: readonly Credential[],
): Generator<[string, string, Provider | null]> {
  for (const provider of providers) yield [provider.id, provider.name, provider];
  const known = new Set(providers.map(({ id }) => id));
  for (const id of new Set(stored.map((one) => one.provider))) if (!known.has(id)) yield [id, id, null];
}

/** Who stands early in a route comes early on the page; who stands in none comes last. */
function rank(pool: PoolView, routes: Workspace["config"]["routes"]): number {
  const places = routes.flatMap(({ targets }) => {
    const place = targets.findIndex(({ provider }) => provider === pool.provider);
    return place < 0 ? [] : [place];
  });
  return Math.min(...places, 1_000);
}

function toChoice({ id, name }: Provider): ProviderChoice {
  return { provider: id, name, command: signInCommand(id) };
}
