import { strategies } from "../../src/core/select.ts";
import type { Chance } from "./chance.ts";
import type { IssuerPolicy } from "./issuer.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** How much of each trouble a seed has: 0 none, 1 a lot. */
export interface Temper {
  readonly crashes: number;
  readonly freezes: number;
  readonly clocks: number;
  readonly store: number;
  readonly providers: number;
  readonly issuers: number;
  /** Callers that give up. */
  readonly impatience: number;
  /** Requests that are wrong in themselves. */
  readonly mistakes: number;
  /** What a person does: reset, pause, sign in anew. */
  readonly person: number;
}

/** Everything about a world that is settled before it begins. */
export interface Profile {
  readonly machines: number;
  readonly processes: number;
  readonly lanes: number;
  /** A database server that several machines share, or a file that the processes of one machine share. */
  readonly hasStoreServer: boolean;
  /** Everybody learns of a death at once, as with a lock that the server frees; else only the dead one's own machine. */
  readonly tellsDeath: boolean;
  /** Clock offsets of the machines, in ms. */
  readonly offsetsMs: readonly number[];
  readonly temper: Temper;
  /** Mean time between two events of the weather, in ms. */
  readonly restlessMs: number;
  readonly thinkingMs: readonly [number, number];
  readonly storeDelayMs: number;
  /** How often two events of a stream come in one piece. */
  readonly togetherness: number;
  readonly strategy: (typeof strategies)[number];
  readonly pools: readonly { readonly provider: string; readonly size: number }[];
  readonly routes: number;
  /** Null: each issuer draws its own. */
  readonly policy: IssuerPolicy | null;
}

const providers = ["codex", "south", "openai", "anthropic", "east"] as const;

export function drawProfile(chance: Chance): Profile {
  const machines = chance.pick([1, 1, 1, 2, 3]);
  const hasStoreServer = machines > 1 || chance.happens(0.2);
  const processes = Math.max(machines, chance.whole(1, 8));
  const some = (): number => chance.pick([0, 0, 0.1, 0.3, 1]);
  const temper: Temper = {
    crashes: some(),
    freezes: some(),
    clocks: chance.happens(0.7) ? 0 : some(),
    store: some(),
    providers: chance.pick([0.1, 0.3, 1]),
    issuers: some(),
    impatience: chance.pick([0, 0, 0.05, 0.3]),
    mistakes: chance.pick([0, 0.02, 0.1]),
    person: chance.pick([0.1, 0.5, 1]),
  };
  const isSkewed = chance.happens(0.2);
  const slowest = chance.span(20 * second, 20 * minute);
  const names = providers.filter(() => chance.happens(0.5));
  if (!names.some((name) => name === "codex" || name === "south")) names.push(chance.pick(["codex", "south"]));
  return {
    machines,
    processes,
    lanes: chance.pick([1, 1, 2, 3]),
    hasStoreServer,
    tellsDeath: chance.happens(0.5),
    offsetsMs: Array.from({ length: machines }, () => (isSkewed ? chance.whole(-5 * minute, 5 * minute) : 0)),
    temper,
    restlessMs: chance.span(5 * second, 10 * minute),
    thinkingMs: [1, slowest],
    storeDelayMs: chance.pick([0, 1, 5, 50, 2_000]),
    togetherness: chance.pick([0, 0.5, 0.9, 1]),
    strategy: chance.pick(strategies),
    pools: names.map((provider) => ({ provider, size: chance.pick([1, 1, 2, 3, 4]) })),
    routes: chance.whole(1, 4),
    policy: null,
  };
}

export function drawPolicy(chance: Chance): IssuerPolicy {
  const tells = chance.pick(["jwt", "jwt", "jwt", "expires_in", "nothing", "lie"] as const);
  return {
    rotates: chance.happens(0.9),
    graceMs: chance.pick([0, 0, 0, 10 * second, 5 * minute]),
    reuse: chance.pick(["family", "family", "token"]),
    revokesAccess: chance.happens(0.7),
    endsOldAccess: chance.happens(0.2),
    lifeMs: chance.pick([6 * minute, 10 * minute, 20 * minute, hour]),
    tells,
    lieMs: tells === "lie" ? chance.whole(-30 * minute, hour) : 0,
    nestedErrors: chance.happens(0.5),
    delayMs: chance.pick([
      [20, 200],
      [100, 3_000],
      [2_000, 8_000],
    ] as const),
  };
}
