import type { CancelSignal } from "../core/cancel.ts";
import type { TurnEvent } from "../core/events.ts";
import type { Route } from "../core/target.ts";

export interface TurnOptions {
  readonly route: Route;
  /** Gives up the turn: nothing is counted against anybody. */
  readonly signal?: CancelSignal;
  /** Told everything that happens, as it happens. Must not throw. */
  readonly onEvent?: (event: TurnEvent) => void;
  /** The credential that served this conversation before. */
  readonly preferredCredentialId?: string;
}
