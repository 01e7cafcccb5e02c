import type { Candidate, TurnRecord, Usage } from "../core/events.ts";
import { formatUsd, type Price, usdFor } from "../core/price.ts";
import { formatTarget, type Target } from "../core/target.ts";
import type { Store } from "../credentials/store.ts";

/**
 * What a hand-over from one candidate to another costs, reckoned by the tokens of one turn: the prompt cache belongs to an account
 * and a model, so what stood in the one's has to be read anew by the other, at the other's price.
 */
export interface SwitchCost {
  /** Input tokens that came from the one's prompt cache and that the other reads anew. */
  readonly lostCachedTokens: number;
  /** What these tokens cost at the one, and at the other, in USD; null where no price is known. */
  readonly fromUsd: number | null;
  readonly toUsd: number | null;
}

/** A switch that has happened: who would have gone on, and what it did cost that it was somebody else. */
export interface ReckonedSwitch {
  readonly from: Candidate;
  readonly cost: SwitchCost;
}

/** Turns of the journal that are looked through for the one before a switch. */
const lookedAt = 1_000;

type PriceOf = (target: Pick<Target, "provider" | "model">) => Price | null;

/** What the turn that `from` served would cost if `to` served the next one like it. */
export function expectSwitchCost(usage: Usage, from: Candidate, to: Candidate, priceOf: PriceOf): SwitchCost {
  const { cachedInput } = usage;
  return {
    lostCachedTokens: cachedInput,
    fromUsd: inUsd(usage, priceOf(from)),
    toUsd: inUsd({ ...usage, cachedInput: 0 }, priceOf(to)),
  };
}

/**
 * What it did cost that `turn` was not served by the one who had served its route before: at most so much, for nobody knows how much of
 * the cache the one would have used. Null for a turn that left nobody, and when the journal does not hold the turn before.
 */
export async function reckonSwitch(
  turn: Pick<TurnRecord, "id" | "route" | "startedAt" | "attempts" | "usage" | "cost"> & { readonly outcome: string },
  store: Pick<Store, "listTurns">,
  priceOf: PriceOf = () => null,
): Promise<ReckonedSwitch | null> {
  const to = servedBy(turn);
  const { usage } = turn;
  if (to === null || usage === null || turn.attempts.length < 2) return null;
  const earlier = (await store.listTurns(lookedAt)).filter(
    ({ id, startedAt }) => id !== turn.id && startedAt <= turn.startedAt,
  );
  const before = lastAnswered(earlier, turn.route);
  const from = before === null ? null : servedBy(before);
  if (before?.usage == null || from === null || isSame(from, to)) return null;
  const cachedInput = Math.max(usage.cachedInput, Math.min(usage.input, before.usage.cachedInput));
  const cost: SwitchCost = {
    lostCachedTokens: cachedInput - usage.cachedInput,
    fromUsd: inUsd({ ...usage, cachedInput }, priceOf(from)),
    toUsd: turn.cost?.usd ?? inUsd(usage, priceOf(to)),
  };
  return { from, cost };
}

function inUsd(usage: Usage, price: Price | null): number | null {
  return price === null ? null : usdFor(usage, price);
}

/** Who answered a turn; null when nobody did. */
export function servedBy(turn: Pick<TurnRecord, "attempts"> & { readonly outcome: string }): Candidate | null {
  const last = turn.attempts.at(-1);
  return turn.outcome === "answered" && last !== undefined && last.failure === null ? last.candidate : null;
}

/** The newest turn of this route that was answered and whose tokens are known. `turns` are the newest first. */
export function lastAnswered(turns: readonly TurnRecord[], route: string): TurnRecord | null {
  return turns.find((turn) => turn.route === route && turn.usage !== null && servedBy(turn) !== null) ?? null;
}

/** The same account with the same model. */
export function isSame(a: Candidate, b: Candidate): boolean {
  return a.provider === b.provider && a.model === b.model && a.credential.id === b.credential.id;
}

/** `codex/gpt-5.5 · work` */
export function nameOf(candidate: Candidate): string {
  return `${formatTarget(candidate)} · ${candidate.credential.label}`;
}

/** `$0.015 instead of $0.0021`; null when a price is missing. */
export function describePrices({ fromUsd, toUsd }: SwitchCost): string | null {
  return fromUsd === null || toUsd === null ? null : `${formatUsd(toUsd)} instead of ${formatUsd(fromUsd)}`;
}
