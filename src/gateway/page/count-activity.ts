import type { TurnRecord } from "../../core/events.ts";
import type { Reason } from "../../core/failure.ts";
import { describeReason } from "../../turn/advice.ts";
import type { Activity } from "./view.ts";

/** How long a step is, in ms. */
const stepMs = 5 * 60_000;

/** How many of them are shown: six hours. */
const steps = 72;

/** How far back turns are counted, in ms. */
export const activityWindowMs: number = steps * stepMs;

interface Step {
  straight: number;
  rescued: number;
  lost: number;
  readonly added: number[];
  readonly failures: Map<Reason, number>;
}

/** Counts turns of the last hours in steps of five minutes. */
export class ActivityCount {
  readonly #steps = new Map<number, Step>();

  /** A turn that is over counts where it ended. Cancelled ones are nobody's failure and no answer. */
  add({ startedAt, endedAt, outcome, attempts }: TurnRecord): void {
    const step = this.#stepAt(endedAt);
    for (const { failure } of attempts) {
      if (failure === null || failure.reason === "cancelled") continue;
      step.failures.set(failure.reason, (step.failures.get(failure.reason) ?? 0) + 1);
    }
    if (outcome === "cancelled") return;
    const last = attempts.at(-1);
    if (outcome !== "answered" || last === undefined) {
      step.lost += 1;
      return;
    }
    const first = attempts[0]?.candidate.credential.id;
    if (last.candidate.credential.id === first) step.straight += 1;
    else step.rescued += 1;
    step.added.push(Math.max(0, last.startedAt - startedAt));
  }

  view(now: number, partial: boolean): Activity {
    const end = Math.floor(now / stepMs);
    for (const at of this.#steps.keys()) if (at <= end - steps) this.#steps.delete(at);
    const shown = Array.from({ length: steps }, (_, i) => this.#steps.get(end - steps + 1 + i));
    const reasons = new Map<Reason, number>();
    for (const step of shown) {
      for (const [reason, n] of step?.failures ?? []) reasons.set(reason, (reasons.get(reason) ?? 0) + n);
    }
    return {
      stepMs,
      from: (end - steps + 1) * stepMs,
      straight: shown.map((step) => step?.straight ?? 0),
      rescued: shown.map((step) => step?.rescued ?? 0),
      lost: shown.map((step) => step?.lost ?? 0),
      addedP50: shown.map((step) => percentile(step?.added, 0.5)),
      addedP95: shown.map((step) => percentile(step?.added, 0.95)),
      failures: [...reasons]
        .sort((a, b) => b[1] - a[1])
        .map(([reason]) => ({
          reason,
          words: describeReason(reason),
          counts: shown.map((step) => step?.failures.get(reason) ?? 0),
        })),
      partial,
    };
  }

  #stepAt(at: number): Step {
    const place = Math.floor(at / stepMs);
    let step = this.#steps.get(place);
    if (step === undefined) {
      step = { straight: 0, rescued: 0, lost: 0, added: [], failures: new Map() };
      this.#steps.set(place, step);
    }
    return step;
  }
}

/** The value below which that part of the values lies; null when there are none. */
function percentile(values: readonly number[] | undefined, part: number): number | null {
  if (values === undefined || values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? null;
}
