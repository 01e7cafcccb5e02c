import type { AttemptRecord, TurnRecord } from "../../src/core/events.ts";
import type { Failure, Reason } from "../../src/core/failure.ts";
import type { Store } from "../../src/credentials/store.ts";

/** A row of chance that is the same in every run. */
function createChance(seed: number): () => number {
  let value = seed;
  return () => {
    value = (value * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return value / 4_294_967_296;
  };
}

const troubles: readonly { readonly reason: Reason; readonly row: string; readonly message: string }[] = [
  { reason: "rate_limit", row: "codex-429", message: "Too many requests" },
  { reason: "quota", row: "codex-usage-limit", message: "The usage limit has been reached" },
  { reason: "overloaded", row: "any-503", message: "The engine is currently overloaded" },
  { reason: "timeout", row: "no-first-event", message: "no event within 60 s" },
];

/** Puts turns of the past into the journal: most went well, some were rescued, a few were lost. */
export async function writeHistory(store: Store, count: number, spanMs: number): Promise<void> {
  const chance = createChance(7);
  const now = Date.now();
  for (let i = 0; i < count; i += 1) {
    // More of them towards the end of the day.
    const startedAt = Math.round(now - spanMs * (1 - ((i + 1) / (count + 1)) ** 0.7));
    await store.appendTurn(createTurn(`turn_past${String(i).padStart(6, "0")}`, startedAt, chance));
  }
}

/** A turn as chance wants it: below 0.86 it went well, from 0.97 on it was lost. `message` is what the provider said. */
export function createTurn(id: string, startedAt: number, chance: () => number, message?: string): TurnRecord {
  const luck = chance();
  const trouble = troubles[Math.floor(chance() * troubles.length)];
  const took = 900 + Math.round(chance() * 9_000);
  const failure: Failure | null =
    trouble === undefined
      ? null
      : {
          ...trouble,
          ...(message === undefined ? {} : { message }),
          scope: "credential",
          next: "next_credential",
          reloginRequired: false,
          status: 429,
        };
  const attempt = (label: string, from: number, to: number, failed: boolean): AttemptRecord => ({
    candidate: {
      provider: label === "key" ? "anthropic" : "codex",
      model: label === "key" ? "claude-opus-4-8" : "gpt-5.5",
      credential: { id: `past-${label}`, label },
    },
    startedAt: startedAt + from,
    endedAt: startedAt + to,
    called: true,
    failure: failed ? failure : null,
    decision: failed ? { action: "next_credential" } : null,
  });
  const wait = 80 + Math.round(chance() * 900);
  const attempts =
    luck < 0.86
      ? [attempt("ann", 2, took, false)]
      : luck < 0.97
        ? [attempt("ann", 2, wait, true), attempt(chance() < 0.6 ? "ben" : "key", wait + 4, took + wait, false)]
        : [attempt("ann", 2, wait, true), attempt("ben", wait, 2 * wait, true)];
  const isLost = luck >= 0.97;
  return {
    id,
    route: chance() < 0.8 ? "coding" : "night",
    startedAt,
    endedAt: startedAt + (isLost ? 2 * wait : took),
    outcome: isLost ? "failed" : "answered",
    attempts,
    usage: isLost
      ? null
      : {
          input: 2_000 + Math.round(chance() * 90_000),
          output: 80 + Math.round(chance() * 2_400),
          cachedInput: 1_000,
          reasoning: 0,
        },
  };
}
