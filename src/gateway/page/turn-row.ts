import type { TurnRecord } from "../../core/events.ts";
import { formatTarget } from "../../core/target.ts";
import type { ExplainableTurn } from "../../turn/explain-turn.ts";
import type { StepView, TurnRow } from "./view.ts";

/** A turn as one line of the timeline. */
export function toTurnRow(turn: ExplainableTurn): TurnRow {
  const { id, route, startedAt, endedAt, outcome, usage, cost } = turn;
  return {
    id,
    route,
    startedAt,
    endedAt: outcome === "running" ? null : endedAt,
    outcome,
    steps: turn.attempts.map((attempt, i) => toStep(attempt, i === turn.attempts.length - 1, outcome)),
    tokens: usage === null ? null : { input: usage.input, cached: usage.cachedInput, output: usage.output },
    usd: cost?.usd ?? null,
  };
}

function toStep(
  { candidate, failure }: TurnRecord["attempts"][number],
  isLast: boolean,
  outcome: ExplainableTurn["outcome"],
): StepView {
  const base = { target: formatTarget(candidate), label: candidate.credential.label, reason: failure?.reason ?? null };
  if (outcome === "running" && failure === null) return { ...base, state: "asked" };
  if (isLast && outcome === "cut") return { ...base, state: "cut" };
  if (failure !== null) return { ...base, state: "failed" };
  return { ...base, state: outcome === "answered" ? "answered" : "cut" };
}
