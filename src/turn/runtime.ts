import type { CancelSignal, Canceller } from "../core/cancel.ts";
import type { Clock, Random } from "../core/clock.ts";
import type { Secret } from "../core/secret.ts";
import type { Strategy } from "../core/select.ts";
import type { Soon } from "../core/soon.ts";
import type { TurnEvent } from "../core/events.ts";
import type { Price } from "../core/price.ts";
import type { ProtocolName, Target } from "../core/target.ts";
import type { Transport } from "../core/transport.ts";
import type { ApiKeyCredential, Credential, KeySource } from "../credentials/credential.ts";
import type { TokenKeeper } from "../credentials/keeper.ts";
import type { Store } from "../credentials/store.ts";
import type { ClassifyOptions } from "../failures/classify.ts";
import type { Row } from "../failures/row.ts";
import type { Provider } from "../providers/provider.ts";
import type { HabitLedger } from "./habits.ts";
import type { PoolBook } from "./pool-book.ts";
import type { TurnLimits } from "./limits.ts";
import type { CredentialLoad } from "./load.ts";
import type { SealLedger } from "./seals.ts";
import type { StreamGauge } from "./stream-gauge.ts";

/** The headers of an answer, or the data of one of its events (or its whole body). */
export type Heard = { readonly headers: Readonly<Record<string, string>> } | { readonly text: string };

/** Everything that a turn needs from outside. Built once per process in `understudy.ts`. */
export interface TurnRuntime {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Store;
  readonly keeper: TokenKeeper;
  readonly limits: TurnLimits;
  /** The table that failures are looked up in, a user's own rows with it. Missing: the built-in one. */
  readonly failureRows?: readonly Row[];
  readonly findProvider: (id: string) => Provider | null;
  /** Keeps the order of the store's pools between turns. Missing: each turn lists and sorts them. */
  readonly pools?: PoolBook;
  readonly strategyOf: (provider: string) => Strategy;
  /** Turns that one credential of this provider carries at once before others are asked first. Missing: any number. */
  readonly concurrencyOf?: (provider: string) => number;
  /** Counts what each credential carries. Missing: nobody is ever saturated. */
  readonly load?: CredentialLoad;
  /** Keys of one provider that stand in the environment, not in the store. */
  readonly environmentCredentials: (provider: string) => readonly ApiKeyCredential[];
  /**
   * Reads a key at the moment of use, at once where it is stored or stands in the environment; null when none is asked for. Rejects with an
   * `UnderstudyError` that names what is missing, and throws nothing.
   */
  readonly readKey: (source: KeySource, signal?: CancelSignal) => Soon<Secret | null>;
  /** Where a model of a provider is called, and how. Rejects with `config_invalid` when no base URL is known. */
  readonly resolveEndpoint: (
    provider: Provider,
    model: string,
    secret: string,
  ) => { readonly baseUrl: string; readonly protocol: ProtocolName };
  readonly newTurnId: () => string;
  /** Remembers who made which sealed reasoning. Missing: a foreign one is only found out by being refused. */
  readonly seals?: SealLedger;
  /** Remembers what targets insist on in a history. Missing: each turn learns it anew. */
  readonly habits?: HabitLedger;
  /** Told what providers say beside their answers: of an account's plan, for example. Must not throw. */
  readonly onHeard?: (credential: Credential, provider: Provider, heard: Heard) => void;
  /** Aborts when this process lets go of everything: answers that are still open are given up. */
  readonly closing?: Canceller;
  /** Counts an attempt with a key that no store keeps. */
  readonly recordUnstoredUse?: (id: string, at: number) => void;
  /** What a model costs; null when nobody has said. Missing: nobody has. */
  readonly priceOf?: (target: Pick<Target, "provider" | "model">) => Price | null;
  /** A clock in ms with fractions, from whatever beginning. Missing: nothing is measured that finely. */
  readonly stopwatch?: () => number;
  /** What is held and open now, over all turns. Missing: nobody counts. */
  readonly gauge?: StreamGauge;
  /** Called as each turn begins; told what happens in it, before the caller is. Neither may throw. */
  readonly observeTurn?: () => (event: TurnEvent) => void;
}

/** What failures are judged by now: the time, and the table with a user's own rows. */
export function classifyOptions({ clock, failureRows }: TurnRuntime): ClassifyOptions {
  return { now: clock.now(), ...(failureRows === undefined ? {} : { rows: failureRows }) };
}
