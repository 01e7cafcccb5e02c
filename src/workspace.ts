import { existsSync } from "node:fs";
import { join } from "node:path";
import { concurrencyFor, priceOf, type ResolvedConfig, resolveConfig, strategyFor } from "./config/resolve.ts";
import type { Config, ConfigInput } from "./config/schema.ts";
import { Canceller } from "./core/cancel.ts";
import { type Clock, type Random, systemClock } from "./core/clock.ts";
import { UnderstudyError } from "./core/error.ts";
import type { TurnEvent } from "./core/events.ts";
import { SecretLedger } from "./core/secret-ledger.ts";
import { type Transport, withAbortSignals } from "./core/transport.ts";
import type { ApiKeyCredential } from "./credentials/credential.ts";
import { createTokenKeeper, type TokenKeeper } from "./credentials/keeper.ts";
import type { RefreshOutcome } from "./credentials/refresh-outcome.ts";
import type { Store } from "./credentials/store.ts";
import { locateStore, openStore, type StorePlace } from "./open-store.ts";
import { noCacheFiles, openCacheFiles } from "./platform/cache-files.ts";
import { fingerprint } from "./platform/fingerprint.ts";
import { type UnderstudyHome, understudyHome } from "./platform/home.ts";
import { isOwnerDead, processOwner } from "./platform/process-identity.ts";
import { readKeySource } from "./platform/read-key-source.ts";
import { createUsageLog, type UsageLog } from "./platform/usage-log.ts";
import { readUsageEvent, readUsageHeaders } from "./providers/codex-usage.ts";
import { environmentCredentials } from "./providers/environment.ts";
import type { Provider } from "./providers/provider.ts";
import { builtInProviders, findProvider } from "./providers/registry.ts";
import { missingBaseUrl, resolveEndpoint } from "./providers/resolve.ts";
import { createSpendRefreshToken } from "./providers/spend-refresh-token.ts";
import { dayMs, type JournalLimits } from "./stores/journal-limits.ts";
import { parseConfigText, readCheckedConfig } from "./read-config.ts";
import { createTransport } from "./transport/on-demand.ts";
import type { TurnRuntime } from "./turn/runtime.ts";
import { createHabitLedger } from "./turn/habits.ts";
import { createPoolBook } from "./turn/pool-book.ts";
import { createCredentialLoad } from "./turn/load.ts";
import { createSealLedger } from "./turn/seals.ts";
import { createStreamGauge } from "./turn/stream-gauge.ts";
import { TurnObservers } from "./turn/turn-observers.ts";
import { createTurnIds } from "./platform/turn-ids.ts";
import { UnstoredKeys } from "./turn/unstored-keys.ts";

