import { resolveRoute } from "./config/resolve-route.ts";
import { UnderstudyError } from "./core/error.ts";
import type { TurnEvent } from "./core/events.ts";
import type { Route } from "./core/target.ts";
import { readPackageVersion } from "./platform/package-version.ts";
import { loadTurnTracing } from "./telemetry/load-tracing.ts";
import { type TurnInput, toTurnRequest } from "./turn/turn-input.ts";
import { startTurn, type Turn } from "./turn/turn.ts";
import { createTurnFetch, type TurnFetch } from "./turn/turn-fetch.ts";
import { openWorkspace, type Workspace, type WorkspaceOptions } from "./workspace.ts";

export interface UnderstudyOptions extends WorkspaceOptions {
  /** Told what happens in every turn, as it happens. Must not throw. */
  readonly onEvent?: (event: TurnEvent) => void;
}

export interface TurnCallOptions {
  /** A route, `provider/model`, or a model that the routes name once. Default: the default route. */
  readonly route?: string;
  /** Gives the turn up. */
  readonly signal?: AbortSignal;
}

/** Turns that survive a dead login or an empty quota. */
export interface Understudy {
  /**
   * Starts a turn. Throws `route_unknown` at once when there is no such route; everything else is told by the turn.
   *
   * @example
   * const { text, servedBy } = await understudy.turn("Why is the sky blue?", { route: "coding" }).answer;
   */
  turn(input: TurnInput, options?: TurnCallOptions): Turn;
  /**
   * A `fetch` for the official SDKs and others that let one be handed in. What they call the model names the route. Their own
   * retries are best switched off (`maxRetries: 0`): this does it for them.
   */
  readonly fetch: TurnFetch;
  /** The same, with one route for whatever model the client names. Throws `route_unknown`. */
  fetchFor(route: string): TurnFetch;
  /** The routes of the configuration, in its order. */
  readonly routes: readonly Route[];
  /** Waits for refreshes under way and lets go of the store and the connections. */
  close(): Promise<void>;
}

/** What stands behind an `Understudy`, for the doors that are built upon one. */
export interface Backstage {
  readonly workspace: Workspace;
  readonly onEvent: ((event: TurnEvent) => void) | undefined;
}

const backstages = new WeakMap<Understudy, Backstage>();

/** Throws `usage` for an object that `createUnderstudy` of this installed package did not make. */
export function backstageOf(understudy: Understudy): Backstage {
  const backstage = backstages.get(understudy);
  if (backstage !== undefined) return backstage;
  throw new UnderstudyError("usage", "understudy: expected what createUnderstudy() of the same package has returned");
}

/**
 * Opens this installation's accounts and routes.
 *
 * Throws `UnderstudyError` with code `config_invalid`, `store_unavailable` or `store_newer`; the message says what to do.
 */
export async function createUnderstudy(options: UnderstudyOptions = {}): Promise<Understudy> {
  const workspace = await openWorkspace(options);
  const { config, runtime } = workspace;
  const tracing = await loadTurnTracing(readPackageVersion());
  if (tracing !== null) workspace.onTurn(tracing.observeTurn);
  const onEvent = options.onEvent === undefined ? {} : { onEvent: options.onEvent };
  const understudy: Understudy = {
    turn(input, { route, signal } = {}) {
      return startTurn(runtime, toTurnRequest(input), {
        route: resolveRoute(config, route),
        ...onEvent,
        ...(signal === undefined ? {} : { signal }),
      });
    },
    fetch: createTurnFetch({ runtime, resolveRoute: (model) => resolveRoute(config, model), ...onEvent }),
    fetchFor(route) {
      const fixed = resolveRoute(config, route);
      return createTurnFetch({ runtime, resolveRoute: () => fixed, ...onEvent });
    },
    routes: config.routes,
    close: () => workspace.close(),
  };
  backstages.set(understudy, { workspace, onEvent: options.onEvent });
  return understudy;
}