export interface WorkspaceOptions {
  /** The configuration itself. Default: read from `config.yaml` in the configuration folder. */
  readonly config?: ConfigInput;
  /** A store, or the path or `postgres://` address of one. A store that is handed in is not closed. Default: `understudy.db` in the data folder. */
  readonly store?: Store | string;
  /** True: for whoever only looks. Where the store is a file, nothing in it can change then. */
  readonly readOnly?: boolean;
  /** Environment variables: keys, base URLs, `UNDERSTUDY_HOME`, `UNDERSTUDY_KEY`, `UNDERSTUDY_KEY_COMMAND`. Default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly transport?: Transport;
}

/** How a spending of a refresh token by this process ended. */
export interface RefreshTold {
  readonly provider: string;
  readonly outcome: RefreshOutcome["kind"];
}

/** What a reload changes. */
interface Settings {
  readonly config: ResolvedConfig;
  readonly unstored: readonly ApiKeyCredential[];
}

/** Everything of one installation, opened: its configuration, its store, and what a turn needs. */
export interface Workspace {
  readonly home: UnderstudyHome;
  readonly config: ResolvedConfig;
  readonly store: Store;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly keeper: TokenKeeper;
  readonly runtime: TurnRuntime;
  /** What providers said of each account's plan. */
  readonly usage: UsageLog;
  /** Keys and tokens that were used since it was opened: for taking them out of whatever is written somewhere. */
  readonly secrets: SecretLedger;
  readonly env: Readonly<Record<string, string | undefined>>;
  /**
   * `observe` is called as each turn begins, and what it gives is told what happens in it; null: nothing of this turn. Neither may throw.
   * Returns how to end it.
   */
  onTurn(observe: () => ((event: TurnEvent) => void) | null): () => void;
  /** Told how each spending of a refresh token ended, also those in the background. Must not throw. Returns how to end it. */
  onRefresh(listener: (told: RefreshTold) => void): () => void;
  /**
   * Reads the configuration again; from then on every new turn goes by it. Throws `config_invalid` and leaves everything as it
   * was when it is wrong. The place of the store is the one thing that only a restart changes.
   */
  reload(): Promise<void>;
  /** Gives up answers that are still open, waits for refreshes under way, then closes what was opened here. */
  close(): Promise<void>;
}

/**
 * Opens an installation. `ifMissing` stands in for a store whose file is not there yet; without it the file is made. Throws
 * `UnderstudyError`: `config_invalid` (each problem with file, line, key and value), `store_unavailable`, `store_newer`.
 */
export async function openWorkspace(options: WorkspaceOptions = {}, ifMissing?: Store): Promise<Workspace> {
  const { env = process.env, clock = systemClock, random = Math.random } = options;
  const home = understudyHome(env);
  const read = async (): Promise<Settings> => {
    const config = resolveConfig(await readConfig(options.config, home), builtInProviders, env);
    return { config, unstored: environmentCredentials(config.providers, env, fingerprint) };
  };
  let settings = await read();
  const { config } = settings;
  const cache = openCacheFiles(join(home.dataDir, "cache"));
  const given = options.store ?? config.store ?? undefined;
  const openPlace = async (place: StorePlace): Promise<Store> =>
    ifMissing !== undefined && place.kind === "sqlite" && !existsSync(place.file)
      ? ifMissing
      : openStore(place, {
          clock,
          env,
          journal: journalLimits(config),
          readOnly: options.readOnly === true,
          // Whoever only looks makes no folders.
          ...(existsSync(home.dataDir) ? { cache } : {}),
        });
  const store = typeof given === "object" ? given : await openPlace(locateStore(given, home));
  const transport = options.transport ?? createTransport();
  const find = (id: string): Provider | null => findProvider(settings.config.providers, id);
  const spend = createSpendRefreshToken({
    transport,
    clock,
    findProvider: find,
    timeoutMs: config.limits.refreshTimeoutMs,
  });
  const makeKeeper = (): TokenKeeper =>
    createTokenKeeper({
      store,
      clock,
      random,
      owner: processOwner(),
      isDead: isOwnerDead,
      async spend(credential) {
        secrets.note(credential.grant.refreshToken?.reveal());
        const outcome = await spend(credential);
        if (outcome.kind === "answered") {
          const { accessToken, refreshToken, idToken } = outcome.grant;
          for (const token of [accessToken, refreshToken, idToken]) secrets.note(token?.reveal());
        }
        for (const tell of refreshObservers) tell({ provider: credential.provider, outcome: outcome.kind });
        return outcome;
      },
      claimMs: config.limits.refreshTimeoutMs + 10_000,
    });
  // Made when a token is asked for: whoever only looks asks for none.
  let keeper: TokenKeeper | null = null;
  // Whoever brings a store of their own wants nothing written beside it.
  const usage = createUsageLog(typeof given === "object" ? noCacheFiles : cache);
  const closing = new Canceller();
  const secrets = new SecretLedger();
  const turnObservers = new TurnObservers();
  const refreshObservers = new Set<(told: RefreshTold) => void>();
  const unstored = new UnstoredKeys(settings.unstored);
  const runtime: TurnRuntime = {
    transport: options.transport === undefined ? transport : withAbortSignals(transport),
    clock,
    random,
    store,
    pools: createPoolBook(store),
    get keeper() {
      return (keeper ??= makeKeeper());
    },
    get limits() {
      return settings.config.limits;
    },
    get failureRows() {
      return settings.config.failureRows;
    },
    findProvider: find,
    strategyOf: (provider) => strategyFor(settings.config, provider),
    concurrencyOf: (provider) => concurrencyFor(settings.config, provider),
    load: createCredentialLoad(),
    environmentCredentials: (provider) => unstored.of(provider),
    recordUnstoredUse: (id, at) => unstored.used(id, at),
    closing,
    onHeard(credential, provider, heard) {
      if (provider.signIn.kind !== "codex") return;
      const now = clock.now();
      const said = "headers" in heard ? readUsageHeaders(heard.headers, now) : readUsageEvent(heard.text, now);
      if (said !== null) usage.note(credential.id, said);
    },
    readKey: (source, signal) =>
      source.from === "stored"
        ? source.secret
        : readKeySource(source, { env, ...(signal === undefined ? {} : { signal }) }),
    resolveEndpoint(provider, model, secret) {
      secrets.note(secret);
      const endpoint = resolveEndpoint(provider, model, secret);
      if (endpoint === null) throw new UnderstudyError("config_invalid", missingBaseUrl(provider));
      return endpoint;
    },
    priceOf: (target) => (settings.config.prices.size === 0 ? null : priceOf(settings.config, target)),
    stopwatch: () => performance.now(),
    gauge: createStreamGauge(),
    observeTurn: () => turnObservers.begin(),
    seals: createSealLedger(),
    habits: createHabitLedger(),
    newTurnId: createTurnIds(clock),
  };
  return {
    home,
    get config() {
      return settings.config;
    },
    store,
    transport,
    clock,
    get keeper() {
      return runtime.keeper;
    },
    runtime,
    usage,
    secrets,
    env,
    onTurn: (observe) => turnObservers.add(observe),
    onRefresh(listener) {
      refreshObservers.add(listener);
      return () => refreshObservers.delete(listener);
    },
    async reload() {
      settings = await read();
      unstored.replace(settings.unstored);
    },
    async close() {
      closing.abort(new UnderstudyError("cancelled", "this installation was closed"));
      await keeper?.idle();
      usage.flush();
      if (store !== options.store) await store.close();
      if (transport !== options.transport) await transport.close();
    },
  };
}

function journalLimits({ journal }: ResolvedConfig): JournalLimits {
  return { maxTurns: journal.maxTurns, maxAgeMs: journal.maxAgeDays * dayMs };
}

function readConfig(given: ConfigInput | undefined, home: UnderstudyHome): Promise<Config> {
  return given === undefined ? readCheckedConfig(home) : parseConfigText(JSON.stringify(given, null, 2), "config");
}
